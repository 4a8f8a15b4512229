"""Normalizations by a batch's, a layer's or a group's mean and variance."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.dispatch import operations
from autograd.families import Composite
from autograd.kernels import normalization as kernels
from autograd.kernels import row_normalization as by_rows
from autograd.ops.axes import as_shape, shape_of
from autograd.ops.channels import activated, activated_channels, affine_channels, check_activation
from autograd.ops.softmaxes import floats
from autograd.registry import bad, register
from autograd.samples import call, real
from autograd.tensor import Tensor

__all__ = ["batch_norm", "group_norm", "layer_norm"]


def _given(affine: tuple[Any, ...], scaled: bool) -> tuple[Any, Any]:
    """(weight, bias) out of the operands after x, None for what is left out."""
    weight = affine[0] if scaled else None
    rest = affine[1:] if scaled else affine
    return weight, rest[0] if rest else None


def _wanted(dx: Any, dweight: Any, dbias: Any, affine: int, scaled: bool) -> tuple[Any, ...]:
    return (dx, *((dweight,) if scaled else ()), *((dbias,) if affine > scaled else ()))


def _standardised(x: Any, axes: tuple[int, ...], eps: float) -> Any:
    centred = x - operations.mean(x, axes, True)
    variance = operations.mean(operations.square(centred), axes, True)
    return centred / operations.sqrt(variance + eps)


def _affine(x: Any, weight: Any, bias: Any, shape: tuple[int, ...]) -> Any:
    if weight is not None:
        x = x * operations.reshape(weight, shape)
    return x if bias is None else x + operations.reshape(bias, shape)


def _per_channel(x: Any) -> tuple[int, ...]:
    return (1, -1, *(1,) * (len(shape_of(x)) - 2))


def _update(running: Any, batch: Any, momentum: float) -> None:
    if running is not None:
        running *= 1 - momentum
        running += momentum * batch


def _batch_forward(
    x: Any,
    *affine: Any,
    scaled: bool,
    running: Any,
    momentum: float,
    eps: float,
    activation: str | None = None,
) -> Any:
    out, mean, inverse_std = kernels.batch_norm_forward(x, *_given(affine, scaled), eps, activation)
    count = x.size // x.shape[1]
    _update(running[0], mean, momentum)
    if running[1] is not None:
        variance = 1.0 / np.square(inverse_std, dtype=np.float64) - eps
        _update(running[1], variance * (count / max(count - 1, 1)), momentum)
    return out, (mean, inverse_std)


def _batch_pullback(
    cotangent: Any,
    out: Any,
    x: Any,
    *rest: Any,
    scaled: bool,
    activation: str | None = None,
    may_overwrite: bool = False,
    **_: Any,
) -> tuple[Any, ...]:
    *affine, mean, inverse_std = rest
    weight, bias = _given(tuple(affine), scaled)
    back = kernels.batch_norm_backward(
        cotangent, x, weight, mean, inverse_std, bias, activation, may_overwrite
    )
    return _wanted(*back, len(affine), scaled)


def _batch_reference(
    x: Any, *rest: Any, scaled: bool, eps: float, activation: str | None = None, **_: Any
) -> Any:
    axes = (0, *range(2, len(shape_of(x))))
    weight, bias = _given(rest[:-2], scaled)
    out = _affine(_standardised(x, axes, eps), weight, bias, _per_channel(x))
    return activated(out, activation)


_batch_norm: Composite = Composite(
    "batch_norm",
    _batch_forward,
    reference=_batch_reference,
    pullback=_batch_pullback,
    overwrites=True,
    auxiliaries=True,
    analytic=False,
)


def _operands(x: Any, weight: Any, bias: Any) -> tuple[Any, ...]:
    return tuple(value for value in (x, weight, bias) if value is not None)


def _check_running(**arrays: Any) -> None:
    """Running statistics are changed in place, which lists and integers do not allow."""
    for argument, array in arrays.items():
        if array is not None and (
            not isinstance(array, (Tensor, np.ndarray)) or array.dtype.kind != "f"
        ):
            kind = getattr(array, "dtype", type(array).__name__)
            raise TypeError(
                f"batch_norm in training updates {argument} in place and needs an array of floats, "
                f"got {kind}"
            )


def _check_shapes(name: str, shape: tuple[int, ...], **arrays: Any) -> None:
    for argument, array in arrays.items():
        if array is not None and shape_of(array) != shape:
            raise ValueError(f"{name}: {argument} must have shape {shape}, got {shape_of(array)}")


_MEAN, _VARIANCE = np.array([0.5, -0.5]), np.array([1.0, 2.0])


@register(
    [
        call(real(3, 2), None, None, real(2), real(2), training=True),
        call(real(2, 2, 2, 2), None, None, real(2), real(2), True),
        call(real(3, 2, 2), None, None, training=True),
        call(real(3, 2), _MEAN, _VARIANCE, real(2), real(2)),
        call(real(2, 2, 2, 1), _MEAN, _VARIANCE),
        call(real(3, 2), None, None, bias=real(2), training=True),
        call(real(3, 2), None, None, real(2), real(2), training=True, activation="gelu"),
        call(real(3, 2), _MEAN, _VARIANCE, real(2), real(2), activation="gelu"),
    ],
    analytic=False,
    bad=[
        bad(ValueError, r"\(N, C, ...\)", np.ones(3), None, None, training=True),
        bad(
            ValueError,
            "weight must have shape",
            np.ones((3, 2)),
            None,
            None,
            np.ones(3),
            None,
            True,
        ),
        bad(ValueError, "running_mean and running_var", np.ones((3, 2)), None, None),
        bad(TypeError, "running_mean in place", np.ones((3, 1)), [0.0], [1.0], training=True),
        bad(ValueError, "more than 1 value", np.ones((1, 2)), None, None, training=True),
        bad(ValueError, "activation", np.ones((3, 2)), None, None, activation="tanh"),
    ],
)
def batch_norm(
    x: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
    activation: str | None = None,
) -> Any:
    """(x - mean) / sqrt(var + eps) weight + bias per channel of x (N, C, ...).

    The `activation`, "relu" or "gelu", is applied to that in the same pass. In training, mean and
    (biased) variance are the batch's, and the running arrays, if given, move towards them in place:
    r <- (1 - momentum) r + momentum b, with the unbiased variance; else the running ones are used.
    Raises ValueError for shapes that do not fit, one value per channel
    in training, or running statistics missing out of training; TypeError for ones that cannot be
    updated.
    Source: Ioffe & Szegedy, Batch normalization, 2015.

    >>> import autograd as ag
    >>> ag.batch_norm(ag.Tensor([[1.0], [3.0]]), None, None, training=True, eps=0.0)
    Tensor([[-1.],
            [ 1.]])
    """
    x = floats(x, "batch_norm")
    if x.ndim < 2:
        raise ValueError(f"batch_norm takes x (N, C, ...), got shape {x.shape}")
    check_activation("batch_norm", activation)
    _check_shapes(
        "batch_norm",
        x.shape[1:2],
        weight=weight,
        bias=bias,
        running_mean=running_mean,
        running_var=running_var,
    )
    if training:
        _check_running(running_mean=running_mean, running_var=running_var)
        if x.size <= x.shape[1]:
            raise ValueError(
                f"batch_norm in training needs more than 1 value per channel, got x of shape "
                f"{x.shape}; use a larger batch"
            )
        last = {} if activation is None else {"activation": activation}
        return _batch_norm(
            *_operands(x, weight, bias),
            scaled=weight is not None,
            running=(running_mean, running_var),
            momentum=momentum,
            eps=eps,
            **last,
        )
    if running_mean is None or running_var is None:
        raise ValueError("batch_norm needs running_mean and running_var when not training")
    inverse_std = 1.0 / np.sqrt(np.asarray(running_var, x.dtype) + x.dtype.type(eps))
    scale = inverse_std if weight is None else weight * inverse_std
    shift = -np.asarray(running_mean, x.dtype) * scale
    shift = shift if bias is None else shift + bias
    if activation is None:
        return affine_channels(x, scale, shift)
    return activated_channels(x, scale, shift, activation=activation)


def _layer_forward(x: Any, *affine: Any, scaled: bool, axes: int, eps: float) -> Any:
    out, mean, inverse_std = by_rows.layer_norm_forward(x, *_given(affine, scaled), eps, axes)
    return out, (mean, inverse_std)


def _layer_pullback(
    cotangent: Any, out: Any, x: Any, *rest: Any, scaled: bool, axes: int, eps: float
) -> tuple[Any, ...]:
    *affine, mean, inverse_std = rest
    weight, _bias = _given(tuple(affine), scaled)
    back = by_rows.layer_norm_backward(cotangent, x, weight, mean, inverse_std, axes)
    return _wanted(*back, len(affine), scaled)


def _layer_reference(x: Any, *rest: Any, scaled: bool, axes: int, eps: float) -> Any:
    shape = shape_of(x)
    weight, bias = _given(rest[:-2], scaled)
    inner = tuple(range(len(shape) - axes, len(shape)))
    return _affine(_standardised(x, inner, eps), weight, bias, shape[len(shape) - axes :])


_layer_norm: Composite = Composite(
    "layer_norm",
    _layer_forward,
    reference=_layer_reference,
    pullback=_layer_pullback,
    auxiliaries=True,
    analytic=False,
)


@register(
    [
        call(real(2, 3), 3, real(3), real(3)),
        call(real(2, 2, 3), (2, 3)),
        call(real(4), (4,), real(4)),
    ],
    analytic=False,
    bad=[
        bad(ValueError, "end in", np.ones((2, 3)), 2),
        bad(ValueError, "weight must have shape", np.ones((2, 3)), 3, np.ones(2)),
    ],
)
def layer_norm(
    x: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """(x - mean) / sqrt(var + eps) weight + bias over the last axes, whose sizes are given.

    Raises ValueError unless x ends in `normalized_shape`. Source: Ba, Kiros & Hinton, Layer
    normalization, 2016.

    >>> import autograd as ag
    >>> ag.layer_norm(ag.Tensor([1.0, 3.0]), 2, eps=0.0)
    Tensor([-1.,  1.])
    """
    x = floats(x, "layer_norm")
    sizes = as_shape(normalized_shape, "layer_norm")
    if not sizes or len(sizes) > x.ndim or x.shape[x.ndim - len(sizes) :] != sizes:
        raise ValueError(f"layer_norm: x must end in the sizes {sizes}, got shape {x.shape}")
    _check_shapes("layer_norm", sizes, weight=weight, bias=bias)
    return _layer_norm(
        *_operands(x, weight, bias), scaled=weight is not None, axes=len(sizes), eps=eps
    )


def _group_forward(x: Any, *affine: Any, scaled: bool, groups: int, eps: float) -> Any:
    out, mean, inverse_std = by_rows.group_norm_forward(x, groups, *_given(affine, scaled), eps)
    return out, (mean, inverse_std)


def _group_pullback(
    cotangent: Any, out: Any, x: Any, *rest: Any, scaled: bool, groups: int, eps: float
) -> tuple[Any, ...]:
    *affine, mean, inverse_std = rest
    weight, _bias = _given(tuple(affine), scaled)
    back = by_rows.group_norm_backward(cotangent, x, groups, weight, mean, inverse_std)
    return _wanted(*back, len(affine), scaled)


def _group_reference(x: Any, *rest: Any, scaled: bool, groups: int, eps: float) -> Any:
    shape = shape_of(x)
    weight, bias = _given(rest[:-2], scaled)
    rows = operations.reshape(x, (shape[0], groups, int(np.prod(shape[1:])) // groups))
    return _affine(
        operations.reshape(_standardised(rows, (2,), eps), shape), weight, bias, _per_channel(x)
    )


_group_norm: Composite = Composite(
    "group_norm",
    _group_forward,
    reference=_group_reference,
    pullback=_group_pullback,
    auxiliaries=True,
    analytic=False,
)


@register(
    [
        call(real(2, 4, 3), 2, real(4), real(4)),
        call(real(2, 2, 2, 2), 1),
        call(real(2, 4, 3), 2, None, real(4)),
    ],
    analytic=False,
    bad=[
        bad(ValueError, "divide", np.ones((2, 3)), 2),
        bad(ValueError, "weight must have shape", np.ones((2, 4)), 2, np.ones(2)),
    ],
)
def group_norm(
    x: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """(x - mean) / sqrt(var + eps) per group of channels of x (N, C, ...), scaled per channel.

    Raises ValueError unless the groups divide the channels. Source: Wu & He, Group normalization,
    2018.

    >>> import autograd as ag
    >>> ag.group_norm(ag.Tensor([[1.0, 3.0]]), 1, eps=0.0)
    Tensor([[-1.,  1.]])
    """
    x = floats(x, "group_norm")
    if x.ndim < 2 or num_groups < 1 or x.shape[1] % num_groups:
        raise ValueError(
            f"group_norm: {num_groups} groups must divide the channels of x (N, C, ...), got "
            f"shape {x.shape}"
        )
    _check_shapes("group_norm", x.shape[1:2], weight=weight, bias=bias)
    return _group_norm(
        *_operands(x, weight, bias), scaled=weight is not None, groups=num_groups, eps=eps
    )
