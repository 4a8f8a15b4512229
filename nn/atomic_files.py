"""Files that appear under their name complete and on the disk, or not at all."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

PARTIAL_SUFFIX = ".part"


def write_atomically(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Let `write` fill a file beside `path`, bring it to the disk, then give it the name `path`.

    The bytes are synced before the name changes and the folder after it, so that after a crash
    `path` holds the old bytes or the new ones. A link is followed.

    Raises OSError with the system's number, naming `path`, which is then as it was before.
    """
    target = Path(os.path.realpath(path))
    partial = target.with_name(f".{target.name[:180]}.{uuid.uuid4().hex[:12]}{PARTIAL_SUFFIX}")
    try:
        try:
            with open(partial, "xb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, target)
        finally:
            with contextlib.suppress(OSError):
                partial.unlink()
        sync_folder(target.parent)
    except OSError as error:
        raise OSError(
            error.errno,
            f"{error.strerror or error}; nothing was saved, and what was at this path is unchanged",
            os.fspath(path),
        ) from error


def sync_folder(folder: Path) -> None:
    """Bring a folder's list of names to the disk, where the system can."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_partial_files(folder: Path, prefix: str) -> None:
    """Delete what a writer that was killed has left in `folder` of files beginning with `prefix`.

    For a folder with one writer, which is not writing just now.
    """
    for path in folder.glob(f".{prefix}*{PARTIAL_SUFFIX}"):
        path.unlink(missing_ok=True)
