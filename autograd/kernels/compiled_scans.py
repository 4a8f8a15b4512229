"""Running sums and products along the middle axis of (outer, length, inner) arrays, and products of
rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled

__all__ = [
    "products_of_others",
    "products_of_rows",
    "running_products",
    "running_products_ahead",
    "running_products_back",
    "running_sums",
]

Array = np.ndarray[Any, Any]

BLOCK = 128
"""Entries that are multiplied side by side."""

_SMALL, _LARGE, _EXPONENT = 2.0**-465, 2.0**465, 465
"""The product of two numbers between the first two is a normal number of float64."""


@compiled
def running_sums(
    x: Array, backwards: bool, out: Array, _worker: int, first: int, last: int
) -> None:
    """out[o, k] = x[o, 0] + ... + x[o, k], or the sum from the other end, for o in [first, last).

    In the order in which NumPy adds.
    """
    length, inner = x.shape[1], x.shape[2]
    for o in range(first, last):
        start, step = (length - 1, -1) if backwards else (0, 1)
        if inner == 1:
            total = x[o, start, 0]
            out[o, start, 0] = total
            for k in range(1, length):
                total += x[o, start + k * step, 0]
                out[o, start + k * step, 0] = total
            continue
        for i in range(inner):
            out[o, start, i] = x[o, start, i]
        for k in range(1, length):
            at = start + k * step
            for i in range(inner):
                out[o, at, i] = out[o, at - step, i] + x[o, at, i]


@compiled
def running_products(x: Array, out: Array, _worker: int, first: int, last: int) -> None:
    """out[o, k] = x[o, 0] * ... * x[o, k], for o in [first, last)."""
    length, inner = x.shape[1], x.shape[2]
    for o in range(first, last):
        if inner == 1:
            product = x.dtype.type(1)
            for k in range(length):
                product *= x[o, k, 0]
                out[o, k, 0] = product
            continue
        for i in range(inner):
            out[o, 0, i] = x[o, 0, i]
        for k in range(1, length):
            for i in range(inner):
                out[o, k, i] = out[o, k - 1, i] * x[o, k, i]


@compiled
def running_products_back(
    c: Array, products: Array, x: Array, dx: Array, _worker: int, first: int, last: int
) -> None:
    """dx[o, k] = products[o, k - 1] s[k], where s[k] = c[o, k] + x[o, k + 1] s[k + 1]."""
    length, inner = x.shape[1], x.shape[2]
    carried = np.empty(inner, x.dtype)
    for o in range(first, last):
        if inner == 1:
            s = c[o, length - 1, 0]
            for k in range(length - 1, 0, -1):
                dx[o, k, 0] = s * products[o, k - 1, 0]
                s = c[o, k - 1, 0] + x[o, k, 0] * s
            dx[o, 0, 0] = s
            continue
        for i in range(inner):
            carried[i] = 0
        for k in range(length - 1, -1, -1):
            for i in range(inner):
                s = c[o, k, i] + carried[i]
                carried[i] = x[o, k, i] * s
                dx[o, k, i] = s * products[o, k - 1, i] if k else s


@compiled
def running_products_ahead(
    dx: Array, products: Array, x: Array, out: Array, _worker: int, first: int, last: int
) -> None:
    """out[o, k] = products[o, k - 1] dx[o, k] + x[o, k] out[o, k - 1]."""
    length, inner = x.shape[1], x.shape[2]
    for o in range(first, last):
        if inner == 1:
            change = dx[o, 0, 0]
            out[o, 0, 0] = change
            for k in range(1, length):
                change = products[o, k - 1, 0] * dx[o, k, 0] + x[o, k, 0] * change
                out[o, k, 0] = change
            continue
        for i in range(inner):
            out[o, 0, i] = dx[o, 0, i]
        for k in range(1, length):
            for i in range(inner):
                out[o, k, i] = products[o, k - 1, i] * dx[o, k, i] + x[o, k, i] * out[o, k - 1, i]


@compiled
def products_of_others(x: Array, out: Array, _worker: int, first: int, last: int) -> None:
    """out[o, k] = the product of x[o, j] for all j but k."""
    length, inner = x.shape[1], x.shape[2]
    after = np.empty(inner, out.dtype)
    for o in range(first, last):
        if inner == 1:
            product = out.dtype.type(1)
            for k in range(length):
                out[o, k, 0] = product
                product *= x[o, k, 0]
            product = out.dtype.type(1)
            for k in range(length - 1, -1, -1):
                out[o, k, 0] *= product
                product *= x[o, k, 0]
            continue
        for i in range(inner):
            out[o, 0, i] = 1
            after[i] = 1
        for k in range(1, length):
            for i in range(inner):
                out[o, k, i] = out[o, k - 1, i] * x[o, k - 1, i]
        for k in range(length - 1, -1, -1):
            for i in range(inner):
                out[o, k, i] *= after[i]
                after[i] *= x[o, k, i]


@compiled
def products_of_rows(
    x: Array,
    bits: Array,
    scale: Any,
    ones: Any,
    out: Array,
    left: Array,
    _worker: int,
    first: int,
    last: int,
) -> None:
    """out[i] = the product of x[i] in float64, for i in [first, last), side by side.

    left[i] is True where that is not finite, or where the exponents of a block's factors are so
    large that a product of some may not be a normal number: there it matters which are multiplied
    first. `bits` has the floats as integers: an exponent plus `ones` is the bits from `scale` on
    but the sign's.
    """
    columns = x.shape[1]
    twice = ones + ones + bits.dtype.type(1)
    for i in range(first, last):
        product, steps, inside = 1.0, 0, True
        for begin in range(0, columns, BLOCK):
            stop = min(begin + BLOCK, columns)
            exponents = bits.dtype.type(0)
            part = 1.0
            for j in range(np.uint64(begin), np.uint64(stop)):
                exponents += abs(((bits[i, j] >> scale) & twice) - ones)
            for j in range(np.uint64(begin), np.uint64(stop)):
                part *= x[i, j]
            inside &= exponents <= _EXPONENT - BLOCK  # a mantissa is less than 2
            product *= part
            if abs(product) < _SMALL:
                product *= _LARGE
                steps -= 1
            elif abs(product) > _LARGE:
                product *= _SMALL
                steps += 1
        for _ in range(abs(steps)):
            product *= _LARGE if steps > 0 else _SMALL
        out[i] = product
        left[i] = not (inside and abs(product) < np.inf)
