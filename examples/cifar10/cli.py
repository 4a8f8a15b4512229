"""The command line: train, tune, evaluate, runs, draw, download."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from examples.cifar10.commands import download, draw, evaluate, runs, train, tune
from examples.cifar10.errors import ExampleError
from examples.cifar10.runs.stopping import Stopped

DESCRIPTION = """\
Train image classifiers on CIFAR-10 with dagrad.

  python -m examples.cifar10 download
  python -m examples.cifar10 train convnet
  python -m examples.cifar10 train softmax --data DIR --out DIR
  python -m examples.cifar10 train convnet --train-images 50
  python -m examples.cifar10 train darts --from WEIGHTS --new-classifier
  python -m examples.cifar10 train --resume RUN_DIR
  python -m examples.cifar10 tune two_layer --trials 30
  python -m examples.cifar10 evaluate RUN_DIR
  python -m examples.cifar10 runs --sort test --plot runs.png
  python -m examples.cifar10 draw vgg --out vgg.svg
"""
EPILOG = """\
Exit status: 0 done; 1 it cannot be done, and standard error says why; 2 an option is unknown;
130 stopped by Ctrl-C, 143 by SIGTERM; 141 whoever read standard output has gone. `runs` ends with 0
whatever the runs are like.

Progress bars and colours are for terminals; NO_COLOR takes the colours away, FORCE_COLOR gives them
to a pipe, TERM=dumb does without the bar.
"""
COMMANDS = (train, tune, evaluate, runs, draw, download)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except ExampleError as error:
        print(f"error: {error}", file=sys.stderr)
        return _ended(options, "error", str(error), 1)
    except Stopped as stopped:
        print(stopped, file=sys.stderr)
        return _ended(options, "stopped", str(stopped), stopped.status)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return _ended(options, "stopped", "stopped", 130)
    except BrokenPipeError:
        # What is still in the buffer has nowhere to go when Python flushes it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def _ended(options: argparse.Namespace, event: str, message: str, status: int) -> int:
    """The status, told to a program that reads JSON too."""
    if getattr(options, "json", False):
        from examples.cifar10.reporting.json_lines import print_event

        print_event(event, message=message, status=status)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m examples.cifar10",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return parser
