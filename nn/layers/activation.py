"""Activation functions as layers."""

from __future__ import annotations

from typing import Any

from nn import functional
from nn.module import Module


class ReLU(Module):
    """max(x, 0), with derivative 0 at 0.

    >>> import nn, numpy as np
    >>> nn.ReLU()(np.array([-1.0, 2.0]))
    array([0., 2.])
    """

    def forward(self, input: Any) -> Any:
        """Entry by entry."""
        return functional.relu(input)


class LeakyReLU(Module):
    """x for x > 0, else negative_slope x.

    >>> import nn, numpy as np
    >>> nn.LeakyReLU()(np.array([-1.0, 2.0]))
    array([-0.01,  2.  ])
    """

    def __init__(self, negative_slope: float = 0.01) -> None:
        self.negative_slope = negative_slope

    def forward(self, input: Any) -> Any:
        """Entry by entry."""
        return functional.leaky_relu(input, self.negative_slope)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}"


class ELU(Module):
    """x for x > 0, else alpha (exp(x) - 1). Source: Clevert, Unterthiner & Hochreiter, 2016.

    >>> import nn, numpy as np
    >>> nn.ELU()(np.array([0.0, 2.0]))
    array([0., 2.])
    """

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def forward(self, input: Any) -> Any:
        """Entry by entry."""
        return functional.elu(input, self.alpha)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}"


class GELU(Module):
    """x Phi(x), or its approximation by tanh. Source: Hendrycks & Gimpel, 2016.

    >>> import nn, numpy as np
    >>> nn.GELU()(np.array([0.0]))
    array([0.])
    """

    def __init__(self, approximate: str = "none") -> None:
        self.approximate = approximate

    def forward(self, input: Any) -> Any:
        """Entry by entry."""
        return functional.gelu(input, self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate}"


class SiLU(Module):
    """x sigmoid(x).

    >>> import nn, numpy as np
    >>> nn.SiLU()(np.array([0.0]))
    array([0.])
    """

    def forward(self, input: Any) -> Any:
        """Entry by entry."""
        return functional.silu(input)


class Sigmoid(Module):
    """1 / (1 + exp(-x)).

    >>> import nn, numpy as np
    >>> nn.Sigmoid()(np.array([0.0]))
    array([0.5])
    """

    def forward(self, input: Any) -> Any:
        """Entry by entry."""
        return functional.sigmoid(input)


class LogSigmoid(Module):
    """log(1 / (1 + exp(-x))), without overflow.

    >>> import nn, numpy as np
    >>> nn.LogSigmoid()(np.array([-100.0]))
    array([-100.])
    """

    def forward(self, input: Any) -> Any:
        """Entry by entry."""
        return functional.logsigmoid(input)


class Tanh(Module):
    """The hyperbolic tangent.

    >>> import nn, numpy as np
    >>> nn.Tanh()(np.array([0.0]))
    array([0.])
    """

    def forward(self, input: Any) -> Any:
        """Entry by entry."""
        return functional.tanh(input)


class Softplus(Module):
    """log(1 + exp(beta x)) / beta; x itself where beta x > threshold.

    >>> import nn, numpy as np
    >>> nn.Softplus()(np.array([50.0]))
    array([50.])
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Any) -> Any:
        """Entry by entry."""
        return functional.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class Softmax(Module):
    """exp(x) / sum(exp(x)) along the axis `dim`.

    >>> import nn, numpy as np
    >>> nn.Softmax()(np.array([0.0, 0.0]))
    array([0.5, 0.5])
    """

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, input: Any) -> Any:
        """Entry by entry, or along `dim`; the same shape."""
        return functional.softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class LogSoftmax(Module):
    """x - log(sum(exp(x))) along the axis `dim`.

    >>> import nn, numpy as np
    >>> nn.LogSoftmax()(np.array([0.0, -1000.0]))
    array([    0., -1000.])
    """

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, input: Any) -> Any:
        """Entry by entry, or along `dim`; the same shape."""
        return functional.log_softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"
