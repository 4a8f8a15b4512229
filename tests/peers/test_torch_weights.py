"""Weights go to PyTorch and back through safetensors under the same names, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

import nn

torch = pytest.importorskip("torch")
safetensors_torch = pytest.importorskip("safetensors.torch")

pytestmark = pytest.mark.peers


def pair():
    ours = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(64, 5))
    theirs = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3),
        torch.nn.BatchNorm2d(4),
        torch.nn.Flatten(),
        torch.nn.Linear(64, 5),
    )
    return ours.eval(), theirs.eval()


def outputs(ours, theirs):
    images = np.random.default_rng(0).normal(size=(2, 3, 6, 6)).astype(np.float32)
    with torch.no_grad():
        return ours(images).numpy(), theirs(torch.from_numpy(images)).numpy()


def test_ours_in_pytorch(tmp_path):
    ours, theirs = pair()
    ours[3].weight.data = np.asfortranarray(ours[3].weight.data)
    nn.save(tmp_path / "a.safetensors", ours)
    theirs.load_state_dict(safetensors_torch.load_file(tmp_path / "a.safetensors"), strict=True)
    for name, array in ours.state_dict().items():
        assert theirs.state_dict()[name].numpy().tobytes() == array.tobytes()
    assert np.allclose(*outputs(ours, theirs), atol=1e-5)


def test_pytorchs_here(tmp_path):
    ours, theirs = pair()
    safetensors_torch.save_file(theirs.state_dict(), tmp_path / "a.safetensors")
    nn.load(tmp_path / "a.safetensors", ours)
    for name, array in ours.state_dict().items():
        assert theirs.state_dict()[name].numpy().tobytes() == array.tobytes()
    assert np.allclose(*outputs(ours, theirs), atol=1e-5)
    ours.load_state_dict(theirs.state_dict())


def test_bfloat16_from_pytorch(tmp_path):
    weights = torch.randn(5, 3, dtype=torch.bfloat16)
    safetensors_torch.save_file({"w": weights}, tmp_path / "a.safetensors")
    assert np.array_equal(nn.load(tmp_path / "a.safetensors")["w"], weights.float().numpy())


def test_a_pickled_file_is_refused(tmp_path):
    for name, new in {"old.pt": False, "new.pt": True}.items():
        torch.save({"w": torch.ones(2)}, tmp_path / name, _use_new_zipfile_serialization=new)
        with pytest.raises(nn.CheckpointError, match=name):
            nn.load(tmp_path / name)
