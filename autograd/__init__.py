"""dagrad: one recorded graph, two sweeps.

`import autograd as ag` gives the Tensor, the transforms, and every operation under its NumPy name
(else the field's). Submodules: `ag.linalg`, `ag.op` (define an operation), `ag.testing` (check
derivatives; loaded when used).
"""

from __future__ import annotations

from autograd import op
from autograd.anomaly import (
    AnomalyError,
)
from autograd.errors import (
    TrackedTensorError,
)
from autograd.graph_sweeps import (
    pullback,
    pushforward,
)
from autograd.modes import (
    detect_anomaly,
    enable_grad,
    keep_values,
    no_grad,
)
from autograd.ops.activations import (
    elu,
    gelu,
    leaky_relu,
    log_sigmoid,
    relu,
    sigmoid,
    silu,
    softplus,
)
from autograd.ops.arithmetic import (
    add,
    divide,
    floor_divide,
    multiply,
    negative,
    positive,
    power,
    reciprocal,
    remainder,
    square,
    subtract,
)
from autograd.ops.choosing import (
    absolute,
    ceil,
    clip,
    floor,
    maximum,
    minimum,
    rint,
    round,
    sign,
    trunc,
    where,
)
from autograd.ops.transcendental import (
    arccos,
    arccosh,
    arcsin,
    arcsinh,
    arctan,
    arctan2,
    arctanh,
    cbrt,
    cos,
    cosh,
    erf,
    exp,
    exp2,
    expm1,
    hypot,
    log,
    log1p,
    log2,
    log10,
    logaddexp,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
)
from autograd.tensor import (
    Tensor,
)
from autograd.transforms import (
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    linearize,
    value_and_grad,
    vjp,
)

__all__ = [
    "AnomalyError",
    "Tensor",
    "TrackedTensorError",
    "absolute",
    "add",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "cbrt",
    "ceil",
    "clip",
    "cos",
    "cosh",
    "detect_anomaly",
    "divide",
    "elu",
    "enable_grad",
    "erf",
    "exp",
    "exp2",
    "expm1",
    "floor",
    "floor_divide",
    "gelu",
    "grad",
    "hessian",
    "hvp",
    "hypot",
    "jacobian",
    "jvp",
    "keep_values",
    "leaky_relu",
    "linearize",
    "log",
    "log10",
    "log1p",
    "log2",
    "log_sigmoid",
    "logaddexp",
    "maximum",
    "minimum",
    "multiply",
    "negative",
    "no_grad",
    "op",
    "positive",
    "power",
    "pullback",
    "pushforward",
    "reciprocal",
    "relu",
    "remainder",
    "rint",
    "round",
    "sigmoid",
    "sign",
    "silu",
    "sin",
    "sinh",
    "softplus",
    "sqrt",
    "square",
    "subtract",
    "tan",
    "tanh",
    "testing",
    "trunc",
    "value_and_grad",
    "vjp",
    "where",
]


def __getattr__(name: str) -> object:
    """`ag.testing`, loaded when it is first used."""
    if name == "testing":
        import importlib

        return importlib.import_module("autograd.testing")
    raise AttributeError(f"module 'autograd' has no attribute {name!r}")
