"""Optimizers' updates over flat arrays, each in one pass over the memory.

Those of many arrays are done at once: entry i of all arrays together belongs to the first array k
with i < ends[k]. `places` (arrays, operands) are the addresses of what row k of `constants` goes
with.

An entry is read from all arrays before it is written to any: processors tell by an address's last
twelve bits whether what is read was written just before, and large arrays begin at the same ones.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from autograd.kernels.compilation import compiled, inlined
from autograd.kernels.compiled_sharing import array_at

__all__ = [
    "adapt_all",
    "adapt_to_largest_all",
    "descend_all",
    "descend_with_momentum_all",
    "gather_momentum",
    "scale_by_root_all",
    "scale_by_root_with_momentum_all",
    "shrink_and_subtract",
]

Array = np.ndarray[Any, Any]

_numba: Any = numba
_carray = _numba.carray


@inlined
def _decayed(p: Any, g: Any, decay: Any, sign: Any) -> Any:
    """The gradient that descends with decay; without any, whatever p is."""
    return sign * g + decay * p if decay != 0 else sign * g


@compiled
def descend(p: Array, g: Array, lr: Any, decay: Any, sign: Any) -> None:
    for i in range(p.size):
        p[i] -= lr * _decayed(p[i], g[i], decay, sign)


@compiled
def descend_with_momentum(
    p: Array,
    g: Array,
    v: Array,
    lr: Any,
    momentum: Any,
    share: Any,
    decay: Any,
    sign: Any,
    nesterov: Any,
) -> None:
    if nesterov != 0:
        for i in range(p.size):
            parameter = p[i]
            change = _decayed(parameter, g[i], decay, sign)
            velocity = momentum * v[i] + share * change
            v[i] = velocity
            p[i] = parameter - lr * (change + momentum * velocity)
    else:
        for i in range(p.size):
            parameter = p[i]
            velocity = momentum * v[i] + share * _decayed(parameter, g[i], decay, sign)
            v[i] = velocity
            p[i] = parameter - lr * velocity


@compiled
def adapt(
    p: Array,
    g: Array,
    m: Array,
    s: Array,
    step: Any,
    beta1: Any,
    share1: Any,
    beta2: Any,
    share2: Any,
    eps: Any,
    inverse_correction: Any,
    shrink: Any,
    decay: Any,
    sign: Any,
) -> None:
    """Adam's moments and step; `shrink` is AdamW's decay, `decay` Adam's."""
    for i in range(p.size):
        parameter = p[i]
        change = _decayed(parameter, g[i], decay, sign)
        mean = beta1 * m[i] + share1 * change
        square = beta2 * s[i] + share2 * (change * change)
        m[i] = mean
        s[i] = square
        p[i] = shrink * parameter - step * mean / (np.sqrt(square) * inverse_correction + eps)


@compiled
def adapt_to_largest(
    p: Array,
    g: Array,
    m: Array,
    s: Array,
    largest: Array,
    step: Any,
    beta1: Any,
    share1: Any,
    beta2: Any,
    share2: Any,
    eps: Any,
    inverse_correction: Any,
    shrink: Any,
    decay: Any,
    sign: Any,
) -> None:
    """AMSGrad's step: `adapt`, by the largest of all second moments so far."""
    for i in range(p.size):
        parameter = p[i]
        before = largest[i]
        change = _decayed(parameter, g[i], decay, sign)
        mean = beta1 * m[i] + share1 * change
        square = beta2 * s[i] + share2 * (change * change)
        top = before if before > square else square
        m[i] = mean
        s[i] = square
        largest[i] = top
        p[i] = shrink * parameter - step * mean / (np.sqrt(top) * inverse_correction + eps)


@compiled
def scale_by_root(
    p: Array,
    g: Array,
    s: Array,
    lr: Any,
    keep: Any,
    share: Any,
    inside: Any,
    outside: Any,
    _momentum: Any,
    decay: Any,
    sign: Any,
) -> None:
    """RMSprop's step and Adagrad's: by the root of the squares so far."""
    for i in range(p.size):
        parameter = p[i]
        change = _decayed(parameter, g[i], decay, sign)
        square = keep * s[i] + share * (change * change)
        s[i] = square
        p[i] = parameter - lr * (change / (np.sqrt(square + inside) + outside))


@compiled
def scale_by_root_with_momentum(
    p: Array,
    g: Array,
    s: Array,
    v: Array,
    lr: Any,
    keep: Any,
    share: Any,
    inside: Any,
    outside: Any,
    momentum: Any,
    decay: Any,
    sign: Any,
) -> None:
    for i in range(p.size):
        parameter = p[i]
        before = v[i]
        change = _decayed(parameter, g[i], decay, sign)
        square = keep * s[i] + share * (change * change)
        velocity = momentum * before + change / (np.sqrt(square + inside) + outside)
        s[i] = square
        v[i] = velocity
        p[i] = parameter - lr * velocity


@compiled
def _operand(places: Array, k: int, which: int, first: int, size: int, like: Array) -> Array:
    """Entries first ... of an array by its address, in the dtype of `like`."""
    address = places[k, which] + first * like.itemsize
    entries: Array = _carray(array_at(address), size, like.dtype)
    return entries


@compiled
def _own(ends: Array, k: int, first: int, last: int) -> Any:
    """Which entries of array k are in [first, last) of all: the first, and how many."""
    begin = ends[k - 1] if k else 0
    own = max(first, begin)
    return own - begin, max(0, min(last, ends[k]) - own)


@compiled
def descend_all(
    places: Array, ends: Array, constants: Array, _worker: int, first: int, last: int
) -> None:
    """`descend` of p and g."""
    for k in range(len(ends)):
        at, size = _own(ends, k, first, last)
        if size > 0:
            p = _operand(places, k, 0, at, size, constants)
            g = _operand(places, k, 1, at, size, constants)
            descend(p, g, constants[k, 0], constants[k, 1], constants[k, 2])


@compiled
def descend_with_momentum_all(
    places: Array, ends: Array, constants: Array, _worker: int, first: int, last: int
) -> None:
    """`descend_with_momentum` of p, g and v."""
    for k in range(len(ends)):
        at, size = _own(ends, k, first, last)
        if size > 0:
            p = _operand(places, k, 0, at, size, constants)
            g = _operand(places, k, 1, at, size, constants)
            v = _operand(places, k, 2, at, size, constants)
            c = constants[k]
            descend_with_momentum(p, g, v, c[0], c[1], c[2], c[3], c[4], c[5])


@compiled
def adapt_all(
    places: Array, ends: Array, constants: Array, _worker: int, first: int, last: int
) -> None:
    """`adapt` of p, g, m and s."""
    for k in range(len(ends)):
        at, size = _own(ends, k, first, last)
        if size > 0:
            p = _operand(places, k, 0, at, size, constants)
            g = _operand(places, k, 1, at, size, constants)
            m = _operand(places, k, 2, at, size, constants)
            s = _operand(places, k, 3, at, size, constants)
            c = constants[k]
            adapt(p, g, m, s, c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9])


@compiled
def adapt_to_largest_all(
    places: Array, ends: Array, constants: Array, _worker: int, first: int, last: int
) -> None:
    """`adapt_to_largest` of p, g, m, s and the largest."""
    for k in range(len(ends)):
        at, size = _own(ends, k, first, last)
        if size > 0:
            p = _operand(places, k, 0, at, size, constants)
            g = _operand(places, k, 1, at, size, constants)
            m = _operand(places, k, 2, at, size, constants)
            s = _operand(places, k, 3, at, size, constants)
            t = _operand(places, k, 4, at, size, constants)
            c = constants[k]
            adapt_to_largest(
                p, g, m, s, t, c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9]
            )


@compiled
def scale_by_root_all(
    places: Array, ends: Array, constants: Array, _worker: int, first: int, last: int
) -> None:
    """`scale_by_root` of p, g and s."""
    for k in range(len(ends)):
        at, size = _own(ends, k, first, last)
        if size > 0:
            p = _operand(places, k, 0, at, size, constants)
            g = _operand(places, k, 1, at, size, constants)
            s = _operand(places, k, 2, at, size, constants)
            c = constants[k]
            scale_by_root(p, g, s, c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7])


@compiled
def scale_by_root_with_momentum_all(
    places: Array, ends: Array, constants: Array, _worker: int, first: int, last: int
) -> None:
    """`scale_by_root_with_momentum` of p, g, s and v."""
    for k in range(len(ends)):
        at, size = _own(ends, k, first, last)
        if size > 0:
            p = _operand(places, k, 0, at, size, constants)
            g = _operand(places, k, 1, at, size, constants)
            s = _operand(places, k, 2, at, size, constants)
            v = _operand(places, k, 3, at, size, constants)
            c = constants[k]
            scale_by_root_with_momentum(p, g, s, v, c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7])


@compiled
def gather_momentum(
    v: Array,
    g: Array,
    out: Array,
    momentum: Any,
    nesterov: Any,
    _worker: int,
    first: int,
    last: int,
) -> None:
    for i in range(np.uint64(first), np.uint64(last)):
        gradient = g[i]
        velocity = momentum * v[i] + gradient
        v[i] = velocity
        out[i] = gradient + momentum * velocity if nesterov else velocity


@compiled
def shrink_and_subtract(
    p: Array, change: Array, scale: Any, shrink: Any, _worker: int, first: int, last: int
) -> None:
    for i in range(np.uint64(first), np.uint64(last)):
        p[i] = shrink * p[i] - scale * change[i]
