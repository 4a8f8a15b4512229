"""A recorded program as a model of ONNX."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import onnx
from onnx import checker, helper

from autograd.node import describe_place
from autograd.onnx_export.arrays import ARRAYS
from autograd.onnx_export.calls import Program, Source
from autograd.onnx_export.comparison import constant_of, is_same_choice
from autograd.onnx_export.elementwise import ELEMENTWISE
from autograd.onnx_export.graph import IR_VERSION, OPSET, Graph, Step, Value
from autograd.onnx_export.layers import LAYERS
from autograd.onnx_export.naming import Names

TRANSLATIONS: Final = {**ELEMENTWISE, **ARRAYS, **LAYERS}
_LARGEST: Final = 2**31 - 2**20
"""A protobuf message ends at 2 GiB."""


class _Builder:
    """Translates call after call, with the names of what is there so far."""

    def __init__(self, first: Program, second: Program, depends: list[bool], names: Names) -> None:
        self.first = first
        self.second = second
        self.depends = depends
        self.names = names
        self.graph = Graph()
        self.found: dict[Source, Value] = {}
        self.used: set[Source] = set()

    def operand(self, operand: Any, shape: tuple[int, ...]) -> Value:
        """An operand as a Value: a name in the graph, or a constant with a hint for its name."""
        constant = constant_of(self.first, self.depends, operand)
        if constant is None:
            self.used.add(operand)
            return self.found[operand]
        dtype = np.asarray(constant).dtype
        return Value(shape, dtype, array=constant, hint=self.hint(operand, constant))

    def hint(self, operand: Any, constant: Any) -> str:
        """A parameter's path; for what was made of one, with the operations that made it."""
        path = self.names.value(operand) or self.names.value(constant)
        if path:
            return path
        if isinstance(operand, Source):
            call = self.first.calls[operand.call]
            for part in call.operands:
                own = self.hint(part, constant_of(self.first, self.depends, part))
                if own != "constant":
                    return f"{own}.{call.op.name}"
            scope = self.names.module(call.scope)
            return f"{scope}.{call.op.name}" if scope else call.op.name
        return "constant"

    def translate(self, number: int) -> None:
        call, other = self.first.calls[number], self.second.calls[number]
        path = self.names.module(call.scope)
        title = f"{call.op.name}, called at {describe_place(call.place)}"
        if path:
            title += f" in {path}"
        follows = tuple(
            tuple(a != b for a, b in zip(shape, changed, strict=True))
            for shape, changed in zip(call.out_shapes, other.out_shapes, strict=True)
        )
        self.graph.prefix = f"{path}/" if path else ""
        operands = tuple(map(self.operand, call.operands, call.shapes))
        if is_same_choice(call):
            names = [self.graph.use(operands[0])]
        elif call.op not in TRANSLATIONS:
            raise ValueError(
                f"to_onnx has no translation of {title}; write it with operations that have one, "
                "listed in docs/interchange.md"
            )
        else:
            params = {name: self.parameter(value) for name, value in call.params.items()}
            step = Step(operands, params, call.out_shapes, call.out_dtypes, follows, title)
            names = TRANSLATIONS[call.op](self.graph, step)
        for index, name in enumerate(names):
            self.found[Source(number, index)] = Value(
                call.out_shapes[index], call.out_dtypes[index], name
            )

    def parameter(self, value: Any) -> Any:
        """A parameter with names in the place of the program's values."""
        if type(value) is tuple:
            return tuple(self.parameter(item) for item in value)
        if not isinstance(value, Source):
            return value
        constant = constant_of(self.first, self.depends, value)
        if constant is not None:
            return constant
        self.used.add(value)
        return self.found[value].name


def build(
    first: Program,
    second: Program,
    depends: list[bool],
    names: Names,
    arrays: list[np.ndarray],
    argument_names: list[str],
    dynamic_batch: bool,
) -> onnx.ModelProto:
    """The model, checked. Raises ValueError for what cannot be translated."""
    builder = _Builder(first, second, depends, names)
    graph = builder.graph
    inputs = []
    for index, (array, wanted) in enumerate(zip(arrays, argument_names, strict=True)):
        name = graph.unique(wanted)
        builder.found[Source(-1, index)] = Value(array.shape, array.dtype, name)
        shape: list[Any] = list(array.shape)
        if dynamic_batch:
            shape[0] = "batch"
        inputs.append(_info(name, array.dtype, shape))
    for number, dependent in enumerate(depends):
        if dependent:
            builder.translate(number)
    outputs = []
    for (path, source, value), (_, _, other) in zip(first.outputs, second.outputs, strict=True):
        graph.prefix = ""
        result = builder.operand(source, value.shape)
        name = _as_output(graph, graph.use(result), graph.unique(path))
        changed = zip(value.shape, other.shape, strict=True)
        shape = [_size(a, b, arrays[0].shape, path, i) for i, (a, b) in enumerate(changed)]
        outputs.append(_info(name, value.dtype, shape))
    unused = [n for i, n in enumerate(argument_names) if Source(-1, i) not in builder.used]
    if unused:
        raise ValueError(
            f"to_onnx: no operation that leads to the output used {', '.join(unused)}: its array "
            "was computed with outside of operations of ag, or not at all"
        )
    _remove_unused(graph, [info.name for info in outputs])
    size = sum(tensor.ByteSize() for tensor in graph.initializers)
    if size > _LARGEST:
        raise ValueError(
            f"to_onnx: constants of {size} bytes are more than one file may hold, 2 GiB"
        )
    model = helper.make_model(
        helper.make_graph(graph.nodes, "dagrad", inputs, outputs, graph.initializers),
        producer_name="dagrad",
        ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid("", OPSET)],
    )
    checker.check_model(model, full_check=True)
    return model


def _info(name: str, dtype: np.dtype[Any], shape: list[Any]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(dtype), shape)


def _size(a: int, b: int, example: tuple[int, ...], path: str, axis: int) -> Any:
    if a == b:
        return a
    return "batch" if a == example[0] and b == a + 1 else f"{path}_size_{axis}"


def _as_output(graph: Graph, value: str, name: str) -> str:
    """Give the value the output's name; an input, constant or other output is copied to it."""
    made = [node for node in graph.nodes if value in node.output]
    if not made or value in graph.outputs:
        graph.nodes.append(helper.make_node("Identity", [value], [name], name=name))
    else:
        for node in graph.nodes:
            for names in (node.input, node.output):
                names[:] = [name if other == value else other for other in names]
        graph.renamed[value] = name
    graph.outputs.add(name)
    return name


def _remove_unused(graph: Graph, wanted: list[str]) -> None:
    """Drop nodes and constants that lead to no output."""
    needed = set(wanted)
    kept = []
    for node in reversed(graph.nodes):
        if needed.intersection(node.output):
            needed.update(node.input)
            kept.append(node)
    graph.nodes[:] = kept[::-1]
    graph.initializers[:] = [t for t in graph.initializers if t.name in needed]
