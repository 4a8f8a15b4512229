"""Activation functions under PyTorch's names."""

from __future__ import annotations

from typing import Any

import autograd as ag
from nn.checks import as_floats


def relu(input: Any) -> Any:
    """max(x, 0), with derivative 0 at 0.

    >>> import numpy as np
    >>> relu(np.array([-1.0, 2.0]))
    array([0., 2.])
    """
    return ag.relu(as_floats(input, "relu"))


def leaky_relu(input: Any, negative_slope: float = 0.01) -> Any:
    """x for x > 0, else negative_slope x.

    >>> import numpy as np
    >>> leaky_relu(np.array([-1.0, 2.0]), 0.1)
    array([-0.1,  2. ])
    """
    return ag.leaky_relu(as_floats(input, "leaky_relu"), negative_slope)


def elu(input: Any, alpha: float = 1.0) -> Any:
    """x for x > 0, else alpha (exp(x) - 1) (Clevert et al. 2016).

    >>> import numpy as np
    >>> elu(np.array([0.0, 2.0]))
    array([0., 2.])
    """
    return ag.elu(as_floats(input, "elu"), alpha)


def gelu(input: Any, approximate: str = "none") -> Any:
    """x Phi(x), Phi the normal distribution function (Hendrycks & Gimpel 2016).

    `approximate='tanh'` is the paper's approximation by tanh.

    >>> import numpy as np
    >>> gelu(np.array([0.0]))
    array([0.])
    """
    if approximate not in ("none", "tanh"):
        raise ValueError(f"gelu: approximate must be 'none' or 'tanh', got {approximate!r}")
    return ag.gelu(as_floats(input, "gelu"), approximate=approximate)


def silu(input: Any) -> Any:
    """x sigmoid(x).

    >>> import numpy as np
    >>> silu(np.array([0.0]))
    array([0.])
    """
    return ag.silu(as_floats(input, "silu"))


def sigmoid(input: Any) -> Any:
    """1 / (1 + exp(-x)).

    >>> import numpy as np
    >>> sigmoid(np.array([0.0]))
    array([0.5])
    """
    return ag.sigmoid(as_floats(input, "sigmoid"))


def logsigmoid(input: Any) -> Any:
    """log(sigmoid(x)), without overflow.

    >>> import numpy as np
    >>> logsigmoid(np.array([-1000.0]))
    array([-1000.])
    """
    return ag.log_sigmoid(as_floats(input, "logsigmoid"))


def tanh(input: Any) -> Any:
    """The hyperbolic tangent.

    >>> import numpy as np
    >>> tanh(np.array([0.0]))
    array([0.])
    """
    return ag.tanh(as_floats(input, "tanh"))


def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """log(1 + exp(beta x)) / beta; x itself where beta x > threshold.

    >>> import numpy as np
    >>> softplus(np.array([100.0]))
    array([100.])
    """
    return ag.softplus(as_floats(input, "softplus"), beta=beta, threshold=threshold)


def softmax(input: Any, dim: int) -> Any:
    """exp(x) / sum of exp(x) along `dim`.

    >>> import numpy as np
    >>> softmax(np.array([0.0, 0.0]), dim=0)
    array([0.5, 0.5])
    """
    return ag.softmax(as_floats(input, "softmax"), axis=dim)


def log_softmax(input: Any, dim: int) -> Any:
    """x - log(sum of exp(x)) along `dim`.

    >>> import numpy as np
    >>> log_softmax(np.array([0.0, -1000.0]), dim=0)
    array([    0., -1000.])
    """
    return ag.log_softmax(as_floats(input, "log_softmax"), axis=dim)
