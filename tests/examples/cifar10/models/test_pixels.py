"""First layers: pixels to numbers around 0, now or ahead of the model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
import nn
from examples.cifar10.cli import main
from examples.cifar10.models.building import build_model, fit_to_images
from examples.cifar10.models.pixels import Standardise, WhitenChannels, preparing
from examples.cifar10.presets import PIXEL_SCALES, find_recipe

LAYOUTS = st.booleans()
SEEDS = st.integers(0, 2**20)


def some_images(seed, count=5, dtype=np.uint8):
    return np.random.default_rng(seed).integers(0, 256, (count, 3, 32, 32)).astype(dtype)


@given(SEEDS, LAYOUTS, st.sampled_from([(3, 1, 1), (3, 32, 32)]))
def test_standardise_subtracts_and_divides(seed, channels_last, shape):
    rng = np.random.default_rng(seed)
    layer = Standardise(shape, channels_last)
    layer.fit(rng.uniform(0, 255, shape), rng.uniform(1, 90, shape))
    images = some_images(seed)
    expected = (images - layer.mean.astype(np.float64)) / layer.deviation
    for given_ in (images, images.astype(np.float32)):
        result = layer(given_)
        assert result.dtype == np.float32
        np.testing.assert_allclose(result, expected, rtol=1e-6, atol=1e-5)
    tensor = layer(ag.Tensor(images.astype(np.float32)))
    np.testing.assert_allclose(tensor.data, expected, rtol=1e-6, atol=1e-5)


@given(SEEDS, LAYOUTS, st.floats(0.3, 0.6), st.floats(0, 90))
def test_whitened_channels_have_mean_0_and_deviation_1_under_any_light(seed, last, gain, offset):
    layer = WhitenChannels(last)
    images = some_images(seed, dtype=np.float32)
    result = layer(images)
    assert result.dtype == np.float32
    exact = result.astype(np.float64)
    np.testing.assert_allclose(exact.mean(axis=(2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(exact.std(axis=(2, 3)), 1, rtol=1e-5)
    np.testing.assert_allclose(layer(gain * images + offset), result, atol=1e-3)
    np.testing.assert_allclose(layer(ag.Tensor(images)).data, result, rtol=1e-4, atol=1e-5)
    # Nothing of the order of the pixels is lost.
    np.testing.assert_array_equal(
        np.argsort(result[0, 1].ravel(), kind="stable"),
        np.argsort(images[0, 1].ravel(), kind="stable"),
    )


@pytest.mark.parametrize("layer", [Standardise((3, 1, 1), True), WhitenChannels(True)])
def test_the_layout_is_the_one_asked_for(layer):
    images = some_images(0)
    assert layer(images).transpose(0, 2, 3, 1).flags.c_contiguous
    layer.channels_last = False
    assert layer(images).flags.c_contiguous


@pytest.mark.parametrize("layer", [Standardise((3, 1, 1)), WhitenChannels()])
def test_even_images_become_finite(layer):
    images = np.full((2, 3, 32, 32), 9, np.uint8)
    if isinstance(layer, Standardise):
        fit_to_images(nn.Sequential(layer), find_recipe("mlp", "tuned"), images)
    np.testing.assert_array_equal(layer(images), 0)


@pytest.mark.parametrize("pixels", PIXEL_SCALES)
@pytest.mark.parametrize("name", ["mlp", "convnet", "airbench"])
def test_a_model_gives_the_same_scores_for_pixels_and_for_what_was_prepared(name, pixels):
    recipe = replace(find_recipe(name, "tuned"), pixels=pixels)
    model = build_model(name, recipe, np.random.default_rng(0))
    images = some_images(1, 8)
    fit_to_images(model, recipe, images)
    with ag.no_grad():
        scores = [model(given_).data for given_ in (images, preparing(model)(images))]
    np.testing.assert_array_equal(*scores)
    assert np.isfinite(scores[0]).all()


def test_other_models_are_given_images_as_they_are():
    images = some_images(0, 1)
    for model in (nn.Flatten(), nn.Sequential(), nn.Sequential(nn.Flatten())):
        assert preparing(model)(images) is images


@pytest.mark.parametrize("pixels", ["whitened", "centred"])
def test_a_saved_model_takes_pixels_as_they_are(tmp_path, capsys, pixels):
    options = ["--epochs", "1", "--train-images", "600", "--quiet", "--no-figures"]
    folder = str(tmp_path / "run")
    arguments = ["train", "softmax", "--data", "generated", "--pixels", pixels, "--out", folder]
    # The rate that suits raw numbers up to 255 is smaller.
    assert main([*arguments, *options, "--lr", "1e-6" if pixels == "centred" else "1e-2"]) == 0
    said = capsys.readouterr().out.splitlines()[-1]
    assert main(["evaluate", folder, "--no-figures"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == said
