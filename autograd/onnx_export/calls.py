"""The operations that a function calls, in order, and where each operand comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd.base import Op
from autograd.modes import Modes, Scope, log_calls, no_grad
from autograd.node import Place, caller_place
from autograd.tensor import Tensor


@dataclass(frozen=True)
class Source:
    """Where a value comes from: output `index` of call `call`, or input `index` if that is -1."""

    call: int
    index: int


@dataclass(frozen=True)
class Call:
    """One operation called on values that depend on the inputs, or on constants alone."""

    op: Op
    operands: tuple[Any, ...]
    """A Source, or the constant itself: an array, a number or a leaf Tensor."""
    params: dict[str, Any]
    """Its parameters; an array among them that is a value of the program is a Source."""
    shapes: tuple[tuple[int, ...], ...]
    """The operands' shapes."""
    out_shapes: tuple[tuple[int, ...], ...]
    out_dtypes: tuple[np.dtype[Any], ...]
    results: tuple[Tensor, ...]
    scope: Scope | None
    place: Place | None


class CallRecorder:
    """Notes what is called; keeps every value alive, so that it is known by its identity."""

    def __init__(self, inputs: Sequence[Tensor]) -> None:
        self.calls: list[Call] = []
        self._sources: dict[int, Source] = {}
        self._alive: list[Any] = []
        for index, tensor in enumerate(inputs):
            self._know(tensor, Source(-1, index))

    def _know(self, tensor: Tensor, source: Source) -> None:
        # The array too: layers take the data of integers and masks.
        for value in (tensor, tensor.data):
            self._sources[id(value)] = source
            self._alive.append(value)

    def source(self, value: Any) -> Source | None:
        """Where a value comes from; None for a constant."""
        return self._sources.get(id(value))

    def _resolved(self, value: Any) -> Any:
        """A parameter with the program's values in it replaced by their sources."""
        if type(value) is tuple:
            return tuple(self._resolved(item) for item in value)
        return self._sources.get(id(value), value) if isinstance(value, np.ndarray) else value

    def note(
        self, op: Op, operands: Sequence[Any], params: dict[str, Any], result: Any, modes: Modes
    ) -> None:
        """Called by the engine after each operation."""
        results = result if type(result) is tuple else (result,)
        number = len(self.calls)
        self.calls.append(
            Call(
                op,
                tuple(self._sources.get(id(operand), operand) for operand in operands),
                {name: self._resolved(value) for name, value in params.items()},
                tuple(np.shape(_data(operand)) for operand in operands),
                tuple(item.shape for item in results),
                tuple(item.dtype for item in results),
                tuple(results),
                modes.scope,
                caller_place(2),
            )
        )
        for index, item in enumerate(results):
            self._know(item, Source(number, index))


@dataclass(frozen=True)
class Program:
    """All calls of one run, and what it returned, as leaves with their paths."""

    calls: list[Call]
    outputs: list[tuple[str, Any, Tensor]]
    """Path, Source (or the constant Tensor), and value of each output."""


def run(function: Callable[..., Any], arrays: Sequence[np.ndarray]) -> Program:
    """Call `function` on Tensors of `arrays`, without a graph.

    Raises TypeError for an output that is no Tensor.
    """
    inputs = [Tensor(array) for array in arrays]
    recorder = CallRecorder(inputs)
    with no_grad(), log_calls(recorder):
        result = function(*inputs)
    outputs = []
    for path, leaf in _leaves(result, "output"):
        if not isinstance(leaf, Tensor):
            raise TypeError(
                f"to_onnx: {path} is a {type(leaf).__name__}, no Tensor, so what it was computed "
                "from is not known; return Tensors made by operations of ag or nn"
            )
        outputs.append((path, recorder.source(leaf) or leaf, leaf))
    return Program(recorder.calls, outputs)


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key in value:
            yield from _leaves(value[key], str(key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _leaves(item, f"{path}_{index}")
    else:
        yield path, value


def _data(value: Any) -> Any:
    return value.data if isinstance(value, Tensor) else value
