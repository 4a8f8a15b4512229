"""Fetching an official archive: with progress, resumed after an interruption, and verified."""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from examples.cifar10.data import binary, python_version
from examples.cifar10.errors import DownloadError

HOME = "https://www.cs.toronto.edu/~kriz/"
TIMEOUT_SECONDS = 20.0
BLOCK = 2**18

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Archive:
    """A file as its publisher describes it."""

    name: str
    size: int
    md5: str
    sha256: str


ARCHIVES = {
    "binary": Archive(
        binary.ARCHIVE,
        170_052_171,
        "c32a1d4ab5d03f1284b67883e8d87530",
        "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    ),
    "python": Archive(
        python_version.ARCHIVE,
        170_498_071,
        "c58f30108f718f92721af3b95e74349a",
        "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    ),
}


def fetch(
    archive: Archive,
    folder: Path,
    mirror: str | None = None,
    progress: Progress = lambda _done, _total: None,
) -> Path:
    """Put `archive` into `folder` and return its path; a file already there is only verified.

    What arrives is kept in a file ending in `.part` and continued by the next call. It gets its
    final name when its size, MD5 and SHA-256 are the official ones. `mirror` is the address of
    a folder that holds the archive, or of the archive itself. `progress` is called with the
    bytes so far and the bytes in all.

    Raises DownloadError, saying what to do, when the server cannot be reached, stops early or
    sends something else.
    """
    target = folder / archive.name
    if target.exists():
        problem = _difference(target, archive)
        if problem:
            raise DownloadError(f"{target} exists but {problem}; delete it and download again")
        return target
    url = _address(archive, mirror)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DownloadError(f"{folder}: cannot be made: {error.strerror}") from error
    part = target.with_name(target.name + ".part")
    resumed = part.exists() and part.stat().st_size > 0
    _receive_all(url, part, archive, progress)
    problem = _difference(part, archive)
    if problem and resumed:
        # The beginning may be of another version of the file: once more, from the start.
        part.unlink()
        _receive_all(url, part, archive, progress)
        problem = _difference(part, archive)
    if problem:
        part.unlink()
        raise DownloadError(f"what {url} sent is not the official {archive.name}: {problem}")
    os.replace(part, target)
    return target


def _address(archive: Archive, mirror: str | None) -> str:
    url = HOME if mirror is None else mirror
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise DownloadError(f"--mirror must be an http or https address, got {url!r}")
    if parts.path.endswith((".gz", ".tgz")):
        return url
    return url.rstrip("/") + "/" + archive.name


def _receive_all(url: str, part: Path, archive: Archive, progress: Progress) -> None:
    """Receive until the size is right, asking again as long as each request brings something."""
    while True:
        before = part.stat().st_size if part.exists() else 0
        if before == archive.size:
            return
        if before > archive.size:
            part.unlink()
            before = 0
        trouble = _receive(url, part, archive, progress)
        after = part.stat().st_size if part.exists() else 0
        if after == archive.size:
            return
        if after <= before:
            kept = f"; {after} bytes are kept in {part}, run again to go on" if after else ""
            raise DownloadError(f"cannot download {url}: {trouble or 'nothing arrived'}{kept}")


def _receive(url: str, part: Path, archive: Archive, progress: Progress) -> str | None:
    """One request, from where `part` ends; returns what went wrong on the way, if anything."""
    offset = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": "dagrad-examples", "Accept-Encoding": "identity"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            if response.status == 206 and offset:
                _check_range(response.headers.get("Content-Range", ""), offset, archive, url)
            else:
                offset = 0
                _check_length(response.headers.get("Content-Length"), archive, url)
            with open(part, "ab" if offset else "wb") as file:
                _copy(response, file, offset, archive, progress)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416:  # the part is longer than the server's file
            part.unlink()
        return f"the server answers {error.code} {error.reason}"
    except urllib.error.URLError as error:
        return str(error.reason)
    except (OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__
    return None


def _check_range(content_range: str, offset: int, archive: Archive, url: str) -> None:
    match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", content_range.strip())
    if not match or int(match[1]) != offset or match[2] not in (str(archive.size), "*"):
        raise DownloadError(
            f"{url}: asked for bytes {offset} to the end of {archive.size}, the server sends "
            f"{content_range!r}; delete the .part file to start afresh, or use another --mirror"
        )


def _check_length(length: str | None, archive: Archive, url: str) -> None:
    if length is not None and length.isdecimal() and int(length) != archive.size:
        raise DownloadError(
            f"{url}: {length} bytes offered, the official {archive.name} has {archive.size}; "
            "try another --mirror"
        )


def _copy(
    response: http.client.HTTPResponse,
    file: BinaryIO,
    done: int,
    archive: Archive,
    progress: Progress,
) -> None:
    while done <= archive.size:
        progress(done, archive.size)
        block = response.read(min(BLOCK, archive.size + 1 - done))
        if not block:
            break
        file.write(block)
        done += len(block)
    file.flush()
    os.fsync(file.fileno())
    if done > archive.size:
        raise DownloadError(f"{response.url} is longer than the official {archive.size} bytes")


def _difference(path: Path, archive: Archive) -> str | None:
    """How a file differs from the official one, or None."""
    size = path.stat().st_size
    if size != archive.size:
        return f"it has {size} bytes instead of {archive.size}"
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(2**20):
            md5.update(block)
            sha256.update(block)
    for title, found, expected in (
        ("MD5", md5.hexdigest(), archive.md5),
        ("SHA-256", sha256.hexdigest(), archive.sha256),
    ):
        if found != expected:
            return f"its {title} is {found} instead of {expected}"
    return None
