"""CIFAR-10 files of a few records, in both official forms, made of random pixels."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from examples.cifar10.data import binary, python_version

RECORDS = 12


class Official:
    """The same few images as both versions hold them."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.images = rng.integers(0, 256, (6 * RECORDS, 3, 32, 32), dtype=np.uint8)
        self.labels = rng.integers(0, 10, 6 * RECORDS)
        self.names = tuple(f"class {i}" for i in range(10))

    def _batches(self):
        return zip(
            self.images.reshape(6, RECORDS, 3072), self.labels.reshape(6, RECORDS), strict=True
        )

    def binary_files(self) -> dict[str, bytes]:
        files = {"batches.meta.txt": "".join(f"{name}\n" for name in self.names).encode() + b"\n"}
        names = (*binary.TRAIN_FILES, binary.TEST_FILE)
        for name, (pixels, labels) in zip(names, self._batches(), strict=True):
            rows = np.concatenate([labels[:, None].astype(np.uint8), pixels], axis=1)
            files[name] = rows.tobytes()
        return files

    def python_files(self) -> dict[str, bytes]:
        files = {"batches.meta": pickle.dumps({"label_names": list(self.names)}, protocol=2)}
        names = (*python_version.TRAIN_FILES, python_version.TEST_FILE)
        for name, (pixels, labels) in zip(names, self._batches(), strict=True):
            batch = {
                "batch_label": name,
                "data": np.ascontiguousarray(pixels),
                "labels": [int(label) for label in labels],
                "filenames": [f"{i}.png" for i in range(RECORDS)],
            }
            files[name] = pickle.dumps(batch, protocol=2)
        return files


@pytest.fixture(scope="session")
def official() -> Official:
    return Official()


def write_files(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def binary_folder(tmp_path, official) -> Path:
    return write_files(tmp_path / "cifar" / binary.FOLDER, official.binary_files())


@pytest.fixture
def python_folder(tmp_path, official) -> Path:
    return write_files(tmp_path / "cifar" / python_version.FOLDER, official.python_files())
