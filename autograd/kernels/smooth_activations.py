"""Sigmoid, tanh and what is made of them, and products of their slopes with a cotangent.

Large float32 arrays go through compiled kernels, one pass over the memory each; the formulas in
NumPy beside them say the same.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from autograd.kernels import special
from autograd.kernels.activations import goes_compiled, in_one_pass

__all__ = [
    "elu",
    "elu_pullback",
    "leaky_relu",
    "leaky_relu_pullback",
    "log_sigmoid",
    "log_sigmoid_pullback",
    "sigmoid",
    "sigmoid_pullback",
    "silu",
    "silu_pullback",
    "softplus",
    "softplus_pullback",
    "tanh",
]

Cost = tuple[float, int]

EXPONENTIAL: Final[Cost] = 0.8, 16
"""About what an entry takes with an exponential, in nanoseconds, and about as many sums of the
entries as take NumPy as long.
"""

PLAIN: Final[Cost] = 0.3, 1
"""The same without an exponential."""

TANH: Final[Cost] = 0.8, 1
"""NumPy's is in vectors too."""


def tanh(x: Any) -> Any:
    """The hyperbolic tangent.

    >>> tanh(np.array([0.0, np.inf])).tolist()
    [0.0, 1.0]
    """
    found = _compiled("tanh", TANH, x)
    return np.tanh(x) if found is None else found


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)).

    >>> sigmoid(np.array([0.0, np.inf])).tolist()
    [0.5, 1.0]
    """
    found = _compiled("sigmoid", EXPONENTIAL, x)
    return special.sigmoid(x) if found is None else found


def sigmoid_pullback(g: Any, out: Any, x: Any) -> Any:
    """g out (1 - out).

    >>> sigmoid_pullback(np.array([2.0]), np.array([0.5]), None).tolist()
    [0.5]
    """
    found = _compiled("sigmoid_back", PLAIN, g, out)
    return g * (out * (1 - out)) if found is None else found


def silu(x: Any) -> Any:
    """x sigmoid(x).

    >>> silu(np.array([0.0])).tolist()
    [0.0]
    """
    found = _compiled("silu", EXPONENTIAL, x)
    return x * special.sigmoid(x) if found is None else found


def silu_pullback(g: Any, out: Any, x: Any) -> Any:
    """g s (1 + x (1 - s)), with s = sigmoid(x).

    >>> silu_pullback(np.array([2.0]), None, np.array([0.0])).tolist()
    [1.0]
    """
    found = _compiled("silu_back", EXPONENTIAL, g, x)
    if found is not None:
        return found
    s = special.sigmoid(x)
    return g * (s * (1 + x * (1 - s)))


def log_sigmoid(x: Any) -> Any:
    """log(sigmoid(x)).

    >>> log_sigmoid(np.array([-1000.0])).tolist()
    [-1000.0]
    """
    found = _compiled("log_sigmoid", EXPONENTIAL, x)
    return special.log_sigmoid(x) if found is None else found


def log_sigmoid_pullback(g: Any, out: Any, x: Any) -> Any:
    """g (1 - exp(out)).

    >>> log_sigmoid_pullback(np.array([2.0]), np.log([0.5]), None).tolist()
    [1.0]
    """
    found = _compiled("log_sigmoid_back", EXPONENTIAL, g, out)
    return g * -np.expm1(out) if found is None else found


def softplus(x: Any, beta: float, threshold: float) -> Any:
    """log(1 + exp(beta x)) / beta; x where beta x > threshold.

    >>> softplus(np.array([100.0]), 1.0, 20.0).tolist()
    [100.0]
    """
    found = _compiled("softplus", EXPONENTIAL, x, params=(beta, threshold))
    if found is not None:
        return found
    scaled = x * beta
    return np.where(scaled > threshold, x, special.softplus(scaled) / beta)


def softplus_pullback(g: Any, out: Any, x: Any, beta: float, threshold: float) -> Any:
    """g sigmoid(beta x), or g where beta x > threshold.

    >>> softplus_pullback(np.array([2.0]), None, np.array([0.0]), 1.0, 20.0).tolist()
    [1.0]
    """
    found = _compiled("softplus_back", EXPONENTIAL, g, x, params=(beta, threshold))
    if found is not None:
        return found
    scaled = x * beta
    return g * np.where(scaled > threshold, 1, special.sigmoid(scaled))


def elu(x: Any, alpha: float) -> Any:
    """x where x > 0, else alpha (exp(x) - 1).

    >>> elu(np.array([2.0, -np.inf]), 3.0).tolist()
    [2.0, -3.0]
    """
    found = _compiled("elu", EXPONENTIAL, x, params=(alpha,))
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0))) if found is None else found


def elu_pullback(g: Any, out: Any, x: Any, alpha: float) -> Any:
    """g where x > 0, else g alpha exp(x).

    >>> elu_pullback(np.array([2.0]), None, np.array([0.0]), 3.0).tolist()
    [6.0]
    """
    found = _compiled("elu_back", EXPONENTIAL, g, x, params=(alpha,))
    return g * np.where(x > 0, 1, alpha * np.exp(np.minimum(x, 0))) if found is None else found


def leaky_relu(x: Any, negative_slope: float) -> Any:
    """x where x > 0, else negative_slope x.

    >>> leaky_relu(np.array([2.0, -2.0]), 0.5).tolist()
    [2.0, -1.0]
    """
    found = _compiled("leaky_relu", PLAIN, x, params=(negative_slope,))
    return np.where(x > 0, x, x * negative_slope) if found is None else found


def leaky_relu_pullback(g: Any, out: Any, x: Any, negative_slope: float) -> Any:
    """g where x > 0, else g negative_slope.

    >>> leaky_relu_pullback(np.array([2.0]), None, np.array([-1.0]), 0.5).tolist()
    [1.0]
    """
    found = _compiled("leaky_relu_back", PLAIN, g, x, params=(negative_slope,))
    return (
        g * np.where(x > 0, np.ones((), x.dtype), np.asarray(negative_slope, x.dtype))
        if found is None
        else found
    )


def _compiled(
    name: str, cost: Cost, *operands: Any, params: tuple[float, ...] = ()
) -> np.ndarray[Any, Any] | None:
    """What the compiled kernel of this name makes of a large float32 array, the last operand, and a
    cotangent before it; None for others.
    """
    *cotangent, x = operands
    nanoseconds, passes = cost
    if not goes_compiled(x, "f", cotangent[0] if cotangent else None, passes):
        return None
    from autograd.kernels import compiled_smooth_activations as compiled

    return in_one_pass(getattr(compiled, name), nanoseconds, *operands, params=params)
