"""Convolutions: one trilinear form T(x, w, g), whose three partials are these records.

y = dT/dg is the convolution, dT/dx its input gradient and dT/dw its weight gradient; each one's
transposes are the other two, so every order of derivative runs on the same three kernels.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.dispatch import operations
from autograd.families import Affine, Composite, Multilinear
from autograd.kernels import convolution as kernels
from autograd.kernels.windows import effective_sizes, padding_pairs, spatial_tuple
from autograd.ops.axes import shape_of
from autograd.ops.channels import activated, check_activation, per_channel, sums_of_channels
from autograd.ops.softmaxes import floats
from autograd.registry import bad, register
from autograd.samples import call, real

__all__ = ["conv1d", "conv2d", "conv_transpose2d"]

Shape = tuple[int, ...]


def _flops(out: Shape, _: Shape, w: Shape, *__: Shape) -> int:
    """Of the sums by definition; Winograd's kernels need fewer."""
    return 2 * math.prod(out) * math.prod(w[1:])


_convolve: Multilinear = Multilinear(
    "conv",
    kernels.convolve,
    (
        lambda cotangent, w, in_shape, **sizes: _input_gradient(
            cotangent, w, shape=in_shape, **sizes
        ),
        lambda cotangent, x, in_shape, **sizes: _weight_gradient(
            x, cotangent, kernel=in_shape[2:], **sizes
        ),
    ),
    analytic=True,
    flops=_flops,
)

_input_gradient: Multilinear = Multilinear(
    "conv_input_gradient",
    lambda g, w, shape, **sizes: kernels.convolve_input_gradient(g, w, shape, **sizes),
    (
        lambda cotangent, w, shape, **sizes: _convolve(cotangent, w, **sizes),
        lambda cotangent, g, in_shape, shape, **sizes: _weight_gradient(
            cotangent, g, kernel=in_shape[2:], **sizes
        ),
    ),
    analytic=True,
    flops=lambda out, g, w: _flops(g, out, w),
)

_weight_gradient: Multilinear = Multilinear(
    "conv_weight_gradient",
    lambda x, g, kernel, **sizes: kernels.convolve_weight_gradient(x, g, kernel, **sizes),
    (
        lambda cotangent, g, in_shape, kernel, **sizes: _input_gradient(
            g, cotangent, shape=in_shape, **sizes
        ),
        lambda cotangent, x, kernel, **sizes: _convolve(x, cotangent, **sizes),
    ),
    analytic=True,
    flops=lambda out, x, g: _flops(g, x, out),
)


_convolve_biased: Affine = Affine(
    "conv",
    lambda x, w, b, **sizes: kernels.convolve(x, w, bias=b, **sizes),
    product=_convolve,
    spread=per_channel,
    collect=sums_of_channels,
    analytic=True,
    flops=_flops,
)

_convolve_activated: Composite = Composite(
    "conv",
    lambda x, w, b, **sizes: kernels.convolve(x, w, bias=b, **sizes),
    reference=lambda x, w, b, activation, **sizes: activated(
        _convolve_biased(x, w, b, **sizes), activation
    ),
    analytic=False,
    flops=_flops,
)


_convolve_pooled: Composite = Composite(
    "conv",
    lambda x, w, b, **sizes: kernels.convolve(x, w, bias=b, pooled=True, **sizes),
    reference=lambda x, w, b, activation, **sizes: operations.max_pool2d(
        activated(_convolve_biased(x, w, b, **sizes), activation), 2
    ),
    analytic=False,
    flops=lambda out, *shapes: 4 * _flops(out, *shapes),
)


def _checked(x: Any, w: Any, b: Any, dims: int, name: str, out_channels: Any) -> tuple[Any, Any]:
    x, w = floats(x, name), floats(w, name)
    if x.ndim != dims + 2 or w.ndim != dims + 2:
        raise ValueError(
            f"{name} takes x (N, C, {'H, W' if dims == 2 else 'L'}) and a weight of as many axes, "
            f"got shapes {x.shape} and {w.shape}"
        )
    if b is not None and shape_of(b) != (out_channels(w),):
        raise ValueError(
            f"{name}: the bias must have shape ({out_channels(w)},) for a weight of shape "
            f"{w.shape}, got {shape_of(b)}"
        )
    return x, w


def _conv(
    x: Any,
    w: Any,
    b: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
    dims: int,
    activation: str | None = None,
    max_pool: bool = False,
) -> Any:
    x, w = _checked(x, w, b, dims, f"conv{dims}d", lambda w: w.shape[0])
    steps = spatial_tuple(stride, dims, "stride")
    spread = spatial_tuple(dilation, dims, "dilation")
    pairs = padding_pairs(padding, w.shape[2:], steps, spread)
    sizes = {"stride": steps, "padding": pairs, "dilation": spread, "groups": groups}
    check_activation(f"conv{dims}d", activation)
    if b is None and (activation is not None or max_pool):
        b = np.zeros(w.shape[0], w.dtype)
    if max_pool:
        return _convolve_pooled(x, w, b, activation=activation, **sizes)
    if activation is not None:
        return _convolve_activated(x, w, b, activation=activation, **sizes)
    return _convolve(x, w, **sizes) if b is None else _convolve_biased(x, w, b, **sizes)


@register(
    [
        call(real(2, 2, 5), real(3, 2, 3), real(3)),
        call(real(1, 2, 6), real(2, 1, 3), None, 2, 1, 1, 2),
        call(real(1, 1, 6), real(1, 1, 2), dilation=2, padding="same"),
    ],
    bad=[
        bad(ValueError, r"\(N, C, L\)", np.ones((2, 2)), np.ones((3, 2, 3))),
        bad(ValueError, "channels", np.ones((1, 2, 5)), np.ones((3, 3, 3))),
    ],
)
def conv1d(
    x: Any,
    w: Any,
    b: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """Cross-correlation of x (N, C, L) with weights w (O, C/groups, k), plus the bias b (O,).

    y[n, o, p] = sum over c, i of w[o, c, i] x[n, c, stride p + dilation i - padding]; `padding`
    may be 'same' (with stride 1) or 'valid'. Raises ValueError for sizes that do not fit.

    >>> import autograd as ag
    >>> ag.conv1d(ag.Tensor([[[1.0, 2.0, 4.0]]]), [[[1.0, -1.0]]])
    Tensor([[[-1., -2.]]])
    """
    return _conv(x, w, b, stride, padding, dilation, groups, 1)


@register(
    [
        call(real(2, 2, 4, 5), real(3, 2, 3, 3), real(3), padding=1),
        call(real(1, 2, 5, 4), real(2, 2, 2, 3), stride=(2, 1)),
        call(real(1, 4, 4, 4), real(4, 2, 3, 3), None, 1, "same", 1, 2),
        call(real(1, 1, 6, 6), real(2, 1, 2, 2), dilation=(2, 1)),
        call(real(1, 2, 3, 3), real(2, 2, 1, 1), real(2)),
        call(real(1, 1, 4, 4), real(1, 1, 2, 2), padding=((1, 0), (0, 2))),
        call(real(1, 2, 3, 3), real(2, 2, 2, 2), real(2), activation="gelu"),
        call(real(1, 1, 5, 4), real(2, 1, 2, 1), activation="relu", max_pool=True),
    ],
    bad=[
        bad(ValueError, r"\(N, C, H, W\)", np.ones((3, 4, 4)), np.ones((2, 3, 3, 3))),
        bad(ValueError, "bias", np.ones((1, 1, 4, 4)), np.ones((2, 1, 3, 3)), np.ones(3)),
        bad(ValueError, "stride", np.ones((1, 1, 4, 4)), np.ones((2, 1, 3, 3)), stride=0),
        bad(ValueError, "same", np.ones((1, 1, 4, 4)), np.ones((2, 1, 3, 3)), None, 2, "same"),
        bad(TypeError, "floats", np.ones((1, 1, 4, 4), int), np.ones((2, 1, 3, 3))),
    ],
)
def conv2d(
    x: Any,
    w: Any,
    b: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    activation: str | None = None,
    max_pool: bool = False,
) -> Any:
    """Cross-correlation of x (N, C, H, W) with weights w (O, C/groups, kh, kw), plus b (O,).

    y[n, o, p] = sum over c, i of w[o, c, i] x[n, c, stride p + dilation i - padding] for pairs p
    and i. `padding` is an int, one per axis, (before, after) pairs, 'same' (with stride 1) or
    'valid'. The `activation`, "relu" or "gelu", is applied to the result in the same pass, and with
    `max_pool` the largest of each 2x2 results is given, as by `max_pool2d(y, 2)`; both for
    inference (sweeps go by way of the convolution, the activation and the pooling). The result lies
    channels last in memory. Raises ValueError for sizes that do not fit, TypeError for integers.
    Source: Dumoulin & Visin, A guide to convolution arithmetic, 2016.

    >>> import autograd as ag
    >>> import numpy as np
    >>> ag.conv2d(ag.Tensor(np.ones((1, 1, 2, 2))), np.ones((1, 1, 2, 2)))
    Tensor([[[[4.]]]])
    """
    return _conv(x, w, b, stride, padding, dilation, groups, 2, activation, max_pool)


@register(
    [
        call(real(2, 3, 3, 4), real(3, 2, 3, 3), real(2)),
        call(real(1, 2, 3, 3), real(2, 1, 3, 3), None, 2, 1, 1),
        call(real(1, 4, 3, 3), real(4, 1, 2, 2), None, 1, 0, 0, 2, 2),
        call(real(1, 1, 3, 3), real(1, 2, 1, 2), None, 1, 0, 1, 1, 2),
        call(real(1, 1, 3, 3), real(1, 1, 2, 2), real(1), 1, (1, 0), 1, 1, 2),
    ],
    bad=[
        bad(
            ValueError,
            "output_padding",
            np.ones((1, 1, 3, 3)),
            np.ones((1, 1, 2, 2)),
            None,
            1,
            0,
            1,
        ),
        bad(ValueError, "channels", np.ones((1, 2, 3, 3)), np.ones((3, 1, 2, 2))),
        bad(ValueError, "groups=0", np.ones((1, 2, 3, 3)), np.ones((2, 1, 2, 2)), groups=0),
        bad(ValueError, "no output", np.ones((1, 1, 1, 1)), np.ones((1, 1, 2, 2)), padding=1),
    ],
)
def conv_transpose2d(
    x: Any,
    w: Any,
    b: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """The transpose of `conv2d`: x (N, C, H, W) with weights w (C, O/groups, kh, kw), plus b (O,).

    Sizes become (H - 1) stride - 2 padding + dilation (kh - 1) + output_padding + 1. Raises
    ValueError for sizes that do not fit, or an output padding that is not smaller than the stride
    or the dilation. Source: Dumoulin & Visin, 2016, section 4.

    >>> import autograd as ag
    >>> import numpy as np
    >>> ag.conv_transpose2d(ag.Tensor(np.ones((1, 1, 1, 1))), np.ones((1, 1, 2, 2)))
    Tensor([[[[1., 1.],
              [1., 1.]]]])
    """
    x, w = _checked(x, w, b, 2, "conv_transpose2d", lambda w: w.shape[1] * groups)
    if x.shape[1] != w.shape[0] or groups < 1 or x.shape[1] % groups:
        raise ValueError(
            f"conv_transpose2d: x of shape {x.shape} must have as many channels as the weight of "
            f"shape {w.shape} has first entries, divisible by groups={groups}"
        )
    steps = spatial_tuple(stride, 2, "stride")
    spread = spatial_tuple(dilation, 2, "dilation")
    extra = spatial_tuple(output_padding, 2, "output_padding", minimum=0)
    if any(e >= max(s, d) for e, s, d in zip(extra, steps, spread, strict=True)):
        raise ValueError(
            f"output_padding {extra} must be smaller than the stride {steps} or the dilation "
            f"{spread}"
        )
    both = spatial_tuple(padding, 2, "padding", minimum=0)
    extents = effective_sizes(w.shape[2:], spread)
    full = tuple(
        (size - 1) * step + extent
        for size, step, extent in zip(x.shape[2:], steps, extents, strict=True)
    )
    # The output is `full` without p before and p - e after; beyond `full` it is zero.
    pairs = tuple((p, max(p - e, 0)) for p, e in zip(both, extra, strict=True))
    zeros = tuple(max(e - p, 0) for p, e in zip(both, extra, strict=True))
    sizes = tuple(size - sum(pair) for size, pair in zip(full, pairs, strict=True))
    if min(sizes) < 1:
        raise ValueError(f"conv_transpose2d of x {x.shape} with padding {both} leaves no output")
    y = _input_gradient(
        x,
        w,
        shape=(x.shape[0], w.shape[1] * groups, *sizes),
        stride=steps,
        padding=pairs,
        dilation=spread,
        groups=groups,
    )
    if any(zeros):
        y = operations.pad(y, ((0, 0), (0, 0), *((0, extra) for extra in zeros)))
    return y if b is None else y + per_channel(b, y.ndim)
