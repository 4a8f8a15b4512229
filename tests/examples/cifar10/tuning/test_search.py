"""A whole search: the test images stay closed to its end, and what it found can be trained."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from examples.cifar10.cli import main
from examples.cifar10.commands import train
from examples.cifar10.commands import tune as tune_command
from examples.cifar10.errors import TrainingError
from examples.cifar10.preset_files import read_preset
from examples.cifar10.training.evaluation import Measurement
from examples.cifar10.tuning import search
from examples.cifar10.tuning.log import Log, best_of
from examples.cifar10.tuning.spaces import recipe_with
from examples.cifar10.tuning.trials import train_trial


class Guarded:
    """A data set that asks before its test images are looked at."""

    def __init__(self, dataset, ask):
        self.train = dataset.train
        self.class_names = dataset.class_names
        self.source = dataset.source
        self._test = dataset.test
        self._ask = ask

    @property
    def test(self):
        self._ask()
        return self._test


def forbidden(*_arguments):
    raise AssertionError("the test images were looked at")


def measured(count, correct):
    confusion = np.zeros((10, 10), np.int64)
    confusion[0, :2] = correct, count - correct
    each = np.zeros(count)
    return Measurement(1.0, correct / count, confusion, each, each.astype(int), each)


def test_what_was_found_is_trained_in_full_once(quick, few):
    given = []

    def train_in_full(recipe, preset, folder):
        given.append((recipe, preset, folder.path))
        return [measured(20, 7)]

    said = []
    settings = replace(quick, trials=3, final_epochs=9)
    search.tune(settings, few.train, train_in_full, said.append)
    log = Log.read(settings.folder / "trials.jsonl")
    best = best_of(log.records)
    recipe = replace(recipe_with("two_layer", best.values), epochs=9)
    preset = settings.folder / "preset.json"
    assert given == [(recipe, preset, settings.folder / "best")]
    assert read_preset(preset, "two_layer") == recipe
    expected = {"trial": best.trial, "epochs": 9, "test_accuracy": 0.35, "test_images": 20}
    assert log.final == expected
    command = f"python -m examples.cifar10 train two_layer --preset {preset}"
    assert said[-1] == f"to train it: {command}"
    # Again: nothing is left to do. With other epochs it is.
    search.tune(settings, few.train, forbidden, said.append)
    assert "trained in full before: test accuracy 0.3500" in said
    search.tune(replace(settings, final_epochs=2), few.train, train_in_full, said.append)
    assert len(given) == 2


def test_a_search_that_is_out_of_time_is_not_measured(quick, few, monkeypatch):
    clock = iter(range(1000))
    monkeypatch.setattr(search, "monotonic", lambda: next(clock))
    said = []
    for expected in (4, 8):
        search.tune(replace(quick, timeout=5.0), few.train, forbidden, said.append)
        assert f"time is over after {expected} of 12 trials; the same command goes on" in said
    assert (quick.folder / "preset.json").exists()


def test_no_trial_to_its_end_is_an_error(quick, few, monkeypatch):
    def failing(*_arguments, **_options):
        raise TrainingError("the loss is nan")
        yield

    monkeypatch.setattr(search, "train_trial", failing)
    with pytest.raises(TrainingError, match="no trial of 2 was trained to its end"):
        search.tune(replace(quick, trials=2), few.train, forbidden, [].append)
    records = Log.read(quick.folder / "trials.jsonl").records
    assert [record.state for record in records] == ["diverged"] * 2


@pytest.mark.parametrize(
    ("changes", "pruned_from"),
    [({}, 2), ({"epochs": 5}, 3), ({"pruned_from": 4}, 4), ({"pruning": False}, None)],
)
def test_trials_are_pruned_from_the_middle_unless_told_otherwise(quick, few, changes, pruned_from):
    settings = replace(quick, trials=1, **changes)
    search.tune(settings, few.train, lambda *_: [measured(20, 7)], [].append)
    assert Log.read(quick.folder / "trials.jsonl").search.pruned_from == pruned_from


def test_the_first_trial_is_the_models_own_recipe(quick, few):
    said = []
    settings = replace(quick, trials=2)
    search.tune(settings, few.train, lambda *_: [measured(20, 7)], said.append)
    (line,) = [line for line in said if line.startswith("the model's own recipe")]
    assert line.startswith("the model's own recipe, trial 0: validation accuracy 1.0000")


@pytest.fixture
def commands(tmp_path, few, monkeypatch):
    """Runs a command on the few images; returns its lines."""
    for command in (train, tune_command):
        monkeypatch.setattr(command, "load", lambda *_: few)

    def run(capsys, *arguments):
        assert main(list(arguments)) == 0
        return capsys.readouterr().out.splitlines()

    return run


def test_the_test_images_are_looked_at_when_all_trials_are_done(tmp_path, capsys, few, monkeypatch):
    out = tmp_path / "search"
    looks = []

    def look():
        assert len(Log.read(out / "trials.jsonl").records) == 2
        began = (out / "best" / "config.json").exists()
        assert (out / "best" / "model.npz").exists() or not began
        looks.append(True)

    monkeypatch.setattr(tune_command, "load", lambda *_: Guarded(few, look))
    arguments = ["softmax", "--epochs", "1", "--final-epochs", "1", "--no-figures", "--quiet"]
    assert main(["tune", *arguments, "--trials", "2", "--out", str(out)]) == 0
    assert looks
    # A search that is not at its end.
    monkeypatch.setattr(tune_command, "load", lambda *_: Guarded(few, forbidden))
    assert main(["tune", *arguments, "--trials", "3", "--timeout", "0", "--out", str(out)]) == 0
    capsys.readouterr()


def test_from_the_command_line_to_training_what_was_found(tmp_path, capsys, commands):
    out = tmp_path / "search"
    # Five trained to their end are what importances are told from.
    arguments = ["tune", "softmax", "--trials", "5", "--epochs", "2", "--out", str(out)]
    arguments += ["--final-epochs", "1", "--no-pruning"]
    said = commands(capsys, *arguments)
    for name in ("history", "slices", "parallel", "importances"):
        picture = (out / f"{name}.png").read_bytes()
        assert picture.startswith(b"\x89PNG")
        assert f"picture: {out / name}.png" in said
    log = Log.read(out / "trials.jsonl")
    assert (log.search.training_images, log.search.validation_images) == (48, 12)
    best = best_of(log.records)
    preset = json.loads((out / "preset.json").read_text())
    assert preset["found"]["trial"] == best.trial
    _, _, *words = said[-1].split("python -m examples.cifar10")[-1].split()
    command = ["train", "softmax", *words]
    trained = commands(capsys, *command, "--no-figures", "--out", str(tmp_path / "run"))
    assert trained[-1] == next(line for line in said if line.startswith("test accuracy"))
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["recipe"]["lr"] == best.values["lr"]
    assert config["recipe"]["epochs"] == 1


def test_trials_of_real_training_repeat_bit_for_bit_and_differ_by_seed(few):
    recipe = replace(recipe_with("mlp", search.start_of("mlp")), epochs=2, hidden=(8, 8))
    first, again, other = (
        [
            (epoch.loss, epoch.validation_loss, epoch.validation_accuracy)
            for epoch in train_trial("mlp", recipe, few.train[:48], few.train[48:], seed)
        ]
        for seed in (0, 0, 1)
    )
    assert len(first) == 2
    assert first == again
    assert first != other
    assert np.isfinite(first).all()


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["tune", "softmax", "--trials", "1", "--train-images", "99"], "from 1 to 48"),
        (["train", "softmax", "--preset", "no/such/file"], "neither a file nor one of the names"),
        (["train", "softmax", "--preset", "searched"], "only for two_layer, mlp"),
    ],
)
def test_errors_are_one_line(tmp_path, capsys, monkeypatch, commands, arguments, match):
    monkeypatch.chdir(tmp_path)
    assert main([*arguments, "--quiet"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert match in said
    assert len(said.splitlines()) == 1
