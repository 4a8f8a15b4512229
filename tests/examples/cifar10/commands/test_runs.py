"""`runs` from the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from examples.cifar10.cli import main


@pytest.fixture
def two_runs(tmp_path):
    for name, lr, accuracy in (("a", 0.1, 0.25), ("b", 0.5, 0.75)):
        (tmp_path / name).mkdir()
        recipe = {"epochs": 1, "lr": lr}
        config = {"model": "mlp", "preset": "tuned", "seed": 0, "recipe": recipe}
        (tmp_path / name / "config.json").write_text(json.dumps(config))
        epoch = {"epoch": 1, "validation_accuracy": accuracy, "seconds": 2.0}
        text = json.dumps(epoch) + "\n" + json.dumps({"test_accuracy": accuracy}) + "\n"
        (tmp_path / name / "metrics.jsonl").write_text(text)
    return tmp_path


def rows(text):
    return [line.split()[0] for line in text.splitlines() if line.endswith(("finished", "damaged"))]


def test_two_runs_are_compared(two_runs, capsys):
    assert main(["runs", str(two_runs)]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"Runs in {two_runs}\n")
    assert rows(text) == ["a", "b"]
    *_, title, header, row = text.splitlines()
    assert title == "Settings that differ:"
    assert header.split() == ["setting", "a", "b"]
    assert row.split() == ["recipe.lr", "0.1", "0.5"]


def test_the_best_are_first_and_the_damaged_say_why(two_runs, capsys):
    (two_runs / "c").mkdir()
    (two_runs / "c" / "config.json").write_text("{")
    assert main(["runs", str(two_runs), "--sort", "test"]) == 0
    text = capsys.readouterr().out
    assert rows(text) == ["b", "a", "c"]
    assert "c: config.json: Expecting property name" in text
    assert "differ" not in text
    assert main(["runs", str(two_runs), "--sort", "test", "--reverse", "--quiet"]) == 0
    text = capsys.readouterr().out
    assert rows(text) == ["a", "b", "c"]
    assert len(text.splitlines()) == 4


def test_json_is_a_line_a_run_and_the_differences(two_runs, capsys):
    picture = two_runs / "plot.png"
    assert main(["runs", str(two_runs), "--json", "--plot", str(picture)]) == 0
    said = capsys.readouterr()
    first, second, both = map(json.loads, said.out.splitlines())
    assert (first["event"], first["folder"]) == ("run", str(two_runs / "a"))
    assert (first["state"], first["test_accuracy"]) == ("finished", 0.25)
    assert second["settings"]["recipe.lr"] == 0.5
    assert both == {"event": "differences", "settings": {"recipe.lr": [0.1, 0.5]}}
    assert said.err == f"picture: {picture}\n"
    assert picture.exists()


def test_without_runs_the_places_are_named(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["runs"]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert f"no runs in {tmp_path / 'runs'};" in said.err
    (tmp_path / "other" / "thing").mkdir(parents=True)
    assert main(["runs", "other", "--plot", "plot.png"]) == 0
    said = capsys.readouterr()
    assert "foreign" in said.out
    assert f"no runs in {tmp_path / 'other'};" in said.err
    assert main(["runs", "nowhere"]) == 1
    assert capsys.readouterr().err.startswith("error: nowhere: no such folder")


def test_a_reader_that_goes_is_no_traceback(two_runs):
    program = "import sys; from examples.cifar10.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", program, "runs", str(two_runs)]
    root = Path(__file__).parents[4]
    with subprocess.Popen(
        command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 141
