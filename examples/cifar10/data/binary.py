"""The official binary version: records of one label byte and 3072 pixel bytes."""

from __future__ import annotations

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
from examples.cifar10.errors import DataError

FOLDER = "cifar-10-batches-bin"
ARCHIVE = "cifar-10-binary.tar.gz"
TRAIN_FILES = tuple(f"data_batch_{i}.bin" for i in range(1, TRAIN_BATCHES + 1))
TEST_FILE = "test_batch.bin"
NAMES_FILE = "batches.meta.txt"
RECORD_BYTES = 1 + IMAGE_BYTES


def parse_batch(content: bytes, file: str, records: int = BATCH_RECORDS) -> LabelledImages:
    """The images of one batch file: red, green, blue planes of 32 rows of 32 pixels each.

    Raises DataError for a wrong length or a label over 9, naming `file` and the record.
    """
    expected = records * RECORD_BYTES
    if len(content) != expected:
        whole, rest = divmod(len(content), RECORD_BYTES)
        if len(content) > expected:
            where = f"{len(content) - expected} bytes follow record {records - 1}, the last"
        elif rest:
            where = f"it ends inside record {whole}, after {rest} of its {RECORD_BYTES} bytes"
        else:
            where = f"it ends before record {whole}"
        raise DataError(
            f"{file}: {len(content)} bytes, expected {expected} "
            f"({records} records of {RECORD_BYTES} bytes): {where}"
        )
    table = np.frombuffer(content, dtype=np.uint8).reshape(records, RECORD_BYTES)
    labels = table[:, 0].astype(np.int64)
    check_labels(labels, file)
    return LabelledImages(table[:, 1:].reshape(records, *IMAGE_SHAPE), labels)


def parse_names(content: bytes, file: str) -> tuple[str, ...]:
    """The class names, one a line."""
    try:
        names = tuple(content.decode("utf-8").split("\n"))
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: not text: {error}") from error
    names = tuple(name.strip() for name in names if name.strip())
    if len(names) != CLASSES:
        raise DataError(f"{file}: {len(names)} class names, expected {CLASSES}, one a line")
    return names
