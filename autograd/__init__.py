"""dagrad: one recorded graph, two sweeps.

`import autograd as ag` gives the Tensor, the transforms, and every operation under its NumPy name
(else the field's). Submodules: `ag.linalg`, `ag.op` (define an operation), `ag.testing` (check
derivatives).
"""

from __future__ import annotations

from autograd import _installation as _installation
from autograd import linalg, op, testing
from autograd.anomaly import (
    AnomalyError,
)
from autograd.configuration import (
    show_config,
)
from autograd.dlpack import (
    from_dlpack,
)
from autograd.drawing import (
    RenderingError,
    draw,
    draw_html,
    show_tree,
)
from autograd.errors import (
    TrackedTensorError,
)
from autograd.graph_sweeps import (
    pullback,
    pushforward,
)
from autograd.jacobians import (
    hessian,
    hvp,
    jacobian,
)
from autograd.kernels.backend import (
    use_winograd,
)
from autograd.kernels.matrix_units import (
    use_matrix_units,
)
from autograd.kernels.warm_up import (
    watch_compilation,
)
from autograd.kernels.workers import (
    get_num_threads,
    set_num_threads,
)
from autograd.modes import (
    detect_anomaly,
    enable_grad,
    keep_values,
    no_grad,
)
from autograd.onnx_export import (
    to_onnx,
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
from autograd.ops.affine import linear
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
from autograd.ops.contractions import (
    dot,
    inner,
    kron,
    matmul,
    outer,
    tensordot,
)
from autograd.ops.convolutions import (
    conv1d,
    conv2d,
    conv_transpose2d,
)
from autograd.ops.diagonals import (
    diag,
    diagonal,
    trace,
    tril,
    triu,
)
from autograd.ops.einstein import (
    einsum,
)
from autograd.ops.embeddings import (
    embedding,
)
from autograd.ops.extremes import max, min
from autograd.ops.indexing import (
    at,
    getitem,
    index_add,
    index_set,
)
from autograd.ops.joining import (
    concatenate,
    split,
    stack,
)
from autograd.ops.losses import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    mse_loss,
)
from autograd.ops.margins import (
    multi_margin_loss,
    multiclass_hinge,
)
from autograd.ops.matrices import (
    norm,
)
from autograd.ops.moments import (
    std,
    var,
)
from autograd.ops.normalizations import (
    batch_norm,
    group_norm,
    layer_norm,
)
from autograd.ops.padding import (
    flip,
    pad,
    repeat,
    roll,
    sort,
    tile,
)
from autograd.ops.pooling import (
    adaptive_avg_pool2d,
    avg_pool2d,
    max_pool2d,
)
from autograd.ops.reductions import (
    logsumexp,
    mean,
    prod,
    sum,
)
from autograd.ops.regularization import (
    dropout,
)
from autograd.ops.scans import (
    cumprod,
    cumsum,
)
from autograd.ops.shaping import (
    astype,
    broadcast_to,
    copy,
    expand_dims,
    moveaxis,
    ravel,
    reshape,
    squeeze,
    swapaxes,
    transpose,
)
from autograd.ops.softmaxes import (
    log_softmax,
    softmax,
)
from autograd.ops.taking import take, take_along_axis
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
from autograd.profiling import (
    profile,
)
from autograd.tensor import (
    Tensor,
)
from autograd.transforms import (
    grad,
    jvp,
    linearize,
    value_and_grad,
    vjp,
)

__all__ = [
    "AnomalyError",
    "RenderingError",
    "Tensor",
    "TrackedTensorError",
    "absolute",
    "adaptive_avg_pool2d",
    "add",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "astype",
    "at",
    "avg_pool2d",
    "batch_norm",
    "binary_cross_entropy_with_logits",
    "broadcast_to",
    "cbrt",
    "ceil",
    "clip",
    "concatenate",
    "conv1d",
    "conv2d",
    "conv_transpose2d",
    "copy",
    "cos",
    "cosh",
    "cross_entropy",
    "cumprod",
    "cumsum",
    "detect_anomaly",
    "diag",
    "diagonal",
    "divide",
    "dot",
    "draw",
    "draw_html",
    "dropout",
    "einsum",
    "elu",
    "embedding",
    "enable_grad",
    "erf",
    "exp",
    "exp2",
    "expand_dims",
    "expm1",
    "flip",
    "floor",
    "floor_divide",
    "from_dlpack",
    "gelu",
    "get_num_threads",
    "getitem",
    "grad",
    "group_norm",
    "hessian",
    "hvp",
    "hypot",
    "index_add",
    "index_set",
    "inner",
    "jacobian",
    "jvp",
    "keep_values",
    "kron",
    "layer_norm",
    "leaky_relu",
    "linalg",
    "linear",
    "linearize",
    "log",
    "log1p",
    "log2",
    "log10",
    "log_sigmoid",
    "log_softmax",
    "logaddexp",
    "logsumexp",
    "matmul",
    "max",
    "max_pool2d",
    "maximum",
    "mean",
    "min",
    "minimum",
    "moveaxis",
    "mse_loss",
    "multi_margin_loss",
    "multiclass_hinge",
    "multiply",
    "negative",
    "no_grad",
    "norm",
    "op",
    "outer",
    "pad",
    "positive",
    "power",
    "prod",
    "profile",
    "pullback",
    "pushforward",
    "ravel",
    "reciprocal",
    "relu",
    "remainder",
    "repeat",
    "reshape",
    "rint",
    "roll",
    "round",
    "set_num_threads",
    "show_config",
    "show_tree",
    "sigmoid",
    "sign",
    "silu",
    "sin",
    "sinh",
    "softmax",
    "softplus",
    "sort",
    "split",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "std",
    "subtract",
    "sum",
    "swapaxes",
    "take",
    "take_along_axis",
    "tan",
    "tanh",
    "tensordot",
    "testing",
    "tile",
    "to_onnx",
    "trace",
    "transpose",
    "tril",
    "triu",
    "trunc",
    "use_matrix_units",
    "use_winograd",
    "value_and_grad",
    "var",
    "vjp",
    "watch_compilation",
    "where",
]
