"""The reverse sweep inside a jvp: cotangents and their tangents, pulled side by side.

What a `grad` inside `jvp` computes has a tangent. Recording the reverse sweep and pushing tangents
through what it records would give that, by a graph that is walked only while it is made. Here the
sweep carries pairs of plain arrays instead, each a cotangent and its tangent. Where
xbar = A(x)^T ybar, the tangent of xbar is A(x)^T d(ybar) + d(A(x))^T ybar: families of operations
with a product rule compute both from the rule they have, and for others just that one rule is
recorded (Pearlmutter, Fast exact multiplication by the Hessian, 1994; Griewank & Walther,
Evaluating Derivatives, 2008, section 5.1).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from autograd import anomaly, storage
from autograd.base import Pair
from autograd.gathering import between, reaches_other
from autograd.markers import OUTPUT, RESULT
from autograd.modes import REVERSE_SWEEP, Modes, Scope, current_modes, reset_modes, set_modes
from autograd.node import Node, Place, caller_place, is_cut, make_node, small
from autograd.pushing import Pushing
from autograd.recording import handles
from autograd.sweep import complete, sum_to
from autograd.tensor import Tensor, wrap

_ARRAY: Final = (np.ndarray, np.generic)


class _NotPlain(Exception):
    """A cotangent or tangent is no plain array: it is recorded itself, or its rule raised."""


class Tangents:
    """The tangents that one jvp pushes, as the rules of a sweep on pairs ask for them."""

    __slots__ = ("_ends", "_handles", "_node", "_pushing")

    def __init__(self, pushing: Pushing, ends: frozenset[Node] = frozenset()) -> None:
        self._pushing = pushing
        self._ends = ends
        self._node: Node | None = None
        self._handles: tuple[Any, ...] = ()

    def of(self, node: Node) -> Any:
        """A node's tangent, None where it is zero."""
        tangent = self._pushing.known(node).get(self._pushing)
        if tangent is not None and not isinstance(tangent, (*_ARRAY, tuple)):
            raise _NotPlain
        return tangent

    def pair(self, value: Any) -> Pair:
        """The array of a Tensor and its tangent."""
        if not isinstance(value, Tensor):
            return value, None
        node = value._node
        return value._value, None if node is None else self.of(node)

    def wants_value(self, target: Any) -> bool:
        """Whether a target's cotangent is asked for, beside its tangent."""
        return target not in self._ends

    def variable(self, value: Any, tangent: Any) -> Any:
        """A Tensor with this tangent; the array where that is zero."""
        return value if tangent is None else _variable(value, tangent, self._pushing)

    def evaluate(self, function: Callable[..., Any], node: Node) -> Pair:
        """`function` of what a node saved, as rules read it, and its tangent."""
        if node is not self._node:
            self._node, self._handles = node, handles(node)
        return self.pair(function(*self._handles))


def variables(pairs: dict[Node, Pair]) -> dict[Node, Any]:
    """Tensors with the tangents of these pairs, as what jvp has let go of."""
    pushing = current_modes().pushing
    assert pushing is not None
    place = caller_place()
    return {node: _variable(*pair, pushing, place) for node, pair in pairs.items()}


def _variable(value: Any, tangent: Any, pushing: Pushing, place: Place | None = None) -> Tensor:
    transform = pushing.transform
    shape, dtype = value.shape, value.dtype
    node = make_node(RESULT, (), transform, (), shape, dtype, place, None, small(value))
    node.level = transform.level
    node.tangents = {} if tangent is None else {pushing: tangent}
    return wrap(value, node)


def serves(
    modes: Modes, outputs: Sequence[Node], cotangents: Sequence[Any], inputs: Sequence[Node]
) -> bool:
    """Whether the tangents that a sweep from `outputs` to `inputs` must carry are one jvp's, and
    nothing else depends on its results.
    """
    pushing = modes.pushing
    return (
        pushing is not None
        and pushing.outer is None
        and modes.quick
        and all(_is_of(pushing, cotangent) for cotangent in cotangents)
        and not reaches_other(outputs, inputs, exempt=pushing.transform)
    )


def _is_of(pushing: Pushing, cotangent: Any) -> bool:
    """Whether a cotangent depends on nothing but this jvp's variables, and has no graph.

    With one, `inputs` that are older than what it depends on would hide that.
    """
    node = cotangent._node if isinstance(cotangent, Tensor) else None
    return node is None or (is_cut(node) and node.params is pushing.transform)


def reverse(
    outputs: Sequence[Node],
    cotangents: Sequence[Any],
    inputs: Sequence[Node],
    tangents_only: bool = False,
) -> dict[Node, Pair] | None:
    """Pull cotangents, arrays or Tensors, back to `inputs`, on which Tensors may depend.

    With `tangents_only`, the inputs' cotangents, but not their tangents, may be None; then no input
    may depend on another.

    None where a tangent is not a plain array, or a rule raises: the recorded sweep knows whether
    that matters.
    """
    modes = current_modes()
    assert modes.pushing is not None
    tangents = Tangents(modes.pushing, frozenset(inputs if tangents_only else ()))
    token = set_modes(modes.changed(level=modes.level + 1, scope=Scope(REVERSE_SWEEP, modes.scope)))
    try:
        with np.errstate(all="ignore"):
            found = _pull_pairs(outputs, cotangents, inputs, tangents)
    except Exception:
        return None
    finally:
        reset_modes(token)
    return found


def _pull_pairs(
    outputs: Sequence[Node], cotangents: Sequence[Any], inputs: Sequence[Node], tangents: Tangents
) -> dict[Node, Pair]:
    order = between(outputs, inputs)
    found: dict[Node, Any] = dict.fromkeys(order)
    wanted = frozenset(inputs)
    for node, cotangent in zip(outputs, cotangents, strict=True):
        if node in found:
            value, tangent = tangents.pair(cotangent)
            if not node.shape:
                value = value[()]
                tangent = None if tangent is None else tangent[()]
            found[node] = _sum(found[node], (value, tangent))
    for node in reversed(order):
        arrived = found[node]
        if arrived is None or not node.inputs:
            continue
        if node not in wanted:
            found[node] = None
        targets = tuple(
            source if type(source) is Node and source in found else None for source in node.inputs
        )
        if node.op is OUTPUT:
            if targets[0] is not None:
                slots = found[targets[0]]
                if slots is None:
                    slots = found[targets[0]] = [None] * len(targets[0].shape)
                index = node.params["index"]
                slots[index] = _sum(slots[index], arrived)
            continue
        if storage.last_change[0] > node.serial:
            storage.check_unchanged(node)
        if node.fingerprint is not None:
            anomaly.check_fingerprint(node)
        pairs = None
        if type(arrived) is tuple:
            pairs = node.op.pull_pair(node, arrived, targets, tangents)
        if pairs is None:
            pairs = _by_recording(node, arrived, targets, tangents)
        for source, pair in zip(targets, pairs, strict=True):
            if type(source) is not Node or pair is None:
                continue
            if pair[0] is not None or pair[1] is not None:
                found[source] = _sum(found[source], _fitted(pair, source, node))
    return {node: pair for node in wanted if (pair := found.get(node)) is not None}


def _by_recording(node: Node, arrived: Any, targets: tuple[Any, ...], tangents: Tangents) -> Any:
    """The pairs that the operation's own rule gives on Tensors."""
    if type(arrived) is list:
        pairs = [(None, None) if pair is None else pair for pair in arrived]
        values = complete(node, [value for value, _ in pairs])
        cotangent: Any = tuple(
            tangents.variable(value, tangent)
            for value, (_, tangent) in zip(values, pairs, strict=True)
        )
    else:
        cotangent = tangents.variable(*arrived)
    contributions = node.op.pull(node, cotangent, handles(node), targets, True)
    return [None if value is None else tangents.pair(value) for value in contributions]


def _fitted(pair: Pair, source: Node, node: Node) -> Pair:
    """A contribution in the shape and dtype of what it goes to."""
    value, tangent = pair
    shape, dtype = source.shape, source.dtype
    if tangent is not None:
        if not isinstance(tangent, _ARRAY):
            raise _NotPlain
        if value is not None and tangent.shape != value.shape:
            tangent = np.broadcast_to(tangent, value.shape)
        if tangent.shape != shape:
            tangent = sum_to(tangent, shape, node)
        if tangent.dtype != dtype:
            tangent = tangent.astype(dtype)
    if value is None:
        return pair[0], tangent
    if not isinstance(value, _ARRAY):
        raise _NotPlain
    if value.shape != shape:
        value = sum_to(value, shape, node)
    if value.dtype != dtype:
        value = value.astype(dtype)
    return value, tangent


def _sum(before: Pair | None, pair: Pair) -> Pair:
    if before is None:
        return pair
    value, tangent = None, pair[1]
    if before[0] is not None and pair[0] is not None:
        value = before[0] + pair[0]
    if before[1] is None or tangent is None:
        return value, before[1] if tangent is None else tangent
    return value, before[1] + tangent
