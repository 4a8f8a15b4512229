"""Curves of several runs: what is drawn, and how the lines are told apart."""

from __future__ import annotations

from pathlib import Path

import pytest
from matplotlib.figure import Figure

from examples.cifar10.errors import ExampleError
from examples.cifar10.runs.comparison_plot import draw_comparison
from examples.cifar10.runs.summary import RunSummary


@pytest.fixture
def figures(monkeypatch):
    made = []
    save = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda f, *a, **k: (made.append(f), save(f, *a, **k)))
    return made


def a_run(name, accuracies, key="validation_accuracy", seconds=60.0):
    history = [
        {"epoch": epoch, key: value, "seconds": seconds}
        for epoch, value in enumerate(accuracies, 1)
    ]
    return RunSummary(Path("/runs", name), model="mlp", history=history)


def test_a_line_for_each_run_against_epochs_and_time(tmp_path, figures):
    runs = [
        a_run("mlp-1", [0.1, 0.2, 0.4]),
        a_run("$x", [0.3], seconds=300.0),
        a_run("mlp-none", []),
        a_run("_mlp-3", [0.5, 0.6], "train_accuracy"),
    ]
    drawn = draw_comparison(runs, "accuracy", tmp_path / "plot.png")
    assert drawn == [runs[0], runs[1], runs[3]]
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in tmp_path.iterdir()] == ["plot.png"]
    (figure,) = figures
    by_epoch, by_time = figure.axes
    assert [list(line.get_xdata()) for line in by_epoch.lines] == [[1, 2, 3], [1], [1, 2]]
    assert [list(line.get_xdata()) for line in by_time.lines] == [[1, 2, 3], [5], [1, 2]]
    assert "minutes" in by_time.get_xlabel()
    for axes in figure.axes:
        values = [list(line.get_ydata()) for line in axes.lines]
        assert values == [[0.1, 0.2, 0.4], [0.3], [0.5, 0.6]]
    (legend,) = figure.legends
    names = [text.get_text().strip() for text in legend.get_texts()]
    assert names == ["mlp-1", r"\$x (mlp)", "_mlp-3, training"]


def test_forty_runs_look_different(tmp_path, figures):
    runs = [a_run(f"mlp-{number}", [0.1, 0.2]) for number in range(40)]
    draw_comparison(runs, "accuracy", tmp_path / "plot.svg")
    for axes in figures[0].axes:
        looks = {(line.get_color(), line.get_linestyle()) for line in axes.lines}
        assert len(looks) == 40
    assert len(figures[0].legends[0].get_texts()) == 40


@pytest.mark.parametrize(
    ("name", "match"),
    [("plot.xyz", "no format of that suffix"), ("none/plot.png", "cannot be written")],
)
def test_what_cannot_be_written_is_said(tmp_path, name, match):
    with pytest.raises(ExampleError, match=match):
        draw_comparison([a_run("mlp", [0.5])], "accuracy", tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_nothing_to_draw_is_said(tmp_path):
    with pytest.raises(ExampleError, match="nothing to draw"):
        draw_comparison([a_run("mlp", [])], "loss", tmp_path / "plot.png")
