"""The airbench recipe against the yardstick written in PyTorch, in float64."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import benchmarks.airbench
from benchmarks import airbench_torch as peer
from examples.cifar10.data import source
from examples.cifar10.data.batches import Batches
from examples.cifar10.data.generated import generate
from examples.cifar10.data.images import LabelledImages
from examples.cifar10.models.airbench import whitening_filters
from examples.cifar10.models.building import build_model, fit_to_images
from examples.cifar10.presets import find_recipe
from examples.cifar10.training.evaluation import views_of
from examples.cifar10.training.trainer import Trainer

pytestmark = pytest.mark.peers

IMAGES = 4
RECIPE = replace(find_recipe("airbench", "tuned"), batch_size=IMAGES)


def smooth_images(count):
    """Random images whose neighbouring pixels resemble each other, uint8."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (count, 3, 8, 8)).repeat(4, axis=2).repeat(4, axis=3)
    return np.clip(coarse + rng.normal(0, 20, (count, 3, 32, 32)), 0, 255).astype(np.uint8)


def peer_network(model):
    """The peer's network, in float64, with the values of ours."""
    network = peer.network().double()
    state = network.state_dict()
    for key, value in model.state_dict().items():
        number, rest = key.split(".", 1)
        if number != "0":
            state[f"{int(number) - 1}.{rest}"] = torch.from_numpy(value)
    network.load_state_dict(state)
    return network


@pytest.fixture
def both():
    """Our trainer and the peer's, equal, and the images; an epoch is one step."""
    data = LabelledImages(smooth_images(IMAGES), np.arange(IMAGES) % 10)
    model = build_model("airbench", RECIPE, np.random.default_rng(0))
    fit_to_images(model, RECIPE, data.images)
    model.to("float64")
    # Trained before, so that no value is the one of the start.
    for name, buffer in model.named_buffers():
        if name.endswith("running_var"):
            buffer *= np.random.default_rng(1).uniform(0.5, 2.0, buffer.shape)
    for parameter in model.parameters():
        if parameter.ndim == 1:
            parameter.data[...] = np.random.default_rng(2).normal(0, 0.1, parameter.shape)
    network = peer_network(model)
    ours = Trainer(model, RECIPE, Batches(data, IMAGES, seed=0))
    theirs = peer.Trainer(network, 1, RECIPE.epochs)
    return ours, theirs, data


def named(theirs):
    """The peer's state under our names."""
    return {
        f"{int(key.split('.', 1)[0]) + 1}.{key.split('.', 1)[1]}": value.detach().numpy()
        for key, value in theirs.model.state_dict().items()
    }


def test_steps_agree(both):
    ours, theirs, data = both
    start = {name: p.data.copy() for name, p in ours.model.named_parameters()}
    gradients = {}
    pulled = theirs.model.zero_grad

    def keep(**options):
        gradients.update({name: p.grad for name, p in theirs.model.named_parameters()})
        pulled(**options)

    theirs.model.zero_grad = keep
    ours.model.train()
    theirs.model.train()
    for epoch in range(1, 5):
        ours.freeze(epoch)
        pixels = torch.from_numpy(np.array(ours.model[0](data.images)))
        assert pixels.dtype == torch.float64
        loss, scores = ours.train_on(data.images, data.labels)
        expected, peer_scores = theirs.step(pixels, torch.from_numpy(data.labels))
        assert loss == pytest.approx(expected, rel=1e-9)
        np.testing.assert_allclose(scores, peer_scores.numpy(), rtol=1e-6, atol=1e-8)
        compared = 0
        for name, parameter in ours.model.named_parameters():
            number, rest = name.split(".", 1)
            gradient = gradients[f"{int(number) - 1}.{rest}"]
            assert (parameter.grad is None) == (gradient is None), name
            if gradient is not None:
                bound = 1e-7 * float(gradient.abs().max())
                np.testing.assert_allclose(
                    parameter.grad.data, gradient.numpy(), rtol=1e-6, atol=bound, err_msg=name
                )
                compared += 1
        # Six tensors of filters, six biases of norms, the head; the whitening bias for 3 epochs.
        assert compared == 13 + (epoch <= 3)
        state = named(theirs)
        for name, value in ours.model.state_dict().items():
            if not name.startswith("0."):
                np.testing.assert_allclose(
                    value, state[name], rtol=1e-7, atol=1e-8, err_msg=f"{name}, step {epoch}"
                )
    moved = {name for name, p in ours.model.named_parameters() if not (p.data == start[name]).all()}
    assert moved == set(start) - {"1.weight"}


def test_float32_steps_agree(both):
    ours, theirs, data = both
    ours.model.to("float32")
    network = peer_network(ours.model).float().to(memory_format=torch.channels_last)
    theirs = peer.Trainer(network, 1, RECIPE.epochs)
    pixels = torch.from_numpy(np.array(ours.model[0](data.images)))
    for _ in range(3):
        loss, _ = ours.train_on(data.images, data.labels)
        expected, _ = theirs.step(pixels, torch.from_numpy(data.labels))
        assert loss == pytest.approx(expected, rel=1e-4)
    state = named(theirs)
    for name, parameter in ours.model.named_parameters():
        difference = np.linalg.norm(parameter.data - state[name])
        assert difference < 2e-3 * np.linalg.norm(state[name]), name


def test_pixels_and_whitening_agree():
    images = smooth_images(60)
    model = build_model("airbench", RECIPE, np.random.default_rng(0))
    fit_to_images(model, RECIPE, images)
    pixels = model[0](images)
    expected = peer.normalised(images)
    np.testing.assert_allclose(pixels, expected.numpy(), rtol=1e-4, atol=1e-5)
    filters = whitening_filters(expected.numpy()).reshape(24, 12)
    theirs = peer.whitening_filters(expected).numpy().reshape(24, 12)
    signs = np.sign((filters * theirs).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(filters, signs * theirs, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(model[1].weight.data.reshape(24, 12), filters, rtol=1e-3, atol=1e-4)


def test_averaged_scores_agree(both):
    ours, theirs, data = both
    ours.model.eval()
    theirs.model.eval()
    scores = sum(w * ours.model(view).numpy() for w, view in views_of(data.images, 6))
    pixels = torch.from_numpy(np.array(ours.model[0](data.images)))
    with torch.no_grad():
        expected = peer.averaged(theirs.model, pixels).numpy()
    np.testing.assert_allclose(scores, expected, rtol=1e-8, atol=1e-10)


def test_initial_networks_are_alike():
    model = build_model("airbench", RECIPE, np.random.default_rng(0))
    torch.manual_seed(0)
    scales = [p for n, p in peer.network().named_parameters() if _is_scale(n, p)]
    assert all((scale == 1).all() and not scale.requires_grad for scale in scales)
    for (name, ours), theirs in zip(
        model.named_parameters(),
        (p for n, p in peer.network().named_parameters() if not _is_scale(n, p)),
        strict=True,
    ):
        values = theirs.detach().numpy()
        assert ours.shape == values.shape
        assert ours.requires_grad == theirs.requires_grad
        if name == "1.bias":
            assert 0 < np.abs(ours.data).max() <= 12**-0.5
            continue
        assert np.abs(ours.data).max() == pytest.approx(np.abs(values).max(), rel=0.15), name
        assert ours.data.std() == pytest.approx(values.std(), rel=0.15, abs=1e-6), name
        np.testing.assert_array_equal(ours.data == 1.0, values == 1.0, err_msg=name)


def _is_scale(name, parameter):
    return parameter.ndim == 1 and name.endswith(".weight")


def test_crops_are_windows_of_the_padded_images():
    images = peer.normalised(smooth_images(50))
    padded = torch.nn.functional.pad(images, (2, 2, 2, 2), mode="reflect")
    torch.manual_seed(0)
    crops = peer.cropped(padded, 2)
    places = set()
    for image, crop in zip(padded, crops, strict=True):
        found = [
            (i, j)
            for i in range(5)
            for j in range(5)
            if torch.equal(image[:, i : i + 32, j : j + 32], crop)
        ]
        assert len(found) == 1
        places.add(found[0])
    assert len(places) > 15


def test_both_sides_run_from_the_command_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(source, "generate", lambda: generate(40, 20))
    out = tmp_path / "log.json"
    for side in ("ours", "torch"):
        arguments = ["--side", side, "--data", "generated", "--train-images", "20"]
        assert benchmarks.airbench.main([*arguments, "--epochs", "1", "--out", str(out)]) == 0
        assert f"{side}, seed 0, epoch 1: loss 2." in capsys.readouterr().out
        assert '"averaged_test_accuracy"' in out.read_text()
