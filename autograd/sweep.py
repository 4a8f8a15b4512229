"""The two sweeps over the recorded graph.

Both gather the nodes the outputs reach, skipping what is older than the oldest input, and visit
them in the order of their serial numbers, which is topological: the reverse sweep downwards,
pulling cotangents (VJP), the forward sweep upwards, pushing tangents (JVP). With `record` the
values the rules read are Tensors on the graph, so the rules record themselves and the sweep can be
swept again. Nothing here recurses.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from autograd import anomaly, storage
from autograd.dispatch import operations
from autograd.gathering import between, leading_to, oldest_first, reached
from autograd.kernels.arithmetic import accumulate, sum_of
from autograd.kernels.sums import sum_over
from autograd.markers import LEAF, OUTPUT
from autograd.modes import (
    FORWARD_SWEEP,
    REVERSE_SWEEP,
    current_modes,
    recording_level,
    scope,
)
from autograd.node import FREED, FromNodes, Node
from autograd.recording import handles
from autograd.results import held_once
from autograd.tensor import Tensor

_SCALAR = np.float64
_DOUBLE = np.dtype(np.float64)


def reverse(
    outputs: Sequence[Node],
    cotangents: Sequence[Any],
    inputs: Sequence[Node] | None,
    *,
    record: bool = False,
    free: bool = False,
) -> tuple[list[Node], dict[Node, Any]]:
    """Pull cotangents back; the visited nodes and the cotangents of `inputs` (None: the leaves).

    An input that nothing arrived at is absent from the mapping; a leaf may be there with None.
    With `free`, what a node saved may be let go as soon as its rule is done, so that the
    cotangents need no memory beside it, and rules may overwrite cotangents that nobody else holds;
    `free()` of the nodes must follow.
    """
    profile = current_modes().profile
    if profile is not None and profile.watches():
        result: tuple[list[Node], dict[Node, Any]] = profile.sweep(
            "reverse sweep", reverse, outputs, cotangents, inputs, record=record
        )
        return result
    wanted: frozenset[Node] = frozenset()
    if inputs is None:
        found = reached(outputs, 0)
        order = oldest_first(found)
    else:
        wanted = frozenset(inputs)
        order = between(outputs, inputs)
        found = dict.fromkeys((*order, *inputs))
    for node, cotangent in zip(outputs, cotangents, strict=True):
        if node in found:
            if not record and node.shape == ():
                cotangent = cotangent[()]
            previous = found[node]
            found[node] = cotangent if previous is None else previous + cotangent
    if record:
        with recording_level(), scope(REVERSE_SWEEP):
            _pull_all(order, found, set(), wanted, inputs is None, True)
    else:
        with np.errstate(all="ignore"):
            _pull_all(order, found, set(), wanted, inputs is None, False, free)
    if inputs is not None:
        found = {node: found[node] for node in wanted if found.get(node) is not None}
    return order, found


def _pull_all(
    order: list[Node],
    found: dict[Node, Any],
    owned: set[Node],
    wanted: frozenset[Node],
    whole: bool,
    record: bool,
    free: bool = False,
) -> None:
    """Visit `order` downwards. `found` has an entry for every node a cotangent may arrive at.

    `whole` says that these are all nodes there are. In a sweep on plain arrays, nodes with a
    `quick` rule take a short way. Arrays in `found` of the nodes in `owned` are the sweep's own, to
    be added to in place.
    """
    profile = current_modes().profile
    if profile is not None and profile.sweeps():
        profile.pull_each(_pull_all, order, found, owned, wanted, whole, record)
        return
    check_anomaly = current_modes().anomaly is not None
    changed = storage.last_change[0]
    plain = not record and not check_anomaly
    oldest = next((node.serial for node in order if node.op is not LEAF), 0)
    # Where a saved array may have changed, the sweep may end early, and leaves all as it was.
    free = free and plain and changed < oldest
    numbers = plain and changed < oldest
    for node in reversed(order):
        cotangent = found[node]
        if cotangent is None:
            continue
        rule, held = node.quick, node.held
        if type(held) is FromNodes:
            if numbers:
                x, y = node.first, node.second
                if not held.both:
                    if whole or x in found:
                        if held.multiplies:
                            to_x = cotangent * y
                        elif held.adds:
                            to_x = cotangent[()]
                        elif y is None:
                            to_x = rule(cotangent, node.value, x.value)
                        else:
                            to_x = rule(cotangent, node.value, x.value, y)
                        if type(to_x) is _SCALAR:
                            previous = found[x]
                            found[x] = to_x if previous is None else previous + to_x
                            continue
                        rule = None  # one of the user's own: what follows mends or explains
                elif whole or (x in found and y in found):
                    if held.multiplies:
                        to_x, to_y = cotangent * y.value, cotangent * x.value
                    elif held.adds:
                        to_x = to_y = cotangent
                    else:
                        to_x, to_y = rule(cotangent, node.value, x.value, y.value)
                    previous = found[x]
                    found[x] = to_x if previous is None else previous + to_x
                    previous = found[y]
                    found[y] = to_y if previous is None else previous + to_y
                    continue
            held = held.of(node)
        if rule is not None and plain and changed < node.serial:
            x, y = node.first, node.second
            if type(y) is not Node:
                if not (whole or x in found):
                    continue
                contribution = rule(cotangent, *held)
                # A rule of the user's own may give something else; what follows mends or explains.
                if contribution.shape == x.shape and contribution.dtype is x.dtype:
                    if whole or node not in wanted:
                        found[node] = None
                    if found[x] is None:
                        found[x] = contribution
                    else:
                        _add(contribution, x, found, owned)
                    if free:
                        node.held = FREED
                    held = contribution = None
                    continue
            elif whole or (x in found and y in found):
                out, x_value, y_value = held
                to_x, to_y = rule(cotangent, out, x_value, y_value)
                if whole or node not in wanted:
                    found[node] = None
                if found[x] is None:
                    found[x] = to_x
                else:
                    _add(to_x, x, found, owned)
                if found[y] is None:
                    found[y] = to_y
                else:
                    _add(to_y, y, found, owned)
                if free:
                    node.held = FREED
                held = out = x_value = y_value = to_x = to_y = None
                continue
        op = node.op
        targets = node.operands
        if targets is None:
            targets = node.inputs
        elif not targets:  # a leaf, or what jvp has let go of
            continue
        if whole:
            found[node] = None
        else:
            if node not in wanted:
                found[node] = None
            targets = tuple(
                source if type(source) is Node and source in found else None for source in targets
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
            cotangent = complete(node, cotangent)
        values = handles(node) if record else node.saved
        if free and op.overwrites and held_once(cotangent):
            contributions = op.pull_in_place(node, cotangent, values, targets)
        else:
            contributions = op.pull(node, cotangent, values, targets, record)
        assert len(contributions) == len(targets)
        index = -1
        for source in targets:
            index += 1  # zip would take as long as all else here
            if type(source) is not Node:
                continue
            contribution = contributions[index]
            if contribution is None:
                continue
            # A float64 scalar for a float64 scalar, the quick case, needs neither check.
            if type(contribution) is not _SCALAR or source.shape or source.dtype is not _DOUBLE:
                if contribution.shape != source.shape:
                    contribution = sum_to(contribution, source.shape, node)
                if contribution.dtype is not source.dtype and contribution.dtype != source.dtype:
                    contribution = contribution.astype(source.dtype)
            if check_anomaly:
                anomaly.check_sweep(node, "cotangent", contribution, (cotangent, *values))
            if found[source] is None:
                found[source] = contribution
            else:
                _add(contribution, source, found, owned)
        if free:
            node.held = FREED
            contributions = ()
            values = contribution = None


def _add(contribution: Any, source: Node, found: dict[Node, Any], owned: set[Node]) -> None:
    """Add to what `source` has: in place from the second time on."""
    previous = found[source]
    if source in owned and type(contribution) is np.ndarray:
        accumulate(previous, contribution)
        return
    both = type(previous) is np.ndarray and type(contribution) is np.ndarray
    total = sum_of(previous, contribution) if both else previous + contribution
    found[source] = total
    if type(total) is np.ndarray:
        owned.add(source)


def _join_output(node: Node, cotangent: Any, found: dict[Node, Any]) -> None:
    """Collect one output's cotangent in the list of its many-output node."""
    parent = node.inputs[0]
    slots = found[parent]
    if slots is None:
        slots = found[parent] = [None] * len(parent.shape)
    index = node.params["index"]
    slots[index] = cotangent if slots[index] is None else slots[index] + cotangent


def complete(node: Node, cotangents: list[Any]) -> tuple[Any, ...]:
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
    count: int | None = None,
) -> dict[Node, Any]:
    """Push tangents forward; the tangents of all nodes that depend on an input.

    A node whose tangent is zero by construction is absent from the mapping. With `count`, each
    tangent is an array of so many along a first axis, and so are the results; plain arrays only.
    """
    profile = current_modes().profile
    if profile is not None and profile.watches():
        result: dict[Node, Any] = profile.sweep(
            "forward sweep",
            partial(forward, count=count),
            outputs,
            inputs,
            tangents,
            record=record,
        )
        return result
    oldest = min((node.serial for node in inputs), default=0)
    order = oldest_first(reached(outputs, oldest))
    leading = leading_to(order, inputs)
    found: dict[Node, Any] = {}
    for node, tangent in zip(inputs, tangents, strict=True):
        found[node] = found[node] + tangent if node in found else tangent
    if record:
        with recording_level(), scope(FORWARD_SWEEP):
            _push_all(order, found, leading, record=True)
    else:
        with np.errstate(all="ignore"):
            _push_all(order, found, leading, False, count)
    return found


def _push_all(
    order: list[Node],
    found: dict[Node, Any],
    leading: set[Node],
    record: bool,
    count: int | None = None,
) -> None:
    profile = current_modes().profile
    if profile is not None and profile.sweeps():
        profile.push_each(_push_all, order, found, leading, record, count)
        return
    check_anomaly = current_modes().anomaly is not None
    changed = storage.last_change[0]
    for node in order:
        op = node.op
        if node not in leading:
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
            if count is None:
                tangent = op.push(node, arriving, values, record)
            else:
                tangent = op.push_many(node, arriving, values, count)
            if check_anomaly and tangent is not None:
                anomaly.check_sweep(node, "tangent", tangent, (*arriving, *values))
        if tangent is None:
            continue
        if type(tangent) is not tuple:
            tangent = fit(tangent, node, count)
        found[node] = found[node] + tangent if node in found else tangent


def fit(tangent: Any, node: Node, count: int | None = None) -> Any:
    """A tangent in its node's shape and dtype (a rule may leave it unbroadcast)."""
    shape = node.shape
    if count is not None:
        shape = (count, *shape)
        missing = (1,) * (len(shape) - tangent.ndim)
        if missing:
            tangent = tangent.reshape(count, *missing, *tangent.shape[1:])
    if tangent.shape != shape:
        try:
            tangent = operations.broadcast_to(tangent, shape)
        except ValueError:
            raise ValueError(
                f"the rule of {node.op.name} made a tangent of shape {tangent.shape} for an "
                f"output of shape {shape}"
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
    return sum_over(cotangent, axes, False).reshape(shape)


def free(order: Sequence[Node]) -> None:
    """Drop what the nodes saved; a later sweep over them raises."""
    for node in order:
        if node.op is not LEAF:
            node.held = FREED
