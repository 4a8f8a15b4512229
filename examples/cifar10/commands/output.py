"""The options that choose what is printed, and for whom."""

from __future__ import annotations

import argparse


def add_output_options(parser: argparse.ArgumentParser) -> None:
    """The options --quiet and --json."""
    parser.add_argument(
        "--quiet",
        action="store_true",
        help="print only results, warnings and errors, the latter two on standard error",
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print JSON objects, one a line, and everything else on standard error",
    )
