"""Where a run's images come from: a path, the environment, a download, or the generated set."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from examples.cifar10.data.dataset import Dataset, find_dataset, load_dataset
from examples.cifar10.data.download import ARCHIVES, Progress, fetch
from examples.cifar10.data.generated import generate
from examples.cifar10.data.images import LabelledImages
from examples.cifar10.errors import DataError, DownloadError

AUTO = "auto"
GENERATED = "generated"
VARIABLE = "CIFAR10_DIR"
DEFAULT_FOLDER = Path("data")

FALLBACK = """\
CIFAR-10 is not here and cannot be downloaded: {reason}
Going on with the embedded data set, which this program generates: 10 kinds of drawn patterns,
32x32 pixels in colour. Its accuracies are NOT comparable with CIFAR-10's.
For CIFAR-10, put an official archive into {folder}/, or name its place with --data or
{variable}."""


def load(
    choice: str,
    note: Callable[[str], object],
    progress: Progress = lambda _done, _total: None,
    mirror: str | None = None,
    warn: Callable[[str], object] | None = None,
) -> Dataset:
    """The data set that `--data` names.

    `auto` means the place in CIFAR10_DIR; without that variable, data/; if it holds no CIFAR-10,
    a download into it, told to `note`; and if that fails, the generated data set, which `warn` (by
    default `note`) is told.

    Raises DataError for a place that does not hold CIFAR-10, DataError too for damaged files:
    those are never replaced by something else.
    """
    if choice == GENERATED:
        return generate()
    if choice != AUTO:
        return load_dataset(Path(choice).expanduser())
    named = os.environ.get(VARIABLE)
    if named:
        try:
            return load_dataset(Path(named).expanduser())
        except DataError as error:
            raise DataError(f"{VARIABLE} is {named!r}: {error}") from error
    place = find_dataset(DEFAULT_FOLDER)
    if place is not None:
        return load_dataset(place)
    archive = ARCHIVES["binary"]
    size = megabytes(archive.size)
    note(f"No CIFAR-10 in {DEFAULT_FOLDER}/; downloading {archive.name} ({size})")
    try:
        return load_dataset(fetch(archive, DEFAULT_FOLDER, mirror, progress))
    except DownloadError as error:
        (warn or note)(FALLBACK.format(reason=error, folder=DEFAULT_FOLDER, variable=VARIABLE))
        return generate()


def fingerprint(dataset: Dataset) -> str:
    """A checksum of the test images and labels, to notice that a run is measured on other data."""
    return checksum(dataset.test)


def checksum(images: LabelledImages) -> str:
    """A checksum of images and labels: CRC-32, 8 hexadecimal digits."""
    pixels = zlib.crc32(np.ascontiguousarray(images.images).data)
    return f"{zlib.crc32(images.labels.astype('<i8').data, pixels):08x}"


def megabytes(count: int) -> str:
    """A number of bytes for people."""
    return f"{count / 1e6:.1f} MB"
