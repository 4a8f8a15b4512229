"""Both official versions give the same images; damage is named by file and record."""

from __future__ import annotations

import contextlib
import io
import pickle
import tarfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.cifar10.data import binary, python_version
from examples.cifar10.data.archives import read_archive
from examples.cifar10.data.dataset import find_dataset, load_dataset
from examples.cifar10.data.pickles import load_pickle
from examples.cifar10.errors import DataError

RECORDS = 12


def archive_of(files, folder, path):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def check_is_official(dataset, official):
    count = 5 * RECORDS
    np.testing.assert_array_equal(dataset.train.images, official.images[:count])
    np.testing.assert_array_equal(dataset.train.labels, official.labels[:count])
    np.testing.assert_array_equal(dataset.test.images, official.images[count:])
    assert dataset.class_names == official.names


def test_folders_and_their_parents(binary_folder, python_folder, official):
    for folder in (binary_folder, python_folder, binary_folder.parent):
        check_is_official(load_dataset(folder, RECORDS), official)


def test_archives_as_downloaded(tmp_path, official):
    for version, files in (
        (binary, official.binary_files()),
        (python_version, official.python_files()),
    ):
        path = archive_of(files, version.FOLDER, tmp_path / version.ARCHIVE)
        check_is_official(load_dataset(path, RECORDS), official)
        assert find_dataset(tmp_path) is not None


def test_nothing_there(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        load_dataset(tmp_path / "nowhere")
    with pytest.raises(DataError, match="no CIFAR-10 here"):
        load_dataset(tmp_path)


def test_a_missing_batch_is_named(binary_folder):
    (binary_folder / "data_batch_3.bin").unlink()
    with pytest.raises(DataError, match=r"data_batch_3\.bin missing"):
        load_dataset(binary_folder, RECORDS)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda c: c[:-1], r"data_batch_2\.bin.*ends inside record 11, after 3072"),
        (lambda c: c[: 3 * binary.RECORD_BYTES], "ends before record 3"),
        (lambda c: c + b"xy", "2 bytes follow record 11"),
        (
            lambda c: c[: 5 * binary.RECORD_BYTES] + b"\x0a" + c[5 * binary.RECORD_BYTES + 1 :],
            "record 5 has label 10",
        ),
    ],
)
def test_damaged_binary_files(binary_folder, change, match):
    path = binary_folder / "data_batch_2.bin"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(DataError, match=match):
        load_dataset(binary_folder, RECORDS)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda b: b["labels"].append(3), "13 labels for 12 images"),
        (lambda b: b["labels"].__setitem__(4, 10), "record 4 has label 10"),
        (lambda b: b["labels"].__setitem__(4, "cat"), "record 4 has label 'cat'"),
        (lambda b: b.pop("data"), "'data' is missing"),
        (lambda b: b.update(data=b["data"][:, :-1]), r"shape \(12, 3071\)"),
        (lambda b: b.update(data=b["data"].astype(np.float32)), "dtype 'f4'"),
    ],
)
def test_damaged_python_files(python_folder, change, match):
    path = python_folder / "data_batch_2"
    batch = pickle.loads(path.read_bytes())
    change(batch)
    path.write_bytes(pickle.dumps(batch, protocol=2))
    with pytest.raises(DataError, match=match):
        load_dataset(python_folder, RECORDS)


class Evil:
    """A pickle that would run a command."""

    def __reduce__(self):
        return (print, ("code ran",))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_run_no_code(protocol, capsys):
    for content in (Evil(), {"data": Evil()}, {"data": np.array([Evil()], dtype=object)}):
        with pytest.raises(DataError, match="file:"):
            load_pickle(pickle.dumps(content, protocol=protocol), "file")
    assert capsys.readouterr().out == ""


@given(st.binary(max_size=200))
def test_arbitrary_bytes_give_plain_data_or_a_data_error(content):
    try:
        result = load_pickle(content, "file")
    except DataError:
        return
    assert isinstance(result, dict | list | str | int | float | bool | np.ndarray | None)


@given(st.integers(0, 400), st.integers(0, 255))
def test_a_flipped_byte_in_a_pickle_is_an_error_or_other_data(place, value):
    good = pickle.dumps({"labels": [1, 2], "data": np.zeros((2, 3), np.uint8)}, protocol=2)
    content = bytearray(good)
    content[place % len(content)] = value
    with contextlib.suppress(DataError):
        load_pickle(bytes(content), "file")


def member(name, **attributes):
    info = tarfile.TarInfo(name)
    for key, item in attributes.items():
        setattr(info, key, item)
    return info


@pytest.mark.parametrize(
    ("members", "match"),
    [
        ([member("folder/../../evil")], "points outside"),
        ([member("/etc/passwd")], "points outside"),
        ([member("folder/a"), member("other/b")], "lies outside the folder"),
        ([member("alone")], "lies outside"),
        ([member("folder/a"), member("folder/a")], "occurs twice"),
        ([member("folder/link", type=tarfile.SYMTYPE, linkname="/etc/passwd")], "link or a device"),
        ([member("folder/dev", type=tarfile.CHRTYPE)], "link or a device"),
    ],
)
def test_archives_that_would_escape(tmp_path, members, match):
    path = tmp_path / "bad.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for info in members:
            archive.addfile(info, io.BytesIO(b""))
    before = set(tmp_path.iterdir())
    with pytest.raises(DataError, match=match):
        read_archive(path, {"a"})
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize("keep", [0, 10, 200, -20])
def test_truncated_archives(tmp_path, official, keep):
    path = archive_of(official.binary_files(), binary.FOLDER, tmp_path / "cut.tar.gz")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match=r"cut\.tar\.gz"):
        load_dataset(path, RECORDS)
