"""Whether the imported `autograd` is dagrad's engine: another project uses the same import name."""

from __future__ import annotations

from types import ModuleType

import autograd

EXPECTED = ("Tensor", "pullback", "pushforward", "no_grad")


def check_engine(engine: ModuleType, importer: str) -> None:
    """Raise ImportError unless `engine` is the `autograd` of dagrad.

    >>> check_engine(autograd, "nn")
    """
    missing = [name for name in EXPECTED if not hasattr(engine, name)]
    if missing:
        place = getattr(engine, "__file__", None) or list(getattr(engine, "__path__", []))
        raise ImportError(
            f"`{importer}` needs dagrad's engine, but the `autograd` that Python imported from "
            f"{place} is another project's: it has no {', '.join(missing)}. "
            "The distribution named `autograd` (HIPS) writes into the same folder. Mend it with "
            "`pip uninstall autograd` and then `pip install --force-reinstall --no-deps dagrad`, "
            "or keep the two in separate virtual environments.",
            name="autograd",
            path=str(place),
        )


check_engine(autograd, "nn")
