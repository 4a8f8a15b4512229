"""Run folders in numbers: whole, cut off, damaged, and other people's."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examples.cifar10.cli import main
from examples.cifar10.errors import DataError
from examples.cifar10.runs.summary import RunSummary, differences, find_runs, summarize

RECIPE = {"epochs": 5, "lr": 0.1, "groups": [{"lr": None}], "hidden": [3, 4]}
CONFIG = {"format": 2, "model": "mlp", "preset": "tuned", "seed": 3, "recipe": RECIPE}
EPOCHS = st.lists(
    st.fixed_dictionaries(
        {
            "validation_accuracy": st.floats(0, 1),
            "seconds": st.floats(0.01, 1e4),
            "images": st.integers(1, 10**6),
        }
    ),
    max_size=6,
)


def write(folder, epochs=(), test=None, config=CONFIG):
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config))
    lines = [{"epoch": number, **entry} for number, entry in enumerate(epochs, 1)]
    lines += [test] if test else []
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


@given(epochs=EPOCHS, finished=st.booleans())
def test_numbers_are_those_of_the_lines(tmp_path_factory, epochs, finished):
    entries = [
        {
            "validation_accuracy": epoch["validation_accuracy"],
            "seconds": epoch["seconds"],
            "images_per_second": epoch["images"] / epoch["seconds"],
        }
        for epoch in epochs
    ]
    test = {"test_accuracy": 0.5, "averaged_test_accuracy": 0.625} if finished else None
    run = summarize(write(tmp_path_factory.mktemp("runs") / "run", entries, test))
    assert (run.state, run.problem) == ("finished" if finished else "unfinished", None)
    assert (run.model, run.preset, run.seed, run.planned_epochs) == ("mlp", "tuned", 3, 5)
    assert run.epochs == len(epochs)
    assert (run.test_accuracy, run.averaged_test_accuracy) == (
        (0.5, 0.625) if finished else (None, None)
    )
    if epochs:
        accuracies = [epoch["validation_accuracy"] for epoch in epochs]
        assert run.best_validation_accuracy == max(accuracies)
        assert run.best_epoch == accuracies.index(max(accuracies)) + 1
        assert run.seconds == pytest.approx(sum(epoch["seconds"] for epoch in epochs))
        images = sum(epoch["images"] for epoch in epochs)
        assert run.images_per_second * run.seconds == pytest.approx(images)
    else:
        assert run.best_validation_accuracy is run.seconds is run.images_per_second is None


@settings(max_examples=40)
@given(data=st.data())
def test_a_cut_anywhere_in_the_metrics_leaves_an_unfinished_run(tmp_path_factory, data):
    entries = [{"validation_accuracy": n / 8, "seconds": 1.0} for n in range(4)]
    folder = write(tmp_path_factory.mktemp("runs") / "run", entries, {"test_accuracy": 0.5})
    text = (folder / "metrics.jsonl").read_text()
    cut = text[: data.draw(st.integers(0, len(text) - 1))]
    (folder / "metrics.jsonl").write_text(cut)
    run = summarize(folder)
    assert run.state == "unfinished"
    assert run.epochs == min(cut.count("\n"), 4)
    assert bool(run.problem) == (cut != "" and not cut.endswith("\n"))


@settings(max_examples=80)
@given(
    config=st.one_of(st.binary(max_size=40), st.just(json.dumps(CONFIG).encode())),
    metrics=st.lists(
        st.one_of(
            st.binary(max_size=20),
            st.builds(
                lambda key, value: json.dumps({key: value}).encode(),
                st.sampled_from(["epoch", "test_accuracy", "validation_accuracy"]),
                st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
            ),
        ),
        max_size=3,
    ),
)
def test_no_content_is_fatal_and_nonsense_is_named(tmp_path_factory, config, metrics):
    folder = tmp_path_factory.mktemp("runs") / "run"
    folder.mkdir()
    (folder / "config.json").write_bytes(config)
    (folder / "metrics.jsonl").write_bytes(b"".join(line + b"\n" for line in metrics))
    run = summarize(folder)
    if not config.startswith(b'{"format"'):
        assert run.state == "damaged"
        assert run.problem.startswith("config.json: ")
    if run.state == "damaged":
        assert run.problem.startswith(("config.json: ", "metrics.jsonl: "))


@pytest.mark.parametrize(
    ("line", "match"),
    [
        ("{", "line 2: Expecting property name"),
        ("[]", "line 2: not an object"),
        ('{"epoch": 2, "seconds": "long"}', "line 2: seconds is 'long', not a number"),
        ('{"epoch": 2.5}', "line 2: epoch is 2.5, not a whole number"),
        ('{"test_accuracy": true}', "line 2: test_accuracy is True, not a number"),
        (f'{{"test_accuracy": 1{"0" * 400}}}', "line 2: test_accuracy is beyond any float"),
        ("[" * 100_000, "recursion"),
    ],
)
def test_damage_is_named_and_what_came_before_is_kept(tmp_path, line, match):
    folder = write(tmp_path / "run", [{"validation_accuracy": 0.5}])
    with open(folder / "metrics.jsonl", "a") as file:
        file.write(f"{line}\n")
    run = summarize(folder)
    assert run.state == "damaged"
    assert match in run.problem
    assert (run.epochs, run.best_validation_accuracy) == (1, 0.5)


def test_folders_are_found_at_any_place_and_once(tmp_path):
    write(tmp_path / "b")
    write(tmp_path / "sweep" / "deeper" / "c")
    write(tmp_path / ".hidden")
    (tmp_path / "notes" / "empty").mkdir(parents=True)
    (tmp_path / "file").touch()
    (tmp_path / "lost").mkdir()
    (tmp_path / "lost" / "metrics.jsonl").touch()
    states = {str(r.folder.relative_to(tmp_path)): r.state for r in find_runs([tmp_path])}
    assert states == {
        "b": "unfinished",
        "lost": "damaged",
        "notes": "foreign",
        "sweep/deeper/c": "unfinished",
    }
    twice = find_runs([tmp_path / "notes" / ".." / "b", tmp_path])
    assert [run.folder.name for run in twice] == ["b", "lost", "notes", "c"]
    with pytest.raises(DataError, match="nowhere: no such folder"):
        find_runs([tmp_path, tmp_path / "nowhere"])


def test_settings_that_differ_are_those_of_groups_too():
    first = RunSummary("a", settings={"lr": 0.1, "groups.0.lr": 1, "same": [1]})
    second = RunSummary("b", settings={"lr": 0.2, "groups.0.lr": None, "same": [1], "new": 5})
    assert differences([first, second]) == [
        ("lr", [0.1, 0.2]),
        ("groups.0.lr", [1, None]),
        ("new", [None, 5]),
    ]
    assert differences([first]) == []


def test_the_settings_of_a_real_run_are_flat(tmp_path):
    folders = []
    for lr in (0.1, 0.2):
        recipe = {**RECIPE, "lr": lr, "groups": [{"lr": lr / 10}]}
        folders.append(write(tmp_path / str(lr), config={**CONFIG, "recipe": recipe}))
    found = differences([summarize(folder) for folder in folders])
    assert found == [("recipe.lr", [0.1, 0.2]), ("recipe.groups.0.lr", [0.01, 0.02])]


def test_a_run_of_the_trainer_is_understood(tmp_path, capsys):
    folder = tmp_path / "run"
    arguments = ["--data", "generated", "--train-images", "600", "--no-figures", "--quiet"]
    assert main(["train", "softmax", *arguments, "--epochs", "2", "--out", str(folder)]) == 0
    said = capsys.readouterr().out
    run = summarize(folder)
    assert run.state == "finished"
    assert (run.model, run.preset, run.seed) == ("softmax", "tuned", 0)
    assert (run.epochs, run.planned_epochs) == (2, 2)
    assert said == f"test accuracy: {run.test_accuracy:.4f} on 2000 images\n"
    assert 0 < run.best_validation_accuracy < 1
    assert math.isfinite(run.images_per_second)
    assert run.settings["recipe.batch_size"] == 200
