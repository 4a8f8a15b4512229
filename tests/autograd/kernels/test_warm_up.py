"""Who watches hears of every compilation, once, and of its end."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd.kernels.warm_up import compilation_began, compilation_ended


@given(st.lists(st.booleans(), max_size=12))
def test_nested_compilations_are_one(begins: list[bool]) -> None:
    """The watcher hears of what begins while nothing else is compiled, and of the last end."""
    heard: list[str | None] = []
    expected: list[str | None] = []
    open_: list[str] = []
    with ag.watch_compilation(heard.append):
        for number, begin in enumerate([*begins, *[False] * len(begins)]):
            if begin:
                name = f"kernel {number}"
                if not open_:
                    expected.append(name)
                open_.append(name)
                compilation_began(name)
            elif open_:
                compilation_ended(open_.pop())
                if not open_:
                    expected.append(None)
    assert heard == expected
    compilation_began("unheard")
    compilation_ended("unheard")
    assert heard == expected


def test_a_watcher_is_a_function() -> None:
    with pytest.raises(TypeError, match="takes a function"), ag.watch_compilation("loudly"):  # type: ignore[arg-type]
        pass


def test_watchers_nest_and_leave_after_an_error() -> None:
    outer: list[str | None] = []
    inner: list[str | None] = []
    with ag.watch_compilation(outer.append):
        with pytest.raises(ZeroDivisionError), ag.watch_compilation(inner.append):
            _ = 1 / 0
        compilation_began("kernel")
        compilation_ended("kernel")
    assert (outer, inner) == (["kernel", None], [])


def test_numba_tells_of_the_librarys_kernels_only() -> None:
    numba: Any = pytest.importorskip("numba")
    from autograd.kernels.compilation import compiled

    # Without a file there is no folder for a cache, so that this is compiled anew every time.
    names: dict[str, Any] = {}
    exec("def doubled(x):\n    return 2 * x\n\ndef tripled(x):\n    return 3 * x\n", names)
    ours, others = compiled(names["doubled"]), numba.njit(names["tripled"])
    heard: list[str | None] = []
    with ag.watch_compilation(heard.append):
        assert (ours(2), others(2)) == (4, 6)
        assert heard == ["doubled", None]
        ours(3)
        assert heard == ["doubled", None]
        with pytest.raises(numba.TypingError):
            ours(None)
    assert heard == ["doubled", None, "doubled", None]
