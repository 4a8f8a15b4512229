"""Activation functions and their products with a cotangent, in one pass over the memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from autograd.kernels import backend
from autograd.kernels.backend import compiled_for, read_only
from autograd.kernels.buffers import empty_like
from autograd.kernels.constants import as_operand
from autograd.kernels.error_function import PASSES, erf
from autograd.kernels.layouts import in_order_of
from autograd.kernels.masks import cut_off, cut_off_in_place
from autograd.kernels.workers import parallel_cuts

__all__ = [
    "FUSED",
    "activate_in_place",
    "fuses",
    "gelu",
    "gelu_pullback",
    "goes_compiled",
    "in_one_pass",
    "relu",
    "relu_pullback",
    "relu_pullback_in_place",
    "tanh_pullback",
]

Array = np.ndarray[Any, Any]

GRAIN = 1 << 12
"""Elements: parts of an array begin at multiples of it, so that cache lines are not shared."""

FUSED: Final = ("relu", "gelu")
"""Activations that other kernels apply to their results in the same pass."""

NANOSECONDS: Final = {"relu": 0.25, "gelu": 0.8, "tanh": 0.3}
"""About what an entry takes."""

_ROOT_HALF = float(np.sqrt(0.5))
_DENSITY_AT_0 = float(1.0 / np.sqrt(2.0 * np.pi))
_ZERO = np.float64(0.0)


def relu(x: Any) -> Any:
    """max(x, 0); NaN stays.

    >>> relu(np.array([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """
    if type(x) is np.float64:  # a ufunc takes fifteen times as long
        return x if x > 0 or x != x else _ZERO
    if goes_compiled(x, "fd"):
        from autograd.kernels import compiled_activations as compiled

        return in_one_pass(compiled.relu, NANOSECONDS["relu"], x)
    return np.maximum(x, 0)


def relu_pullback(g: Any, out: Any, x: Any) -> Any:
    """g where out > 0, else 0, whatever g is there.

    >>> relu_pullback(np.array([3.0, 4.0]), np.array([0.0, 2.0]), None).tolist()
    [0.0, 4.0]
    """
    if type(out) is np.float64 and type(g) is np.float64:
        return g if out > 0 else _ZERO
    if goes_compiled(out, "fd", g):
        from autograd.kernels import compiled_activations as compiled

        return in_one_pass(compiled.relu_back, NANOSECONDS["relu"], g, out)
    if type(g) is np.ndarray and g.dtype.kind == "f":
        return cut_off(g, out > 0)[()]
    passed = np.where(out > 0, g, 0)
    return passed if passed.ndim else passed[()]


def relu_pullback_in_place(g: Array, out: Array) -> Array:
    """`relu_pullback`, written over a writable g.

    >>> relu_pullback_in_place(np.array([3.0, 4.0]), np.array([0.0, 2.0])).tolist()
    [0.0, 4.0]
    """
    contiguous = g.flags.c_contiguous and out.flags.c_contiguous
    if not contiguous or not goes_compiled(out, "fd", g):
        return cut_off_in_place(g, out > 0)
    from autograd.kernels import compiled_activations as compiled

    flat = g.reshape(-1), read_only(out.reshape(-1))
    parallel_cuts(compiled.relu_back_in_place, flat, (), GRAIN, NANOSECONDS["relu"] * g.size)
    return g


def gelu(x: Any) -> Any:
    """x Phi(x), with Phi the normal distribution function.

    >>> gelu(np.array([0.0, 1.0])).round(6).tolist()
    [0.0, 0.841345]
    """
    if goes_compiled(x, "f", passes=PASSES):
        from autograd.kernels import compiled_activations as compiled

        return in_one_pass(compiled.gelu, NANOSECONDS["gelu"], x)
    return _product(x, 0.5 * (1 + erf(x * _ROOT_HALF)))


def gelu_pullback(g: Any, out: Any, x: Any) -> Any:
    """g (Phi(x) + x phi(x)).

    >>> gelu_pullback(np.array([1.0]), None, np.array([0.0])).tolist()
    [0.5]
    """
    if goes_compiled(x, "f", g, PASSES):
        from autograd.kernels import compiled_activations as compiled

        return in_one_pass(compiled.gelu_back, NANOSECONDS["gelu"], g, x)
    near = np.clip(x, -40.0, 40.0)  # beyond, the density is 0, and a square may be infinite
    density = _DENSITY_AT_0 * np.exp(-0.5 * near * near)
    return g * (0.5 * (1 + erf(x * _ROOT_HALF)) + _product(x, density))


def tanh_pullback(g: Any, out: Any, x: Any) -> Any:
    """g (1 - out^2).

    >>> tanh_pullback(np.array([2.0, 4.0]), np.array([0.0, 0.5]), None).tolist()
    [2.0, 3.0]
    """
    if type(out) is not np.ndarray:
        return g * (1.0 - out * out)
    if out.size >= backend.fewest and goes_compiled(out, "fd", g):
        from autograd.kernels import compiled_activations as compiled

        return in_one_pass(compiled.tanh_back, NANOSECONDS["tanh"], g, out)
    return g * (as_operand(1.0, out.dtype) - out * out)


def fuses(activation: str | None, dtype: np.dtype[Any]) -> bool:
    """Whether the compiled kernels have the activation for this dtype."""
    return activation in (None, "relu") or dtype.char == "f"


def activate_in_place(x: Array, activation: str | None) -> None:
    """Write the activation of a contiguous x over it; None leaves it.

    >>> x = np.array([-1.0, 2.0])
    >>> activate_in_place(x, "relu")
    >>> x.tolist()
    [0.0, 2.0]
    """
    if activation is None:
        return
    if not fuses(activation, x.dtype) or not goes_compiled(x, "fd"):
        x[...] = relu(x) if activation == "relu" else gelu(x)
        return
    from autograd.kernels import compiled_activations as compiled

    kernel = compiled.relu_in_place if activation == "relu" else compiled.gelu_in_place
    flat = x.reshape(-1)
    assert np.shares_memory(flat, x) or not x.size

    parallel_cuts(kernel, (flat,), (), GRAIN, NANOSECONDS[activation] * flat.size)


def _product(x: Any, factor: Any) -> Any:
    """x factor, and 0 where the factor is 0, also for an infinite x."""
    product = np.empty_like(x)  # in the memory order of x
    with np.errstate(invalid="ignore"):
        np.multiply(x, factor, out=product)
    np.copyto(product, 0, where=factor == 0)
    return product if product.ndim else product[()]


def goes_compiled(x: Any, dtypes: str, g: Any = None, passes: int = 1) -> bool:
    """Whether x, an array of one of these dtypes, and a cotangent like it go to a compiled kernel.
    What is to be done takes about as long as `passes` sums of the entries.

    >>> goes_compiled(np.ones(2, np.float16), "fd")
    False
    """
    return (
        type(x) is np.ndarray
        and passes * x.size >= backend.fewest
        and x.dtype.char in dtypes
        and compiled_for(x.dtype, passes * x.size)
        and (g is None or (type(g) is np.ndarray and g.shape == x.shape and g.dtype == x.dtype))
    )


def in_one_pass(
    kernel: Callable[..., None], cost: float, *operands: Array, params: tuple[float, ...] = ()
) -> Array:
    """kernel(*operands, out, *params) over flat memory in the order of the last operand.

    `cost` is in nanoseconds for an entry; `params` are given in the operands' dtype.
    """
    like = operands[-1]
    out = empty_like(like)
    flat = [read_only(_in_memory_order(array, out)) for array in operands]
    if out.flags.c_contiguous:
        target = out.reshape(-1)
    else:
        target = out.ravel(order="K")
        assert np.shares_memory(target, out)
    numbers = tuple([out.dtype.type(param) for param in params])
    parallel_cuts(kernel, (*flat, target), numbers, GRAIN, cost * target.size)
    return out


def _in_memory_order(array: Array, like: Array) -> Array:
    """The entries of `array` one after the other, as those of `like` lie in memory."""
    if array.flags.c_contiguous and like.flags.c_contiguous:
        return array.reshape(-1)
    return in_order_of(like, array).ravel(order="K")
