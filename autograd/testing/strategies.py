"""Hypothesis strategies for arrays, Tensors and calls of operations (extra `testing`).

Hypothesis draws shapes and seeds, NumPy fills the arrays: fast, and failures shrink to small
shapes. Values have few digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.registry import REGISTRY
from autograd.samples import Call
from autograd.tensor import Tensor
from autograd.testing.extras import drawn_with, hypothesis_strategies
from autograd.testing.programs import Program, inputs_of, programs

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = [
    "LAYOUTS",
    "Program",
    "arrays",
    "away_from",
    "broadcastable",
    "conv_cases",
    "in_layout",
    "inputs_of",
    "on",
    "op_calls",
    "programs",
    "shapes",
    "tensors",
    "valid_axes",
    "well_conditioned_matrices",
]

LAYOUTS = ("C", "F", "strided", "reversed", "broadcast", "read-only")


def shapes(
    min_dims: int = 0, max_dims: int = 3, min_side: int = 0, max_side: int = 4
) -> SearchStrategy[tuple[int, ...]]:
    """Shapes, 0-d and empty ones included."""
    st = hypothesis_strategies()
    sides = st.lists(st.integers(min_side, max_side), min_size=min_dims, max_size=max_dims)
    strategy: SearchStrategy[Any] = sides.map(tuple)
    return strategy


def in_layout(array: np.ndarray, layout: str) -> np.ndarray:
    """The same values in another memory layout; 'broadcast' where the first axis repeats."""
    if layout == "F" and array.ndim:
        return np.asfortranarray(array)
    if layout == "strided" and array.ndim:
        wide = np.repeat(array, 2, axis=-1)
        return wide[..., ::2]
    if layout == "reversed" and array.ndim:
        return np.ascontiguousarray(array[::-1])[::-1]
    if layout == "broadcast" and array.ndim and array.size and np.all(array == array[:1]):
        return np.broadcast_to(array[:1], array.shape)
    if layout == "read-only":
        array = array.copy()
        array.flags.writeable = False
    return array


def arrays(
    shape: Any = None,
    dtype: Any = np.float64,
    low: float = -2.0,
    high: float = 2.0,
    layouts: tuple[str, ...] = LAYOUTS,
) -> SearchStrategy[np.ndarray]:
    """Float arrays with entries of three digits in [low, high], in any memory layout."""
    st = hypothesis_strategies()
    shape_strategy = shapes() if shape is None else shape
    if isinstance(shape_strategy, tuple):
        shape_strategy = st.just(shape_strategy)

    def fill(chosen: tuple[int, ...], seed: int, layout: str) -> np.ndarray:
        values = np.random.default_rng(seed).uniform(low, high, chosen).round(3)
        array = np.asarray(np.clip(values, low, high), dtype)
        if layout == "broadcast" and array.ndim:
            array[1:] = array[:1]
        return in_layout(array, layout)

    strategy: SearchStrategy[np.ndarray] = drawn_with(
        fill, shape_strategy, st.integers(0, 2**20), st.sampled_from(layouts)
    )
    return strategy


def tensors(*args: Any, requires_grad: bool = True, **kwargs: Any) -> SearchStrategy[Tensor]:
    """Tensors over `arrays(...)`."""
    return arrays(*args, **kwargs).map(lambda array: Tensor(array, requires_grad=requires_grad))


def broadcastable(count: int, max_dims: int = 3, max_side: int = 3) -> SearchStrategy[Any]:
    """`count` shapes that broadcast together."""
    st = hypothesis_strategies()

    def cut(full: tuple[int, ...], drops: list[int], ones: list[list[bool]]) -> Any:
        result = []
        for drop, flags in zip(drops, ones, strict=True):
            kept = full[min(drop, len(full)) :]
            result.append(
                tuple(1 if flag else side for side, flag in zip(kept, flags, strict=False))
            )
        return tuple(result)

    flags = st.lists(st.booleans(), min_size=max_dims, max_size=max_dims)
    strategy: SearchStrategy[Any] = drawn_with(
        cut,
        shapes(0, max_dims, 1, max_side),
        st.lists(st.integers(0, max_dims), min_size=count, max_size=count),
        st.lists(flags, min_size=count, max_size=count),
    )
    return strategy


def valid_axes(ndim: int) -> SearchStrategy[Any]:
    """None, one axis, or a tuple of axes, negative ones included."""
    st = hypothesis_strategies()
    nothing: SearchStrategy[Any] = st.none()
    if ndim == 0:
        return nothing
    single = st.integers(-ndim, ndim - 1)
    several = st.lists(st.integers(0, ndim - 1), max_size=ndim, unique=True).map(tuple)
    axes: SearchStrategy[Any] = single | several
    return nothing | axes


def op_calls(operation: Any) -> SearchStrategy[tuple[Any, tuple[Any, ...], dict[str, Any]]]:
    """`(function, args, kwargs)`: a valid call of an operation, by registered name or record."""
    st = hypothesis_strategies()
    function, samples = resolve(operation)

    def draw(sample: Call, seed: int) -> Any:
        args, kwargs = sample.draw(np.random.default_rng(seed))
        return function, args, kwargs

    strategy: SearchStrategy[Any] = drawn_with(
        draw, st.sampled_from(samples), st.integers(0, 2**20)
    )
    return strategy


def well_conditioned_matrices(
    max_side: int = 4, batch: tuple[int, ...] = ()
) -> SearchStrategy[np.ndarray]:
    """Square matrices whose singular values lie in [1, 3], all apart."""
    st = hypothesis_strategies()

    def fill(side: int, seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        left, _ = np.linalg.qr(rng.normal(size=(*batch, side, side)))
        right, _ = np.linalg.qr(rng.normal(size=(*batch, side, side)))
        values = np.linspace(1.0, 3.0, side)
        product: np.ndarray = (left * values) @ right
        return product

    strategy: SearchStrategy[np.ndarray] = drawn_with(
        fill, st.integers(1, max_side), st.integers(0, 2**20)
    )
    return strategy


def away_from(
    kinks: Sequence[float], gap: float, shape: Any = None, low: float = -2.0, high: float = 2.0
) -> SearchStrategy[np.ndarray]:
    """Arrays whose entries keep at least `gap` from every kink.

    Raises ValueError if the gaps leave nothing of [low, high].
    """
    pieces = _pieces(kinks, gap, low, high)

    def moved(array: np.ndarray) -> np.ndarray:
        """[low, high] mapped onto the pieces that are left."""
        lengths = np.array([end - start for start, end in pieces])
        share = (array - low) / (high - low) * lengths.sum()
        index = np.minimum(np.searchsorted(np.cumsum(lengths), share), len(pieces) - 1)
        starts = np.array([start for start, _ in pieces])
        before = np.concatenate([[0.0], np.cumsum(lengths)])[index]
        result: np.ndarray = starts[index] + np.minimum(share - before, lengths[index])
        return result

    return arrays(shape, low=low, high=high, layouts=("C",)).map(moved)


def _pieces(
    kinks: Sequence[float], gap: float, low: float, high: float
) -> list[tuple[float, float]]:
    edges = [low]
    for kink in sorted(kinks):
        edges += [kink - gap, kink + gap]
    edges.append(high)
    pieces = [
        (max(start, low), min(end, high))
        for start, end in zip(edges[::2], edges[1::2], strict=True)
        if min(end, high) - max(start, low) > 0
    ]
    if not pieces:
        raise ValueError(f"a gap of {gap} around {list(kinks)} leaves nothing of [{low}, {high}]")
    return pieces


def on(kinks: Sequence[float], shape: Any = None) -> SearchStrategy[np.ndarray]:
    """Arrays whose entries are all kinks: where the conventions decide."""
    st = hypothesis_strategies()
    shape_strategy = shapes() if shape is None else st.just(shape)

    def fill(chosen: tuple[int, ...], seed: int) -> np.ndarray:
        return np.random.default_rng(seed).choice(np.asarray(kinks, float), chosen)

    strategy: SearchStrategy[np.ndarray] = drawn_with(fill, shape_strategy, st.integers(0, 2**20))
    return strategy


def conv_cases(dims: int = 2) -> SearchStrategy[dict[str, Any]]:
    """Keyword arguments x, w, stride, padding, dilation and groups of a convolution that fits."""
    st = hypothesis_strategies()

    def fill(
        counts: tuple[int, int, int, int],
        kernel: tuple[int, ...],
        more: tuple[int, ...],
        stride: int,
        padding: int,
        dilation: int,
        seed: int,
    ) -> dict[str, Any]:
        batch, inputs, outputs, groups = counts
        rng = np.random.default_rng(seed)
        least = [max(1, dilation * (k - 1) + 1 - 2 * padding) for k in kernel]
        sides = [size + extra for size, extra in zip(least, more, strict=True)]
        return {
            "x": rng.uniform(-2, 2, (batch, inputs * groups, *sides)).round(3),
            "w": rng.uniform(-2, 2, (outputs * groups, inputs, *kernel)).round(3),
            "stride": stride,
            "padding": padding,
            "dilation": dilation,
            "groups": groups,
        }

    small = st.integers(1, 2)
    strategy: SearchStrategy[dict[str, Any]] = drawn_with(
        fill,
        st.tuples(small, small, small, small),
        st.tuples(*[st.integers(1, 3)] * dims),
        st.tuples(*[st.integers(0, 3)] * dims),
        small,
        st.integers(0, 2),
        small,
        st.integers(0, 2**20),
    )
    return strategy


def resolve(operation: Any) -> tuple[Any, tuple[Call, ...]]:
    """The callable and the samples of an operation."""
    if isinstance(operation, str):
        if operation not in REGISTRY:
            raise ValueError(f"no operation is registered as {operation!r}")
        entry = REGISTRY[operation]
        return entry.function, entry.samples
    for entry in REGISTRY.values():
        if entry.function is operation:
            return entry.function, entry.samples
    samples = getattr(operation, "samples", None)
    if not samples:
        raise ValueError(
            f"{getattr(operation, 'name', operation)!r} has no samples; give them where it is "
            "defined: samples=(call(real(2, 3)),) with call and real from ag.testing"
        )
    return operation, tuple(samples)
