"""The affine map of a linear layer."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.dispatch import operations
from autograd.families import Affine, Composite, Gated, Multilinear
from autograd.kernels.activations import relu_pullback, relu_pullback_in_place
from autograd.kernels.normalization import channel_sums
from autograd.kernels.products import affine_product, matrix_product
from autograd.ops.axes import data_of
from autograd.ops.channels import activated, check_activation
from autograd.ops.softmaxes import floats
from autograd.registry import bad, register
from autograd.samples import call, real
from autograd.tensor import Tensor

__all__ = ["linear"]


def _turned(x: Any) -> Any:
    return operations.swapaxes(x, 0, 1) if isinstance(x, Tensor) else x.T


def _forward(x: Any, w: Any, b: Any = None, activation: str | None = None) -> Any:
    return matrix_product(x, w.T) if b is None else affine_product(x, w.T, b, activation)


def _flops(out: tuple[int, ...], x: tuple[int, ...], *_: tuple[int, ...]) -> int:
    return 2 * math.prod(out) * x[-1]


def _sum_of_rows(cotangent: Any) -> Any:
    if isinstance(cotangent, Tensor):
        return operations.sum(cotangent, 0)
    return channel_sums(cotangent)


_product: Multilinear = Multilinear(
    "linear",
    _forward,
    (
        lambda cotangent, w: operations.matmul(cotangent, w),
        lambda cotangent, x: operations.matmul(_turned(cotangent), x),
    ),
    analytic=True,
    flops=_flops,
)

_affine: Affine = Affine(
    "linear",
    _forward,
    product=_product,
    spread=lambda b, _dims: b,
    collect=_sum_of_rows,
    analytic=True,
    flops=_flops,
)


def _where_positive(cotangent: Any, out: Any) -> Any:
    if isinstance(cotangent, Tensor):
        return operations.where(data_of(out) > 0, cotangent, 0.0)
    return relu_pullback(cotangent, data_of(out), None)


_rectified: Gated = Gated(
    "linear_relu",
    lambda x, w, b: _forward(x, w, b, "relu"),
    product=_product,
    spread=lambda b, _dims: b,
    collect=_sum_of_rows,
    gate=_where_positive,
    gate_in_place=relu_pullback_in_place,
    overwrites=True,
    kinks=(lambda x, w, b: x @ w.T + b,),
    flops=_flops,
)

_affine_activated: Composite = Composite(
    "linear",
    _forward,
    reference=lambda x, w, b, activation: activated(_affine(x, w, b), activation),
    analytic=False,
    flops=_flops,
)


@register(
    [
        call(real(3, 2), real(4, 2), real(4)),
        call(real(3, 2), real(4, 2)),
        call(real(2), real(3, 2), real(3)),
        call(real(2, 2, 3), real(2, 3), real(2)),
        call(real(0, 2), real(3, 2), real(3)),
        call(real(3, 2), real(4, 2), real(4), activation="relu"),
        call(real(2, 2, 3), real(2, 3), activation="gelu"),
    ],
    bad=[
        bad(ValueError, r"\(3, 2\)", np.ones((4, 3)), np.ones((3, 2))),
        bad(ValueError, "bias", np.ones((4, 2)), np.ones((3, 2)), np.ones(2)),
        bad(TypeError, "linear", np.ones((4, 2), int), np.ones((3, 2))),
        bad(ValueError, "activation", np.ones((4, 2)), np.ones((3, 2)), activation="tanh"),
    ],
)
def linear(x: Any, w: Any, b: Any = None, *, activation: str | None = None) -> Any:
    """x w^T + b over the last axis of x: (..., in) with w (out, in) and b (out,) gives (..., out).

    Recorded as one operation. The `activation`, "relu" or "gelu", is applied to the result in the
    same pass (for "gelu" sweeps go by way of the map and the activation). Raises ValueError for
    sizes that do not fit, TypeError for integers.

    >>> import autograd as ag
    >>> ag.linear(ag.Tensor([1.0, 2.0]), [[3.0, 4.0]], [0.5])
    Tensor([11.5])
    """
    x, w = floats(x, "linear"), floats(w, "linear")
    if w.ndim != 2 or x.ndim == 0 or x.shape[-1] != w.shape[1]:
        raise ValueError(
            f"linear: x of shape {x.shape} does not fit a weight of shape {w.shape}; the last axis "
            "of x must be as long as the weight's second (out, in)"
        )
    if b is not None:
        b = floats(b, "linear")
        if b.shape != w.shape[:1]:
            raise ValueError(f"linear: the bias must have shape {w.shape[:1]}, got {b.shape}")
    rows = x if x.ndim == 2 else operations.reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]))
    check_activation("linear", activation)
    if activation is not None:
        added = np.zeros(w.shape[0], w.dtype) if b is None else b
        if activation == "relu":
            out = _rectified(rows, w, added)
        else:
            out = _affine_activated(rows, w, added, activation=activation)
    else:
        out = _product(rows, w) if b is None else _affine(rows, w, b)
    return out if x.ndim == 2 else operations.reshape(out, (*x.shape[:-1], w.shape[0]))
