"""Training runs from the command line, on the generated data set: short, whole, repeatable."""

from __future__ import annotations

import json

import numpy as np
import pytest

from examples.cifar10.cli import main
from examples.cifar10.data.augmentation import flip, shift
from examples.cifar10.data.batches import Batches
from examples.cifar10.data.generated import generate
from examples.cifar10.data.images import LabelledImages
from examples.cifar10.models.auxiliary import main_scores
from examples.cifar10.models.building import build_model, pixel_statistics
from examples.cifar10.presets import MODELS, find_recipe
from examples.cifar10.runs import running
from examples.cifar10.training.trainer import objective

QUICK = ["--data", "generated", "--epochs", "1", "--train-images", "600", "--quiet", "--no-figures"]


def run(tmp_path, capsys, model="softmax", *more):
    assert main(["train", model, *QUICK, "--out", str(tmp_path / "run"), *more]) == 0
    return capsys.readouterr().out.splitlines()


def test_a_run_leaves_its_files_and_can_be_evaluated(tmp_path, capsys):
    said = run(tmp_path, capsys)
    assert said[-1].startswith("test accuracy: 0.")
    assert said[-1].endswith(" on 2000 images")
    folder = tmp_path / "run"
    assert json.loads((folder / "config.json").read_text())["model"] == "softmax"
    metrics = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert metrics[0]["epoch"] == 1
    assert "validation_accuracy" in metrics[0]
    assert main(["evaluate", str(folder)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == said[-1]


def test_the_same_seed_gives_the_same_bytes(tmp_path, capsys):
    weights = []
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        run(tmp_path / name, capsys, "convnet", "--seed", seed, "--train-images", "40")
        weights.append((tmp_path / name / "run" / "model.npz").read_bytes())
    assert weights[0] == weights[1]
    assert weights[0] != weights[2]


def test_pictures_are_drawn(tmp_path, capsys):
    arguments = [a for a in QUICK if a != "--no-figures"]
    assert main(["train", "softmax", *arguments, "--out", str(tmp_path / "run")]) == 0
    for name in ("curves.png", "weights.png"):
        assert (tmp_path / "run" / name).read_bytes().startswith(b"\x89PNG")
    capsys.readouterr()


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["train", "softmax", "--data", "no/such/folder"], "no such file"),
        (["evaluate", "no/such/run"], "cannot be read"),
        (["train", "vgg", "--preset", "homework", "--data", "generated"], "no recipe for vgg"),
        (["download", "--mirror", "ftp://x", "--out", "OUT"], "http or https"),
        (["train", "softmax", "--data", "generated", "--train-images", "99999"], "train-images"),
        (
            ["train", "two_layer", *QUICK, "--lr", "1e30", "--out", "OUT"],
            "lower it with --lr",
        ),
    ],
)
def test_errors_are_one_line(tmp_path, capsys, monkeypatch, arguments, match):
    monkeypatch.chdir(tmp_path)
    with np.errstate(all="ignore"):
        assert main([str(tmp_path / "out") if a == "OUT" else a for a in arguments]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert match in said


def test_a_run_is_not_overwritten_unless_asked(tmp_path, capsys):
    run(tmp_path, capsys)
    assert main(["train", "softmax", *QUICK, "--out", str(tmp_path / "run")]) == 1
    assert "--overwrite" in capsys.readouterr().err
    run(tmp_path, capsys, "softmax", "--overwrite")


@pytest.mark.parametrize("model", MODELS)
def test_every_model_gives_scores_and_gradients_to_all_its_parameters(model):
    recipe = find_recipe(model, "tuned")
    net = build_model(model, recipe, np.random.default_rng(0))
    images = np.random.default_rng(1).integers(0, 256, (4, 3, 32, 32), dtype=np.uint8)
    output = net(images)
    assert main_scores(output).shape == (4, 10)
    assert main_scores(output).dtype == np.float32
    objective(net, output, np.arange(4), recipe).backward()
    assert all((p.grad is not None) == p.requires_grad for p in net.parameters())


def test_statistics_are_the_pixels():
    images = np.random.default_rng(0).integers(0, 256, (50, 3, 32, 32), dtype=np.uint8)
    mean, deviation = pixel_statistics(images, find_recipe("mlp", "tuned"))
    np.testing.assert_allclose(mean.ravel(), images.mean(axis=(0, 2, 3)))
    np.testing.assert_allclose(deviation.ravel(), images.std(axis=(0, 2, 3)))


def test_the_generated_set_is_deterministic_and_balanced():
    first, second = generate(), generate()
    np.testing.assert_array_equal(first.train.images[:50], second.train.images[:50])
    assert len(first.class_names) == 10
    counts = np.bincount(first.test.labels, minlength=10)
    assert counts.min() > 0.8 * counts.max()


def test_batches_are_a_function_of_seed_epoch_and_step():
    rng = np.random.default_rng(0)
    data = LabelledImages(
        rng.integers(0, 256, (25, 3, 32, 32), dtype=np.uint8), rng.integers(0, 10, 25)
    )
    batches = Batches(data, 10, seed=3, flips="random", shift_reach=2)
    assert len(batches) == 2
    once, again, other = (list(batches.epoch(epoch)) for epoch in (1, 1, 2))
    for (a, _), (b, _), (c, _) in zip(once, again, other, strict=True):
        np.testing.assert_array_equal(a, b)
        assert not np.array_equal(a, c)


@pytest.mark.parametrize("flips", ["random", "alternating"])
def test_an_epoch_begun_in_its_middle_gives_the_rest_of_it(flips):
    rng = np.random.default_rng(0)
    data = LabelledImages(
        rng.integers(0, 256, (25, 3, 32, 32), dtype=np.uint8), rng.integers(0, 10, 25)
    )
    batches = Batches(data, 5, seed=3, flips=flips, shift_reach=2, cutout_size=4)
    whole = list(batches.epoch(2))
    for first in range(6):
        rest = list(batches.epoch(2, first))
        assert len(rest) == 5 - first
        for (images, labels), (expected, answers) in zip(rest, whole[first:], strict=True):
            np.testing.assert_array_equal(images, expected)
            np.testing.assert_array_equal(labels, answers)


def test_augmentation_moves_and_mirrors_whole_images():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (40, 3, 8, 8), dtype=np.uint8)
    flipped = flip(images, rng)
    same = [np.array_equal(a, b) for a, b in zip(flipped, images, strict=True)]
    mirrored = [np.array_equal(a, b[..., ::-1]) for a, b in zip(flipped, images, strict=True)]
    assert all(s != m for s, m in zip(same, mirrored, strict=True))
    assert 5 < sum(mirrored) < 35
    moved = shift(images, 2, rng)
    padded = np.pad(images, ((0, 0), (0, 0), (2, 2), (2, 2)), mode="reflect")
    for before, after in zip(padded, moved, strict=True):
        places = [
            (i, j)
            for i in range(5)
            for j in range(5)
            if np.array_equal(before[:, i : i + 8, j : j + 8], after)
        ]
        assert places


def test_the_best_epoch_is_that_of_all_before_it():
    model = build_model("softmax", find_recipe("softmax", "tuned"), np.random.default_rng(0))
    images = generate().train[:10]

    def is_best(*accuracies):
        history = [{"validation_accuracy": accuracy} for accuracy in accuracies]
        return running._measure_epoch(model, images, images, history)["best"]

    assert is_best()
    assert is_best(-0.5, -0.1)
    assert not is_best(1.0, -0.5)
    assert not is_best(-0.5, 1.0)
