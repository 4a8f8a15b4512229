"""The safetensors library reads what we write, we read what it writes, and both are strict."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import nn
from nn import safetensors_format

library = pytest.importorskip("safetensors.numpy")

DTYPES = ["?", "u1", "i1", "u2", "i2", "f2", "u4", "i4", "f4", "u8", "i8", "f8", "c8"]


@st.composite
def laid_out(draw):
    """An array of any bits, dtype and memory order."""
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    count = int(np.prod(shape)) * dtype.itemsize
    bits = np.frombuffer(draw(st.binary(min_size=count, max_size=count)), np.uint8)
    array = (bits % 2 if dtype.kind == "b" else bits).view(dtype).reshape(shape)
    layout = draw(st.sampled_from(["C", "F", "strided", "reversed", "big-endian", "broadcast"]))
    if layout == "F":
        return np.asfortranarray(array)
    if layout == "strided" and array.ndim:
        return np.repeat(array, 2, axis=-1)[..., ::2]
    if layout == "reversed":
        return np.flip(array)
    if layout == "big-endian":
        return array.astype(array.dtype.newbyteorder(">"))
    if layout == "broadcast":
        return np.broadcast_to(array, (2, *shape))
    return array


def assert_same(found, expected):
    assert set(found) == set(expected)
    for name, array in expected.items():
        native = array.astype(array.dtype.newbyteorder("="))
        assert found[name].shape == array.shape
        assert found[name].dtype == native.dtype
        assert found[name].tobytes() == native.tobytes()


@given(st.dictionaries(st.text(max_size=8).filter(lambda n: n != "__metadata__"), laid_out()))
def test_every_bit_goes_both_ways(tmp_path_factory, arrays):
    path = tmp_path_factory.mktemp("formats") / "a.safetensors"
    with open(path, "wb") as file:
        safetensors_format.write(file, arrays, {"note": 'a "dagrad.sha256":"'})
    assert_same(library.load_file(path), arrays)
    found, metadata = safetensors_format.read(path)
    assert_same(found, arrays)
    assert metadata["note"] == 'a "dagrad.sha256":"'
    plain = {n: np.array(a, dtype=a.dtype.newbyteorder("="), order="C") for n, a in arrays.items()}
    library.save_file(plain, path, metadata={"framework": "numpy"})
    found, metadata = safetensors_format.read(path)
    assert_same(found, arrays)
    assert metadata == {"framework": "numpy"}


def test_arrays_lie_aligned_in_the_file(tmp_path):
    path = tmp_path / "a.safetensors"
    nn.save(path, {"b": np.ones(3, bool), "x": np.ones(2), "h": np.ones(3, np.float16)})
    raw = path.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + length])
    assert length % 8 == 0
    for name, size in {"x": 8, "h": 2}.items():
        assert header[name]["data_offsets"][0] % size == 0


def test_bfloat16_becomes_float32_exactly(tmp_path):
    bits = np.array([0x3F80, 0xC000, 0x7F80, 0x0001], np.uint16)
    path = tmp_path / "a.safetensors"
    path.write_bytes(file_of({"w": entry("BF16", [4], 0, 8)}, bits.tobytes()))
    found = nn.load(path)["w"]
    assert found.dtype == np.float32
    assert found.tolist() == [1.0, -2.0, float("inf"), 2.0**-133]


@pytest.mark.parametrize("dtype", ["c16", "g", "U3", "M8[s]"])
def test_other_dtypes_are_refused_by_name_before_a_file_is_made(tmp_path, dtype):
    with pytest.raises(TypeError, match=r"net\.w has dtype"):
        nn.save(tmp_path / "a.safetensors", {"net.w": np.zeros(2, dtype)})
    assert list(tmp_path.iterdir()) == []


def entry(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def file_of(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


BAD = {
    "empty": (b"", "0 bytes"),
    "only a length": (b"\x02\0\0\0\0\0\0\0", "does not fit"),
    "a header of 2^63 bytes": (b"\0" * 7 + b"\x80{}", "does not fit"),
    "no JSON": (file_of(b"{nothing"), "damaged"),
    "no object": (file_of(b"[]"), "no JSON object"),
    "not UTF-8": (file_of(b'{"\xff": 1}'), "utf-8"),
    "nested without end": (file_of(b'{"a":' + b"[" * 100_000), "damaged"),
    "a name twice": (file_of(b'{"a": 1, "a": 1}'), "twice"),
    "NaN": (file_of(b'{"a": NaN}'), "no JSON"),
    "metadata of numbers": (file_of({"__metadata__": {"a": 1}}), "strings"),
    "no dictionary": (file_of({"a": 3}), "needs dtype"),
    "one key too many": (
        file_of({"a": {**entry("F32", [], 0, 4), "x": 1}}, b"1234"),
        "needs dtype",
    ),
    "unknown dtype": (file_of({"a": entry("F7", [1], 0, 4)}, b"1234"), "F7"),
    "a list as dtype": (file_of({"a": entry(["F32"], [1], 0, 4)}, b"1234"), "dtype"),
    "negative side": (file_of({"a": entry("F32", [-1], 0, 4)}, b"1234"), "shape"),
    "a side of true": (file_of({"a": entry("F32", [True], 0, 4)}, b"1234"), "shape"),
    "a side of 1.0": (file_of({"a": entry("F32", [1.0], 0, 4)}, b"1234"), "shape"),
    "65 axes": (file_of({"a": entry("F32", [1] * 65, 0, 4)}, b"1234"), "shape"),
    "more than the file": (file_of({"a": entry("U8", [2**50], 0, 2**50)}), "does not fit"),
    "overflowing product": (file_of({"a": entry("U8", [2**40, 2**40], 0, 0)}), "does not fit"),
    "huge and empty": (file_of({"a": entry("U8", [2**70, 0], 0, 0)}), "damaged"),
    "three offsets": (file_of({"a": entry("U8", [], 0, 1) | {"data_offsets": [0, 1, 1]}}), "offs"),
    "backward offsets": (file_of({"a": entry("U8", [1], 1, 0)}, b"1"), "does not fit"),
    "a gap": (file_of({"a": entry("U8", [1], 1, 2)}, b"12"), "begin at 1"),
    "an overlap": (
        file_of({"a": entry("U8", [2], 0, 2), "b": entry("U8", [2], 1, 3)}, b"123"),
        "begin at 1",
    ),
    "bytes at the end": (file_of({"a": entry("U8", [1], 0, 1)}, b"123"), "2 bytes after"),
    "a boolean of 2": (file_of({"a": entry("BOOL", [1], 0, 1)}, b"\x02"), "booleans"),
    "a digest without its form": (file_of({"__metadata__": {"dagrad.state": "{}"}}), "SHA-256"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_is_named_and_explained(tmp_path, kind):
    content, reason = BAD[kind]
    path = tmp_path / "bad.safetensors"
    path.write_bytes(content)
    with pytest.raises(nn.CheckpointError, match=r"bad\.safetensors") as caught:
        nn.load(path)
    assert reason in str(caught.value)


def test_a_long_header_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "long.safetensors"
    with open(path, "wb") as file:
        file.write((200_000_000).to_bytes(8, "little"))
        file.truncate(300_000_000)  # a sparse file: no bytes on the disk
    with pytest.raises(nn.CheckpointError, match="limit"):
        nn.load(path)
