"""A graph of ONNX in the making: nodes, constants and names that can be read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import onnx
from onnx import helper, numpy_helper

OPSET: Final = 18
"""Reductions with axes as inputs, LayerNormalization; runtimes since 2023 know it."""
IR_VERSION: Final = 8


@dataclass(frozen=True)
class Value:
    """An operand of a translation: a name in the graph, or a constant that has none yet."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    name: str = ""
    array: Any = field(default=None, repr=False)
    hint: str = "constant"


@dataclass(frozen=True)
class Step:
    """One call to be translated: its operands and its results' shapes."""

    operands: tuple[Value, ...]
    params: dict[str, Any]
    shapes: tuple[tuple[int, ...], ...]
    dtypes: tuple[np.dtype[Any], ...]
    follows_batch: tuple[tuple[bool, ...], ...]
    """Which sizes of the results change with the size of the batch."""
    title: str
    """Operation and place, for errors."""

    @property
    def x(self) -> Value:
        return self.operands[0]

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.dtypes[0]


class Graph:
    """Collects nodes and initializers; every name is used once."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self.prefix = ""
        self.outputs: set[str] = set()
        self.renamed: dict[str, str] = {}
        self._names: set[str] = set()
        self._constants: dict[Any, str] = {}
        self._alive: list[Any] = []

    def unique(self, name: str) -> str:
        """The name itself, or with a number after it if it is taken."""
        chosen, count = name, 0
        while chosen in self._names:
            count += 1
            chosen = f"{name}_{count}"
        self._names.add(chosen)
        return chosen

    def constant(self, array: Any, hint: str = "constant") -> str:
        """The name of an initializer; the same memory, or small equal arrays, are stored once."""
        array = np.asarray(array)
        # Two views of one parameter are one constant.
        key: Any = (array.ctypes.data, array.shape, array.strides, array.dtype)
        if array.size <= 16:
            key = (array.dtype, array.shape, array.tobytes(), hint)
        if key not in self._constants:
            self._alive.append(array)
            name = self.unique(hint)
            self._constants[key] = name
            self.initializers.append(
                numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), name)
            )
        return self._constants[key]

    def use(self, value: Value, dtype: np.dtype[Any] | None = None) -> str:
        """The name of a value in the graph, cast to `dtype` if it has another."""
        if value.name:
            name = self.renamed.get(value.name, value.name)
            if dtype is None or value.dtype == dtype:
                return name
            return self.cast(name, dtype)
        array = value.array
        if dtype is not None and value.dtype != dtype:
            array = np.asarray(array).astype(dtype)
        return self.constant(array, value.hint)

    def cast(self, name: str, dtype: np.dtype[Any]) -> str:
        """A value in the graph, in another dtype."""
        return self.node("Cast", [name], to=helper.np_dtype_to_tensor_dtype(dtype))

    def node(self, kind: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Add a node of one output and give that output's name."""
        return self.nodes_of(kind, inputs, 1, **attributes)[0]

    def nodes_of(
        self, kind: str, inputs: Sequence[str], count: int, **attributes: Any
    ) -> list[str]:
        """Add a node of several outputs and give their names."""
        name = self.unique(f"{self.prefix}{kind}")
        outputs = [name] if count == 1 else [self.unique(f"{name}.{i}") for i in range(count)]
        self.nodes.append(helper.make_node(kind, list(inputs), outputs, name=name, **attributes))
        return outputs

    def integers(self, numbers: Sequence[int], hint: str = "sizes") -> str:
        """The name of a constant vector of int64."""
        return self.constant(np.array(numbers, np.int64).reshape(len(numbers)), hint)

    def reshape(
        self, x: str, shape: Sequence[int], follows_batch: Sequence[bool], title: str
    ) -> str:
        """Reshape to `shape`; one size may follow the batch."""
        sizes = [
            -1 if follows else size for size, follows in zip(shape, follows_batch, strict=True)
        ]
        if sizes.count(-1) > 1 or (-1 in sizes and not math.prod(shape)):
            raise ValueError(
                f"to_onnx: {title} has several sizes that follow the batch, {tuple(shape)}; leave "
                "out dynamic_batch"
            )
        options = {"allowzero": 1} if 0 in sizes else {}
        return self.node("Reshape", [x, self.integers(sizes, "shape")], **options)
