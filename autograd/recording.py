"""Calling an operation: on arrays it computes, on Tensors it also records a node."""

from __future__ import annotations

from collections.abc import Sequence
from sys import _getframe
from types import NoneType
from typing import Any

import numpy as np

from autograd import anomaly
from autograd.base import Op
from autograd.errors import TrackedTensorError
from autograd.markers import INPUT, LEAF, OUTPUT
from autograd.modes import Modes, current_modes
from autograd.node import (
    FREED,
    KEPT_SIZE,
    Node,
    Place,
    caller_place,
    last_user_code,
    make_node,
    next_serial,
    small,
    user_frame,
)
from autograd.tensor import FLOAT64, NUMBERS, Tensor, check_dtype, wrap

SIMPLE_TYPES = frozenset({np.ndarray, float, int, bool, complex, np.float64, np.float32})


def apply(op: Op, operands: Sequence[Any], params: dict[str, Any]) -> Any:
    """`op(*operands, **params)`: arrays in, arrays out; any Tensor in, Tensors out."""
    modes = current_modes()
    if modes.profile is not None and modes.profile.watches():
        return modes.profile.call(apply, op, operands, params)
    values: list[Any] = []
    nodes: list[Node | None] = []
    tracked = tensors = False
    for operand in operands:
        if isinstance(operand, Tensor):
            tensors = True
            node = operand._node
            value = operand._value
            if node is not None:
                tracked = True
                if node.leaf is not None and type(value) is _DOUBLE:
                    value = operand.data  # of which the result may be a view
            values.append(value)
            nodes.append(node)
        else:
            if type(operand) not in SIMPLE_TYPES:
                operand = as_array(operand, op.name)
            values.append(operand)
            nodes.append(None)
    try:
        out, extra = op.run(values, params)
    except (TypeError, ValueError, IndexError) as error:
        if getattr(error, "explained", False):
            raise
        # no variable holds what is raised: the frames that it holds would be a cycle with it
        raise _explained(op, values, params, error) from error
    if not tensors:
        return out
    if modes.anomaly is not None:
        anomaly.check_forward(op.name, values, out, modes.anomaly)
    result: Any
    if tracked and modes.recording:
        result = record(op, out, values, nodes, params, extra, modes)
    elif type(out) is tuple:
        result = tuple(_untracked(op, item) for item in out)
    else:
        result = _untracked(op, out)
    if modes.calls is not None:
        modes.calls.note(op, operands, params, result, modes)
    return result


def record(
    op: Op,
    out: Any,
    values: Sequence[Any],
    nodes: Sequence[Node | None],
    params: dict[str, Any],
    extra: tuple[Any, ...],
    modes: Modes,
) -> Any:
    """The handle of `out`, on a new node."""
    for key, value in params.items():
        if type(value) not in _IMMUTABLE and (frozen := _frozen(value)) is not value:
            params = {**params, key: frozen}
    inputs: tuple[Any, ...] = tuple(nodes)
    if None in nodes:
        inputs = tuple([small(v) if n is None else n for v, n in zip(values, nodes, strict=True)])
    place = caller_place(3)
    saved = op.save(out, values, nodes, extra)
    if type(out) is tuple:
        shapes = tuple(item.shape for item in out)
        dtypes = tuple(item.dtype for item in out)
        parent = make_node(op, inputs, params, saved, shapes, dtypes, place, modes.scope, None)
        if modes.anomaly is not None:
            parent.fingerprint = anomaly.fingerprint(saved)
        if modes.pushing is not None:
            modes.pushing.push(parent, modes)
        return tuple(output_of(parent, index, item, modes) for index, item in enumerate(out))
    dtype = out.dtype
    if dtype.kind != "f":
        return _untracked(op, out)
    node = make_node(op, inputs, params, saved, out.shape, dtype, place, modes.scope, None)
    if out.size <= KEPT_SIZE or modes.keep_values:
        node.value = out
    if modes.anomaly is not None:
        node.fingerprint = anomaly.fingerprint(saved)
    if modes.pushing is not None:
        modes.pushing.push(node, modes)
    return wrap(out, node)


_new_tensor = object.__new__
NO_PARAMS: dict[str, Any] = {}
_DOUBLE = np.float64
_IMMUTABLE = frozenset({NoneType, bool, int, float, str})
_FLOAT32 = np.dtype(np.float32)


def record_plain(
    op: Op,
    inputs: tuple[Any, ...] | None,
    saved: Any,
    out: Any,
    modes: Modes,
    depth: int,
    quick: Any = None,
    first: Any = None,
    second: Any = None,
) -> Tensor:
    """`record` for one output without parameters, outside the anomaly and value-keeping modes.

    All frames nearer than `depth` are the library's. `quick`, `first` and `second` are the node's.
    """
    node = Node()
    if type(out) is _DOUBLE:
        node.shape = ()
        node.dtype = FLOAT64
        node.value = out
    else:
        node.dtype = dtype = out.dtype
        if dtype is not _FLOAT32 and dtype.kind != "f":
            return _untracked(op, out)
        node.shape = out.shape
        node.value = out if out.size <= KEPT_SIZE else None
    node.op = op
    node.operands = inputs
    node.params = NO_PARAMS
    node.held = saved
    node.serial = next_serial()
    try:
        frame = _getframe(depth)
    except ValueError:  # a thread whose outermost function is the library's
        node.code, node.offset = None, 0
    else:
        code = frame.f_code
        if code is not last_user_code[0]:
            frame = user_frame(frame)
            code = frame.f_code
        node.code = code
        node.offset = frame.f_lasti
    node.scope = modes.scope
    node.quick = quick
    node.first = first
    node.second = second
    node.name = node.leaf = node.fingerprint = None
    if modes.pushing is not None:
        modes.pushing.push(node, modes)
    tensor = _new_tensor(Tensor)
    tensor._value = out
    tensor._node = node
    return tensor


def output_of(parent: Node, index: int, value: Any, modes: Modes) -> Tensor:
    """The handle of one of several outputs."""
    if value.dtype.kind != "f":
        return _untracked(parent.op, value)
    node = make_node(
        OUTPUT,
        (parent,),
        {"index": index},
        (),
        value.shape,
        value.dtype,
        parent.place,
        parent.scope,
        value if value.size <= KEPT_SIZE or modes.keep_values else None,
    )
    if modes.pushing is not None:
        modes.pushing.push(node, modes)
    return wrap(value, node)


def identity_input(operand: Any, place: Place | None) -> Tensor:
    """A tracked Tensor of a transform's own: a leaf, or a recorded identity of a tracked one."""
    modes = current_modes()
    if isinstance(operand, Tensor) and operand._node is not None:
        value, source = operand._value, operand._node
        node = make_node(
            INPUT,
            (source,),
            {},
            (),
            value.shape,
            value.dtype,
            place,
            modes.scope,
            small(value),
        )
        node.name = source.name
        if modes.pushing is not None:
            modes.pushing.push(node, modes, cut=False)
        return wrap(value, node)
    value = operand.data if isinstance(operand, Tensor) else np.asarray(operand)
    if value.dtype is FLOAT64 and not value.ndim and isinstance(operand, NUMBERS):
        value = value[()]  # see Tensor
    node = make_node(LEAF, (), {}, (), value.shape, value.dtype, place, None, small(value))
    node.level = modes.level
    return wrap(value, node)


def node_of(tensor: Tensor) -> Node:
    """The node of a tracked Tensor."""
    assert tensor._node is not None
    return tensor._node


def handle(value: Any, node: Any) -> Any:
    """The Tensor of a saved value again, on the node it came from; a constant stays an array."""
    if value is None or type(node) is not Node:
        return value
    if node.leaf is not None:
        leaf = node.leaf()
        if leaf is not None and leaf._value is value:
            return leaf
    return wrap(value, node)


def handles(node: Node) -> tuple[Any, ...]:
    """A node's saved values as Tensors on the graph, so that rules record."""
    saved = node.saved
    assert saved is not FREED
    if not saved:
        return ()
    out = saved[0]
    if type(out) is tuple:
        first: Any = tuple(output_of(node, i, item, current_modes()) for i, item in enumerate(out))
    else:
        first = handle(out, node)
    count = len(node.inputs)
    inputs = [handle(v, n) for v, n in zip(saved[1 : count + 1], node.inputs, strict=True)]
    return (first, *inputs, *saved[count + 1 :])


def as_array(operand: Any, name: str) -> Any:
    """An operand that is no Tensor as an array or NumPy scalar."""
    if isinstance(operand, (np.ndarray, np.generic)):
        return operand
    try:
        array = np.asarray(operand)
    except TrackedTensorError:
        raise TrackedTensorError(
            f"{name} got a {type(operand).__name__} that holds tracked Tensors; "
            "join them with ag.stack first"
        ) from None
    if array.dtype.kind not in "fiubc":
        raise TypeError(
            f"{name} got an operand of type {type(operand).__name__} (dtype {array.dtype}); "
            "expected a Tensor, an array or numbers"
        )
    return array


def _untracked(op: Op, out: Any) -> Tensor:
    if out.dtype.kind not in "fiub":
        check_dtype(out.dtype, f"the result of {op.name} on a Tensor")
    return wrap(out, None)


def _frozen(value: Any) -> Any:
    """Arrays among parameters (indices, masks) are copied: the user may reuse theirs."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, tuple):
        for item in value:
            if type(item) not in _IMMUTABLE:
                return tuple(_frozen(item) for item in value)
    return value


def _explained(
    op: Op, values: Sequence[Any], params: dict[str, Any], error: Exception
) -> Exception:
    """The same error with the operation's name and its operands' shapes and dtypes in it."""
    operands = ", ".join(f"{np.shape(v)} {np.result_type(v)}" for v in values)
    shown = {k: v for k, v in params.items() if not isinstance(v, np.ndarray) or v.size <= 4}
    with_params = f" with {shown}" if shown else ""
    message = f"{op.name} of operands {operands}{with_params}: {error}"
    try:
        explained: Exception = type(error)(message)
    except TypeError:
        explained = ValueError(message)
    vars(explained)["explained"] = True
    return explained
