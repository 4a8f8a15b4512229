"""What the homework's programs share: their options, and figures without a display."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def homework_parser(
    name: str, description: str | None, draws: bool = False
) -> argparse.ArgumentParser:
    """A parser with --smoke, and --out when the program `draws`."""
    parser = argparse.ArgumentParser(
        prog=f"python -m examples.homework.{name}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--smoke", action="store_true", help="a small version, for tests")
    if draws:
        parser.add_argument(
            "--out",
            type=Path,
            default=Path("figures"),
            metavar="DIR",
            help="folder for the pictures (default: %(default)s)",
        )
    return parser


def new_figure(width: float, height: float) -> Figure:
    """A figure that needs no display. Raises SystemExit when Matplotlib is missing."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise SystemExit(
            "The pictures need Matplotlib: pip install 'dagrad[examples]' "
            "(or, in a checkout, pip install -e '.[examples]')."
        ) from error
    return Figure(figsize=(width, height), layout="constrained")


def save_figure(figure: Figure, folder: Path, name: str) -> Path:
    """Write the figure as a PNG, say where it is and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.png"
    figure.savefig(path, dpi=150)
    print(f"picture: {path}")
    return path


def format_row(label: str, values: Sequence[float], width: int = 24) -> str:
    """One line of a table: a label and numbers in columns."""
    return f"  {label:<28}" + "".join(f"{value:>{width}.15g}" for value in values)
