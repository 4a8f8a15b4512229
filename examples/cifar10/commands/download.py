"""Fetch an official archive."""

from __future__ import annotations

import argparse
from pathlib import Path

from examples.cifar10.data.download import ARCHIVES, HOME, fetch
from examples.cifar10.data.source import DEFAULT_FOLDER, megabytes
from examples.cifar10.display import DownloadProgress, say


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command's options."""
    download = commands.add_parser(
        "download",
        help="fetch an official archive, resuming and verifying",
        allow_abbrev=False,
    )
    download.set_defaults(command=run)
    download.add_argument(
        "--mirror", metavar="URL", help=f"folder of the archive, or the archive (default: {HOME})"
    )
    download.add_argument(
        "--out", type=Path, default=DEFAULT_FOLDER, metavar="DIR", help="default: %(default)s"
    )
    download.add_argument(
        "--version", choices=sorted(ARCHIVES), default="binary", help="default: %(default)s"
    )


def run(options: argparse.Namespace) -> int:
    """Download, resume and verify."""
    archive = ARCHIVES[options.version]
    say(f"{archive.name} ({megabytes(archive.size)}) into {options.out}")
    path = fetch(archive, options.out, options.mirror, DownloadProgress())
    say(f"{path}: size, MD5 and SHA-256 are the official ones")
    return 0
