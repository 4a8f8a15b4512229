"""What of a program depends on its inputs, found by running it twice on different ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.node import describe_place
from autograd.onnx_export.calls import Call, Program, Source
from autograd.ops.choosing import _where
from autograd.ops.convolutions import _input_gradient
from autograd.ops.shaping import _broadcast_to, _reshape
from autograd.tensor import Tensor

_SHAPED = frozenset({_reshape, _broadcast_to, _input_gradient})
"""Operations whose parameter `shape` may follow the size of the batch."""


def dependent_calls(program: Program) -> list[bool]:
    """For each call whether its result depends on an input."""
    depends: list[bool] = []
    for call in program.calls:
        sources = [v for v in (*call.operands, *_parts(call.params)) if isinstance(v, Source)]
        depends.append(any(s.call < 0 or depends[s.call] for s in sources))
    return depends


def constant_of(program: Program, depends: list[bool], operand: Any) -> Any:
    """The value of an operand that no input reaches; None for one that depends on an input."""
    if isinstance(operand, Source):
        if operand.call < 0 or depends[operand.call]:
            return None
        operand = program.calls[operand.call].results[operand.index]
    return operand.data if isinstance(operand, Tensor) else operand


def is_same_choice(call: Call) -> bool:
    """Whether `where` chooses between one value and itself: only its derivative is masked."""
    return call.op is _where and call.operands[0] == call.operands[1]


def check_same(first: Program, second: Program, depends: list[bool], batch: bool) -> None:
    """Raise ValueError, naming the operation and its place, where the second run differs.

    With `batch` the second run had one more sample, and shapes may follow.
    """
    for number, (one, other) in enumerate(zip(first.calls, second.calls, strict=False)):
        if one.op is not other.op:
            raise ValueError(
                f"to_onnx: {_where_called(one)} is {one.op.name} for one input and "
                f"{other.op.name} for another: the function branches on its input, which one graph "
                "cannot do"
            )
        if depends[number]:
            _check_call(first, second, depends, one, other, batch)
    if len(first.calls) != len(second.calls):
        raise ValueError(
            f"to_onnx: the function called {len(first.calls)} operations for one input and "
            f"{len(second.calls)} for another"
            + (", so it loops over the batch; leave out dynamic_batch" if batch else "")
        )


def _check_call(
    first: Program, second: Program, depends: list[bool], one: Call, other: Call, batch: bool
) -> None:
    for index, (a, b) in enumerate(zip(one.operands, other.operands, strict=True)):
        left, right = constant_of(first, depends, a), constant_of(second, depends, b)
        if (left is None and a != b) or not _equal(left, right):
            raise ValueError(
                f"to_onnx: operand {index} of {one.op.name}, {_where_called(one)}, is a constant "
                "that differs from input to input"
                + (" or with the size of the batch" if batch else "")
                + "; compute it by operations of ag, from the Tensor"
            )
    if is_same_choice(one):
        return
    for name, value in one.params.items():
        if _equal(value, other.params[name]) or (batch and name == "shape" and one.op in _SHAPED):
            continue
        raise ValueError(
            f"to_onnx: the parameter {name} of {one.op.name}, {_where_called(one)}, depends on "
            "the input" + (" or on the size of the batch" if batch else "")
        )


def _where_called(call: Call) -> str:
    return f"called at {describe_place(call.place)}"


def _parts(params: dict[str, Any]) -> list[Any]:
    found: list[Any] = []
    for value in params.values():
        found += value if isinstance(value, tuple) else [value]
    return found


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(_equal, a, b))
    if isinstance(a, np.ndarray | np.generic) or isinstance(b, np.ndarray | np.generic):
        left, right = np.asarray(a), np.asarray(b)
        return (
            left.dtype == right.dtype
            and left.shape == right.shape
            and left.tobytes() == right.tobytes()
        )
    return bool(a == b)
