"""Rules on gradients: none, only zeros, not finite; and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd.families import Affine, Linear, Multilinear
from autograd.node import Node, describe_place
from nn.linting.branches import called_by_choice
from nn.linting.findings import Finding, listed
from nn.linting.step import Step, bias_of, is_zero, origin, sources

_SUMS = frozenset({"add", "subtract", "negative"})
_PRODUCTS = frozenset({"multiply", "divide"})
_NORMS = frozenset({"batch_norm", "layer_norm", "group_norm"})


def finite_values(step: Step) -> Iterator[Finding]:
    """NaN in parameters, else in the loss, else in gradients: only where it began."""
    bad = [path for path, p in step.parameters.items() if not np.isfinite(p.data).all()]
    if bad:
        yield Finding(
            "not-finite",
            bad[0],
            f"a NaN or an infinity in {listed(bad)}",
            "lower the learning rate, or load or initialise it again; ag.detect_anomaly() names "
            "the first operation or update that makes one",
            paths=tuple(bad),
        )
        return
    for loss in step.losses:
        if not np.isfinite(loss.data).all():
            yield Finding(
                "not-finite",
                "",
                f"the loss is {loss.data if loss.size == 1 else 'not finite'}",
                "run the step under ag.detect_anomaly(), which names the operation; look for NaN "
                "in the inputs too",
            )
            return
    bad = [path for path, g in step.gradients.items() if not np.isfinite(g).all()]
    if bad:
        yield Finding(
            "not-finite",
            bad[0],
            f"a NaN or an infinity in the gradient of {listed(bad)}, though the loss is finite",
            "run the step under ag.detect_anomaly(), which names the rule; often an ag.where whose "
            "other branch is infinite, or a square root at 0",
            paths=tuple(bad),
        )


def unreached(step: Step, by_choice: bool) -> Iterator[Finding]:
    """Parameters that the loss does not depend on, a module as a whole where none does.

    `by_choice` says whether those that the data may have left out are told too, as notes.
    """
    missing = [
        path
        for path, p in step.trainable.items()
        if path not in step.reached and (p.grad is None or not step.freed or is_zero(p.grad.data))
    ]
    for path, paths in _by_module(step, missing):
        chosen = step.model is not None and called_by_choice(step.model, path)
        if chosen and not by_choice:
            continue
        what = f"{listed(paths)} got no gradient" if paths != (path,) else "got no gradient"
        yield Finding(
            "no-gradient",
            path,
            f"{what}: the loss does not depend on it"
            + (
                "; its use is under a condition in `forward`, so the data may have left it out"
                if chosen
                else ""
            ),
            "call it in `forward` and let its result reach the loss (no .detach(), .data or "
            "no_grad between), or freeze it with requires_grad_(False)",
            severity="note" if chosen else "warning",
            paths=paths,
        )


def _by_module(step: Step, missing: list[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The paths grouped by the largest modules all of whose trainable parameters are among them."""
    left = set(missing)
    modules = sorted(step.modules.values(), key=lambda path: path.count(".") if path else -1)
    for module in modules:
        lead = f"{module}." if module else ""
        inside = tuple(path for path in step.trainable if path.startswith(lead))
        if len(inside) > 1 and left.issuperset(inside):
            left.difference_update(inside)
            yield module, inside
    for path in missing:
        if path in left:
            yield path, (path,)


def zero_paths(step: Step) -> list[str]:
    """Paths of the parameters whose gradient is zero everywhere."""
    return [path for path, gradient in step.gradients.items() if is_zero(gradient)]


def dead(step: Step) -> Iterator[Finding]:
    """Parameters whose gradient is zero everywhere, by the operation at which it vanishes.

    Not those behind a weight that starts at zero and will move.
    """
    zero = zero_paths(step)
    if not zero or all(not np.any(loss.data) for loss in step.losses):
        # A loss of 0 has reached its minimum, as a hinge loss does.
        return
    causes = (_dead_after_backward if step.freed else _dead_in_sweep)(step, zero)
    for (node, why), paths in causes.items():
        place = None if node is None else describe_place(node.place)
        at = "" if node is None or not step.path_of(node) else f" of `{step.path_of(node)}`"
        by = "" if node is None else f": {node.op.name}{at} {why}"
        yield Finding(
            "zero-gradient",
            paths[0],
            f"the gradient of {listed(paths)} is zero everywhere{by}",
            "look for units that are all off (initial values or learning rate too large), "
            "saturated activations, inputs or initial values of zero",
            place,
            paths=tuple(paths),
        )


def _dead_in_sweep(step: Step, zero: list[str]) -> dict[tuple[Node | None, str], list[str]]:
    """The parameters by the operation that lets nothing through, and the reason."""
    found = step.swept(step.nodes)
    alive = {node for node in step.nodes if _any(found.get(node))}
    causes: dict[Node, tuple[str, list[str]]] = {}
    leaf_of = {path: node for node, path in step.path_of_leaf.items()}
    for path in zero:
        reasons = _reasons(step, leaf_of[path], alive)
        if reasons and not any(reason is None for reason in reasons):
            first = max((r for r in reasons if r is not None), key=lambda reason: reason[0].serial)
            node, why = first
            causes.setdefault(node, (why, []))[1].append(path)
    return {(node, why): paths for node, (why, paths) in causes.items()}


def _reasons(step: Step, leaf: Node, alive: set[Node]) -> list[tuple[Node, str] | None]:
    """Why each way from a leaf to the loss is closed; None where that is no mistake."""
    reasons: list[tuple[Node, str] | None] = []
    seen = {leaf}
    stack = [leaf]
    while stack:
        child = stack.pop()
        for node in step.consumers.get(child, ()):
            # Of what arrives at a linear operation such as concatenate, a part may be zeros.
            partial = isinstance(node.op, Linear) and node.op.name != "broadcast_to"
            if node in alive and not (partial and child not in alive):
                if child not in alive:
                    reasons.append(_reason(step, node, child, alive))
            elif node not in seen:
                seen.add(node)
                stack.append(node)
    return reasons


def _reason(step: Step, node: Node, child: Node, alive: set[Node]) -> tuple[Node, str] | None:
    """Why a node at which a cotangent arrives hands none to one of its operands."""
    if 0 in node.shape or 0 in child.shape:
        return None
    factors = _factors(node)
    if factors is None:
        return node, "lets no gradient through"
    if not any(factor is child for factor in factors):
        # An operand that is only added.
        return None
    for index, other in enumerate(factors):
        if other is child:
            continue
        leaf = origin(other)
        if (
            type(leaf) is Node
            and leaf in step.path_of_leaf
            and leaf in alive
            and _starts_at_0(leaf)
        ):
            # A weight that starts at zero and will move: the way opens with the next step.
            return None
        if node.op.name not in _NORMS and is_zero(node.saved[index + 1]):
            if type(other) is Node:
                return _source(other), "is zero everywhere"
            return node, "takes only zeros as its other operand"
    # What arrives cancels in a sum, or a mask of the data's chooses another operand.
    return None


def _factors(node: Node) -> tuple[Any, ...] | None:
    """The operands whose product an operation makes, none for sums; None for other operations."""
    if node.op.name in _NORMS:
        return node.inputs[:2]
    if isinstance(node.op, Affine):
        return node.inputs[:2]
    if isinstance(node.op, Multilinear) or node.op.name in _PRODUCTS:
        return node.inputs
    if node.op.name in _SUMS or isinstance(node.op, Linear):
        return ()
    return None


def _source(node: Node) -> Node:
    """The operation that made a zero operand, before reshapes, pooling and dropout."""
    while True:
        node = origin(node)
        inner = sources(node)
        if len(inner) == 1 and "pool" in node.op.name:
            node = inner[0]
        else:
            return node


def _starts_at_0(node: Node) -> bool:
    leaf = None if node.leaf is None else node.leaf()
    return leaf is not None and is_zero(leaf.data)


def _any(cotangent: Any) -> bool:
    if isinstance(cotangent, list):
        return any(item is not None and np.any(item) for item in cotangent)
    return cotangent is not None and bool(np.any(cotangent))


def _dead_after_backward(step: Step, zero: list[str]) -> dict[tuple[Node | None, str], list[str]]:
    """The same without the freed cotangents: what the parameters themselves explain is left out."""
    leaves = {node: path for node, path in step.path_of_leaf.items() if path in step.gradients}
    moving = {node for node, path in leaves.items() if np.any(step.gradients[path])}
    closed = {
        node
        for node in step.nodes
        if node.op.name == "where"
        or any(
            type(factor) is Node and origin(factor) in moving and _starts_at_0(origin(factor))
            for factor in _factors(node) or ()
        )
    }
    open_ways: set[Node] = set()
    stack = [loss.node for loss in step.losses if loss.node is not None]
    while stack:
        node = stack.pop()
        if node in open_ways:
            continue
        open_ways.add(node)
        if node not in closed:
            stack.extend(sources(node))
        else:
            stack.extend(s for s in sources(node) if origin(s) in leaves)
    bad = []
    for node, path in leaves.items():
        if path not in zero or node not in open_ways:
            continue
        partners = {origin(s) for c in step.consumers.get(node, ()) for s in sources(c)}
        if len(node.shape) <= 1 and partners & moving:
            # Something arrives at its operation, so a sum over it cancelled.
            continue
        bad.append(path)
    return {(None, ""): bad} if bad else {}


def redundant_biases(step: Step) -> Iterator[Finding]:
    """Biases added right before a batch norm in training, whose mean takes them away."""
    for node in step.nodes:
        if node.op.name != "batch_norm" or not sources(node):
            continue
        before = origin(node.inputs[0])
        bias = bias_of(before)
        if bias is not None:
            path = step.path_of_leaf.get(bias)
            if path is not None and len(step.consumers[before]) == 1:
                yield Finding(
                    "bias-before-norm",
                    path,
                    f"is taken away again by the mean of batch norm `{step.path_of(node)}`",
                    "pass bias=False to the layer before it",
                    severity="note",
                    paths=(path,),
                )
