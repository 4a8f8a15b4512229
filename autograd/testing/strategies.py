"""Hypothesis strategies for arrays, Tensors and calls of operations (extra `testing`).

Hypothesis draws shapes and seeds, NumPy fills the arrays: fast, and failures shrink to small
shapes. Values have few digits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.registry import REGISTRY
from autograd.samples import Call
from autograd.tensor import Tensor

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

LAYOUTS = ("C", "F", "strided", "reversed", "read-only")


def _hypothesis() -> Any:
    try:
        import hypothesis.strategies
    except ImportError:
        raise ImportError(
            "ag.testing.strategies needs Hypothesis: pip install 'dagrad[testing]'"
        ) from None
    return hypothesis.strategies


def shapes(
    min_dims: int = 0, max_dims: int = 3, min_side: int = 0, max_side: int = 4
) -> SearchStrategy[tuple[int, ...]]:
    """Shapes, 0-d and empty ones included."""
    st = _hypothesis()
    sides = st.lists(st.integers(min_side, max_side), min_size=min_dims, max_size=max_dims)
    strategy: SearchStrategy[Any] = sides.map(tuple)
    return strategy


def in_layout(array: np.ndarray, layout: str) -> np.ndarray:
    """The same values in another memory layout."""
    if layout == "F" and array.ndim:
        return np.asfortranarray(array)
    if layout == "strided" and array.ndim:
        wide = np.repeat(array, 2, axis=-1)
        return wide[..., ::2]
    if layout == "reversed" and array.ndim:
        return np.ascontiguousarray(array[::-1])[::-1]
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
    st = _hypothesis()
    shape_strategy = shapes() if shape is None else shape
    if isinstance(shape_strategy, tuple):
        shape_strategy = st.just(shape_strategy)

    def fill(chosen: tuple[int, ...], seed: int, layout: str) -> np.ndarray:
        values = np.random.default_rng(seed).uniform(low, high, chosen).round(3)
        return in_layout(np.asarray(np.clip(values, low, high), dtype), layout)

    strategy: SearchStrategy[np.ndarray] = st.builds(
        fill, shape_strategy, st.integers(0, 2**20), st.sampled_from(layouts)
    )
    return strategy


def tensors(*args: Any, requires_grad: bool = True, **kwargs: Any) -> SearchStrategy[Tensor]:
    """Tensors over `arrays(...)`."""
    return arrays(*args, **kwargs).map(lambda array: Tensor(array, requires_grad=requires_grad))


def broadcastable(count: int, max_dims: int = 3, max_side: int = 3) -> SearchStrategy[Any]:
    """`count` shapes that broadcast together."""
    st = _hypothesis()

    def cut(full: tuple[int, ...], drops: list[int], ones: list[list[bool]]) -> Any:
        result = []
        for drop, flags in zip(drops, ones, strict=True):
            kept = full[min(drop, len(full)) :]
            result.append(
                tuple(1 if flag else side for side, flag in zip(kept, flags, strict=False))
            )
        return tuple(result)

    flags = st.lists(st.booleans(), min_size=max_dims, max_size=max_dims)
    strategy: SearchStrategy[Any] = st.builds(
        cut,
        shapes(0, max_dims, 1, max_side),
        st.lists(st.integers(0, max_dims), min_size=count, max_size=count),
        st.lists(flags, min_size=count, max_size=count),
    )
    return strategy


def valid_axes(ndim: int) -> SearchStrategy[Any]:
    """None, one axis, or a tuple of axes, negative ones included."""
    st = _hypothesis()
    nothing: SearchStrategy[Any] = st.none()
    if ndim == 0:
        return nothing
    single = st.integers(-ndim, ndim - 1)
    several = st.lists(st.integers(0, ndim - 1), max_size=ndim, unique=True).map(tuple)
    axes: SearchStrategy[Any] = single | several
    return nothing | axes


def op_calls(operation: Any) -> SearchStrategy[tuple[Any, tuple[Any, ...], dict[str, Any]]]:
    """`(function, args, kwargs)`: a valid call of an operation, by registered name or record."""
    st = _hypothesis()
    function, samples = resolve(operation)

    def draw(sample: Call, seed: int) -> Any:
        args, kwargs = sample.draw(np.random.default_rng(seed))
        return function, args, kwargs

    strategy: SearchStrategy[Any] = st.builds(draw, st.sampled_from(samples), st.integers(0, 2**20))
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
