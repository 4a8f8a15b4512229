"""Presets in files, and those that a search found with its log beside them."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from examples.cifar10 import preset_files
from examples.cifar10.errors import DataError, TrainingError
from examples.cifar10.preset_files import (
    FOLDER,
    choose_recipe,
    read_preset,
    searched_models,
    write_preset,
)
from examples.cifar10.presets import MODELS, find_recipe
from examples.cifar10.tuning.log import Log
from examples.cifar10.tuning.spaces import recipe_with


@pytest.mark.parametrize("model", MODELS)
def test_a_written_preset_is_read_again(tmp_path, model):
    recipe = replace(find_recipe(model, "tuned"), lr=0.123)
    write_preset(tmp_path / "p.json", model, recipe, {})
    assert read_preset(tmp_path / "p.json", model) == recipe
    assert choose_recipe(model, str(tmp_path / "p.json")) == recipe
    assert choose_recipe(model, "tuned") == find_recipe(model, "tuned")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda entries: entries | {"model": "mlp"}, "a preset of mlp, not of softmax"),
        (lambda entries: entries | {"format": 9}, "format 9, expected 1"),
        (lambda entries: entries | {"recipe": {"lr": 1.0}}, "not a preset"),
        (lambda entries: [entries], "not a preset"),
        (lambda entries: {}, "not a preset"),
    ],
)
def test_a_wrong_file_is_named(tmp_path, change, match):
    path = tmp_path / "p.json"
    write_preset(path, "softmax", find_recipe("softmax", "tuned"), {})
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(DataError, match=match) as raised:
        choose_recipe("softmax", str(path))
    assert str(path) in str(raised.value)


def test_a_folder_is_not_a_preset(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        choose_recipe("softmax", str(tmp_path))


def test_what_is_not_there_is_said():
    with pytest.raises(TrainingError, match="tuned, homework, searched"):
        choose_recipe("softmax", "tune")
    with pytest.raises(TrainingError, match="tune softmax makes one"):
        choose_recipe("softmax", "searched")


def test_the_named_presets_of_searches_are_there():
    assert searched_models() == ["two_layer", "mlp"]
    assert preset_files.NAMES == ("tuned", "homework", "searched")


@pytest.mark.parametrize("model", ["two_layer", "mlp"])
def test_a_searched_preset_is_the_best_trial_of_the_log_that_found_it(model):
    head, *lines = map(json.loads, (FOLDER / f"{model}.jsonl").read_text().splitlines())
    finished = [line for line in lines if line["state"] == "finished"]
    best = max(finished, key=lambda line: max(line["accuracies"]))
    own = find_recipe(model, "tuned")
    recipe = choose_recipe(model, "searched")
    assert recipe == replace(recipe_with(model, best["values"]), epochs=own.epochs)
    found = json.loads((FOLDER / f"{model}.json").read_text())["found"]
    assert found["trial"] == best["trial"] == head["final"]["trial"]
    assert found["validation_accuracy"] == max(best["accuracies"])
    # The values themselves, without the code that turns them into a recipe.
    entries = asdict(recipe)
    assert entries["hidden"][0] == best["values"]["hidden"]
    assert all(entries[name] == best["values"][name] for name in ("lr", "momentum", "batch_size"))


@pytest.mark.parametrize("model", ["two_layer", "mlp"])
def test_a_searched_log_says_where_and_what_was_searched(model):
    log = Log.read(FOLDER / f"{model}.jsonl")
    assert log.search.model == model
    assert {"machine", "python", "numpy", "optuna"} <= set(log.machine)
    ended = [record for record in log.records if record.state != "interrupted"]
    assert len(ended) >= 15
    assert {"finished", "pruned"} <= {record.state for record in ended}
