"""What may stand beside --resume."""

from __future__ import annotations

import signal

import pytest

from examples.cifar10.cli import main
from examples.cifar10.presets import find_recipe
from tests.examples.cifar10.runs.interrupted import Moments, begin, recipe_of, resume
from tests.examples.cifar10.runs.test_interruptions import RECIPE

DECIDED = ("--lr", "0.02", "--seed", "3", "--train-images", "20")


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stopped")
    with recipe_of(RECIPE) as patch:
        Moments({9: signal.SIGINT}).watch(patch)
        assert (
            begin(folder, "softmax", "--lr", "0.02", "--seed", "3", "--train-images", "20") == 130
        )
    return folder


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["mlp"], "MODEL mlp (the run has softmax)"),
        (["--preset", "homework"], "--preset homework (the run has tuned)"),
        (["--seed", "0"], "--seed 0 (the run has 3)"),
        (["--train-images", "21"], "--train-images 21 (the run has 20)"),
        (["--lr", "0.01"], "--lr 0.01 (the run has 0.02)"),
        (["--epochs", "4"], "--epochs 4 (the run has 20)"),
        (["--batch-size", "4"], "--batch-size 4 (the run has 10)"),
        (["--momentum", "0.5"], "--momentum 0.5 (the run has 0.9)"),
        (["--weight-decay", "1"], "--weight-decay 1 (the run has 0)"),
        (["--from", "x.npz"], "--from x.npz (the run has none)"),
        (["--new-classifier"], "--new-classifier"),
        (["--out", "elsewhere"], "--out elsewhere"),
        (["--overwrite"], "--overwrite"),
        (["--lr", "0.5", "--seed", "1"], "--seed 1 (the run has 3); --lr 0.5"),
    ],
)
def test_an_option_that_contradicts_the_run_is_refused(stopped, capsys, options, said):
    before = {path: path.read_bytes() for path in stopped.rglob("*") if path.is_file()}
    with recipe_of(RECIPE):
        assert resume(stopped, *options) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"error: {stopped} cannot go on as another run: ")
    assert said in told
    assert before == {path: path.read_bytes() for path in stopped.rglob("*") if path.is_file()}


def test_augmentation_may_not_be_turned_off(tmp_path, capsys):
    with recipe_of(find_recipe("softmax", "tuned")) as patch:
        Moments({9: signal.SIGINT}).watch(patch)
        assert begin(tmp_path, "softmax") == 130
        assert resume(tmp_path, "--no-augmentation") == 1
    assert "flips none (the run has random)" in capsys.readouterr().err


def test_options_may_repeat_what_the_run_has(stopped, capsys):
    with recipe_of(RECIPE):
        assert resume(stopped, "softmax", *DECIDED, "--epochs", "20", "--out", str(stopped)) == 0
    assert "going on after step" in capsys.readouterr().out


def test_a_model_or_a_run_is_needed(tmp_path, capsys):
    assert main(["train"]) == 1
    assert "train needs a MODEL (softmax, " in capsys.readouterr().err
    assert main(["train", "--resume", str(tmp_path)]) == 1
    assert f"is {tmp_path} the folder of a run?" in capsys.readouterr().err


def test_a_folder_without_checkpoints_says_so(tmp_path, capsys):
    with recipe_of(RECIPE) as patch:
        Moments({9: signal.SIGINT}).watch(patch)
        assert begin(tmp_path, "softmax") == 130
    with recipe_of(RECIPE):
        for path in (tmp_path / "checkpoints").iterdir():
            path.unlink()
        assert resume(tmp_path) == 1
    assert "holds no checkpoint to go on from" in capsys.readouterr().err
