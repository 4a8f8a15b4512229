"""The official python version: pickled dicts of a 10000 x 3072 array and a list of labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from examples.cifar10.data.images import (
    BATCH_RECORDS,
    CLASSES,
    IMAGE_BYTES,
    IMAGE_SHAPE,
    TRAIN_BATCHES,
    LabelledImages,
    check_labels,
)
from examples.cifar10.data.pickles import load_pickle
from examples.cifar10.errors import DataError

FOLDER = "cifar-10-batches-py"
ARCHIVE = "cifar-10-python.tar.gz"
TRAIN_FILES = tuple(f"data_batch_{i}" for i in range(1, TRAIN_BATCHES + 1))
TEST_FILE = "test_batch"
NAMES_FILE = "batches.meta"


def parse_batch(content: bytes, file: str, records: int = BATCH_RECORDS) -> LabelledImages:
    """The images of one batch file.

    Raises DataError for anything but a uint8 array of shape (records, 3072) under `data` and as
    many labels from 0 to 9 under `labels`, naming `file` and the record.
    """
    batch = _entries(content, file)
    data, labels = batch.get("data"), batch.get("labels")
    if not isinstance(data, np.ndarray) or data.shape != (records, IMAGE_BYTES):
        found = f"shape {data.shape}" if isinstance(data, np.ndarray) else f"{_kind(data)}"
        raise DataError(
            f"{file}: 'data' is {found}, expected an array of {records} x {IMAGE_BYTES}"
        )
    if not isinstance(labels, list):
        raise DataError(f"{file}: 'labels' is {_kind(labels)}, expected a list")
    for record, label in enumerate(labels):
        if not isinstance(label, int) or not -(2**31) <= label < 2**31:
            raise DataError(f"{file}: record {record} has label {label!r}; labels are 0 to 9")
    if len(labels) != records:
        raise DataError(
            f"{file}: {len(labels)} labels for {records} images: "
            f"record {min(len(labels), records)} has no partner"
        )
    classes = np.array(labels, dtype=np.int64)
    check_labels(classes, file)
    return LabelledImages(data.reshape(records, *IMAGE_SHAPE), classes)


def parse_names(content: bytes, file: str) -> tuple[str, ...]:
    """The class names: the list under `label_names`."""
    names = _entries(content, file).get("label_names")
    if (
        not isinstance(names, list)
        or len(names) != CLASSES
        or not all(isinstance(name, str) for name in names)
    ):
        raise DataError(f"{file}: 'label_names' must be a list of {CLASSES} names, got {names!r}")
    return tuple(names)


def _entries(content: bytes, file: str) -> dict[str, Any]:
    entries = load_pickle(content, file)
    if not isinstance(entries, dict):
        raise DataError(f"{file}: holds {_kind(entries)}, expected a dict")
    return entries


def _kind(value: object) -> str:
    return "missing" if value is None else f"a {type(value).__name__}"
