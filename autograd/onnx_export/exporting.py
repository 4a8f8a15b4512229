"""`to_onnx`: a function's calls on an example, translated one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def to_onnx(function: Callable[..., Any], example: Any, *, dynamic_batch: bool = False) -> Any:
    """The inference of a model, or of any function of Tensors, as an `onnx.ModelProto`.

    `example` is the argument, or a tuple of several: Tensors or arrays, whose shapes and dtypes
    the graph gets; with `dynamic_batch` the first axis of each may have any size. The function is
    called without a graph, a module in evaluation mode (its own modes are restored), and what it
    calls is translated to opset 18, validated by onnx's checker. Parameters and buffers keep their
    names, nodes are named after the module that calls them; what depends on no input is computed
    beforehand. The function is called again with the example's entries in reverse order and with
    noise in the place of floats: what would be a constant but differs is an error, not a silent
    constant.

    Write it with `onnx.save(ag.to_onnx(model, example), "model.onnx")`. Needs the extra `onnx`.

    Raises ValueError for an operation without a translation (naming it and the line that called
    it), for values computed outside of operations and for an input that is not used, TypeError for
    an output that is no Tensor.

    >>> import autograd as ag, numpy as np
    >>> proto = ag.to_onnx(lambda x: ag.relu(x) * 2.0, np.ones((2, 3), np.float32))
    >>> [node.op_type for node in proto.graph.node]
    ['Relu', 'Mul']
    """
    try:
        from autograd.onnx_export.inference import export
    except ImportError as error:
        if error.name is None or error.name.partition(".")[0] != "onnx":
            raise
        raise ImportError("to_onnx needs the onnx library: pip install 'dagrad[onnx]'") from error
    return export(function, example, dynamic_batch)
