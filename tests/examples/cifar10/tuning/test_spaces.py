"""Every value of a space gives the recipe that it says."""

from __future__ import annotations

from dataclasses import asdict, replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.cifar10.errors import TrainingError
from examples.cifar10.presets import MODELS, find_recipe
from examples.cifar10.tuning.spaces import (
    Choice,
    Real,
    Whole,
    recipe_with,
    round_values,
    space_of,
    start_of,
)

SHAPE = {"hidden", "layers", "taper"}


def drawn(values):
    if isinstance(values, Choice):
        return st.sampled_from(values.values)
    if isinstance(values, Real):
        return st.floats(values.low, values.high)
    return st.integers(values.low, values.high)


@pytest.mark.parametrize("model", MODELS)
def test_a_search_begins_with_the_models_own_recipe(model):
    start = start_of(model)
    assert list(start) == list(space_of(model))
    assert all(space_of(model)[name].holds(value) for name, value in start.items())
    recipe = recipe_with(model, start)
    own = find_recipe(model, "tuned")
    if model == "softmax":
        # Without decay, of which a logarithmic range has only the nearly nothing.
        assert (own.weight_decay, recipe.weight_decay) == (0.0, 1e-5)
        own = replace(own, weight_decay=1e-5)
    assert recipe == own


@given(st.data(), st.sampled_from(MODELS))
def test_a_recipe_has_the_values_and_else_the_models_own(data, model):
    values = {name: data.draw(drawn(r), name) for name, r in space_of(model).items()}
    changed, own = asdict(recipe_with(model, values)), asdict(find_recipe(model, "tuned"))
    for name in set(values) - SHAPE:
        assert changed.pop(name) == values[name]
        own.pop(name)
    hidden = changed.pop("hidden")
    own.pop("hidden")
    assert changed == own
    if "hidden" not in values:
        assert hidden == ()
        return
    assert hidden[0] == values["hidden"]
    assert len(hidden) == values.get("layers", 1)
    for wide, narrow in pairwise(hidden):
        assert narrow == wide * values["taper"]


@given(st.floats(1e-6, 1e3))
def test_rounded_values_stay_what_they_are(value):
    once = round_values({"lr": value, "shift": 2})
    assert round_values(once) == once
    assert once["shift"] == 2
    assert once["lr"] == pytest.approx(value, rel=5.1e-3)


def test_ranges_hold_their_values_only():
    assert Real(0.1, 0.2).holds(0.1)
    assert not Real(0.1, 0.2).holds(0.21)
    assert Whole(1, 3).holds(3)
    assert not Whole(1, 3).holds(1.5)
    assert not Choice((1, 4)).holds(2)


@pytest.mark.parametrize("change", [{"hidden": 64}, None])
def test_missing_and_unknown_values_are_refused(change):
    values = start_of("softmax") | (change or {})
    if change is None:
        values.pop("lr")
    with pytest.raises(TrainingError, match="a trial of softmax needs values of lr"):
        recipe_with("softmax", values)
