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


def forbidden():
    raise AssertionError("the test images were looked at")


def test_the_test_images_are_looked_at_when_all_trials_are_done_and_once(quick, few):
    looks = []
    settings = replace(quick, trials=3)

    def look():
        records = Log.read(settings.folder / "trials.jsonl").records
        assert len(records) == settings.trials
        assert (settings.folder / "preset.json").exists()
        looks.append(best_of(records).trial)

    said = []
    search.tune(settings, Guarded(few, look), said.append)
    assert looks
    final = Log.read(settings.folder / "trials.jsonl").final
    assert final["trial"] == looks[0]
    assert said[-1] == (
        f"to train it: python -m examples.cifar10 train two_layer --preset "
        f"{settings.folder / 'preset.json'}"
    )
    assert f"test accuracy: {final['test_accuracy']:.4f} on 20 images" in said
    # Again: nothing is left to do, and no image is looked at.
    search.tune(settings, Guarded(few, forbidden), said.append)
    assert f"trained in full before: test accuracy {final['test_accuracy']:.4f}" in said


def test_a_search_that_is_out_of_time_looks_at_no_test_image(quick, few, monkeypatch):
    clock = iter(range(1000))
    monkeypatch.setattr(search, "monotonic", lambda: next(clock))
    said = []
    for expected in (4, 8):
        search.tune(replace(quick, timeout=5.0), Guarded(few, forbidden), said.append)
        assert f"time is over after {expected} of 16 trials; the same command goes on" in said
    assert (quick.folder / "preset.json").exists()


def test_no_trial_to_its_end_is_an_error(quick, few, monkeypatch):
    def failing(*_arguments, **_options):
        raise TrainingError("the loss is nan")
        yield

    monkeypatch.setattr(search, "train_trial", failing)
    with pytest.raises(TrainingError, match="no trial of 2 was trained to its end"):
        search.tune(replace(quick, trials=2), Guarded(few, forbidden), [].append)
    records = Log.read(quick.folder / "trials.jsonl").records
    assert [record.state for record in records] == ["diverged"] * 2


def test_the_first_trial_is_the_models_own_recipe(quick, few):
    said = []
    search.tune(replace(quick, trials=2), few, said.append)
    (line,) = [line for line in said if line.startswith("the model's own recipe")]
    assert line.startswith("the model's own recipe, trial 0: validation accuracy 1.0000")


@pytest.fixture
def commands(tmp_path, few, monkeypatch):
    """Runs a command on the few images; returns its lines."""
    for command in (train, tune_command):
        monkeypatch.setattr(command, "load", lambda *_: few)

    def run(capsys, *arguments):
        assert main([*arguments, "--quiet"]) == 0
        return capsys.readouterr().out.splitlines()

    return run


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
