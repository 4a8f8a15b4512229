"""Whether another project's package of the same name lies among our files."""

from __future__ import annotations

from pathlib import Path


def check_folder(folder: Path) -> None:
    """Raise ImportError if `folder` also holds the files of HIPS's autograd.

    >>> check_folder(Path(__file__).parent)
    """
    if (folder / "numpy" / "numpy_wrapper.py").exists():
        raise ImportError(
            f"{folder} holds dagrad's engine and, from an earlier installation, the distribution "
            "named `autograd` (HIPS), which uses the same import name. Mend it with "
            "`pip uninstall autograd` and then `pip install --force-reinstall --no-deps dagrad`, "
            "or keep the two in separate virtual environments.",
            name="autograd",
            path=str(folder),
        )


check_folder(Path(__file__).parent)
