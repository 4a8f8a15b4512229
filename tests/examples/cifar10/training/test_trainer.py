"""What a recipe asks of a step: auxiliary loss, drop-path, clipped gradients, the schedule."""

from __future__ import annotations

import threading
from dataclasses import asdict, replace

import numpy as np
import pytest

import autograd as ag
import nn
from examples.cifar10.data.batches import Batches
from examples.cifar10.data.images import LabelledImages
from examples.cifar10.errors import TrainingError
from examples.cifar10.models.auxiliary import ScoresWithAuxiliary
from examples.cifar10.models.building import build_model, fit_to_images
from examples.cifar10.presets import Recipe, find_recipe
from examples.cifar10.training.trainer import Trainer, objective

RECIPE = Recipe(epochs=4, batch_size=5, lr=0.5, momentum=0.0)


class Small(nn.Module):
    def __init__(self):
        self.layer = nn.Linear(3072, 10, rng=np.random.default_rng(0))
        self.paths = [nn.DropPath(), nn.Sequential(nn.DropPath(0.1))]

    def forward(self, images):
        pixels = images.reshape(len(images), -1).astype(np.float32) / 255
        return self.layer(pixels)


def trainer(recipe):
    rng = np.random.default_rng(1)
    data = LabelledImages(
        rng.integers(0, 256, (20, 3, 32, 32), dtype=np.uint8), rng.integers(0, 10, 20)
    )
    return Trainer(Small(), recipe, Batches(data, recipe.batch_size, 0))


def test_the_auxiliary_scores_count_by_their_weight():
    rng = np.random.default_rng(2)
    scores, auxiliary = (ag.Tensor(rng.normal(size=(3, 10))) for _ in range(2))
    labels = np.array([1, 2, 3])
    recipe = replace(RECIPE, auxiliary_weight=0.4, label_smoothing=0.1)
    model = Small()
    one, other = (objective(model, part, labels, recipe).item() for part in (scores, auxiliary))
    both = objective(model, ScoresWithAuxiliary(scores, auxiliary), labels, recipe).item()
    assert both == pytest.approx(one + 0.4 * other, rel=1e-12)


def test_the_drop_probability_rises_with_the_epoch():
    run = trainer(replace(RECIPE, drop_path=0.2))
    seen = []
    for epoch in range(1, 5):
        run.run_epoch(epoch)
        seen.append([part.drop_prob for part in run.model.modules() if type(part) is nn.DropPath])
    np.testing.assert_allclose(seen, np.repeat([[0.0], [0.05], [0.1], [0.15]], 2, axis=1))


def test_gradients_are_clipped_to_a_common_norm():
    steps = []
    for limit in (None, 1e-3):
        run = trainer(replace(RECIPE, epochs=1, batch_size=20, max_grad_norm=limit))
        lr = run.lr
        before = run.model.state_dict()
        run.run_epoch(1)
        after = run.model.state_dict()
        change = np.concatenate([(after[name] - before[name]).ravel() for name in before])
        steps.append(np.linalg.norm(change.astype(float)) / lr)
    assert steps[0] > 0.1
    assert steps[1] == pytest.approx(1e-3, rel=1e-2)


def test_cosine_is_half_way_down_half_way_through():
    run = trainer(replace(RECIPE, schedule="cosine"))
    rates = []
    for epoch in range(1, 5):
        run.run_epoch(epoch, lambda *_: rates.append(run.lr))
    assert len(rates) == 16
    # The last step's rate is left as it is, so rates[k - 1] is that of step k, counted from 0.
    assert rates[7] == pytest.approx(0.25)
    assert rates[14] == pytest.approx(0.25 * (1 + np.cos(np.pi * 15 / 16)))


def test_prefetching_changes_no_bit_and_only_what_is_waited_for():
    recipe = replace(find_recipe("convnet", "tuned"), batch_size=5, shift=2, cutout=8, max_steps=6)
    rng = np.random.default_rng(3)
    data = LabelledImages(
        rng.integers(0, 256, (20, 3, 32, 32), dtype=np.uint8), rng.integers(0, 10, 20)
    )
    found = []
    for prefetch in (0, 1, 3):
        model = build_model("convnet", recipe, np.random.default_rng(0))
        fit_to_images(model, recipe, data.images)
        batches = Batches(data, 5, 0, flips="random", shift_reach=2, cutout_size=8)
        run = Trainer(model, recipe, batches, prefetch=prefetch)
        results = [run.run_epoch(epoch) for epoch in (1, 2)]
        assert run.finished  # within the second epoch
        assert all(0 < result.waited_seconds < result.seconds for result in results)
        told = [asdict(result) for result in results]
        for entry in told:
            for name in ("seconds", "waited_seconds", "images_per_second"):
                del entry[name]
        found.append((told, {name: v.tobytes() for name, v in model.state_dict().items()}))
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("kind", [TrainingError, KeyboardInterrupt])
def test_training_that_stops_leaves_no_thread(kind):
    run = trainer(RECIPE)

    def stop(*_progress):
        if kind is TrainingError:
            run.model.layer.weight.data[...] = np.nan
        else:
            raise kind

    with np.errstate(invalid="ignore"), pytest.raises(kind):
        run.run_epoch(1, stop)
    assert run.step == 1
    assert [thread for thread in threading.enumerate() if thread.name == "prefetch"] == []
