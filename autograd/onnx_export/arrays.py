"""Translations of operations that move entries, reduce over axes and multiply matrices."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

import numpy as np

from autograd.base import Op
from autograd.onnx_export.elementwise import Translation
from autograd.onnx_export.graph import Graph, Step
from autograd.ops import (
    affine,
    contractions,
    extremes,
    indexing,
    joining,
    moments,
    padding,
    reductions,
    scans,
    shaping,
)

_FIRST: Final = -(2**63)
_LAST: Final = 2**63 - 1


def _reshape(graph: Graph, step: Step) -> list[str]:
    return [graph.reshape(graph.use(step.x), step.shapes[0], step.follows_batch[0], step.title)]


def _transpose(graph: Graph, step: Step) -> list[str]:
    return [graph.node("Transpose", [graph.use(step.x)], perm=list(step.params["axes"]))]


def _broadcast_to(graph: Graph, step: Step) -> list[str]:
    # A size of 1 in Expand leaves the operand's own size.
    sizes = [
        1 if follows else size
        for size, follows in zip(step.shapes[0], step.follows_batch[0], strict=True)
    ]
    aligned = (1,) * (len(sizes) - len(step.x.shape)) + step.x.shape
    for own, size, follows in zip(aligned, step.shapes[0], step.follows_batch[0], strict=True):
        if follows and own != size:
            raise ValueError(
                f"to_onnx: {step.title} repeats a value as often as the batch is long; leave out "
                "dynamic_batch"
            )
    return [graph.node("Expand", [graph.use(step.x), graph.integers(sizes, "shape")])]


def _repeat(graph: Graph, step: Step) -> list[str]:
    after = step.params["axis"] + 1
    sizes = [1] * (len(step.x.shape) + 1)
    sizes[after] = step.params["count"]
    x = graph.node("Unsqueeze", [graph.use(step.x), graph.integers([after], "axes")])
    x = graph.node("Expand", [x, graph.integers(sizes, "shape")])
    return [graph.reshape(x, step.shapes[0], step.follows_batch[0], step.title)]


def _concatenate(graph: Graph, step: Step) -> list[str]:
    parts = [graph.use(operand, step.dtype) for operand in step.operands]
    return [graph.node("Concat", parts, axis=step.params["axis"])]


def _stack(graph: Graph, step: Step) -> list[str]:
    axis = step.params["axis"]
    parts = [
        graph.node("Unsqueeze", [graph.use(operand, step.dtype), graph.integers([axis], "axes")])
        for operand in step.operands
    ]
    return [graph.node("Concat", parts, axis=axis)]


def _split(graph: Graph, step: Step) -> list[str]:
    axis, size = step.params["axis"], step.x.shape[step.params["axis"]]
    ends = [min(max(p + size if p < 0 else p, 0), size) for p in step.params["points"]]
    sizes = [b - a for a, b in pairwise([0, *ends, size])]
    if any(follows[axis] for follows in step.follows_batch) or min(sizes) < 0:
        raise ValueError(f"to_onnx: {step.title} cuts the batch; leave out dynamic_batch")
    inputs = [graph.use(step.x), graph.integers(sizes)]
    return graph.nodes_of("Split", inputs, len(sizes), axis=axis)


def _pad(graph: Graph, step: Step) -> list[str]:
    width = step.params["width"]
    pads = [before for before, _ in width] + [after for _, after in width]
    return [graph.node("Pad", [graph.use(step.x), graph.integers(pads, "pads")])]


def _roll(graph: Graph, step: Step) -> list[str]:
    x = graph.use(step.x)
    for shift, axis in zip(step.params["shift"], step.params["axis"], strict=True):
        size = step.x.shape[axis]
        if not size or shift % size == 0:
            continue
        cut = graph.integers([-(shift % size)], "cut")
        axes = graph.integers([axis], "axes")
        tail = graph.node("Slice", [x, cut, graph.integers([_LAST], "last"), axes])
        head = graph.node("Slice", [x, graph.integers([0], "first"), cut, axes])
        x = graph.node("Concat", [tail, head], axis=axis)
    return [x if x != graph.use(step.x) else graph.node("Identity", [x])]


def _getitem(graph: Graph, step: Step) -> list[str]:
    """Slices, then integers and one array of them by Gather, then new axes."""
    index = step.params["index"]
    items = list(index) if isinstance(index, tuple) else [index]
    x = graph.use(step.x)
    used = sum(_axes_used(item) for item in items)
    if any(item is Ellipsis for item in items):
        place = next(i for i, item in enumerate(items) if item is Ellipsis)
        items[place : place + 1] = [slice(None)] * (len(step.x.shape) - used)
    items += [slice(None)] * (len(step.x.shape) - sum(_axes_used(item) for item in items))
    arrays = [item for item in items if _is_array(item)]
    numbers = [item for item in items if isinstance(item, int | np.integer)]
    if len(arrays) > 1 or (arrays and (numbers or any(item is None for item in items))):
        raise ValueError(
            f"to_onnx: {step.title} indexes by several arrays, or by arrays and numbers, at once; "
            "index one axis after the other"
        )
    x = _sliced(graph, x, [item for item in items if item is not None])
    axis = 0
    new_axes: list[int] = []
    for item in items:
        if item is None:
            new_axes.append(axis)
            axis += 1
        elif isinstance(item, slice):
            axis += 1
        else:
            # Axes to come are inserted at the end, so count only those that x has by now.
            x = _gathered(graph, x, item, axis - len(new_axes), step)
            axis += 0 if isinstance(item, int | np.integer) else 1
    if new_axes:
        x = graph.node("Unsqueeze", [x, graph.integers(new_axes, "axes")])
    return [x if x != graph.use(step.x) else graph.node("Identity", [x])]


def _is_array(item: Any) -> bool:
    return isinstance(item, np.ndarray | str)


def _axes_used(item: Any) -> int:
    if item is None or item is Ellipsis:
        return 0
    return item.ndim if isinstance(item, np.ndarray) and item.dtype.kind == "b" else 1


def _gathered(graph: Graph, x: str, item: Any, axis: int, step: Step) -> str:
    if isinstance(item, str):
        return graph.node("Gather", [x, item], axis=axis)
    array = np.asarray(item)
    if array.dtype.kind == "b":
        if array.ndim != 1:
            raise ValueError(f"to_onnx: {step.title} indexes by a mask of several axes")
        array = np.flatnonzero(array)
    return graph.node("Gather", [x, graph.constant(array.astype(np.int64), "index")], axis=axis)


def _sliced(graph: Graph, x: str, items: list[Any]) -> str:
    starts, ends, axes, steps = [], [], [], []
    for axis, item in enumerate(items):
        if isinstance(item, slice) and item != slice(None):
            step = 1 if item.step is None else int(item.step)
            ends_at = _LAST if step > 0 else _FIRST
            starts_at = 0 if step > 0 else _LAST
            starts.append(starts_at if item.start is None else int(item.start))
            ends.append(ends_at if item.stop is None else int(item.stop))
            axes.append(axis)
            steps.append(step)
    if not axes:
        return x
    parts = zip(("starts", "ends", "axes", "steps"), (starts, ends, axes, steps), strict=True)
    return graph.node("Slice", [x, *(graph.integers(numbers, hint) for hint, numbers in parts)])


def _reduction(kind: str) -> Translation:
    def translate(graph: Graph, step: Step) -> list[str]:
        x = graph.use(step.x, step.dtype)
        if not step.params["axis"]:
            return [graph.node("Identity", [x])]
        return _reduced(kind, x, graph, step)

    return translate


def _reduced(kind: str, x: str, graph: Graph, step: Step) -> list[str]:
    axes = graph.integers(step.params["axis"], "axes")
    return [graph.node(kind, [x, axes], keepdims=int(step.params["keepdims"]))]


def _squares(kind: str) -> Translation:
    def translate(graph: Graph, step: Step) -> list[str]:
        x = graph.use(step.x)
        squares = graph.node("Mul", [x, x])  # integers' in their own dtype, as NumPy's
        if step.x.dtype != step.dtype:
            squares = graph.cast(squares, step.dtype)
        return _reduced(kind, squares, graph, step) if step.params["axis"] else [squares]

    return translate


def _cumsum(graph: Graph, step: Step) -> list[str]:
    axis = graph.constant(np.int64(step.params["axis"]), "axis")
    return [graph.node("CumSum", [graph.use(step.x, step.dtype), axis])]


def _matmul(graph: Graph, step: Step) -> list[str]:
    x, y = (graph.use(operand, step.dtype) for operand in step.operands)
    return [graph.node("MatMul", [x, y])]


def _linear(graph: Graph, step: Step) -> list[str]:
    operands = [graph.use(operand, step.dtype) for operand in step.operands]
    return [graph.node("Gemm", operands, transB=1)]


ARRAYS: dict[Op, Translation] = {
    shaping._reshape: _reshape,
    shaping._transpose: _transpose,
    shaping._broadcast_to: _broadcast_to,
    joining._concatenate: _concatenate,
    joining._stack: _stack,
    joining._split: _split,
    padding._pad_zeros: _pad,
    padding._repeat: _repeat,
    padding._roll: _roll,
    indexing._gather: _getitem,
    reductions._sum: _reduction("ReduceSum"),
    reductions._mean: _reduction("ReduceMean"),
    reductions._prod: _reduction("ReduceProd"),
    moments._sum_of_squares: _squares("ReduceSum"),
    moments._mean_of_squares: _squares("ReduceMean"),
    extremes._max: _reduction("ReduceMax"),
    extremes._min: _reduction("ReduceMin"),
    reductions._logsumexp: _reduction("ReduceLogSumExp"),
    scans._cumsum: _cumsum,
    contractions._matmul: _matmul,
    affine._product: _linear,
    affine._affine: _linear,
}
