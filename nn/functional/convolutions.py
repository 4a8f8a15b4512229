"""Convolutions and pooling under PyTorch's names; images are (N, C, H, W) or (C, H, W)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd as ag
from nn.checks import IntOrPair, as_floats, pair, single

Padding = IntOrPair | str


def conv1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: int = 1,
    padding: int | str = 0,
    dilation: int = 1,
    groups: int = 1,
) -> Any:
    """Cross-correlation of (N, C, L) with weight (out, C/groups, k): the sum over c, i of
    x[n, c, stride t + dilation i - padding] w[o, c, i], plus bias[o].

    `padding` may be 'same' (needs stride 1) or 'valid'. Raises ValueError for sizes that do not
    fit.

    >>> import numpy as np
    >>> conv1d(np.array([[[1.0, 2.0, 3.0]]]), np.array([[[1.0, 1.0]]]))
    array([[[3., 5.]]])
    """
    input = as_floats(input, "conv1d")
    stride, dilation = single(stride, "stride"), single(dilation, "dilation")
    width = _padding(padding, stride, lambda p: single(p, "padding", 0))
    return _on_batch(
        input,
        3,
        "conv1d",
        lambda x: ag.conv1d(
            x, weight, bias, stride=stride, padding=width, dilation=dilation, groups=groups
        ),
    )


def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: IntOrPair = 1,
    padding: Padding = 0,
    dilation: IntOrPair = 1,
    groups: int = 1,
    activation: str | None = None,
    max_pool: bool = False,
) -> Any:
    """Cross-correlation of (N, C, H, W) with weight (out, C/groups, kh, kw), plus bias (out,).

    Sizes become (H + 2 padding - dilation (kh - 1) - 1) // stride + 1. `padding` may be 'same'
    (needs stride 1) or 'valid'. The `activation`, "relu" or "gelu", is applied to the result in
    the same pass, and with `max_pool` the largest of each 2x2 is given, both for inference. Raises
    ValueError for sizes that do not fit.

    >>> import numpy as np
    >>> conv2d(np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2)))
    array([[[[4., 4.],
             [4., 4.]]]])
    """
    input = as_floats(input, "conv2d")
    stride, dilation = pair(stride, "stride"), pair(dilation, "dilation")
    width = _padding(padding, stride, lambda p: pair(p, "padding", 0))
    last: dict[str, Any] = {} if activation is None else {"activation": activation}
    if max_pool:
        last["max_pool"] = True
    return _on_batch(
        input,
        4,
        "conv2d",
        lambda x: ag.conv2d(x, weight, bias, stride, width, dilation, groups, **last),
    )


def conv_transpose2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: IntOrPair = 1,
    padding: IntOrPair = 0,
    output_padding: IntOrPair = 0,
    groups: int = 1,
    dilation: IntOrPair = 1,
) -> Any:
    """The transpose of conv2d in its input: (N, in, H, W) with weight (in, out/groups, kh, kw).

    Sizes become (H - 1) stride - 2 padding + dilation (kh - 1) + output_padding + 1.

    >>> import numpy as np
    >>> conv_transpose2d(np.array([[[[1.0, 2.0]]]]), np.ones((1, 1, 1, 2)))
    array([[[[1., 3., 2.]]]])
    """
    input = as_floats(input, "conv_transpose2d")
    options = {
        "stride": pair(stride, "stride"),
        "padding": pair(padding, "padding", 0),
        "output_padding": pair(output_padding, "output_padding", 0),
        "dilation": pair(dilation, "dilation"),
    }
    return _on_batch(
        input,
        4,
        "conv_transpose2d",
        lambda x: ag.conv_transpose2d(x, weight, bias, groups=groups, **options),
    )


def max_pool2d(
    input: Any,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    padding: IntOrPair = 0,
    dilation: IntOrPair = 1,
) -> Any:
    """The largest element of each window (the first one takes the gradient); stride None means
    the kernel's size.

    >>> import numpy as np
    >>> max_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2)
    array([[[[ 5.,  7.],
             [13., 15.]]]])
    """
    input = as_floats(input, "max_pool2d")
    kernel, strides, width = _window(kernel_size, stride, padding)
    holes = pair(dilation, "dilation")
    return _on_batch(
        input,
        4,
        "max_pool2d",
        lambda x: ag.max_pool2d(x, kernel, stride=strides, padding=width, dilation=holes),
    )


def avg_pool2d(
    input: Any,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    padding: IntOrPair = 0,
    *,
    count_include_pad: bool = True,
) -> Any:
    """The mean of each window; stride None means the kernel's size.

    >>> import numpy as np
    >>> avg_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2)
    array([[[[ 2.5,  4.5],
             [10.5, 12.5]]]])
    """
    input = as_floats(input, "avg_pool2d")
    kernel, strides, width = _window(kernel_size, stride, padding)
    return _on_batch(
        input,
        4,
        "avg_pool2d",
        lambda x: ag.avg_pool2d(
            x, kernel, stride=strides, padding=width, count_include_pad=count_include_pad
        ),
    )


def adaptive_avg_pool2d(input: Any, output_size: int | tuple[int | None, int | None] | None) -> Any:
    """Means over windows that divide the image into `output_size` (None keeps a side's size).

    Window i of n along a side of size s is [floor(i s / n), ceil((i + 1) s / n)).

    >>> import numpy as np
    >>> adaptive_avg_pool2d(np.arange(4.0).reshape(1, 1, 2, 2), 1)
    array([[[[1.5]]]])
    """
    input = as_floats(input, "adaptive_avg_pool2d")
    sides = output_size if isinstance(output_size, (tuple, list)) else (output_size, output_size)
    if len(sides) != 2:
        raise ValueError(f"output_size must be one number or two, got {output_size!r}")

    def pool(x: Any) -> Any:
        wanted = [x.shape[2 + i] if side is None else side for i, side in enumerate(sides)]
        return ag.adaptive_avg_pool2d(x, pair(wanted, "output_size"))

    return _on_batch(input, 4, "adaptive_avg_pool2d", pool)


def _window(
    kernel_size: Any, stride: Any, padding: Any
) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
    kernel = pair(kernel_size, "kernel_size")
    strides = kernel if stride is None else pair(stride, "stride")
    width = pair(padding, "padding", 0)
    if any(2 * p > k for p, k in zip(width, kernel, strict=True)):
        raise ValueError(
            f"padding {width} must be at most half the kernel_size {kernel}, "
            "or windows would lie in the padding"
        )
    return kernel, strides, width


def _padding(padding: Any, stride: Any, widths: Callable[[Any], Any]) -> Any:
    if not isinstance(padding, str):
        return widths(padding)
    if padding == "valid":
        return 0
    if padding != "same":
        raise ValueError(f"padding must be a number, 'same' or 'valid', got {padding!r}")
    if stride not in (1, (1, 1)):
        raise ValueError(f"padding='same' needs stride 1, got {stride}")
    return "same"


def _on_batch(input: Any, ndim: int, who: str, function: Callable[[Any], Any]) -> Any:
    """Call `function` on a batch; one without the batch axis gets it for the call."""
    if input.ndim == ndim:
        return function(input)
    if input.ndim != ndim - 1:
        raise ValueError(
            f"{who} takes an input of {ndim} axes (or {ndim - 1}, without the batch), "
            f"got shape {input.shape}"
        )
    return function(input.reshape((1, *input.shape)))[0]
