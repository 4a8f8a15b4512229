"""Measure a finished run again."""

from __future__ import annotations

import argparse
from pathlib import Path

from examples.cifar10.data.source import load
from examples.cifar10.display import DownloadProgress, say


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


def run(options: argparse.Namespace) -> int:
    """Print the accuracy on the test images and what is taken for what; draw the mistakes."""
    from examples.cifar10.runs.folder import RunFolder
    from examples.cifar10.runs.running import evaluate_run
    from examples.cifar10.training.evaluation import test_line

    results = evaluate_run(
        RunFolder(options.run),
        lambda config: load(options.data or config.data_source, say, DownloadProgress()),
        say,
        pictures=RunFolder(options.out or options.run) if options.figures else None,
    )
    for result in results:
        say(test_line(result))
    return 0
