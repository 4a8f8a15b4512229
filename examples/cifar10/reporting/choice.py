"""Who is told what a command does, as its options choose."""

from __future__ import annotations

import os
import sys

from examples.cifar10.reporting.event_files import EventFiles
from examples.cifar10.reporting.json_lines import JsonLines
from examples.cifar10.reporting.lines import Lines, Warnings
from examples.cifar10.reporting.progress_bar import ProgressBar
from examples.cifar10.reporting.reporter import Reporter, Reporters


def make_reporter(*, quiet: bool, json: bool, tensorboard: bool = False) -> Reporter:
    """The reporter that --quiet, --json and --tensorboard ask for.

    Raises ExampleError, before anything is trained, if a library for it is missing.
    """
    told: list[Reporter] = []
    if not quiet and bar_possible():
        told.append(ProgressBar())
    if json:
        told += [Warnings() if quiet else Lines(sys.stderr), JsonLines(quiet=quiet)]
    else:
        told.append(Lines(quiet=quiet))
    if tensorboard:
        told.append(EventFiles())
    return Reporters(*told)


def bar_possible() -> bool:
    """Whether standard error is a terminal that can rewrite a line."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
