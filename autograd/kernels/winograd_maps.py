"""The matrices of Winograd's F(4, 3), F(3, 3) and F(2, 3), written out as sums of vectors.

The points are in the order 0, 1, -1, infinity, 2, -2; F(3, 3) has the first five and F(2, 3) the
first four. Their B^T is scaled so that all three share G.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.kernels.compilation import inlined
from autograd.kernels.vector_maps import vector_map

__all__ = [
    "add",
    "add_positive",
    "copy",
    "from_points",
    "map_input",
    "map_last_output",
    "map_output",
    "map_spread",
    "maximum",
    "to_points",
]

Array = np.ndarray[Any, Any]


def _input_4(d0: Any, d1: Any, d2: Any, d3: Any, d4: Any, d5: Any) -> tuple[Any, ...]:
    """B^T d."""
    a, b = d4 - 4 * d2, d3 - 4 * d1
    e, f = d4 - d2, 2 * (d3 - d1)
    return 4 * d0 - 5 * d2 + d4, a + b, a - b, 4 * d1 - 5 * d3 + d5, e + f, e - f


def _input_3(d0: Any, d1: Any, d2: Any, d3: Any, d4: Any) -> tuple[Any, ...]:
    """The rows are scaled so that the weights' transform is the same as for 4."""
    a, b = 3 * d2, d3 - d1
    return (
        4 * (d0 - d2) + 2 * b,
        3 * (d3 - 2 * d1) - a,
        2 * d1 + d3 - a,
        d4 - d2 - 2 * b,
        4 * b,
    )


def _input_2(d0: Any, d1: Any, d2: Any, d3: Any) -> tuple[Any, ...]:
    """As for 3."""
    a, b = 3 * d2, 3 * d1
    return 4 * (d0 - d2), -1 * (a + b), b - a, d3 - d1


def _output_4(m0: Any, m1: Any, m2: Any, m3: Any, m4: Any, m5: Any) -> tuple[Any, ...]:
    """A^T m."""
    a, b, e, f = m1 + m2, m1 - m2, m4 + m5, m4 - m5
    return m0 + a + e, b + 2 * f, a + 4 * e, b + 8 * f + m3


def _output_3(m0: Any, m1: Any, m2: Any, m3: Any, m4: Any) -> tuple[Any, ...]:
    a, b = m1 + m2, m1 - m2
    return m0 + a + m4, b + 2 * m4, a + 4 * m4 + m3


def _output_2(m0: Any, m1: Any, m2: Any, m3: Any) -> tuple[Any, ...]:
    return m0 + m1 + m2, m1 - m2 + m3


def _with_zero(function: Callable[..., tuple[Any, ...]]) -> Callable[..., tuple[Any, ...]]:
    """What `function` gives, and 0; or NaN, if any of that is not finite."""

    def both(*given: Any) -> tuple[Any, ...]:
        first, *others = found = function(*given)
        total = first
        for other in others:
            total = total + other
        return (*found, 0.0 * total)

    return both


def _spread_4(g0: Any, g1: Any, g2: Any, g3: Any) -> tuple[Any, ...]:
    """A g."""
    a, b = g0 + g2, g1 + g3
    e, f = g0 + 4 * g2, 2 * g1 + 8 * g3
    return g0, a + b, a - b, g3, e + f, e - f


def _spread_3(g0: Any, g1: Any, g2: Any) -> tuple[Any, ...]:
    a = g0 + g2
    return g0, a + g1, a - g1, g2, g0 + 2 * g1 + 4 * g2


def _spread_2(g0: Any, g1: Any) -> tuple[Any, ...]:
    return g0, g0 + g1, g0 - g1, g1


def _weight_points(w0: Any, w1: Any, w2: Any) -> tuple[Any, ...]:
    """G w."""
    a, b, c = (1 / 6) * (w0 + w2), (1 / 6) * w1, (1 / 24) * (w0 + 4 * w2)
    d = (1 / 12) * w1
    return (1 / 4) * w0, -1 * (a + b), b - a, w2, c + d, c - d


def _weight_sums(p0: Any, p1: Any, p2: Any, p3: Any, p4: Any, p5: Any) -> tuple[Any, ...]:
    """G^T p."""
    a, b = (1 / 6) * (p1 + p2), p4 + p5
    return (
        (1 / 4) * p0 - a + (1 / 24) * b,
        (1 / 6) * (p2 - p1) + (1 / 12) * (p4 - p5),
        (1 / 6) * b - a + p3,
    )


_input_of_4, _input_of_3, _input_of_2 = (
    vector_map(_input_4, 6),
    vector_map(_input_3, 5),
    vector_map(_input_2, 4),
)
_output_of_4, _output_of_3, _output_of_2 = (
    vector_map(_output_4, 6),
    vector_map(_output_3, 5),
    vector_map(_output_2, 4),
)
_last_of_4, _last_of_3, _last_of_2 = (
    vector_map(_with_zero(_output_4), 6),
    vector_map(_with_zero(_output_3), 5),
    vector_map(_with_zero(_output_2), 4),
)
_spread_of_4, _spread_of_3, _spread_of_2 = (
    vector_map(_spread_4, 4),
    vector_map(_spread_3, 3),
    vector_map(_spread_2, 2),
)
to_points = vector_map(_weight_points, 3)
from_points = vector_map(_weight_sums, 6)
add = vector_map(lambda x, y: (x + y,), 2)
add_positive = vector_map(lambda x, y: ((x + y).positive(),), 2)
copy = vector_map(lambda x: (x,), 1)
maximum = vector_map(lambda x, y: (x.maximum(y),), 2)


@inlined
def map_input(
    size: int, source: Array, at: int, step: int, target: Array, to: int, stride: int
) -> None:
    if size == 4:
        _input_of_4(source, at, step, target, to, stride)
    elif size == 3:
        _input_of_3(source, at, step, target, to, stride)
    else:
        _input_of_2(source, at, step, target, to, stride)


@inlined
def map_output(
    size: int, source: Array, at: int, step: int, target: Array, to: int, stride: int
) -> None:
    if size == 4:
        _output_of_4(source, at, step, target, to, stride)
    elif size == 3:
        _output_of_3(source, at, step, target, to, stride)
    else:
        _output_of_2(source, at, step, target, to, stride)


@inlined
def map_last_output(
    size: int, source: Array, at: int, step: int, target: Array, to: int, stride: int
) -> None:
    """`map_output`, and behind the results 0, or NaN if one of them is not finite."""
    if size == 4:
        _last_of_4(source, at, step, target, to, stride)
    elif size == 3:
        _last_of_3(source, at, step, target, to, stride)
    else:
        _last_of_2(source, at, step, target, to, stride)


@inlined
def map_spread(
    size: int, source: Array, at: int, step: int, target: Array, to: int, stride: int
) -> None:
    if size == 4:
        _spread_of_4(source, at, step, target, to, stride)
    elif size == 3:
        _spread_of_3(source, at, step, target, to, stride)
    else:
        _spread_of_2(source, at, step, target, to, stride)
