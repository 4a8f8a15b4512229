"""TensorBoard's own reader finds in the event files what the run measured."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examples.cifar10.cli import main
from examples.cifar10.reporting.event_files import STEPS_A_POINT, STEPS_TAG, TAGS, EventFiles
from examples.cifar10.training.evaluation import Measurement

accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")


def read(folder):
    events = accumulator.EventAccumulator(str(folder / "tensorboard"), size_guidance={"scalars": 0})
    events.Reload()
    return {
        tag: [(point.step, point.value) for point in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }


def test_a_run_writes_its_metrics_and_its_losses(tmp_path, capsys):
    folder = tmp_path / "run"
    arguments = ["--epochs", "2", "--batch-size", "10", "--train-images", "450", "--no-figures"]
    command = ["train", "softmax", "--data", "generated", *arguments, "--out", str(folder)]
    assert main([*command, "--tensorboard", "--quiet"]) == 0
    *epochs, test = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    found = read(folder)
    expected = {"loss/epoch", "loss/training", "loss/validation", "loss/test", "learning_rate"}
    assert expected <= found.keys()
    for key, tag in TAGS.items():
        points = [(entry["steps"], entry[key]) for entry in epochs if key in entry]
        if key in test:
            points = [(epochs[-1]["steps"], test[key])]
        assert [step for step, _ in found.get(tag, [])] == [step for step, _ in points]
        np.testing.assert_allclose(
            [value for _, value in found.get(tag, [])], [value for _, value in points], rtol=1e-6
        )
    per_epoch = 45 // STEPS_A_POINT * STEPS_A_POINT
    steps = range(STEPS_A_POINT, per_epoch + 1, STEPS_A_POINT)
    assert [step for step, _ in found[STEPS_TAG]] == [*steps, *(45 + step for step in steps)]
    # A run in the same place does not show the old one's points.
    assert main([*command, "--overwrite", "--quiet"]) == 0
    assert not list(folder.glob("tensorboard/*"))
    capsys.readouterr()


@settings(max_examples=15)
@given(losses=st.lists(st.floats(0.01, 100), min_size=45, max_size=65), size=st.integers(1, 500))
def test_points_within_an_epoch_are_means_of_the_losses_since_the_last(
    tmp_path_factory, losses, size
):
    folder = tmp_path_factory.mktemp("run")
    with EventFiles() as reporter:
        reporter.begin_run(None, folder)
        reporter.begin_epoch(1, 1, size * len(losses), 0)
        for number in range(1, len(losses) + 1):
            reporter.step(number * size, float(np.mean(losses[:number])), 0.5)
    parts = [losses[i : i + STEPS_A_POINT] for i in range(0, len(losses), STEPS_A_POINT)]
    means = [np.mean(part) for part in parts if len(part) == STEPS_A_POINT]
    points = read(folder).get(STEPS_TAG, [])
    np.testing.assert_allclose([value for _, value in points], means, rtol=1e-5)


def test_a_run_that_goes_on_hides_what_was_lost(tmp_path):
    def epoch(reporter, number, loss):
        reporter.begin_epoch(number, 3, 100, 10 * (number - 1))
        reporter.end_epoch({"epoch": number, "steps": 10 * number, "loss": loss})

    with EventFiles() as reporter:
        reporter.begin_run(None, tmp_path)
        epoch(reporter, 1, 4.0)
        epoch(reporter, 2, 3.0)
    (old,) = (tmp_path / "tensorboard").iterdir()
    # Names begin with the second; files are read in the order of their names.
    old.rename(old.with_name("events.out.tfevents.0000000001.old"))
    with EventFiles() as reporter:
        reporter.begin_run(None, tmp_path, step=10)
        epoch(reporter, 2, 2.0)
        epoch(reporter, 3, 1.0)
    assert read(tmp_path)["loss/epoch"] == [(10, 4.0), (20, 2.0), (30, 1.0)]


def test_averaged_results_have_their_own_tags(tmp_path):
    confusion = np.eye(10, dtype=np.int64)
    with EventFiles() as reporter:
        reporter.begin_run(None, tmp_path)
        each = np.zeros(10)
        plain = Measurement(0.5, 0.75, confusion, each, each, each)
        reporter.end_run([plain, replace(plain, loss=0.25, accuracy=0.875, views=6)], ())
    found = read(tmp_path)
    assert found["accuracy/test"] == [(0, 0.75)]
    assert found["accuracy/test_averaged"] == [(0, 0.875)]
    assert found["loss/test_averaged"] == [(0, 0.25)]


def test_without_the_library_nothing_begins(tmp_path, capsys, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "tensorboard"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    out = tmp_path / "run"
    command = ["train", "softmax", "--data", "generated", "--out", str(out)]
    assert main([*command, "--tensorboard"]) == 1
    assert "pip install 'dagrad[tensorboard]'" in capsys.readouterr().err
    assert not out.exists()
