"""Training and validation images: the homework's split, kept apart to the end of a run."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.cifar10.cli import main
from examples.cifar10.commands import train
from examples.cifar10.data.dataset import Dataset
from examples.cifar10.data.images import CLASS_NAMES, LabelledImages
from examples.cifar10.errors import TrainingError
from examples.cifar10.presets import MODELS, find_recipe
from examples.cifar10.runs.running import split
from examples.cifar10.training.trainer import Trainer


def marked(count):
    """Images without memory of their own, and labels by which they are known."""
    pixels = np.broadcast_to(np.zeros((), np.uint8), (count, 3, 32, 32))
    return LabelledImages(pixels, np.arange(count))


@pytest.mark.parametrize("model", ["softmax", "two_layer", "convnet"])
def test_the_homeworks_split_is_49000_and_the_last_1000(model):
    for preset in ("homework", "tuned"):
        held_out = find_recipe(model, preset).validation_images
        training, validation = split(marked(50_000), held_out, None)
        np.testing.assert_array_equal(training.labels, np.arange(49_000))
        np.testing.assert_array_equal(validation.labels, np.arange(49_000, 50_000))


def test_only_airbench_trains_on_all_images():
    kept = {model for model in MODELS if find_recipe(model, "tuned").validation_images == 0}
    assert kept == {"airbench"}
    training, validation = split(marked(50_000), 0, None)
    assert (len(training), len(validation)) == (50_000, 0)


@given(st.data(), st.integers(1, 200))
def test_no_image_is_on_both_sides(data, count):
    held_out = data.draw(st.integers(0, count - 1))
    limit = data.draw(st.none() | st.integers(1, count - held_out))
    training, validation = split(marked(count), held_out, limit)
    assert not set(training.labels.tolist()) & set(validation.labels.tolist())
    # The validation images do not depend on how many are trained on.
    assert validation.labels.tolist() == list(range(count - held_out, count))
    assert len(training) == (count - held_out if limit is None else limit)


@pytest.mark.parametrize("limit", [0, 8, 100])
def test_more_training_images_than_are_left_is_an_error(limit):
    with pytest.raises(TrainingError, match=f"must be from 1 to 7, got {limit}"):
        split(marked(10), 3, limit)


def test_a_run_never_trains_on_validation_images(tmp_path, monkeypatch, capsys):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (100, 3, 32, 32), dtype=np.uint8)
    # Validation images are black: at most a fifth is held out, of 100 the last 20.
    images[80:] = 0
    some = LabelledImages(images, rng.integers(0, 10, 100))
    monkeypatch.setattr(train, "load", lambda *_: Dataset(some, some[:30], CLASS_NAMES, "random"))
    seen = []
    step = Trainer.train_on

    def spy(self, batch, labels):
        layer = self.model[0]
        seen.extend(np.rint(batch.pixels * layer.deviation + layer.mean).max(axis=(1, 2, 3)))
        return step(self, batch, labels)

    monkeypatch.setattr(Trainer, "train_on", spy)
    folder = tmp_path / "run"
    options = ["--epochs", "2", "--batch-size", "10", "--quiet", "--no-figures"]
    assert main(["train", "softmax", *options, "--out", str(folder)]) == 0
    capsys.readouterr()
    assert len(seen) == 160
    assert min(seen) > 200
    config = json.loads((folder / "config.json").read_text())
    assert (config["train_images"], config["validation_images"]) == (80, 20)
    metrics = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert {round(20 * entry["validation_accuracy"], 6) % 1 for entry in metrics[:2]} == {0.0}
    assert all(0 <= entry["waited_seconds"] <= entry["seconds"] for entry in metrics[:2])
