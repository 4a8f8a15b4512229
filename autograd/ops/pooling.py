"""Pooling: the largest entry or the mean of windows of an image."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.families import Linear, Selection
from autograd.kernels import adaptive_pooling
from autograd.kernels import pooling as kernels
from autograd.kernels.windows import spatial_tuple, windows_overlap
from autograd.ops.softmaxes import floats
from autograd.registry import Kink, bad, register
from autograd.samples import call, real

__all__ = ["adaptive_avg_pool2d", "avg_pool2d", "max_pool2d"]

_gather: Linear = Linear(
    "gather_planes",
    lambda x, indices, **_: kernels.gather_planes(x, indices),
    lambda cotangent, in_shape, indices, **windows: _scatter(
        cotangent, indices=indices, sizes=in_shape[2:], **windows
    ),
    analytic=True,
)

_scatter: Linear = Linear(
    "scatter_planes",
    lambda g, indices, sizes, **windows: kernels.scatter_add_planes(g, indices, sizes, **windows),
    lambda cotangent, indices, sizes, **windows: _gather(cotangent, indices=indices, **windows),
    analytic=True,
)


def _windows_apart(kernel: Any, stride: Any, padding: Any, dilation: Any) -> dict[str, Any]:
    """What the transpose of a selection may know of the windows."""
    side_by_side = kernel == stride and set(padding) == {0} and set(dilation) == {1}
    return {
        "distinct": not windows_overlap(kernel, stride, dilation),
        "tile": kernel if side_by_side else None,
    }


_max_pool: Selection = Selection(
    "max_pool2d",
    kernels.max_pool,
    gather=lambda x, indices, **windows: _gather(x, indices=indices, **_windows_apart(**windows)),
    scatter=lambda cotangent, indices, in_shape, **windows: _scatter(
        cotangent, indices=indices, sizes=in_shape[2:], **_windows_apart(**windows)
    ),
    analytic=False,
)


def _image(x: Any, name: str) -> Any:
    x = floats(x, name)
    if x.ndim != 4:
        raise ValueError(f"{name} takes x (N, C, H, W), got shape {x.shape}")
    return x


def _windows(x: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any) -> dict[str, Any]:
    kernel = spatial_tuple(kernel_size, 2, "kernel_size")
    steps = kernel if stride is None else spatial_tuple(stride, 2, "stride")
    both = spatial_tuple(padding, 2, "padding", minimum=0)
    if any(2 * p > k for p, k in zip(both, kernel, strict=True)):
        raise ValueError(
            f"padding {both} must be at most half the kernel_size {kernel}, or windows hold "
            "nothing else"
        )
    spread = spatial_tuple(dilation, 2, "dilation")
    for size, p, k, d in zip(x.shape[2:], both, kernel, spread, strict=True):
        if size + 2 * p < d * (k - 1) + 1:
            raise ValueError(
                f"pooling: windows of kernel_size {kernel} and dilation {spread} do not fit into "
                f"an image of shape {x.shape} with padding {both}"
            )
    return {"kernel": kernel, "stride": steps, "padding": both, "dilation": spread}


_POOL_ERRORS = (
    bad(ValueError, r"\(N, C, H, W\)", np.ones((2, 3)), 2),
    bad(ValueError, "half", np.ones((1, 1, 4, 4)), 2, None, 2),
    bad(ValueError, "do not fit", np.ones((1, 1, 2, 2)), 3),
    bad(TypeError, "kernel_size", np.ones((1, 1, 4, 4)), 1.5),
)


@register(
    [
        call(real(2, 2, 4, 4, distinct=True), 2),
        call(real(1, 2, 5, 5, distinct=True), 3, 2, 1),
        call(real(1, 1, 5, 6, distinct=True), (2, 3), 1),
        call(real(1, 1, 5, 5, distinct=True), 2, 1, 0, 2),
    ],
    analytic=False,
    bad=_POOL_ERRORS,
    kinks=(
        Kink(
            (np.ones((1, 1, 2, 2)), 2),
            (np.array([[[[1.0, 0.0], [0.0, 0.0]]]]), None),
            "max_pool2d takes the first of equal entries",
        ),
    ),
)
def max_pool2d(
    x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1
) -> Any:
    """The largest entry of each window of x (N, C, H, W); padding counts as -inf.

    The stride is the kernel's size unless given. Of equal entries the first has the derivative.
    Raises ValueError for sizes that do not fit. Source: Zhou & Chellappa, Computation of optical
    flow using a neural network, 1988.

    >>> import autograd as ag
    >>> ag.max_pool2d(ag.Tensor([[[[1.0, 3.0], [2.0, 0.0]]]]), 2)
    Tensor([[[[3.]]]])
    """
    x = _image(x, "max_pool2d")
    return _max_pool(x, **_windows(x, kernel_size, stride, padding, dilation))


_average: Linear = Linear(
    "avg_pool2d",
    lambda x, **windows: kernels.average_pool(x, **windows),
    lambda cotangent, in_shape, **windows: _average_transpose(cotangent, shape=in_shape, **windows),
    analytic=True,
)

_average_transpose: Linear = Linear(
    "avg_pool2d_transpose",
    lambda g, shape, **windows: kernels.average_pool_transpose(g, shape, **windows),
    lambda cotangent, shape, **windows: _average(cotangent, **windows),
    analytic=True,
)


@register(
    [
        call(real(2, 2, 4, 4), 2),
        call(real(1, 1, 5, 5), 3, 2, 1),
        call(real(1, 1, 5, 5), 3, 2, 1, False),
        call(real(1, 1, 4, 5), (2, 3), 1),
    ],
    bad=_POOL_ERRORS,
)
def avg_pool2d(
    x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, count_include_pad: bool = True
) -> Any:
    """The mean of each window of x (N, C, H, W); padding counts as zeros, or not at all.

    The stride is the kernel's size unless given. Raises ValueError for sizes that do not fit.

    >>> import autograd as ag
    >>> ag.avg_pool2d(ag.Tensor([[[[1.0, 3.0], [2.0, 0.0]]]]), 2)
    Tensor([[[[1.5]]]])
    """
    x = _image(x, "avg_pool2d")
    windows = _windows(x, kernel_size, stride, padding, 1)
    del windows["dilation"]
    return _average(x, **windows, count_include_pad=bool(count_include_pad))


_adaptive: Linear = Linear(
    "adaptive_avg_pool2d",
    lambda x, sizes: adaptive_pooling.adaptive_average_pool(x, sizes),
    lambda cotangent, in_shape, sizes: _adaptive_transpose(cotangent, shape=in_shape),
    analytic=True,
)

_adaptive_transpose: Linear = Linear(
    "adaptive_avg_pool2d_transpose",
    lambda g, shape: adaptive_pooling.adaptive_average_pool_transpose(g, shape),
    lambda cotangent, in_shape, shape: _adaptive(cotangent, sizes=in_shape[2:]),
    analytic=True,
)


@register(
    [
        call(real(2, 2, 4, 4), 2),
        call(real(1, 1, 5, 3), (2, 2)),
        call(real(1, 1, 3, 4), (None, 1)),
        call(real(1, 1, 3, 4), (1, None)),
        call(real(2, 1, 3, 4), (None, None)),
    ],
    bad=[
        bad(ValueError, r"\(N, C, H, W\)", np.ones((2, 3)), 2),
        bad(TypeError, "output_size", np.ones((1, 1, 4, 4)), 1.5),
    ],
)
def adaptive_avg_pool2d(x: Any, output_size: Any) -> Any:
    """Means over `output_size` bins of x (N, C, H, W): bin i of L is [i L / out, (i + 1) L / out),
    rounded outwards. None keeps a size.

    Raises ValueError for an x of other dimensions, TypeError for sizes that are no ints.

    >>> import autograd as ag
    >>> ag.adaptive_avg_pool2d(ag.Tensor([[[[1.0, 3.0], [2.0, 0.0]]]]), 1)
    Tensor([[[[1.5]]]])
    """
    x = _image(x, "adaptive_avg_pool2d")
    given = output_size if isinstance(output_size, (tuple, list)) else (output_size,) * 2
    filled = tuple(
        x.shape[2 + i] if size is None and i < 2 else size for i, size in enumerate(given)
    )
    return _adaptive(x, sizes=spatial_tuple(filled, 2, "output_size"))
