"""What the extra `testing` brings, loaded when it is used."""

from __future__ import annotations

from typing import Any


def hypothesis_strategies() -> Any:
    """`hypothesis.strategies`; ImportError with the install line where it is missing."""
    try:
        import hypothesis.strategies
    except ImportError:
        raise ImportError(
            "ag.testing.strategies needs Hypothesis: pip install 'dagrad[testing]'"
        ) from None
    return hypothesis.strategies


def drawn_with(function: Any, *parts: Any) -> Any:
    """`function` of drawn parts; a failure shows its result (`builds` would show the call)."""
    return hypothesis_strategies().tuples(*parts).map(lambda drawn: function(*drawn))
