"""Saved states come back exactly; damaged files and code in them are refused."""

from __future__ import annotations

import base64
import zipfile
import zlib

import numpy as np
import pytest

import nn
import optim


def test_a_model_and_its_optimizer_come_back(tmp_path):
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    optimizer = optim.Adam(net.parameters())
    net(np.random.default_rng(0).normal(size=(4, 2)).astype(np.float32)).backward(
        np.ones((4, 3), np.float32)
    )
    optimizer.step()
    state = {"model": net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}
    nn.save(tmp_path / "run.npz", state)
    loaded = nn.load(tmp_path / "run.npz")
    assert loaded["epoch"] == 3
    fresh = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    fresh.load_state_dict(loaded["model"])
    assert all(np.array_equal(v, net.state_dict()[k]) for k, v in fresh.state_dict().items())
    other = optim.Adam(fresh.parameters())
    other.load_state_dict(loaded["optimizer"])
    first = next(iter(other.state.values()))
    assert first["step"] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["run.npz"]


def test_the_same_state_gives_the_same_bytes(tmp_path):
    for name in ("a", "b", "a.npz", "b.npz"):
        nn.save(tmp_path / name, {"x": np.arange(3.0)})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_nothing_half_written_and_nothing_pickled(tmp_path):
    with pytest.raises(TypeError, match="object"):
        nn.save(tmp_path / "bad.npz", {"x": np.array([object()])})
    assert list(tmp_path.iterdir()) == []
    path = tmp_path / "code.npz"
    with zipfile.ZipFile(path, "w") as archive, archive.open("x.npy", "w") as stream:
        np.lib.format.write_array(stream, np.array([{}]), allow_pickle=True)
    with pytest.raises(ValueError, match=r"code\.npz"):
        nn.load(path)


def test_a_truncated_file_is_named(tmp_path):
    path = tmp_path / "model.npz"
    nn.save(path, {"x": np.arange(1000.0)})
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ValueError, match=r"model\.npz"):
        nn.load(path)


# What nn.save wrote before it knew safetensors: weights, and nested data.
OLD_WEIGHTS = (
    "c-jl_W@gc4fB;2?Z9Q$l|Dk}DL4=`PFR!4IkwJi=2dV@{PxcG-4Txl9C}XHrPf0CKE>gErP`61lQP)vWPs=YVDN4+"
    "X&o4?z1&O;Q<`ky_#fvi%3sQl64PzZm9fev23IG?x6%F=4!Xdz$kx7>s)e}8Xx3V%IKm#L)1bZpKo0Sd3VFW^BAbl9"
    "D006Q|GYJ"
)
OLD_STATE = (
    "c-jl_W@gc4fB;2?l51<S|3iTkg9t-$Nn%NAv^tnlkBv5njaJW9kJZa7sAOaiV3+{a2cswZh580WGBT7gRI8_?7AF^}"
    "TPdj9q*<uzD5$697nKwx=Edh1rKEzy-4b((Q-R{e8Hoj{K)!~Nj;4-6tpWvr3*w3o_AojC#c$b1WTwIV#*gq@P7%UG"
    "El|ZR_&sDol!qww4#Y!fo;W`5$VHeZ1c9E2k1sAMDorjaElQ1#hk2ur5uzMMWA#Q&sUdOkVq!>P%y3mJrDP_TC|M~)"
    "M=KSVq!uXYC{!zzCFYc-0>zALV|5gwm6B3R5{tnSC8Y&9Ac<&%8UsDcT4X&yzNKYtEKFx{35toHd1;w>nI)AFX>c@y"
    "<>8JnK;bFnf@KqniV`b<0!rA^yi#p!EEs{z%qhaE1(cM)>H@qOnRJ;^v(*G>Mv-DbfCg{`;m%~}=75rL3p9Q5qnL9C"
    "VGb-oqiY5w9Z-q@VL=ql3xOgS2`Rvvl?^1#41`C3bSN{32LLQc1F`"
)


def test_files_of_the_first_format_stay_readable(tmp_path):
    for name, text in {"weights.npz": OLD_WEIGHTS, "state.npz": OLD_STATE}.items():
        (tmp_path / name).write_bytes(zlib.decompress(base64.b85decode(text)))
    weights = nn.load(tmp_path / "weights.npz")
    assert list(weights) == ["w"]
    assert weights["w"].dtype == np.float32
    assert weights["w"].tolist() == [0, 1, 2]
    state = nn.load(tmp_path / "state.npz")
    assert state["state"][0]["m"].tolist() == [1, 1]
    assert state == {
        "step": 3,
        "betas": (0.9, 0.999),
        "best": float("inf"),
        "state": state["state"],
        "lr": np.float32(0.5),
    }


@pytest.mark.parametrize("name", ["state.npz", "state.safetensors"])
def test_plain_data_keeps_its_types(tmp_path, name):
    state = {
        "f": [float("inf"), -0.0, 0.1, 10**40],
        1: (None, True, "é"),
        "s": np.float32(0.1),
        "a/b": np.zeros(()),
        "a": {"b": np.ones(0)},
    }
    found = nn.load(nn.save(tmp_path / name, state))
    assert repr(found) == repr(state)
    assert np.isnan(nn.load(nn.save(tmp_path / name, [float("nan")]))[0])


def test_pytorchs_order_of_arguments_is_understood(tmp_path):
    net = nn.Linear(2, 1)
    path = nn.save(net, tmp_path / "a.safetensors")
    assert set(nn.load(path)) == {"weight", "bias"}


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_what_numpy_saved_is_loaded_or_named_wherever_it_is_damaged(tmp_path, save):
    path = tmp_path / "numpy.npz"
    arrays = {"weight": np.asfortranarray(np.arange(6.0).reshape(2, 3)), "bias": np.ones(2, ">f4")}
    save(path, **arrays)
    net = nn.Linear(3, 2)
    nn.load(path, net)
    assert all(np.array_equal(net.state_dict()[k], v) for k, v in arrays.items())
    raw = path.read_bytes()
    refused = 0
    for place in range(0, len(raw), 3):
        for content in (
            raw[:place],
            raw[:place] + bytes([raw[place] ^ 1 << place % 8]) + raw[place + 1 :],
        ):
            path.write_bytes(content)
            try:
                found = nn.load(path)
            except nn.CheckpointError as error:
                assert "numpy.npz" in str(error)  # noqa: PT017
                refused += 1
            else:  # dates, say, mean nothing to the arrays
                assert set(found) == set(arrays)
                assert all(np.array_equal(found[k], v) for k, v in arrays.items())
    assert refused > len(raw) / 3


def test_an_array_that_claims_more_than_its_bytes_is_refused(tmp_path):
    path = tmp_path / "bomb.npz"
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999,), }\n"
    content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(24)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", content)
    with pytest.raises(nn.CheckpointError, match=r"bomb\.npz.*does not fit"):
        nn.load(path)


def test_pickles_are_refused_by_what_they_are(tmp_path):
    (tmp_path / "old.pt").write_bytes(b"\x80\x02}q\x00.")
    with pytest.raises(nn.CheckpointError, match=r"old\.pt looks like a pickle"):
        nn.load(tmp_path / "old.pt")
    with zipfile.ZipFile(tmp_path / "new.pt", "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02.")
    with pytest.raises(nn.CheckpointError, match=r"new\.pt.*torch\.save.*safetensors"):
        nn.load(tmp_path / "new.pt")
    with pytest.raises(FileNotFoundError):
        nn.load(tmp_path / "none")
