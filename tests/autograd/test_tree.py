"""Flattening and rebuilding containers."""

from __future__ import annotations

from collections import OrderedDict, namedtuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import tree

Pair = namedtuple("Pair", "left right")

TREES = st.recursive(
    st.floats(-9, 9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=2), inner, max_size=3)
        | st.builds(Pair, inner, inner)
    ),
    max_leaves=8,
)


@given(TREES)
def test_round_trip(value):
    leaves, structure = tree.flatten(value, "x")
    assert structure.leaf_count == len(leaves)
    rebuilt = tree.unflatten(structure, leaves)
    assert rebuilt == value
    assert type(rebuilt) is type(value)
    assert tree.flatten_like(value, structure, "x", "itself") == leaves


def test_other_mappings_keep_their_type():
    value = OrderedDict(b=1.0, a=2.0)
    leaves, structure = tree.flatten(value, "x")
    assert isinstance(tree.unflatten(structure, leaves), OrderedDict)


def test_a_dict_in_another_order_is_the_same_structure():
    _, structure = tree.flatten({"a": 1.0, "b": 2.0}, "x")
    assert tree.flatten_like({"b": 20.0, "a": 10.0}, structure, "x", "itself") == [10.0, 20.0]


@pytest.mark.parametrize(
    ("value", "path"),
    [({"a": [1.0, {"b": 3}]}, r"x\['a'\]\[1\]\['b'\]"), (Pair(1.0, "s"), r"x\.right")],
)
def test_paths_in_errors(value, path):
    with pytest.raises(TypeError, match=path):
        tree.flatten(value, "x", tree.check_differentiable)
