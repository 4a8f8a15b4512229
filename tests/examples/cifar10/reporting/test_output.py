"""What --quiet and --json leave on standard output and on standard error."""

from __future__ import annotations

import json

import pytest

from examples.cifar10.cli import main
from examples.cifar10.commands import evaluate, train
from examples.cifar10.data.generated import generate
from examples.cifar10.reporting.json_lines import print_event

TRAIN = ["train", "softmax", "--epochs", "2", "--train-images", "600", "--no-figures"]


@pytest.fixture(autouse=True)
def _one_data_set_and_a_warning(monkeypatch):
    dataset = generate()

    def load(_choice, note, progress, *_, warn, mirror=None):
        note("a note")
        warn("a warning")
        progress(1, 2)
        return dataset

    monkeypatch.setattr(
        train, "load", lambda c, note, progress, mirror, warn: load(c, note, progress, warn=warn)
    )
    monkeypatch.setattr(evaluate, "load", load)


def run(capsys, *arguments):
    assert main(arguments) == 0
    said = capsys.readouterr()
    return said.out.splitlines(), said.err


def test_json_is_all_there_is_on_standard_output(tmp_path, capsys):
    folder = tmp_path / "run"
    out, err = run(capsys, *TRAIN, "--out", str(folder), "--json")
    start, *epochs, result = map(json.loads, out)
    config = json.loads((folder / "config.json").read_text())
    config.pop("format")
    assert (start["event"], start["folder"], start["step"]) == ("start", str(folder), 0)
    assert start["config"] == config
    metrics = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [{"event": "epoch", **entry} for entry in metrics[:-1]] == epochs
    assert result["event"] == "result"
    assert metrics[-1].items() <= result.items()
    confusion = result["confusion"]
    assert sum(map(sum, confusion)) == result["test_images"] == 2000
    right = sum(confusion[i][i] for i in range(10))
    assert right / 2000 == pytest.approx(result["test_accuracy"])
    assert len(result["class_accuracy"]) == 10
    assert "a note" in err
    assert "a warning" in err
    assert "epoch 2/2" in err

    out, err = run(capsys, "evaluate", str(folder), "--json")
    start, again = map(json.loads, out)
    assert start["config"] == config
    assert again == result
    assert "a warning" in err


@pytest.mark.parametrize("form", ["--json", "--quiet"])
def test_quiet_leaves_the_result_and_the_warnings(tmp_path, capsys, form):
    options = {form, "--quiet"}
    folder = str(tmp_path / "run")
    for command in ([*TRAIN, "--out", folder], ["evaluate", folder]):
        out, err = run(capsys, *command, *options)
        assert err == "a warning\n"
        (line,) = out
        if form == "--json":
            assert json.loads(line)["event"] == "result"
        else:
            assert line.startswith("test accuracy: ")


def test_what_json_lacks_becomes_null(capsys):
    print_event("epoch", loss=float("nan"), more={"a": [1.0, float("-inf")], "b": (True, None)})
    assert json.loads(capsys.readouterr().out) == {
        "event": "epoch",
        "loss": None,
        "more": {"a": [1.0, None], "b": [True, None]},
    }


def test_a_command_that_fails_says_so_in_json_too(tmp_path, capsys):
    assert main(["evaluate", str(tmp_path), "--json"]) == 1
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert (told["event"], told["status"]) == ("error", 1)
    assert err == f"error: {told['message']}\n"
    assert main(["evaluate", str(tmp_path)]) == 1
    assert capsys.readouterr().out == ""
