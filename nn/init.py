"""Initial values of parameters, written in place.

Every function takes a Tensor (or an array), overwrites it and gives it back; everything random
takes `rng`, whose default is the generator of `nn.manual_seed`.
"""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np

from autograd import Tensor, no_grad
from autograd.storage import mark_changed
from nn.randomness import choose_rng

__all__ = [
    "calculate_gain",
    "constant_",
    "dirac_",
    "eye_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

Target = TypeVar("Target", Tensor, np.ndarray)
Rng = np.random.Generator | None

_GAINS = {"relu": math.sqrt(2.0), "tanh": 5.0 / 3.0, "selu": 0.75}
_LINEAR = {"linear", "sigmoid", "conv1d", "conv2d", "conv3d"}
_LINEAR |= {"conv_transpose1d", "conv_transpose2d", "conv_transpose3d"}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor that keeps the variance through a non-linearity (PyTorch's table).

    1 for linear maps, convolutions and sigmoid, 5/3 for tanh, sqrt(2) for relu,
    sqrt(2 / (1 + slope^2)) for leaky_relu (`param` is the slope, 0.01 by default), 3/4 for selu.
    Raises ValueError for another name.

    >>> calculate_gain("leaky_relu", 1.0)
    1.0
    """
    if nonlinearity in _LINEAR:
        return 1.0
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else float(param)
        return math.sqrt(2.0 / (1.0 + slope * slope))
    if nonlinearity not in _GAINS:
        known = sorted([*_LINEAR, *_GAINS, "leaky_relu"])
        raise ValueError(f"unknown nonlinearity {nonlinearity!r}; known are {', '.join(known)}")
    return _GAINS[nonlinearity]


def constant_(tensor: Target, value: float) -> Target:
    """Every element `value`.

    >>> import numpy as np
    >>> constant_(np.empty(2), 3.0)
    array([3., 3.])
    """
    return _write(tensor, np.asarray(value))


def zeros_(tensor: Target) -> Target:
    """Every element 0."""
    return constant_(tensor, 0.0)


def ones_(tensor: Target) -> Target:
    """Every element 1."""
    return constant_(tensor, 1.0)


def eye_(tensor: Target) -> Target:
    """The identity matrix; raises ValueError unless the tensor is a matrix."""
    if tensor.ndim != 2:
        raise ValueError(f"eye_ needs a matrix, got shape {tensor.shape}")
    return _write(tensor, np.eye(tensor.shape[0], tensor.shape[1]))


def uniform_(tensor: Target, a: float = 0.0, b: float = 1.0, *, rng: Rng = None) -> Target:
    """Uniform on [a, b).

    >>> import numpy as np
    >>> bool((uniform_(np.empty(100), 2.0, 3.0) >= 2.0).all())
    True
    """
    if not a <= b:
        raise ValueError(f"uniform_ needs a <= b, got a={a}, b={b}")
    return _write(tensor, choose_rng(rng).uniform(a, b, tensor.shape))


def normal_(tensor: Target, mean: float = 0.0, std: float = 1.0, *, rng: Rng = None) -> Target:
    """Normal with the given mean and standard deviation."""
    if std < 0:
        raise ValueError(f"normal_ needs std >= 0, got {std}")
    return _write(tensor, choose_rng(rng).normal(mean, std, tensor.shape))


def trunc_normal_(
    tensor: Target,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    *,
    rng: Rng = None,
) -> Target:
    """Normal(mean, std) conditioned on [a, b], by rejection (Robert 1995).

    Proposals are normal where the interval holds a quarter of the mass, else uniform on the part
    of the interval whose density a float64 can tell from zero.

    >>> import numpy as np
    >>> bool((np.abs(trunc_normal_(np.empty(1000), std=5.0)) <= 2.0).all())
    True
    """
    if not (std > 0 and a < b):
        raise ValueError(f"trunc_normal_ needs std > 0 and a < b, got std={std}, a={a}, b={b}")
    generator = choose_rng(rng)
    low, high = (a - mean) / std, (b - mean) / std
    mass = 0.5 * (math.erf(high / math.sqrt(2.0)) - math.erf(low / math.sqrt(2.0)))
    nearest = min(max(0.0, low), high)
    reach = 40.0 / max(abs(nearest), 1.0) + 10.0
    low_cut, high_cut = max(low, nearest - reach), min(high, nearest + reach)
    values = np.empty(tensor.size)
    missing = np.arange(tensor.size)
    while missing.size:
        if mass > 0.25:
            draws = generator.standard_normal(missing.size)
            accepted = (low <= draws) & (draws <= high)
        else:
            draws = generator.uniform(low_cut, high_cut, missing.size)
            density = np.exp(-0.5 * (draws - nearest) * (draws + nearest))
            accepted = generator.random(missing.size) < density
        values[missing[accepted]] = draws[accepted]
        missing = missing[~accepted]
    return _write(tensor, np.clip(mean + std * values, a, b).reshape(tensor.shape))


def xavier_uniform_(tensor: Target, gain: float = 1.0, *, rng: Rng = None) -> Target:
    """U(-c, c), c = gain sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio 2010)."""
    bound = gain * math.sqrt(6.0 / sum(fans(tensor)))
    return uniform_(tensor, -bound, bound, rng=rng)


def xavier_normal_(tensor: Target, gain: float = 1.0, *, rng: Rng = None) -> Target:
    """N(0, s^2), s = gain sqrt(2 / (fan_in + fan_out)) (Glorot & Bengio 2010)."""
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / sum(fans(tensor))), rng=rng)


def kaiming_uniform_(
    tensor: Target,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    *,
    rng: Rng = None,
) -> Target:
    """U(-c, c), c = gain sqrt(3 / fan), gain for a leaky ReLU of slope `a` (He et al. 2015).

    >>> import numpy as np
    >>> weight = kaiming_uniform_(np.empty((50, 6)), nonlinearity="relu")
    >>> bool((np.abs(weight) <= 1.0).all())
    True
    """
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, rng=rng)


def kaiming_normal_(
    tensor: Target,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    *,
    rng: Rng = None,
) -> Target:
    """N(0, s^2), s = gain / sqrt(fan), gain for a leaky ReLU of slope `a` (He et al. 2015)."""
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), rng=rng)


def orthogonal_(tensor: Target, gain: float = 1.0, *, rng: Rng = None) -> Target:
    """gain times a random matrix with orthonormal rows or columns, whichever are fewer.

    The first axis counts as rows, the others together as columns. Uniform (Haar) on the
    orthogonal group: QR of a normal matrix with the signs of R's diagonal (Mezzadri 2007).

    >>> import numpy as np
    >>> weight = orthogonal_(np.empty((2, 5)))
    >>> bool(np.allclose(weight @ weight.T, np.eye(2)))
    True
    """
    if tensor.ndim < 2:
        raise ValueError(f"orthogonal_ needs at least 2 axes, got shape {tensor.shape}")
    rows, columns = tensor.shape[0], math.prod(tensor.shape[1:])
    draws = choose_rng(rng).standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(draws)
    q = q * np.where(np.diagonal(r) < 0, -1.0, 1.0)
    if rows < columns:
        q = q.T
    return _write(tensor, gain * q.reshape(tensor.shape))


def dirac_(tensor: Target, groups: int = 1) -> Target:
    """A convolution weight that passes its channels through unchanged.

    Raises ValueError unless the tensor has 3 to 5 axes and `groups` divides the output channels.

    >>> import numpy as np
    >>> dirac_(np.empty((1, 1, 3)))
    array([[[0., 1., 0.]]])
    """
    if not 3 <= tensor.ndim <= 5:
        raise ValueError(f"dirac_ needs a weight of 3 to 5 axes, got shape {tensor.shape}")
    outputs, inputs = tensor.shape[:2]
    if groups < 1 or outputs % groups:
        raise ValueError(f"dirac_: groups={groups} does not divide {outputs} output channels")
    values = np.zeros(tensor.shape)
    centre: tuple[int, ...] = tuple(size // 2 for size in tensor.shape[2:])
    per_group = outputs // groups
    for group in range(groups):
        for channel in range(min(per_group, inputs)):
            values[(group * per_group + channel, channel, *centre)] = 1.0
    return _write(tensor, values)


def fans(tensor: Any) -> tuple[int, int]:
    """fan_in and fan_out of a weight of shape (out, in, *kernel); ValueError for fewer axes.

    >>> import numpy as np
    >>> fans(np.empty((8, 3, 5, 5)))
    (75, 200)
    """
    if tensor.ndim < 2:
        raise ValueError(f"fan_in and fan_out need at least 2 axes, got shape {tensor.shape}")
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def _kaiming_std(tensor: Any, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"mode must be 'fan_in' or 'fan_out', got {mode!r}")
    fan = fans(tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan) if fan else 0.0


def _write(tensor: Target, values: np.ndarray) -> Target:
    if isinstance(tensor, Tensor):
        with no_grad():
            tensor.copy_(values)
    else:
        np.copyto(tensor, values, casting="same_kind")
        mark_changed(tensor)
    return tensor
