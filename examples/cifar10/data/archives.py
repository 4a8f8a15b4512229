"""Reading files out of a tar archive without unpacking it to disk."""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Collection
from pathlib import Path, PurePosixPath

from examples.cifar10.errors import DataError

LARGEST_FILE = 64 * 2**20
LARGEST_ARCHIVE = 2**30


def read_archive(path: Path, wanted: Collection[str]) -> dict[str, bytes]:
    """The contents of the files named `wanted`, which lie in the archive's one top folder.

    The whole archive is checked, also what is not wanted. Raises DataError for members that are
    neither files nor folders (links, devices), paths that are absolute, contain `..` or lie
    outside the top folder, members that occur twice or are too large, and damaged archives.
    """
    found: dict[str, bytes] = {}
    seen: set[str] = set()
    folder: str | None = None
    total = 0
    try:
        with tarfile.open(path, "r:*") as archive:
            for member in archive:
                parts = _checked_parts(member, path)
                folder = folder or parts[0]
                if parts[0] != folder or (member.isfile() and len(parts) < 2):
                    raise DataError(
                        f"{path}: member {member.name!r} lies outside the folder {folder!r}"
                    )
                total += member.size
                if total > LARGEST_ARCHIVE:
                    raise DataError(f"{path}: unpacks to more than {LARGEST_ARCHIVE} bytes")
                if not member.isfile():
                    continue
                name = "/".join(parts[1:])
                if name in seen:
                    raise DataError(f"{path}: member {member.name!r} occurs twice")
                seen.add(name)
                if name in wanted:
                    found[name] = _content(archive, member, path)
            # The checksum of the compressed stream is at its very end.
            while archive.fileobj is not None and archive.fileobj.read(2**20):
                pass
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        if isinstance(error, FileNotFoundError | PermissionError):
            raise DataError(f"{path}: {error.strerror}") from error
        raise DataError(
            f"{path}: truncated, damaged or not a tar archive ({error}); download it again"
        ) from error
    return found


def _checked_parts(member: tarfile.TarInfo, path: Path) -> tuple[str, ...]:
    if not (member.isfile() or member.isdir()):
        raise DataError(
            f"{path}: member {member.name!r} is a link or a device; only files and folders belong "
            "in this archive"
        )
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts or "\\" in member.name or not name.parts:
        raise DataError(f"{path}: member {member.name!r} points outside the archive's folder")
    return name.parts


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> bytes:
    if member.size > LARGEST_FILE:
        raise DataError(
            f"{path}: member {member.name!r} has {member.size} bytes, more than any file of "
            "CIFAR-10"
        )
    stream = archive.extractfile(member)
    assert stream is not None
    content = stream.read()
    if len(content) != member.size:
        raise DataError(
            f"{path}: member {member.name!r} ends after {len(content)} of {member.size} bytes"
        )
    return content
