"""The measurement of the convolution's constants: what it tries, and that it restores them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from autograd.kernels import winograd
from autograd.kernels.backend import use_kernels
from benchmarks import choices
from benchmarks.choices import CANDIDATES, SHAPES, Shape, committed, constants
from benchmarks.measuring import Timing


def test_constants_are_restored():
    before, inside = winograd.TILES_AT_A_TIME, []

    def fail():
        with constants({"TILES_AT_A_TIME": 5}):
            inside.append(winograd.TILES_AT_A_TIME)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert inside == [5]
    assert before == winograd.TILES_AT_A_TIME


@pytest.mark.parametrize("gradient", [False, True])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_committed_constants_are_among_the_candidates(shape, gradient):
    pytest.importorskip("numba")
    with use_kernels("auto"):
        assert committed(shape, gradient) in {"columns", *CANDIDATES}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_candidates_change_how_many_images_go_together(shape):
    tiles = winograd._tiles((shape.side, shape.side))
    counts = set()
    for values in CANDIDATES.values():
        with constants(values):
            counts.add(winograd._images_at_a_time(tiles, 1 << 10))
    assert len(counts) > 1


@pytest.mark.parametrize("gradient", [False, True])
def test_every_candidate_is_measured(gradient):
    pytest.importorskip("numba")
    shape = Shape(2, 16, 16, 8)
    timings = choices.measure(shape, gradient, samples=1)
    assert list(timings) == ["columns", *CANDIDATES]


def test_candidates_run_with_their_constants(monkeypatch):
    seen = set()

    def note(x, g, geometry):
        seen.add(winograd.TILES_AT_A_TIME)
        return np.ones(1)

    monkeypatch.setattr(winograd, "winograd_weight_gradient", note)
    monkeypatch.setattr(choices.columns, "columns_weight_gradient", lambda *_: np.ones(1))
    choices.measure(Shape(2, 16, 16, 8), True, samples=1)
    assert seen == set(choices.TILES)


def test_a_candidate_that_computes_something_else_is_an_error(monkeypatch):
    pytest.importorskip("numba")
    monkeypatch.setattr(winograd, "winograd_convolve", lambda x, w, geometry, y: y.fill(77.0))
    with pytest.raises(RuntimeError, match="step 0 gave"):
        choices.measure(Shape(2, 16, 16, 8), False, samples=1)


MEASURED = json.loads((Path(choices.__file__).parent / "results" / "choices.json").read_text())


@pytest.mark.parametrize("row", MEASURED["rows"], ids=lambda row: str(list(row.values())[:5]))
def test_the_committed_constants_choose_what_was_nearly_the_fastest(row):
    pytest.importorskip("numba")
    shape = Shape(row["batch"], row["channels"], row["outputs"], row["side"])
    with use_kernels("auto"):
        chosen = row["milliseconds"][committed(shape, row["gradient"])]
    assert chosen <= 1.15 * min(row["milliseconds"].values())


def test_the_committed_table_is_of_all_shapes():
    measured = [
        (Shape(row["batch"], row["channels"], row["outputs"], row["side"]), row["gradient"])
        for row in MEASURED["rows"]
    ]
    assert measured == [(shape, gradient) for shape in SHAPES for gradient in (False, True)]


def test_a_line_names_the_fastest_and_marks_the_committed():
    shape = Shape(128, 64, 64, 32)
    timings = {
        "columns": Timing(0.3, 0, 0, 1),
        "32 tiles": Timing(0.1, 0, 0, 1),
        "64 tiles": Timing(0.2, 0, 0, 1),
    }
    with constants({"TILES_AT_A_TIME": 64}), pytest.MonkeyPatch.context() as patched:
        patched.setattr(winograd, "winograd_pays", lambda *_, **__: True)
        text = choices.line(shape, True, timings)
    expected = (
        "128 x 64-64 32x32 weight gradient columns 300 32 tiles 100 64 tiles 200* -> 32 tiles"
    )
    assert " ".join(text.split()) == expected
