"""Measure a finished run again."""

from __future__ import annotations

import argparse
from pathlib import Path

from examples.cifar10.commands.output import add_output_options
from examples.cifar10.data.source import load
from examples.cifar10.display import DownloadProgress


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command's options."""
    evaluate = commands.add_parser(
        "evaluate",
        help="measure a finished run's model on the test images again",
        allow_abbrev=False,
    )
    evaluate.set_defaults(command=run)
    evaluate.add_argument("run", type=Path, metavar="RUN_DIR", help="the folder that train made")
    evaluate.add_argument("--data", metavar="DIR", help="default: the data the run was made with")
    add_output_options(evaluate)


def run(options: argparse.Namespace) -> int:
    """Print the accuracy on the test images, and of each class."""
    from examples.cifar10.reporting.choice import make_reporter
    from examples.cifar10.runs.folder import RunFolder
    from examples.cifar10.runs.running import evaluate_run

    with make_reporter(quiet=options.quiet, json=options.json) as reporter:
        progress = DownloadProgress(options.quiet)
        evaluate_run(
            RunFolder(options.run),
            lambda config: load(
                options.data or config.data_source, reporter.note, progress, warn=reporter.warn
            ),
            reporter,
        )
    return 0
