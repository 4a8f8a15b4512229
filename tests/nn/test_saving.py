"""Saved states come back exactly; damaged files and code in them are refused."""

from __future__ import annotations

import zipfile

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
    nn.save(state, tmp_path / "run.npz")
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
    for name in ("a", "b"):
        nn.save({"x": np.arange(3.0)}, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_nothing_half_written_and_nothing_pickled(tmp_path):
    with pytest.raises(TypeError, match="object"):
        nn.save({"x": np.array([object()])}, tmp_path / "bad.npz")
    assert list(tmp_path.iterdir()) == []
    path = tmp_path / "code.npz"
    with zipfile.ZipFile(path, "w") as archive, archive.open("x.npy", "w") as stream:
        np.lib.format.write_array(stream, np.array([{}]), allow_pickle=True)
    with pytest.raises(ValueError, match=r"code\.npz"):
        nn.load(path)


def test_a_truncated_file_is_named(tmp_path):
    path = tmp_path / "model.npz"
    nn.save({"x": np.arange(1000.0)}, path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ValueError, match=r"model\.npz"):
        nn.load(path)
