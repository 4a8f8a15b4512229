"""The airbench model and its recipe: layers, groups, schedules, batches, views."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn
from examples.cifar10.cli import main
from examples.cifar10.data import source
from examples.cifar10.data.batches import Batches
from examples.cifar10.data.generated import generate
from examples.cifar10.data.images import LabelledImages
from examples.cifar10.models.airbench import Head, ShiftedNorm, Whitening, whitening_filters
from examples.cifar10.models.building import build_model, fit_to_images
from examples.cifar10.presets import Group, Recipe, find_recipe
from examples.cifar10.training.evaluation import measure, views_of
from examples.cifar10.training.optimizers import assign
from examples.cifar10.training.trainer import Trainer

RECIPE = find_recipe("airbench", "tuned")


def build():
    return build_model("airbench", RECIPE, np.random.default_rng(0))


def random_data(count, seed=0):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (count, 3, 32, 32), dtype=np.uint8)
    return LabelledImages(images, rng.integers(0, 10, count))


def test_the_published_number_of_parameters_and_their_start():
    model = build()
    assert sum(parameter.size for parameter in model.parameters()) == 1_971_640
    convolutions = [m for m in model.modules() if isinstance(m, nn.Conv2d) and m.bias is None]
    assert [c.weight.shape[:2] for c in convolutions] == [
        (64, 24),
        (64, 64),
        (256, 64),
        (256, 256),
        (256, 256),
        (256, 256),
    ]
    image = np.random.default_rng(0).standard_normal((2, 24, 5, 5)).astype(np.float32)
    first = convolutions[0](image).numpy()
    np.testing.assert_allclose(first[:, :24], image, atol=1e-6)
    assert np.abs(first[:, 24:]).max() > 0.1
    assert np.abs(convolutions[0].weight.data[24:]).max() <= (9 * 24) ** -0.5
    norms = [m for m in model.modules() if isinstance(m, ShiftedNorm)]
    assert [(n.weight, n.eps, n.momentum) for n in norms] == [(None, 1e-12, 0.4)] * 6
    head = model[-1]
    assert isinstance(head, Head)
    assert head.weight.data.std(ddof=1) == pytest.approx(1.0, rel=1e-5)
    features = np.random.default_rng(1).standard_normal((2, 256)).astype(np.float32)
    expected = features @ head.weight.data.T / 256
    np.testing.assert_allclose(head(features).numpy(), expected, rtol=1e-4, atol=1e-6)


def test_whitened_patches_are_uncorrelated_of_variance_one():
    rng = np.random.default_rng(0)
    images = rng.standard_normal((300, 3, 9, 9)).cumsum(axis=2).cumsum(axis=3)
    layer = Whitening(rng)
    layer.fit(images)
    assert not layer.weight.requires_grad
    layer.bias.data[...] = 0
    out = layer.to("float64")(images).numpy().transpose(1, 0, 2, 3).reshape(24, -1)
    np.testing.assert_allclose(out[12:], -out[:12], atol=1e-5)
    moments = out[:12] @ out[:12].T / out.shape[1]
    np.testing.assert_allclose(moments - np.diag(np.diag(moments)), 0.0, atol=1e-5)
    # l / (l + 5e-4) of the eigenvalues l, of which the smallest are about 0.2.
    assert 0.995 < np.diag(moments).min() < 0.999
    assert np.diag(moments).max() == pytest.approx(1.0, abs=1e-3)
    np.testing.assert_array_equal(whitening_filters(images), whitening_filters(images.copy()))


def test_fitting_uses_the_published_statistics_and_the_first_images():
    data = generate(60, 1).train
    model = build()
    fit_to_images(model, RECIPE, data.images)
    pixels = (data.images / 255 - np.array([0.4914, 0.4822, 0.4465]).reshape(3, 1, 1)) / np.array(
        [0.2470, 0.2435, 0.2616]
    ).reshape(3, 1, 1)
    got = model[0](data.images)
    assert got.dtype == np.float32
    assert got.transpose(0, 2, 3, 1).flags.c_contiguous
    np.testing.assert_allclose(got, pixels, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        model[1].weight.data, whitening_filters(pixels), rtol=1e-3, atol=1e-4
    )


def test_alternating_flips_show_each_image_in_turns():
    data = random_data(30)
    data.labels[...] = np.arange(30) % 10
    batches = Batches(data, 10, seed=4, flips="alternating")
    seen = []
    for epoch in range(1, 5):
        images = np.concatenate([images for images, _ in batches.epoch(epoch)])
        mirrored = {}
        for image in images:
            same = (data.images == image).all(axis=(1, 2, 3))
            other = (data.images == image[..., ::-1]).all(axis=(1, 2, 3))
            assert same.sum() + other.sum() == 1
            mirrored[int((same | other).argmax())] = bool(other.any())
        assert len(mirrored) == 30
        seen.append([mirrored[index] for index in range(30)])
    assert 5 < sum(seen[0]) < 25
    assert seen[1] == [not flipped for flipped in seen[0]]
    assert seen[2:] == seen[:2]


def test_groups_and_linear_schedules():
    model = build()
    data = random_data(20)
    recipe = replace(RECIPE, epochs=5, batch_size=2)
    trainer = Trainer(model, recipe, Batches(data, 2, seed=0))
    assert trainer.total_steps == 50
    muon, sgd = trainer.optimizers
    assert [len(group["params"]) for group in muon.param_groups] == [6]
    assert [[p.shape for p in group["params"]] for group in sgd.param_groups] == [
        [(10, 256)],
        [(24,)],
        [(64,), (64,), (256,), (256,), (256,), (256,)],
    ]
    decays = [group["lr"] * group["weight_decay"] for group in sgd.param_groups]
    assert decays == pytest.approx([0.004] * 3)
    assert muon.param_groups[0]["weight_decay"] == 0
    assert (muon.param_groups[0]["ns_steps"], muon.param_groups[0]["renormalize"]) == (3, True)
    assert muon.param_groups[0]["momentum"] == 0.6
    assert {group["momentum"] for group in sgd.param_groups} == {0.85}
    assert all(group["nesterov"] for group in (*sgd.param_groups, *muon.param_groups))
    for step in range(49):
        rates = [s.get_last_lr() for s in trainer.schedulers]
        rest = 1 - step / 50
        assert rates[0] == pytest.approx([0.24 * rest])
        bias = 0.053 * max(0.0, 1 - step / 30)
        assert rates[1] == pytest.approx([0.67 * rest, bias, 0.053 * rest])
        for scheduler in trainer.schedulers:
            scheduler.step()


def test_the_whitening_bias_is_frozen_after_three_epochs_and_its_filters_always():
    data = random_data(4)
    model = build()
    fit_to_images(model, RECIPE, data.images)
    trainer = Trainer(model, replace(RECIPE, epochs=5), Batches(data, 2, seed=0))
    filters = model[1].weight.data.copy()
    biases = []
    for epoch in range(1, 6):
        trainer.run_epoch(epoch)
        biases.append(model[1].bias.data.copy())
    np.testing.assert_array_equal(model[1].weight.data, filters)
    assert [bool((a == b).all()) for a, b in pairwise(biases)] == [
        False,
        False,
        True,
        True,
    ]
    assert trainer.finished


def test_the_loss_is_summed_for_the_gradient_and_shown_per_example():
    data = random_data(4)
    losses, gradients = [], []
    for kind in ("sum", "mean"):
        model = build()
        trainer = Trainer(model, replace(RECIPE, loss=kind), Batches(data, 4, seed=0))
        loss, scores = trainer.train_on(data.images, data.labels)
        losses.append(loss)
        gradients.append(model[-1].weight.grad.data)
    expected = nn.functional.cross_entropy(scores, data.labels, label_smoothing=0.2)
    assert losses == pytest.approx([float(expected)] * 2, rel=1e-5)
    np.testing.assert_allclose(gradients[0], 4 * gradients[1], rtol=1e-4, atol=1e-7)


def test_a_parameter_outside_all_groups_is_refused():
    recipe = replace(RECIPE, groups=(Group("filters", "muon"),))
    with pytest.raises(ValueError, match=r"no group .* shapes \(24,\)"):
        assign(build(), recipe)


def test_the_recipe_survives_json():
    assert Recipe.from_json(json.loads(json.dumps(asdict(RECIPE)))) == RECIPE


@given(st.sampled_from([1, 2, 6]), st.integers(2, 5), st.integers(2, 5))
def test_views_are_weighted_mirrors_and_shifts(count, height, width):
    images = np.arange(2 * height * width).reshape(1, 2, height, width)
    views = views_of(images, count)
    assert len(views) == count
    assert sum(weight for weight, _ in views) == 1.0
    assert {weight for weight, _ in views} == {1: {1.0}, 2: {0.5}, 6: {0.25, 0.125}}[count]
    np.testing.assert_array_equal(views[0][1], images)
    for (weight, view), (same, mirror) in zip(views[::2], views[1::2], strict=count > 1):
        assert weight == same
        np.testing.assert_array_equal(view, mirror[..., ::-1])
    if count == 6:
        down_right, up_left = views[2][1], views[4][1]
        np.testing.assert_array_equal(down_right[..., 1:, 1:], images[..., :-1, :-1])
        np.testing.assert_array_equal(down_right[..., 0, 0], images[..., 1, 1])
        np.testing.assert_array_equal(up_left[..., :-1, :-1], images[..., 1:, 1:])
        np.testing.assert_array_equal(up_left[..., -1, -1], images[..., -2, -2])


def test_other_numbers_of_views_are_refused():
    with pytest.raises(ValueError, match="must be 1, 2 or 6, got 3"):
        views_of(np.zeros((1, 3, 4, 4)), 3)


def test_scores_are_averaged_before_they_are_compared():
    class Corner(nn.Module):
        """Scores of two classes from the corner pixels."""

        def forward(self, images):
            scores = np.zeros((len(images), 10), np.float32)
            scores[:, 0] = images[:, 0, 0, 0]
            scores[:, 1] = 60
            return nn.functional.relu(nn.Parameter(scores))

    images = np.zeros((1, 3, 32, 32), np.uint8)
    images[:, :, 0, 0] = 100
    data = LabelledImages(images, np.zeros(1, np.int64))
    assert measure(Corner(), data).accuracy == 1.0
    both = measure(Corner(), data, views=2)
    assert both.accuracy == 0.0
    assert both.loss == pytest.approx(np.log(np.exp(50) + np.exp(60) + 8) - 50, rel=1e-5)


def test_it_trains_on_all_images_and_says_both_accuracies(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(source, "generate", lambda: generate(40, 30))
    folder = tmp_path / "run"
    arguments = ["--data", "generated", "--epochs", "2", "--batch-size", "20"]
    assert main(["train", "airbench", *arguments, "--out", str(folder)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert "40 training, 0 validation, 30 test images" in said[0]
    assert "Muon and SGD" in said[1]
    assert said[-2].endswith(" on 30 images")
    assert said[-1].endswith(" on 30 images, averaged over 6 views of each")
    metrics = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [entry.get("epoch") for entry in metrics] == [1, 2, None]
    assert "validation_loss" not in metrics[0]
    assert set(metrics[2]) == {
        "test_loss",
        "test_accuracy",
        "views",
        "averaged_test_loss",
        "averaged_test_accuracy",
    }
    assert all((folder / name).exists() for name in ("curves.png", "weights.png"))
    assert main(["evaluate", str(folder)]) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == said[-2:]
