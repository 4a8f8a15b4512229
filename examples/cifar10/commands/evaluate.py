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
        description="Print the accuracy and the confusion matrix on the test images, and draw "
        "confusion.png and mistakes.png, the worst mistakes.",
        allow_abbrev=False,
    )
    evaluate.set_defaults(command=run)
    evaluate.add_argument("run", type=Path, metavar="RUN_DIR", help="the folder that train made")
    evaluate.add_argument("--data", metavar="DIR", help="default: the data the run was made with")
    evaluate.add_argument(
        "--out", type=Path, metavar="DIR", help="folder for the pictures; default: RUN_DIR"
    )
    evaluate.add_argument(
        "--no-figures", dest="figures", action="store_false", help="without Matplotlib's pictures"
    )
    add_output_options(evaluate)


def run(options: argparse.Namespace) -> int:
    """Print the accuracy on the test images and what is taken for what; draw the mistakes."""
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
            pictures=RunFolder(options.out or options.run) if options.figures else None,
        )
    return 0
