"""Beginning with saved weights: by name, with or without the last layer, from the command line."""

from __future__ import annotations

import json

import numpy as np
import pytest

import nn
from examples.cifar10.cli import main
from examples.cifar10.errors import DataError
from examples.cifar10.models.building import build_model
from examples.cifar10.models.darts import DartsNetwork
from examples.cifar10.models.fine_tuning import load_weights
from examples.cifar10.presets import MODELS, find_recipe, for_fine_tuning

TRAIN = ["--data", "generated", "--train-images", "600", "--no-figures"]


def build(name="two_layer", seed=0):
    recipe = find_recipe(name, "tuned")
    model = build_model(name, recipe, np.random.default_rng(seed))
    for p in model.parameters():
        nn.init.normal_(p, rng=np.random.default_rng(seed))
    return model


def saved(path, state):
    nn.save(path, state)
    return path


def test_a_run_s_weights_are_taken_over_whole(tmp_path):
    source, target = build(seed=1), build(seed=2)
    folder = tmp_path / "run"
    folder.mkdir()
    saved(folder / "model.npz", source.state_dict())
    load_weights(target, folder)
    for name, array in target.state_dict().items():
        np.testing.assert_array_equal(array, source.state_dict()[name])


def test_a_new_classifier_is_the_last_layer_alone(tmp_path):
    source, target = build(seed=1).state_dict(), build(seed=2)
    before = target.state_dict()
    # Of another number of classes: what is left out need not fit.
    source["4.weight"], source["4.bias"] = np.ones((100, 512)), np.ones(100)
    file = saved(tmp_path / "weights.npz", source)
    with pytest.raises(
        DataError, match=r"(?s)weights.npz does not fit.*--new-classifier.*4\.weight"
    ):
        load_weights(target, file)
    assert all(np.array_equal(array, before[name]) for name, array in target.state_dict().items())
    load_weights(target, file, new_classifier=True)
    for name, array in target.state_dict().items():
        expected = before if name.startswith("4.") else source
        np.testing.assert_array_equal(array, expected[name])


def test_published_weights_have_the_names_of_the_network_alone(tmp_path):
    options = {"auxiliary": True, "classes": 100}
    published = DartsNetwork(16, 8, np.random.default_rng(3), **options).state_dict()
    published = {k: v for k, v in published.items() if not k.endswith("num_batches_tracked")}
    target = build("darts_small")
    before = target.state_dict()
    load_weights(target, saved(tmp_path / "w.npz", published), new_classifier=True)
    kept = 0
    for name, array in target.state_dict().items():
        source = published.get(name.removeprefix("1."))
        if source is None or "classifier" in name:
            source = before[name]
            kept += "classifier" in name
        np.testing.assert_array_equal(array, source)
    assert kept == 4


def test_what_does_not_fit_is_named_and_changes_nothing(tmp_path):
    target = build()
    before = target.state_dict()
    state = {k: v for k, v in before.items() if k != "2.bias"} | {"7.weight": np.ones(3)}
    for new_classifier in (False, True):
        with pytest.raises(DataError, match=r'(?s)w.npz.*"7.weight".*"2.bias"'):
            load_weights(target, saved(tmp_path / "w.npz", state), new_classifier=new_classifier)
    with pytest.raises(DataError, match="holds no state dict"):
        load_weights(target, saved(tmp_path / "w.npz", {"step": 3, "model": before}))
    with pytest.raises(DataError, match="cannot be read"):
        load_weights(target, tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("weights")
    with pytest.raises(DataError, match=r"text\.npz"):
        load_weights(target, tmp_path / "text.npz")
    assert all(np.array_equal(array, before[name]) for name, array in target.state_dict().items())


@pytest.mark.parametrize("name", MODELS)
def test_every_group_of_parameters_gets_a_tenth_of_its_rate(name):
    recipe = find_recipe(name, "tuned")
    tuned = for_fine_tuning(recipe)
    assert tuned.epochs == 1
    for before, after in zip((recipe, *recipe.groups), (tuned, *tuned.groups), strict=True):
        assert after.lr == (None if before.lr is None else before.lr / 10)


def test_one_command(tmp_path, capsys):
    first, second, third = (str(tmp_path / name) for name in ("first", "second", "third"))
    assert main(["train", "softmax", *TRAIN, "--epochs", "2", "--out", first]) == 0
    tuned = ["train", "softmax", *TRAIN, "--from", first]
    assert main([*tuned, "--lr", "0", "--out", second]) == 0
    said = capsys.readouterr().out.splitlines()
    # A rate of 0 keeps what was loaded, so the second run measures the first one's model.
    accuracies = [line for line in said if line.startswith("test accuracy")]
    assert accuracies[0] == accuracies[1]
    assert f"softmax from {first}: 30730 parameters" in "\n".join(said)
    config = json.loads((tmp_path / "second" / "config.json").read_text())
    assert config["weights"] == first
    assert config["recipe"]["epochs"] == 1
    assert main([*tuned, "--new-classifier", "--out", third]) == 0
    assert f"softmax from {first} with a new classifier" in capsys.readouterr().out
    config = json.loads((tmp_path / "third" / "config.json").read_text())
    assert config["recipe"]["lr"] == find_recipe("softmax", "tuned").lr / 10
    assert main(["evaluate", third]) == 0
    assert main(["train", "softmax", *TRAIN, "--new-classifier", "--out", third]) == 1
    assert "--from" in capsys.readouterr().err
