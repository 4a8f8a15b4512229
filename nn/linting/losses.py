"""Rules on the loss: what it is, what it is given, and what its targets can mean."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.node import FREED, Node, describe_place
from nn.linting.findings import Finding
from nn.linting.step import Step, is_linear_layer, origin, sources
from nn.losses import CrossEntropyLoss

_SQUASHING = frozenset({"softmax", "sigmoid"})
_UNITS = frozenset({"relu", "tanh", "sigmoid"})
_DISTANCES = frozenset({"square", "absolute", "power", "multiply"})
_ROUNDING = 1e-3
_BINARY = "binary_cross_entropy_with_logits"


def constant(step: Step) -> Iterator[Finding]:
    """A loss without a graph, of several elements, or of nothing that the model holds."""
    for loss in step.losses:
        if loss.node is None:
            frozen = step.parameters and not step.trainable
            yield Finding(
                "no-graph",
                "",
                "all parameters are frozen, so there is nothing to differentiate"
                if frozen
                else "the loss has no graph: nothing it was computed from requires gradients",
                "set requires_grad_(True) on what is to be trained"
                if frozen
                else "compute it from the model's output with ag and nn functions, outside "
                "ag.no_grad(), without .detach(), .data, .item() or NumPy between",
            )
        elif loss.size != 1:
            yield Finding(
                "loss-not-scalar",
                "",
                f"the loss has shape {loss.shape}, and backward() needs one number",
                "average it: reduction='mean', or ag.mean(loss)",
                describe_place(loss.node.place),
            )
    if step.nodes and step.trainable and not step.reached:
        yield Finding(
            "independent-loss",
            "",
            "the loss depends on none of the model's parameters",
            "compute it from this model's output (of this object: not a copy, and not with "
            "functional_call's parameters), without .detach() or .data between",
            describe_place(step.nodes[-1].place),
        )


def squashed_inputs(step: Step) -> Iterator[Finding]:
    """Softmax or sigmoid before a loss that applies it itself, or scores where it does not."""
    for node in step.nodes:
        before = origin(node.inputs[0]) if node.inputs else None
        if type(before) is not Node:
            continue
        name, given = node.op.name, before.op.name
        if name in ("cross_entropy", "log_softmax", "softmax"):
            loss = "cross-entropy" if name == "cross_entropy" else name
            if given == "softmax" or (given == "sigmoid" and _is_loss(step, node)):
                yield _squashed(step, node, before, f"{loss}, which applies a softmax itself")
            elif given == "log_softmax" and name == "cross_entropy":
                yield Finding(
                    "softmax-input",
                    step.path_of(before),
                    "a log_softmax goes into cross-entropy, which applies one itself; the second "
                    "changes nothing but costs time",
                    "leave it out, or use NLLLoss",
                    describe_place(node.place),
                    severity="note",
                )
        elif name in (_BINARY, "log_sigmoid") and given == "sigmoid":
            loss = "binary cross-entropy with logits, which applies a sigmoid itself"
            yield _squashed(step, node, before, loss)
        elif _is_picking(step, node) and (
            given == "softmax" or given in _UNITS or is_linear_layer(before)
        ):
            what = "probabilities" if given in _SQUASHING else "scores"
            yield Finding(
                "softmax-input",
                step.path_of(before),
                f"{what} (of {given}) go into nll_loss, which takes log-probabilities",
                "end with log_softmax, or give the scores to cross_entropy",
                describe_place(node.place),
            )


def _squashed(step: Step, node: Node, before: Node, loss: str) -> Finding:
    return Finding(
        "softmax-input",
        step.path_of(before),
        f"a {before.op.name} goes into {loss}, so the gradients are weak and the loss cannot "
        "reach 0",
        f"give it the scores: leave the {before.op.name} out in training",
        describe_place(node.place),
    )


def _is_loss(step: Step, node: Node) -> bool:
    """Cross-entropy, also in the form it takes for probabilities as targets."""
    return node.op.name == "cross_entropy" or _weighted(step, node) is not None


def _weighted(step: Step, node: Node) -> Node | None:
    """The product of log-probabilities with constant targets that the same line makes of them."""
    for consumer in step.consumers.get(node, ()):
        if consumer.op.name == "multiply" and consumer.place == node.place:
            return consumer
    return None


def _is_picking(step: Step, node: Node) -> bool:
    """nll_loss: one line records getitem, reshape, where, negative."""
    if node.op.name != "getitem":
        return False
    at = node
    for name in ("reshape", "where", "negative"):
        after = step.consumers.get(at, [])
        if len(after) != 1 or after[0].op.name != name or after[0].place != node.place:
            return False
        at = after[0]
    return True


def targets(step: Step) -> Iterator[Finding]:
    """Targets that cannot be meant: one class only, all ignored, no probabilities, -1 as index."""
    for node in step.nodes:
        problem = None
        if node.op.name == "cross_entropy":
            problem = _class_problem(node)
        elif node.op.name == "log_softmax":
            product = _weighted(step, node)
            problem = None if product is None else _probability_problem(node, product)
        elif node.op.name == _BINARY:
            problem = _binary_problem(node)
        elif node.op.name == "getitem" and sources(node):
            problem = _index_problem(node)
        if problem is not None:
            message, mend = problem
            yield Finding("labels", "", message, mend, describe_place(node.place))


def _class_problem(node: Node) -> tuple[str, str] | None:
    scores = node.inputs[0].shape
    if scores[1] == 1:
        return (
            f"cross-entropy of scores of shape {scores} has one class only, so it is always 0",
            "for two classes use two outputs, or one output and BCEWithLogitsLoss",
        )
    target, ignored = node.params["target"], node.params["ignore_index"]
    if target.size and np.all(target == ignored):
        return (
            f"all {target.size} labels are ignore_index={ignored}, so the loss is the mean of none",
            "check the labels, and the ignore_index",
        )
    return None


def _probability_problem(node: Node, product: Node) -> tuple[str, str] | None:
    target = _constant_of(product)
    if target is None or target.shape != node.shape:
        return None
    total = target.sum(axis=1)
    call = node.scope.owner() if node.scope is not None else None
    unweighted = isinstance(call, CrossEntropyLoss) and call.weight is None
    counts = np.array_equal(target, np.round(target))
    wrong = bool((target < 0).any())
    if unweighted or counts:
        wrong = wrong or bool((np.abs(total - 1) > _ROUNDING).any())
    if not wrong:
        return None
    return (
        f"targets of floats of shape {target.shape} are taken as probabilities of the classes, but "
        f"they lie between {target.min():g} and {target.max():g} and add up to {total.min():g} to "
        f"{total.max():g} an example",
        "pass class numbers as integers of shape (N,), or probabilities that add up to 1; for "
        "several labels an example use BCEWithLogitsLoss",
    )


def _binary_problem(node: Node) -> tuple[str, str] | None:
    """Targets outside [0, 1]."""
    target = _constant_of(node)
    if target is None or not target.size:
        return None
    low, high = float(target.min()), float(target.max())
    if low >= -_ROUNDING and high <= 1 + _ROUNDING:
        return None
    return (
        f"targets of binary cross-entropy lie between {low:g} and {high:g}; it takes them from 0 "
        "to 1, and has no minimum outside",
        "recode them: 0 for no and 1 for yes, e.g. (y > 0); for class numbers use cross_entropy",
    )


def _index_problem(node: Node) -> tuple[str, str] | None:
    if node.inputs[0].op.name not in ("log_softmax", "softmax"):
        return None
    index = node.params.get("index")
    arrays = [i for i in index if isinstance(i, np.ndarray)] if isinstance(index, tuple) else []
    if len(arrays) < 2 or not any(a.dtype.kind == "i" and (a < 0).any() for a in arrays):
        return None
    return (
        "a label below 0 picks a class from the end",
        "use cross_entropy, which checks its labels, or recode them from 0",
    )


def _constant_of(node: Node) -> Any:
    """The constant operand of a node of two, unless it was freed."""
    for index, operand in enumerate(node.inputs):
        if type(operand) is not Node:
            if operand is not None:
                return np.asarray(operand)
            saved = node.saved
            return None if saved is FREED else saved[index + 1]
    return None


def broadcast_targets(step: Step) -> Iterator[Finding]:
    """A difference of shapes (N, 1) and (N,), which gives (N, N)."""
    for node in step.nodes:
        tracked = sources(node)
        if node.op.name != "subtract" or len(tracked) != 1 or len(node.shape) != 2:
            continue
        rows, columns = node.shape
        given = tracked[0].shape
        if rows != columns or rows < 2 or given not in ((rows,), (rows, 1)):
            continue
        after = step.consumers.get(node, [])
        if (
            is_linear_layer(origin(tracked[0]))
            and after
            and all(consumer.op.name in _DISTANCES for consumer in after)
        ):
            yield Finding(
                "broadcast-target",
                step.path_of(tracked[0]),
                f"an output of shape {given} minus a target that broadcasts against it gives shape "
                f"{node.shape}: every output is compared with every target",
                "give both the same shape, e.g. target.reshape(-1, 1), or use nn.MSELoss, which "
                "checks it",
                describe_place(node.place),
            )


def as_losses(given: Any) -> list[Tensor]:
    """One loss or several. Numbers and arrays count as constants; TypeError for other types."""
    found = list(given) if isinstance(given, list | tuple) else [given]
    losses = []
    for loss in found:
        if isinstance(loss, int | float | np.ndarray | np.number):
            loss = Tensor(loss)
        if not isinstance(loss, Tensor):
            raise TypeError(f"loss is a Tensor or a sequence of them, got {type(loss).__name__}")
        losses.append(loss)
    if not losses:
        raise ValueError("loss is an empty sequence; pass the losses of the step")
    return losses
