"""Finding and reading CIFAR-10: a folder of batch files, its parent, or an archive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from examples.cifar10.data import binary, python_version
from examples.cifar10.data.archives import read_archive
from examples.cifar10.data.images import BATCH_RECORDS, CLASS_NAMES, LabelledImages, join
from examples.cifar10.errors import DataError


@dataclass(frozen=True)
class Dataset:
    """Training and test images with the names of their classes.

    `source` says where they came from: a path, or `generated`.
    """

    train: LabelledImages
    test: LabelledImages
    class_names: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class _Version:
    """One of the two official distributions: its file names and how its files are read."""

    title: str
    folder: str
    archive: str
    train_files: tuple[str, ...]
    test_file: str
    names_file: str
    parse_batch: Callable[[bytes, str, int], LabelledImages]
    parse_names: Callable[[bytes, str], tuple[str, ...]]

    @property
    def batch_files(self) -> tuple[str, ...]:
        return (*self.train_files, self.test_file)


BINARY = _Version(
    "binary",
    binary.FOLDER,
    binary.ARCHIVE,
    binary.TRAIN_FILES,
    binary.TEST_FILE,
    binary.NAMES_FILE,
    binary.parse_batch,
    binary.parse_names,
)
PYTHON = _Version(
    "python",
    python_version.FOLDER,
    python_version.ARCHIVE,
    python_version.TRAIN_FILES,
    python_version.TEST_FILE,
    python_version.NAMES_FILE,
    python_version.parse_batch,
    python_version.parse_names,
)
VERSIONS = (BINARY, PYTHON)


def find_dataset(path: Path) -> Path | None:
    """The folder of batch files or the archive that `path` is or contains; None without either."""
    if path.is_file():
        return path
    for folder in (path, *(path / version.folder for version in VERSIONS)):
        if _version_in(folder) is not None:
            return folder
    for version in VERSIONS:
        if (path / version.archive).is_file():
            return path / version.archive
    return None


def load_dataset(path: Path, records: int = BATCH_RECORDS) -> Dataset:
    """Read CIFAR-10 from a folder of batches, a folder that contains it, or an archive.

    Raises DataError naming file and record for anything missing, truncated, too long or wrong.
    """
    if not path.exists():
        raise DataError(f"{path}: there is no such file or folder")
    place = find_dataset(path)
    if place is None:
        raise DataError(
            f"{path}: no CIFAR-10 here. Expected {binary.TRAIN_FILES[0]} (binary version) or "
            f"{python_version.TRAIN_FILES[0]} (python version) in it, or one of "
            f"{', '.join(v.folder for v in VERSIONS)}, {', '.join(v.archive for v in VERSIONS)}. "
            "To fetch it: python -m examples.cifar10 download"
        )
    if place.is_dir():
        version = _version_in(place)
        assert version is not None
        return _parse(version, _read_folder(place, version), place, records)
    wanted = {name for v in VERSIONS for name in (*v.batch_files, v.names_file)}
    files = read_archive(place, wanted)
    for version in VERSIONS:
        if any(name in files for name in version.batch_files):
            return _parse(version, files, place, records)
    raise DataError(f"{place}: holds no file of CIFAR-10, such as {binary.TRAIN_FILES[0]}")


def _version_in(folder: Path) -> _Version | None:
    for version in VERSIONS:
        if any((folder / name).is_file() for name in version.batch_files):
            return version
    return None


def _read_folder(folder: Path, version: _Version) -> dict[str, bytes]:
    files = {}
    for name in (*version.batch_files, version.names_file):
        try:
            files[name] = (folder / name).read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise DataError(f"{folder / name}: cannot be read: {error.strerror}") from error
    return files


def _parse(version: _Version, files: dict[str, bytes], place: Path, records: int) -> Dataset:
    missing = [name for name in version.batch_files if name not in files]
    if missing:
        raise DataError(
            f"{place}: {', '.join(missing)} missing; the {version.title} version of CIFAR-10 "
            f"consists of {', '.join(version.batch_files)}"
        )
    batches = {
        name: version.parse_batch(files.pop(name), f"{place / name}", records)
        for name in version.batch_files
    }
    names: tuple[str, ...] = CLASS_NAMES
    if version.names_file in files:
        names = version.parse_names(files[version.names_file], f"{place / version.names_file}")
    return Dataset(
        join([batches[name] for name in version.train_files]),
        join([batches[version.test_file]]),
        names,
        str(place.resolve()),
    )
