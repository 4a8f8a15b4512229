"""Draw a model's graph."""

from __future__ import annotations

import argparse
from pathlib import Path

from examples.cifar10.commands.numbers import natural
from examples.cifar10.display import say
from examples.cifar10.errors import ExampleError
from examples.cifar10.presets import MODELS


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command's options."""
    draw = commands.add_parser(
        "draw",
        help="draw a model's graph, folded by module",
        allow_abbrev=False,
    )
    draw.set_defaults(command=run)
    draw.add_argument("model", choices=MODELS, metavar="MODEL", help=", ".join(MODELS))
    draw.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="svg, png, pdf, html or gv by its suffix (default: MODEL.svg)",
    )
    draw.add_argument(
        "--depth",
        type=natural,
        default=1,
        metavar="N",
        help="levels of modules to open (default: %(default)s, the layers)",
    )


def run(options: argparse.Namespace) -> int:
    """Save the picture."""
    from examples.cifar10.models.drawing import draw_network

    path = options.out or Path(f"{options.model}.svg")
    try:
        say(f"picture: {draw_network(options.model, options.depth).save(path)}")
    except (OSError, RuntimeError, ValueError) as error:
        raise ExampleError(str(error)) from error
    return 0
