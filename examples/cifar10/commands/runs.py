"""List and compare runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from examples.cifar10.commands.output import add_output_options
from examples.cifar10.display import say
from examples.cifar10.runs.comparison_plot import draw_comparison
from examples.cifar10.runs.summary import RunSummary, differences, find_runs
from examples.cifar10.runs.table import (
    SORT_KEYS,
    Terminal,
    common_folder,
    print_differences,
    print_runs,
    short_name,
    sort_runs,
)

DEFAULT_FOLDER = Path("runs")


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command's options."""
    runs = commands.add_parser(
        "runs",
        help="list and compare runs",
        description="A table of runs: epochs done and planned, the best validation accuracy, the "
        "accuracy on the test images, plain and averaged over views, time of training and images "
        "per second. Of two runs, the settings in which they differ, too. A terminal too narrow "
        "for all columns shows the most important ones; a pipe gets them all.",
        allow_abbrev=False,
    )
    runs.set_defaults(command=run)
    runs.add_argument(
        "folders",
        type=Path,
        nargs="*",
        metavar="DIR",
        help=f"run folders, or folders that hold some (default: {DEFAULT_FOLDER})",
    )
    runs.add_argument(
        "--sort",
        choices=SORT_KEYS,
        default="folder",
        metavar="KEY",
        help=f"{', '.join(SORT_KEYS)}; accuracies, speed and epochs from the largest "
        "(default: %(default)s)",
    )
    runs.add_argument("--reverse", action="store_true", help="the other way round")
    runs.add_argument(
        "--plot",
        type=Path,
        metavar="FILE",
        help="draw the runs' curves against epochs and time; png, svg, pdf by its suffix",
    )
    runs.add_argument(
        "--curve",
        choices=("accuracy", "loss"),
        default="accuracy",
        help="what --plot draws, of the validation images (default: %(default)s)",
    )
    add_output_options(runs)


def run(options: argparse.Namespace) -> int:
    """Print the table; draw the curves."""
    folders = options.folders or [DEFAULT_FOLDER]
    runs = find_runs(folders) if options.folders or DEFAULT_FOLDER.is_dir() else []
    runs = sort_runs(runs, options.sort, reverse=options.reverse)
    if options.json:
        _print_json(runs, quiet=options.quiet)
    elif runs:
        _print_tables(runs, quiet=options.quiet)
    if all(run.state == "foreign" for run in runs):
        places = ", ".join(str(folder.absolute()) for folder in folders)
        say(f"no runs in {places}; `train` makes them in {DEFAULT_FOLDER}/", sys.stderr)
    elif options.plot is not None:
        draw_comparison(runs, options.curve, options.plot)
        if not options.quiet:
            say(f"picture: {options.plot}", sys.stderr if options.json else None)
    return 0


def _print_json(runs: Sequence[RunSummary], *, quiet: bool) -> None:
    from examples.cifar10.reporting.json_lines import print_event

    for run in runs:
        print_event("run", **run.as_entry())
    if len(runs) == 2 and not quiet:
        print_event("differences", settings=dict(differences(runs)))


def _print_tables(runs: Sequence[RunSummary], *, quiet: bool) -> None:
    terminal = Terminal()
    root = common_folder(runs)
    if not quiet:
        terminal.print(f"Runs in {root}")
        terminal.print("")
    left_out = print_runs(runs, terminal)
    if quiet:
        return
    remarks = [f"{short_name(run, root)}: {run.problem}" for run in runs if run.problem]
    if left_out:
        remarks.append(f"No room for {', '.join(left_out)}.")
    for remark in remarks and ["", *remarks]:
        terminal.print(remark)
    if len(runs) == 2 and all(run.settings for run in runs):
        rows = differences(runs)
        terminal.print("")
        terminal.print("Settings that differ:" if rows else "All settings are equal.")
        if rows:
            print_differences(runs, rows, terminal)
