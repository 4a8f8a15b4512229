"""The two sweeps over the recorded graph.

Both gather the nodes the outputs reach, skipping what is older than the oldest input, and visit
them in the order of their serial numbers, which is topological: the reverse sweep downwards,
pulling cotangents (VJP), the forward sweep upwards, pushing tangents (JVP). With `record` the
values the rules read are Tensors on the graph, so the rules record themselves and the sweep can be
swept again. Nothing here recurses.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from autograd import anomaly, storage
from autograd.dispatch import operations
from autograd.markers import LEAF, OUTPUT
from autograd.modes import (
    FORWARD_SWEEP,
    REVERSE_SWEEP,
    current_modes,
    recording_level,
    scope,
)
from autograd.node import FINISHED, FREED, Node, describe_place
from autograd.recording import handles
from autograd.tensor import Tensor

_serial = attrgetter("serial")
_SCALAR = np.float64
_DOUBLE = np.dtype(np.float64)


def gather(outputs: Sequence[Node], oldest: int) -> list[Node]:
    """The nodes that `outputs` reach, none older than serial `oldest`, oldest first."""
    seen = {node for node in outputs if node.serial >= oldest}
    stack = list(seen)
    pop, push, mark = stack.pop, stack.append, seen.add
    while stack:
        node = pop()
        if node.saved is FREED:
            _raise_freed(node)
        for source in node.inputs:
            if type(source) is Node and source not in seen and source.serial >= oldest:
                mark(source)
                push(source)
    order = list(seen)
    order.sort(key=_serial)
    return order


def reaches_other(outputs: Sequence[Node], inputs: Sequence[Node]) -> bool:
    """Whether the graph of `outputs` reaches a tracked node other than the leaves in `inputs`.

    An input that is a recorded identity of an outer Tensor counts: what depends on it depends on
    the outer one. Variables of transforms that have finished do not.
    """
    own = set(inputs)
    oldest = min((node.serial for node in inputs), default=0)
    seen = set(outputs)
    stack = list(seen)
    while stack:
        node = stack.pop()
        if node.op is LEAF:
            if node not in own and node.params is not FINISHED:
                return True
            continue
        if node.serial < oldest:
            return True
        for source in node.inputs:
            if type(source) is Node and source not in seen:
                seen.add(source)
                stack.append(source)
    return False


def _leading_to(order: list[Node], inputs: Sequence[Node]) -> set[Node]:
    """The nodes of `order` that depend on an input, inputs included."""
    leading = set(inputs)
    for node in order:
        if node not in leading:
            for source in node.inputs:
                if type(source) is Node and source in leading:
                    leading.add(node)
                    break
    return leading


def reverse(
    outputs: Sequence[Node],
    cotangents: Sequence[Any],
    inputs: Sequence[Node] | None,
    *,
    record: bool = False,
) -> tuple[list[Node], dict[Node, Any]]:
    """Pull cotangents back; the visited nodes and the cotangents of `inputs` (None: the leaves).

    A node that nothing arrived at is absent from the mapping.
    """
    profile = current_modes().profile
    if profile is not None and profile.watches():
        result: tuple[list[Node], dict[Node, Any]] = profile.sweep(
            "reverse sweep", reverse, outputs, cotangents, inputs, record=record
        )
        return result
    oldest = 0 if inputs is None else min((node.serial for node in inputs), default=0)
    order = gather(outputs, oldest)
    leading = None if inputs is None else _leading_to(order, inputs)
    wanted: set[Node] = set() if inputs is None else set(inputs)
    found: dict[Node, Any] = {}
    owned: set[Node] = set()
    for node, cotangent in zip(outputs, cotangents, strict=True):
        if leading is None or node in leading:
            found[node] = found[node] + cotangent if node in found else cotangent
    if record:
        with recording_level(), scope(REVERSE_SWEEP):
            _pull_all(order, found, owned, leading, wanted, record=True)
    else:
        with np.errstate(all="ignore"):
            _pull_all(order, found, owned, leading, wanted, record=False)
    return order, found


def _pull_all(
    order: list[Node],
    found: dict[Node, Any],
    owned: set[Node],
    leading: set[Node] | None,
    wanted: set[Node],
    record: bool,
) -> None:
    profile = current_modes().profile
    if profile is not None and profile.sweeps():
        profile.pull_each(_pull_all, order, found, owned, leading, wanted, record)
        return
    check_anomaly = current_modes().anomaly is not None
    changed = storage.last_change[0]
    take, arrived = found.pop, found.get
    for node in reversed(order):
        op = node.op
        if op is LEAF:
            continue
        cotangent = take(node, None)
        if cotangent is None:
            continue
        if node in wanted:
            found[node] = cotangent
        targets = node.inputs
        if leading is not None:
            targets = tuple(
                source if type(source) is Node and source in leading else None for source in targets
            )
        if op is OUTPUT:
            if targets[0] is not None:
                _join_output(node, cotangent, found)
            continue
        if changed > node.serial:
            storage.check_unchanged(node)
        if node.fingerprint is not None:
            anomaly.check_fingerprint(node)
        if type(cotangent) is list:
            cotangent = _complete(node, cotangent)
        values = handles(node) if record else node.saved
        contributions = op.pull(node, cotangent, values, targets, record)
        assert len(contributions) == len(targets)
        for source, contribution in zip(targets, contributions, strict=False):
            if contribution is None or type(source) is not Node:
                continue
            # A float64 scalar for a float64 scalar, the quick case, needs neither check.
            if type(contribution) is not _SCALAR or source.shape or source.dtype is not _DOUBLE:
                if contribution.shape != source.shape:
                    contribution = sum_to(contribution, source.shape, node)
                if contribution.dtype is not source.dtype and contribution.dtype != source.dtype:
                    contribution = contribution.astype(source.dtype)
            if check_anomaly:
                anomaly.check_sweep(node, "cotangent", contribution, (cotangent, *values))
            previous = arrived(source)
            if previous is None:
                found[source] = contribution
            elif source in owned and type(contribution) is np.ndarray:
                np.add(previous, contribution, out=previous)
            else:
                total = found[source] = previous + contribution
                if type(total) is np.ndarray:
                    owned.add(source)


def _join_output(node: Node, cotangent: Any, found: dict[Node, Any]) -> None:
    """Collect one output's cotangent in the list of its many-output node."""
    parent = node.inputs[0]
    slots = found.get(parent)
    if slots is None:
        slots = found[parent] = [None] * len(parent.shape)
    index = node.params["index"]
    slots[index] = cotangent if slots[index] is None else slots[index] + cotangent


def _complete(node: Node, cotangents: list[Any]) -> tuple[Any, ...]:
    """Zeros for the outputs at which nothing arrived."""
    return tuple(
        np.zeros(shape, dtype) if cotangent is None else cotangent
        for cotangent, shape, dtype in zip(cotangents, node.shape, node.dtype, strict=True)
    )


def forward(
    outputs: Sequence[Node],
    inputs: Sequence[Node],
    tangents: Sequence[Any],
    *,
    record: bool = False,
) -> dict[Node, Any]:
    """Push tangents forward; the tangents of all nodes that depend on an input.

    A node whose tangent is zero by construction is absent from the mapping.
    """
    profile = current_modes().profile
    if profile is not None and profile.watches():
        result: dict[Node, Any] = profile.sweep(
            "forward sweep", forward, outputs, inputs, tangents, record=record
        )
        return result
    oldest = min((node.serial for node in inputs), default=0)
    order = gather(outputs, oldest)
    leading = _leading_to(order, inputs)
    found: dict[Node, Any] = {}
    for node, tangent in zip(inputs, tangents, strict=True):
        found[node] = found[node] + tangent if node in found else tangent
    if record:
        with recording_level(), scope(FORWARD_SWEEP):
            _push_all(order, found, leading, record=True)
    else:
        with np.errstate(all="ignore"):
            _push_all(order, found, leading, record=False)
    return found


def _push_all(order: list[Node], found: dict[Node, Any], leading: set[Node], record: bool) -> None:
    profile = current_modes().profile
    if profile is not None and profile.sweeps():
        profile.push_each(_push_all, order, found, leading, record)
        return
    check_anomaly = current_modes().anomaly is not None
    changed = storage.last_change[0]
    for node in order:
        op = node.op
        if op is LEAF or node not in leading:
            continue
        arriving = [found.get(source) if type(source) is Node else None for source in node.inputs]
        if all(tangent is None for tangent in arriving):
            continue
        if op is OUTPUT:
            (outputs_tangent,) = arriving
            assert outputs_tangent is not None
            tangent = outputs_tangent[node.params["index"]]
        else:
            if changed > node.serial:
                storage.check_unchanged(node)
            if node.fingerprint is not None:
                anomaly.check_fingerprint(node)
            values = handles(node) if record else node.saved
            tangent = op.push(node, arriving, values, record)
            if check_anomaly and tangent is not None:
                anomaly.check_sweep(node, "tangent", tangent, (*arriving, *values))
        if tangent is None:
            continue
        if type(tangent) is not tuple:
            tangent = _fit(tangent, node)
        found[node] = found[node] + tangent if node in found else tangent


def _fit(tangent: Any, node: Node) -> Any:
    """A tangent in its node's shape and dtype (a rule may leave it unbroadcast)."""
    if tangent.shape != node.shape:
        try:
            tangent = operations.broadcast_to(tangent, node.shape)
        except ValueError:
            raise ValueError(
                f"the rule of {node.op.name} made a tangent of shape {tangent.shape} for an "
                f"output of shape {node.shape}"
            ) from None
    if tangent.dtype != node.dtype:
        tangent = tangent.astype(node.dtype)
    return tangent


def sum_to(cotangent: Any, shape: tuple[int, ...], node: Node) -> Any:
    """Undo broadcasting: sum a cotangent over the axes along which its input was repeated."""
    full = cotangent.shape
    lead = len(full) - len(shape)
    kept = full[lead:] if lead >= 0 else ()
    if lead < 0 or any(a != b and b != 1 for a, b in zip(kept, shape, strict=True)):
        raise ValueError(
            f"the rule of {node.op.name} made a cotangent of shape {full} for an input of shape "
            f"{shape}"
        )
    axes = tuple(range(lead)) + tuple(
        lead + i for i, (a, b) in enumerate(zip(kept, shape, strict=True)) if a != b
    )
    if isinstance(cotangent, Tensor):
        return operations.reshape(operations.sum(cotangent, axis=axes), shape)
    return np.add.reduce(cotangent, axis=axes).reshape(shape)


def _raise_freed(node: Node) -> None:
    raise RuntimeError(
        f"this graph was freed by an earlier backward() (node {node.op.name}, recorded at "
        f"{describe_place(node.place)}); pass retain_graph=True to the first backward() to sweep "
        "it again"
    )


def free(order: Sequence[Node]) -> None:
    """Drop what the nodes saved; a later sweep over them raises."""
    for node in order:
        if node.op is not LEAF:
            node.saved = FREED
