"""Every property of every operation, on as many examples as the Hypothesis profile says."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import registry
from autograd.registry import REGISTRY, Entry
from autograd.samples import call, real
from autograd.testing import table
from autograd.testing.properties import COSTLY, ONCE, PROPERTIES
from autograd.testing.strategies import LAYOUTS

# The thorough profile's thousands are run by the table, in a tenth of the time.
MOST = min(settings.default.max_examples, 25)


def make_test(name):
    """A function for each property: Hypothesis can't run one for more than some 900 parameters."""

    def declared(operation):
        PROPERTIES[name](REGISTRY[operation], 0, 0)

    @settings(max_examples=MOST // 3 if name in COSTLY else MOST)
    @given(st.data())
    def seeded(operation, data):
        entry = REGISTRY[operation]
        index = data.draw(st.integers(0, len(entry.samples) - 1), label="sample")
        seed = data.draw(st.integers(0, 2**20), label="seed")
        result = PROPERTIES[name](entry, index, seed)
        assert isinstance(result, str) or result > 0

    test = declared if name in ONCE else seeded
    return pytest.mark.parametrize("operation", sorted(REGISTRY))(test)


globals().update(
    {f"test_{re.sub(r'[^a-z0-9]+', '_', name)}": make_test(name) for name in PROPERTIES}
)


def wrong(name, forward, partial):
    function = ag.op.elementwise(name, forward, (partial,))
    return Entry(name, function, (call(real(2, 3, low=0.5)),), reference=np.sin)


PLANTED = [
    ("value", wrong("planted", lambda x: np.sin(x) + 1e-6, lambda out, x: ag.cos(x))),
    ("derivatives", wrong("planted", np.sin, lambda out, x: 1.001 * ag.cos(x))),
    ("third order", wrong("planted", np.sin, lambda out, x: np.cos(getattr(x, "data", x)))),
    ("float32", wrong("planted", lambda x: np.sin(x, dtype=float), lambda out, x: ag.cos(x))),
]


@pytest.mark.parametrize(("name", "entry"), PLANTED, ids=[name for name, _ in PLANTED])
def test_properties_find_planted_errors(name, entry):
    with pytest.raises(AssertionError):
        PROPERTIES[name](entry, 0, 0)


def test_an_input_that_is_written_to_is_found():
    def forward(x):
        x += 0.0
        return np.sin(x)

    entry = wrong("writes", forward, lambda out, x: ag.cos(x))
    read_only = LAYOUTS.index("read-only")
    with pytest.raises(ValueError, match="read-only"):
        PROPERTIES["layouts"](entry, 0, read_only)


def test_the_table_has_no_blank_cell_and_counts_failures(monkeypatch):
    out = io.StringIO()
    assert table.run(["exp", "linalg.qr", "conv1d"], 2, out) == 0
    rows = [line.split("  ") for line in out.getvalue().splitlines()[:5]]
    assert len({len([cell for cell in row if cell.strip()]) for row in rows[1:]}) == 1
    entry = wrong("planted", np.sin, lambda out, x: ag.sin(x))
    monkeypatch.setitem(registry.REGISTRY, "planted", entry)
    out = io.StringIO()
    assert table.run(["planted"], 1, out) > 0
    assert "FAILED" in out.getvalue()
    assert table.main(["exp", "--examples", "1"]) == 0
    with pytest.raises(SystemExit):
        table.main(["no such operation"])
