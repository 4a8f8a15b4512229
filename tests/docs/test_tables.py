"""Tables of the pages hold: equivalents exist and run, conventions are the engine's."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from autograd.registry import REGISTRY
from autograd.testing.table import conventions
from tests.docs.equivalents import ABSENT, LIBRARIES, codes, evaluate, ours, rows
from tests.docs.pages import DOCS

ROWS = [(library, *row) for library in LIBRARIES for row in rows(library)]


@pytest.mark.parametrize(("library", "theirs", "cell"), ROWS)
def test_our_side_of_an_equivalent_runs(library, theirs, cell, capsys):
    if cell.startswith(ABSENT):
        return
    assert codes(cell)
    for code in codes(cell):
        evaluate(code, ours(tensors=library == "PyTorch"))


def test_what_does_not_exist_is_noticed():
    for code in ("ag.gradient(f)(x)", "ag.sum(x, dim=0)", "optim.Lamb"):
        with pytest.raises((AttributeError, TypeError)):
            evaluate(code, ours(tensors=True))


def test_the_table_of_conventions_is_the_registrys():
    assert conventions() in (DOCS / "conventions.md").read_text()


def convention_rows():
    for line in (DOCS / "conventions.md").read_text().splitlines():
        cells = line.strip("| ").split(" | ")
        if len(cells) == 4 and cells[0].strip("`") in REGISTRY:
            yield cells[0].strip("`"), numbers_of(cells[1]), numbers_of(cells[2])


def numbers_of(cell):
    return list(eval(f"({cell},)", {"inf": np.inf, "nan": np.nan}))


@pytest.mark.parametrize(("name", "where", "derivative"), list(convention_rows()))
def test_a_convention_is_what_the_engine_does(name, where, derivative):
    function = REGISTRY[name].function
    arrays = [np.array(value) if isinstance(value, list) else value for value in where]
    arguments = [i for i, a in enumerate(arrays) if np.asarray(a).dtype.kind == "f"]
    arguments = arguments[: len(derivative)]

    def total(*floats):
        filled = list(arrays)
        for index, value in zip(arguments, floats, strict=True):
            filled[index] = value
        return ag.sum(function(*filled))

    floats = [arrays[index] for index in arguments]
    numbers = tuple(range(len(floats)))
    with np.errstate(all="ignore"):
        reverse = ag.grad(total, numbers)(*floats)
        forward = [ag.jacobian(total, number, mode="forward")(*floats) for number in numbers]
    # The table leaves out arguments that have no derivative of their own.
    assert len(derivative) == len(reverse)
    for expected, one, other in zip(derivative, reverse, forward, strict=True):
        np.testing.assert_array_equal(one, expected)
        np.testing.assert_array_equal(other, expected)


def test_conventions_were_compared():
    assert len(list(convention_rows())) == sum(len(entry.kinks) for entry in REGISTRY.values())
