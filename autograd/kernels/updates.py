"""Steps of optimizers over one array in a single pass, for arrays that are worth a thread."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from dataclasses import dataclass
from operator import is_
from typing import Any

import numpy as np

from autograd.kernels.backend import compiled_for
from autograd.kernels.workers import parallel_parts

__all__ = [
    "Known",
    "Places",
    "adam_constants",
    "adam_update",
    "gather_momentum",
    "one_pass",
    "root_constants",
    "root_update",
    "sgd_update",
    "shrink_and_subtract",
    "together",
]

Array = np.ndarray[Any, Any]

GRAIN = 1 << 12
"""Elements: parts of an array begin at multiples of it."""

NANOSECONDS = 0.7
"""About what an element takes."""

_Kind = tuple[str, np.dtype[Any]]


@dataclass
class Known:
    """The arrays of all updates but the gradients, which keep their memory from step to step; the
    addresses of all; where each update ends if their elements are counted through; the constants,
    as given and as an array; and whether two of the changed arrays share memory.
    """

    kept: list[Array]
    places: Array
    ends: Array
    constants: list[tuple[float, ...]]
    values: Array
    sharing: bool


Places = dict[_Kind, Known]
"""What the last step knew, by kernel and dtype."""


class _Updates:
    """Updates of one kind and dtype: arrays of one size, the gradient second, and constants."""

    def __init__(self) -> None:
        self.arrays: list[tuple[Array, ...]] = []
        self.constants: list[tuple[float, ...]] = []


class _Batch(threading.local):
    """What waits for the end of `together` in this thread."""

    def __init__(self) -> None:
        self.waiting: dict[_Kind, _Updates] | None = None
        self.size = 0
        self.compiled: dict[np.dtype[Any], bool] = {}


_batch = _Batch()


def together(size: int, places: Places | None = None) -> AbstractContextManager[None]:
    """Updates called inside, one of each array, are done at the end in one go that threads share.

    `size` is the number of elements of all arrays, which decides for each whether it is worth it.
    `places` is kept by the caller from step to step and changed here.

    >>> p = np.ones(4, np.float32)
    >>> with together(4):
    ...     sgd_update(p, np.ones(4, np.float32), None, 0.5, 0.0, 0.0)
    ...     print(p[0])
    1.0
    >>> print(p[0])
    0.5
    """
    return _Together(size, places)


class _Together:
    """Written out, since the generator that would do takes microseconds more for every step."""

    def __init__(self, size: int, places: Places | None) -> None:
        self._size = size
        self._places = places
        self._waiting: dict[_Kind, _Updates] = {}

    def __enter__(self) -> None:
        _batch.waiting, _batch.size, _batch.compiled = self._waiting, self._size, {}

    def __exit__(self, *_: object) -> None:
        _batch.waiting, _batch.size, _batch.compiled = None, 0, {}
        places = self._places
        seen = {kind: _run(kind, updates, places) for kind, updates in self._waiting.items()}
        if places is not None:
            places.clear()
            places.update(seen)


def _update(kernel: str, arrays: tuple[Array, ...], constants: tuple[float, ...]) -> None:
    """The kernel on these arrays, now or at the end of `together`."""
    kind = kernel, arrays[0].dtype
    waiting = _batch.waiting
    updates = None if waiting is None else waiting.get(kind)
    if updates is None:
        updates = _Updates()
        if waiting is not None:
            waiting[kind] = updates
    updates.arrays.append(arrays)
    updates.constants.append(constants)
    if waiting is None:
        _run(kind, updates, None)


def _run(kind: _Kind, updates: _Updates, before: Places | None) -> Known:
    """All updates of a kind; gives what there is to know for the next step."""
    from autograd.kernels import compiled_updates

    kernel, dtype = kind
    kept = [array for parameter, _, *states in updates.arrays for array in (parameter, *states)]
    known = before.get(kind) if before else None
    if known is not None and len(kept) == len(known.kept) and all(map(is_, kept, known.kept)):
        known.places[:, 1] = [_address(arrays[1]) for arrays in updates.arrays]
        if updates.constants != known.constants:
            known.constants = updates.constants
            known.values = _rows(updates.constants, dtype)
    else:
        sizes = np.array([arrays[0].size for arrays in updates.arrays])
        places = np.array([[_address(array) for array in arrays] for arrays in updates.arrays])
        values = _rows(updates.constants, dtype)
        sharing = _share_memory(places[:, 0], sizes * dtype.itemsize)
        known = Known(kept, places, np.cumsum(sizes), updates.constants, values, sharing)
    total = int(known.ends[-1])
    parallel_parts(
        getattr(compiled_updates, kernel),
        (known.places, known.ends, known.values),
        total,
        GRAIN,
        nanoseconds=NANOSECONDS * total,
        most=1 if known.sharing else None,  # one after the other, in the order given
    )
    return known


def _rows(constants: list[tuple[float, ...]], dtype: np.dtype[Any]) -> Array:
    """A row for each; made at once where all are one tuple."""
    first = constants[0]
    if all(row is first for row in constants):
        values = np.empty((len(constants), len(first)), dtype)
        values[...] = first
        return values
    return np.array(constants, dtype)


def _share_memory(addresses: Array, sizes: Array) -> bool:
    """Whether any two of the ranges of bytes overlap."""
    order = np.argsort(addresses)
    begins, sizes = addresses[order], sizes[order]
    return bool((begins[1:] < begins[:-1] + sizes[:-1]).any())


def _address(array: Array) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


def one_pass(parameter: Array, gradient: Array, *states: Array | None) -> bool:
    """Whether the arrays can be walked together: contiguous, of one memory order, and large, or
    together with others that are.

    >>> one_pass(np.ones(3), np.ones(3))
    False
    """
    strides, dtype, flags = parameter.strides, parameter.dtype, parameter.flags
    if not ((flags.c_contiguous or flags.f_contiguous) and flags.aligned):
        return False
    for array in (gradient, *states):
        if array is not None and not (
            array.strides == strides and array.dtype == dtype and array.flags.aligned
        ):
            return False
    fits = _batch.compiled.get(dtype)
    if fits is None:
        size = max(parameter.size, _batch.size)
        fits = dtype.isnative and compiled_for(dtype, size)
        if _batch.waiting is not None:
            _batch.compiled[dtype] = fits
    return fits


def sgd_update(
    parameter: Array,
    gradient: Array,
    velocity: Array | None,
    lr: float,
    momentum: float,
    weight_decay: float,
    *,
    dampening: float = 0.0,
    nesterov: bool = False,
    maximize: bool = False,
) -> None:
    """g <- +-g + weight_decay p; v <- momentum v + (1 - dampening) g; p <- p - lr v, or with
    `nesterov` p - lr (g + momentum v); without `velocity` p - lr g. In place.

    The arrays must satisfy `one_pass`.
    """
    sign = -1.0 if maximize else 1.0
    if velocity is None:
        _update("descend_all", (parameter, gradient), (lr, weight_decay, sign))
        return
    arrays = parameter, gradient, velocity
    share = 1.0 - dampening
    constants = lr, momentum, share, weight_decay, sign, float(nesterov)
    _update("descend_with_momentum_all", arrays, constants)


def adam_constants(
    step_size: float,
    betas: tuple[float, float],
    eps: float,
    correction: float,
    *,
    shrink: float = 1.0,
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> tuple[float, ...]:
    """What `adam_update` computes with; one tuple may serve many arrays."""
    shares = betas[0], 1.0 - betas[0], betas[1], 1.0 - betas[1]
    sign = -1.0 if maximize else 1.0
    return step_size, *shares, eps, 1.0 / correction, shrink, weight_decay, sign


def adam_update(
    parameter: Array,
    gradient: Array,
    mean: Array,
    square: Array,
    constants: tuple[float, ...],
    largest: Array | None = None,
) -> None:
    """g <- +-g + weight_decay p; p <- shrink p; m <- b1 m + (1 - b1) g; s <- b2 s + (1 - b2) g^2;
    p <- p - step_size m / (sqrt(s) / correction + eps), or with t <- max(t, s) for `largest` t in
    the place of s. In place.

    The arrays must satisfy `one_pass`; `adam_constants` makes the constants.
    """
    if largest is None:
        _update("adapt_all", (parameter, gradient, mean, square), constants)
    else:
        arrays = parameter, gradient, mean, square, largest
        _update("adapt_to_largest_all", arrays, constants)


def root_constants(
    lr: float,
    shares: tuple[float, float],
    inside: float,
    outside: float,
    *,
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> tuple[float, ...]:
    """What `root_update` computes with; one tuple may serve many arrays."""
    sign = -1.0 if maximize else 1.0
    return lr, *shares, inside, outside, momentum, weight_decay, sign


def root_update(
    parameter: Array,
    gradient: Array,
    square: Array,
    velocity: Array | None,
    constants: tuple[float, ...],
) -> None:
    """g <- +-g + weight_decay p; s <- a s + b g^2 for shares (a, b);
    d = g / (sqrt(s + inside) + outside); p <- p - lr d, or with v <- momentum v + d p - lr v. In
    place.

    The arrays must satisfy `one_pass`; `root_constants` makes the constants.
    """
    if velocity is None:
        _update("scale_by_root_all", (parameter, gradient, square), constants)
    else:
        arrays = parameter, gradient, square, velocity
        _update("scale_by_root_with_momentum_all", arrays, constants)


def gather_momentum(
    velocity: Array, gradient: Array, momentum: float, nesterov: bool, out: Array
) -> None:
    """v <- momentum v + g; out <- g + momentum v with `nesterov`, else v. In place, at once also
    inside `together`.

    The arrays must satisfy `one_pass`; `out` may be `velocity` without `nesterov`.
    """
    from autograd.kernels import compiled_updates

    v, g, target = (array.ravel(order="K") for array in (velocity, gradient, out))
    factor = v.dtype.type(momentum)
    parallel_parts(
        compiled_updates.gather_momentum,
        (v, g, target, factor, nesterov),
        v.size,
        GRAIN,
        nanoseconds=NANOSECONDS * v.size,
    )


def shrink_and_subtract(parameter: Array, change: Array, scale: float, shrink: float) -> None:
    """p <- shrink p - scale change. In place, at once also inside `together`.

    The arrays must satisfy `one_pass`.
    """
    from autograd.kernels import compiled_updates

    p, c = (array.ravel(order="K") for array in (parameter, change))
    factors = p.dtype.type(scale), p.dtype.type(shrink)
    parallel_parts(
        compiled_updates.shrink_and_subtract,
        (p, c, *factors),
        p.size,
        GRAIN,
        nanoseconds=NANOSECONDS * p.size,
    )
