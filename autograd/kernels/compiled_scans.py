"""Running sums and products along the middle axis of (outer, length, inner) arrays, and products of
rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled, inlined

__all__ = [
    "products_of_others",
    "products_of_rows",
    "running_products",
    "running_products_ahead",
    "running_products_back",
    "running_sums",
]

Array = np.ndarray[Any, Any]

BLOCK, SMALL_BLOCK = 128, 16
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

    A block's factors are, where their exponents are so small that all products of some of them are
    normal numbers; else a smaller block's, or they are multiplied one after the other. After each
    block, or factor, the product is brought back to where that with the next is a normal number.
    left[i] is True where a factor of float64 is too large or small for that: there NumPy is to
    multiply. `bits` has the floats as integers: an exponent plus `ones` is the bits from `scale` on
    but the sign's.
    """
    columns = x.shape[1]
    for i in range(first, last):
        product, steps, inside = 1.0, 0, True
        begin, size = 0, BLOCK
        while begin < columns:
            stop = min(begin + size, columns)
            if _exponents(bits, i, begin, stop, scale, ones) <= _EXPONENT - size:
                part = 1.0  # a mantissa is less than 2
                for j in range(np.uint64(begin), np.uint64(stop)):
                    part *= x[i, j]
                product, step = _rescaled(product * part)
                steps += step
                begin = stop
                continue
            if size > SMALL_BLOCK:  # for the rest of the row
                size = SMALL_BLOCK
                continue
            for j in range(begin, stop):
                inside &= (abs(x[i, j]) < _LARGE) & ((abs(x[i, j]) > _SMALL) | (x[i, j] == 0))
                product, step = _rescaled(product * x[i, j])
                steps += step
            begin = stop
        for _ in range(abs(steps)):
            product *= _LARGE if steps > 0 else _SMALL
        out[i] = product
        left[i] = not inside


@inlined
def _exponents(bits: Array, i: int, begin: int, stop: int, scale: Any, ones: Any) -> Any:
    """The sum of the sizes of the exponents of bits[i, begin:stop]; of zeros 0."""
    zero = bits.dtype.type(0)
    rest = ones + ones + bits.dtype.type(1)
    total = zero
    for j in range(np.uint64(begin), np.uint64(stop)):
        number = bits[i, j]
        total += abs(((number >> scale) & rest) - ones) if number + number != 0 else zero
    return total


@inlined
def _rescaled(product: Any) -> Any:
    """A product from `_SMALL` to `_LARGE`, or 0, and how often that is to be multiplied by the
    latter for the given one.
    """
    if 0 < abs(product) < _SMALL:
        return product * _LARGE, -1
    if abs(product) > _LARGE:
        return product * _SMALL, 1
    return product, 0
