"""The command line: train, tune, evaluate, draw, download."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from examples.cifar10.commands import download, draw, evaluate, train, tune
from examples.cifar10.errors import ExampleError

DESCRIPTION = """\
Train image classifiers on CIFAR-10 with dagrad.

  python -m examples.cifar10 download
  python -m examples.cifar10 train convnet
  python -m examples.cifar10 train softmax --data DIR --out DIR
  python -m examples.cifar10 train convnet --train-images 50
  python -m examples.cifar10 train darts --from WEIGHTS --new-classifier
  python -m examples.cifar10 tune two_layer --trials 30
  python -m examples.cifar10 evaluate RUN_DIR
  python -m examples.cifar10 draw vgg --out vgg.svg
"""
COMMANDS = (train, tune, evaluate, draw, download)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except ExampleError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m examples.cifar10",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return parser
