"""A run that was stopped anywhere and gone on with ends as one that was not, bit for bit."""

from __future__ import annotations

import signal
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
from examples.cifar10.models import building
from examples.cifar10.presets import find_recipe, for_few_images
from tests.examples.cifar10.runs.interrupted import (
    Moments,
    assert_same_result,
    begin,
    dataset,
    go_to_the_end,
    metrics,
    recipe_of,
    resume,
)

SMALL = {
    # Ends within an epoch, at its step 7.
    "softmax, homework": ("softmax", "homework", {"epochs": 3, "max_steps": 7, "batch_size": 10}),
    "two_layer, homework": ("two_layer", "homework", {"epochs": 3, "batch_size": 10}),
    # Batch norm, shifts, label smoothing.
    "mlp": ("mlp", "tuned", {"epochs": 3, "batch_size": 8, "hidden": (12, 6), "cutout": 8}),
    "few images": ("convnet", "tuned", None),
}
LARGE = {
    # Whitening frozen after the third epoch, alternating flips, two optimizers, no validation.
    "airbench": ("airbench", "tuned", {"epochs": 4, "batch_size": 20, "test_views": 2}),
    # Drop-path, an auxiliary head, clipped gradients, cosine; of fewer and narrower cells.
    "darts_small": (
        "darts_small",
        "tuned",
        {"epochs": 2, "batch_size": 12, "schedule": "cosine", "drop_path": 0.3, "cutout": 8},
    ),
    "vgg": ("vgg", "tuned", {"epochs": 2, "batch_size": 12}),
}
_KINDS = (signal.SIGINT, signal.SIGTERM, "crash")


def recipe_named(name):
    model, preset, changes = (SMALL | LARGE)[name]
    recipe = find_recipe(model, preset)
    if changes is None:
        return model, replace(for_few_images(recipe), epochs=3)
    return model, replace(recipe, **changes)


@pytest.fixture(autouse=True)
def _few_cells(monkeypatch):
    real = building._darts
    monkeypatch.setattr(building, "_darts", lambda _channels, _cells: real(4, 3))


@cache
def unbroken(name):
    """The folder of a run that nothing disturbed, and how many moments it has."""
    folder = Path(tempfile.mkdtemp()) / "unbroken"
    moments = Moments({})
    model, recipe = recipe_named(name)
    with recipe_of(recipe) as patch:
        moments.watch(patch)
        assert begin(folder, model) == 0
    return folder, moments.count


def check_interrupted(name, plan):
    whole, _ = unbroken(name)
    model, recipe = recipe_named(name)
    moments = Moments(plan)
    with tempfile.TemporaryDirectory() as place, recipe_of(recipe) as patch:
        folder = Path(place) / "run"
        moments.watch(patch)
        go_to_the_end(folder, model)
        assert_same_result(whole, folder)
    return moments


@settings(max_examples=25)
@given(
    name=st.sampled_from(sorted(SMALL)),
    moments=st.dictionaries(st.integers(1, 150), st.sampled_from(_KINDS), min_size=1, max_size=8),
)
def test_stopped_anywhere_it_goes_on_bit_for_bit(name, moments):
    check_interrupted(name, moments)


def test_stopped_at_any_one_moment():
    _, count = unbroken("softmax, homework")
    seen = []
    for moment in range(1, count + 1):
        kind = _KINDS[moment % len(_KINDS)]
        seen += check_interrupted("softmax, homework", {moment: kind}).seen
    assert len(seen) == count
    # A signal, too, comes at moments of every sort.
    assert len({place for place, kind in seen if kind == signal.SIGINT}) > 8


@pytest.mark.parametrize("name", sorted(LARGE))
def test_every_recipe_goes_on_bit_for_bit(name):
    _, count = unbroken(name)
    check_interrupted(name, {count // 4: "crash", count // 2: signal.SIGTERM, count: "crash"})


def test_fine_tuning_goes_on_without_the_weights_it_began_with(tmp_path, capsys):
    model, recipe = recipe_named("mlp")
    source, _ = unbroken("mlp")
    weights = tmp_path / "weights.npz"
    more = ("--from", str(weights), "--new-classifier", "--epochs", "3")
    with recipe_of(recipe) as patch:
        weights.write_bytes((source / "model.npz").read_bytes())
        assert begin(tmp_path / "whole", model, *more) == 0
        moments = Moments({20: signal.SIGINT})
        moments.watch(patch)
        assert begin(tmp_path / "run", model, *more) == 130
        weights.unlink()
        assert resume(tmp_path / "run") == 0
    assert_same_result(tmp_path / "whole", tmp_path / "run")
    assert f"from {weights} with a new classifier" in capsys.readouterr().out


def test_the_sums_of_the_epoch_go_on(tmp_path):
    model, recipe = recipe_named("mlp")
    with recipe_of(recipe) as patch:
        Moments({12: signal.SIGINT}).watch(patch)
        assert begin(tmp_path, model) == 130
    progress = nn.load(tmp_path / "checkpoints").loader
    assert 0 < progress["batches"] < 4
    assert progress["images"] == 8 * progress["batches"]
    assert progress["loss"] > 0


def test_a_damaged_newest_checkpoint_is_left_out_and_said(tmp_path, capsys):
    model, recipe = recipe_named("two_layer, homework")
    whole, count = unbroken("two_layer, homework")
    with recipe_of(recipe) as patch:
        Moments({count // 2: signal.SIGINT}).watch(patch)
        assert begin(tmp_path / "run", model) == 130
    with recipe_of(recipe):
        newest = max((tmp_path / "run" / "checkpoints").iterdir())
        newest.write_bytes(newest.read_bytes()[:-5])
        assert resume(tmp_path / "run") == 0
    said = capsys.readouterr().err
    assert "Note: a damaged checkpoint is left out" in said
    assert newest.name in said
    assert_same_result(whole, tmp_path / "run")


def test_a_run_that_has_ended_says_so_and_changes_nothing(tmp_path, capsys):
    model, recipe = recipe_named("softmax, homework")
    with recipe_of(recipe):
        assert begin(tmp_path, model) == 0
        before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
        capsys.readouterr()
        assert resume(tmp_path) == 0
    assert "has ended, with test accuracy" in capsys.readouterr().out
    assert before == {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}


def test_a_trained_but_untested_run_is_only_tested(tmp_path):
    model, recipe = recipe_named("softmax, homework")
    whole, _ = unbroken("softmax, homework")
    with recipe_of(recipe):
        assert begin(tmp_path, model) == 0
        lines = (tmp_path / "metrics.jsonl").read_text().splitlines(keepends=True)
        (tmp_path / "metrics.jsonl").write_text("".join(lines[:-1]) + lines[-1][:30])
        before = sorted((tmp_path / "checkpoints").iterdir())
        assert resume(tmp_path) == 0
    assert sorted((tmp_path / "checkpoints").iterdir()) == before
    assert metrics(tmp_path) == metrics(whole)


def test_other_images_are_refused(tmp_path, capsys):
    model, recipe = recipe_named("softmax, homework")
    with recipe_of(recipe) as patch:
        Moments({12: signal.SIGINT}).watch(patch)
        assert begin(tmp_path, model) == 130
    other = dataset()
    other.train.images[3, 1, 4, 5] ^= 1
    with recipe_of(recipe, other):
        assert resume(tmp_path) == 1
    assert "other images than the run was begun with" in capsys.readouterr().err
