"""Translations of convolutions, pooling, normalizations and softmax."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.base import Op
from autograd.onnx_export.elementwise import Terms, Translation, gelu
from autograd.onnx_export.graph import Graph, Step, Value
from autograd.ops import affine, channels, convolutions, normalizations, pooling, softmaxes


def _sides(pairs: Any) -> list[int]:
    """(before, after) pairs as ONNX wants them: all befores, then all afters."""
    return [before for before, _ in pairs] + [after for _, after in pairs]


def _conv(graph: Graph, step: Step) -> list[str]:
    params = step.params
    return [
        graph.node(
            "Conv",
            [graph.use(operand, step.dtype) for operand in step.operands],
            kernel_shape=list(step.operands[1].shape[2:]),
            strides=list(params["stride"]),
            pads=_sides(params["padding"]),
            dilations=list(params["dilation"]),
            group=params["groups"],
        )
    ]


def _gemm(graph: Graph, step: Step) -> str:
    operands = [graph.use(operand, step.dtype) for operand in step.operands]
    return graph.node("Gemm", operands, transB=1)


def _linear_then(graph: Graph, step: Step) -> list[str]:
    return [_activated(graph, step, _gemm(graph, step))]


def _linear_relu(graph: Graph, step: Step) -> list[str]:
    return [graph.node("Relu", [_gemm(graph, step)])]


def _activated(graph: Graph, step: Step, y: str) -> str:
    """The activation that the step has, if it has one."""
    activation = step.params["activation"]
    if activation == "relu":
        return graph.node("Relu", [y])
    return gelu(Terms(graph, step.dtype), y) if activation == "gelu" else y


def _conv_then(*, max_pool: bool) -> Translation:
    """A convolution with an activation, if it has one, and the maxima of windows of 2x2."""

    def translate(graph: Graph, step: Step) -> list[str]:
        (y,) = _conv(graph, step)
        y = _activated(graph, step, y)
        if max_pool:
            y = graph.node("MaxPool", [y], kernel_shape=[2, 2], strides=[2, 2])
        return [y]

    return translate


def _conv_transpose(graph: Graph, step: Step) -> list[str]:
    params = step.params
    kernel = step.operands[1].shape[2:]
    full = [
        (size - 1) * stride + dilation * (k - 1) + 1 - sum(pair)
        for size, stride, dilation, k, pair in zip(
            step.x.shape[2:],
            params["stride"],
            params["dilation"],
            kernel,
            params["padding"],
            strict=True,
        )
    ]
    return [
        graph.node(
            "ConvTranspose",
            [graph.use(operand, step.dtype) for operand in step.operands],
            kernel_shape=list(kernel),
            strides=list(params["stride"]),
            pads=_sides(params["padding"]),
            output_padding=[a - b for a, b in zip(step.shapes[0][2:], full, strict=True)],
            dilations=list(params["dilation"]),
            group=params["groups"],
        )
    ]


def _window(params: dict[str, Any]) -> dict[str, Any]:
    return {
        "kernel_shape": list(params["kernel"]),
        "strides": list(params["stride"]),
        "pads": [*params["padding"], *params["padding"]],
    }


def _max_pool(graph: Graph, step: Step) -> list[str]:
    window = _window(step.params) | {"dilations": list(step.params["dilation"])}
    return [graph.node("MaxPool", [graph.use(step.x)], **window)]


def _average_pool(graph: Graph, step: Step) -> list[str]:
    counted = int(step.params["count_include_pad"])
    window = _window(step.params)
    return [graph.node("AveragePool", [graph.use(step.x)], count_include_pad=counted, **window)]


def _adaptive(graph: Graph, step: Step) -> list[str]:
    """Two matrix products with the bins' weights, or the global mean where there is one bin."""
    x = graph.use(step.x)
    heights, widths = step.params["sizes"]
    if (heights, widths) == (1, 1):
        return [graph.node("GlobalAveragePool", [x])]
    rows = graph.constant(_bins(step.x.shape[2], heights, step.dtype), "rows")
    columns = graph.constant(_bins(step.x.shape[3], widths, step.dtype).T, "columns")
    return [graph.node("MatMul", [graph.node("MatMul", [rows, x]), columns])]


def _bins(size: int, count: int, dtype: Any) -> np.ndarray:
    """The matrix (count, size) of means over [i size / count, (i + 1) size / count)."""
    weights = np.zeros((count, size), dtype)
    for i in range(count):
        begin, end = i * size // count, -((-(i + 1) * size) // count)
        weights[i, begin:end] = 1.0 / (end - begin)
    return weights


def _affine_names(step: Step) -> tuple[Value | None, Value | None]:
    """The operands after x as (weight, bias)."""
    scaled = step.params["scaled"]
    rest = step.operands[2:] if scaled else step.operands[1:]
    return (step.operands[1] if scaled else None), (rest[0] if rest else None)


def _layer_norm(graph: Graph, step: Step) -> list[str]:
    axes = step.params["axes"]
    weight, bias = _affine_names(step)
    inner = step.x.shape[len(step.x.shape) - axes :]
    scale = graph.constant(np.ones(inner, step.dtype), "ones")
    inputs = [graph.use(step.x), scale if weight is None else graph.use(weight, step.dtype)]
    if bias is not None:
        inputs.append(graph.use(bias, step.dtype))
    return [graph.node("LayerNormalization", inputs, axis=-axes, epsilon=step.params["eps"])]


def _group_norm(graph: Graph, step: Step) -> list[str]:
    groups = step.params["groups"]
    length = math.prod(step.x.shape[1:]) // groups
    # A size of 0 in Reshape means the operand's own, here the batch's.
    rows = graph.node("Reshape", [graph.use(step.x), graph.integers([0, groups, length], "shape")])
    ones = graph.constant(np.ones(length, step.dtype), "ones")
    normal = graph.node("LayerNormalization", [rows, ones], axis=-1, epsilon=step.params["eps"])
    out = graph.node("Reshape", [normal, graph.integers([0, *step.shapes[0][1:]], "shape")])
    return [_per_channel(graph, step, out)]


def _batch_norm(graph: Graph, step: Step) -> list[str]:
    """By the statistics of the batch itself, for layers that keep no others."""
    x = graph.use(step.x)
    axes = graph.integers([0, *range(2, len(step.x.shape))], "axes")
    centred = graph.node("Sub", [x, graph.node("ReduceMean", [x, axes])])
    variance = graph.node("ReduceMean", [graph.node("Mul", [centred, centred]), axes])
    eps = graph.constant(np.asarray(step.params["eps"], step.dtype), "eps")
    deviation = graph.node("Sqrt", [graph.node("Add", [variance, eps])])
    return [_per_channel(graph, step, graph.node("Div", [centred, deviation]))]


def _per_channel(
    graph: Graph, step: Step, x: str, affine: tuple[Value | None, Value | None] | None = None
) -> str:
    """x times the weight plus the bias, both along axis 1."""
    sizes = (-1, *(1,) * (len(step.x.shape) - 2))
    for kind, value in zip(("Mul", "Add"), affine or _affine_names(step), strict=True):
        if value is None:
            continue
        if value.name:
            spread = graph.node("Reshape", [graph.use(value), graph.integers(sizes, "shape")])
        else:
            column = np.asarray(value.array).astype(step.dtype).reshape(sizes)
            spread = graph.constant(column, value.hint)
        x = graph.node(kind, [x, spread])
    return x


def _affine_channels(graph: Graph, step: Step) -> list[str]:
    x, weight, bias = step.operands
    return [_per_channel(graph, step, graph.use(x, step.dtype), (weight, bias))]


def _softmax(kind: str) -> Translation:
    def translate(graph: Graph, step: Step) -> list[str]:
        return [graph.node(kind, [graph.use(step.x)], axis=step.params["axis"])]

    return translate


LAYERS: dict[Op, Translation] = {
    affine._affine_activated: _linear_then,
    affine._rectified: _linear_relu,
    channels.affine_channels: _affine_channels,
    convolutions._convolve: _conv,
    convolutions._convolve_biased: _conv,
    convolutions._convolve_activated: _conv_then(max_pool=False),
    convolutions._convolve_pooled: _conv_then(max_pool=True),
    convolutions._input_gradient: _conv_transpose,
    pooling._max_pool: _max_pool,
    pooling._average: _average_pool,
    pooling._adaptive: _adaptive,
    channels.affine_channels: _affine_channels,
    normalizations._layer_norm: _layer_norm,
    normalizations._group_norm: _group_norm,
    normalizations._batch_norm: _batch_norm,
    softmaxes._softmax: _softmax("Softmax"),
    softmaxes._log_softmax: _softmax("LogSoftmax"),
}
