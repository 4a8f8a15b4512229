"""Rules on what the optimizers hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from nn.linting.findings import Finding, listed
from nn.linting.step import Step


def as_optimizers(given: Any) -> list[Any] | None:
    """One optimizer or several as a list. Raises TypeError for what has no `param_groups`."""
    if given is None:
        return None
    found = list(given) if isinstance(given, list | tuple) else [given]
    for optimizer in found:
        groups = getattr(optimizer, "param_groups", None)
        if not isinstance(groups, list) or not all("params" in group for group in groups):
            raise TypeError(
                "optimizer is an optimizer of optim, a sequence of them, or None; got "
                f"{type(optimizer).__name__}, which has no param_groups"
            )
    return found


def missing(step: Step) -> Iterator[Finding]:
    """Parameters that get gradients but that no optimizer holds."""
    if step.optimizers is None:
        return
    held = {id(p) for _, _, _, p in step.held()}
    absent = [path for path in step.reached if id(step.parameters[path]) not in held]
    absent = [path for path in step.parameters if path in set(absent)]
    if not absent:
        return
    own = {id(p) for p in step.parameters.values()}
    strangers = sum(id(p) not in own for _, _, _, p in step.held())
    hint = (
        f"; it holds {strangers} that are not the model's: was the model, or a layer, replaced "
        "or copied after the optimizer was made?"
        if strangers
        else ""
    )
    if len(absent) == len(step.trainable):
        hint = f" (none of the model's){hint}"
    several = len(step.optimizers) > 1
    yield Finding(
        "not-in-optimizer",
        absent[0],
        f"{'no optimizer holds' if several else 'the optimizer does not hold'} "
        f"{listed(absent)}{hint}",
        "make the optimizer of model.parameters() after the model is complete, or "
        "add_param_group; freeze what is not to be trained with requires_grad_(False)",
        paths=tuple(absent),
    )


def twice(step: Step) -> Iterator[Finding]:
    """Parameters, or their memory, that are held in two places."""
    name = {id(p): path for path, p in step.parameters.items()}
    first: dict[int, tuple[int, int]] = {}
    for number, index, _, parameter in step.held():
        at = (number, index)
        before = first.setdefault(id(parameter), at)
        if before is at:
            continue
        path = name.get(id(parameter), "")
        where = (
            "one group"
            if before == at
            else f"groups {before[1]} and {index} of one optimizer"
            if before[0] == number
            else f"optimizers {before[0]} and {number}"
        )
        yield Finding(
            "held-twice",
            path,
            f"{'is' if path else f'a parameter of shape {parameter.shape} is'} held twice, by "
            f"{where}, so each step updates it twice",
            "pass each parameter to one group of one optimizer",
            paths=(path,) if path else (),
        )
    yield from _one_memory(step)


def _one_memory(step: Step) -> Iterator[Finding]:
    """Two parameters on the same array, as `a.data = b.data` makes them."""
    by_address: dict[int, str] = {}
    for path, parameter in step.trainable.items():
        if parameter.size == 0:
            continue
        address = parameter.data.__array_interface__["data"][0]
        other = by_address.setdefault(address, path)
        if other != path and np.shares_memory(parameter.data, step.parameters[other].data):
            yield Finding(
                "held-twice",
                path,
                f"shares its array with `{other}`, so each step updates the numbers twice, each "
                "time by a part of the gradient",
                "to tie parameters assign the Parameter itself (a.weight = b.weight); to copy the "
                "values use a.weight.copy_(b.weight) under ag.no_grad()",
                paths=(other, path),
            )


def frozen(step: Step) -> Iterator[Finding]:
    """Parameters without requires_grad in an optimizer; a gradient left over trains them still."""
    name = {id(p): path for path, p in step.parameters.items()}
    stale: list[str] = []
    idle: list[str] = []
    for _, _, _, parameter in step.held():
        if not parameter.requires_grad and id(parameter) in name:
            (idle if parameter.grad is None else stale).append(name[id(parameter)])
    mend = "leave frozen parameters out: [p for p in model.parameters() if p.requires_grad]"
    if stale:
        yield Finding(
            "frozen-in-optimizer",
            stale[0],
            f"{listed(stale)} is frozen, but its last gradient is still there and the optimizer "
            "goes on applying it",
            f"call zero_grad() after freezing, and {mend}",
            paths=tuple(stale),
        )
    if idle:
        yield Finding(
            "frozen-in-optimizer",
            idle[0],
            f"the optimizer holds {listed(idle)} to no effect: requires_grad is False",
            mend,
            severity="note",
            paths=tuple(idle),
        )


def still(step: Step) -> Iterator[Finding]:
    """Groups with a learning rate of 0."""
    for number, optimizer in enumerate(step.optimizers or ()):
        for index, group in enumerate(optimizer.param_groups):
            if group.get("lr") == 0 and any(p.requires_grad for p in group["params"]):
                which = f"optimizer {number}, " if len(step.optimizers or ()) > 1 else ""
                yield Finding(
                    "zero-lr",
                    "",
                    f"{which}group {index} of the optimizer has lr=0, so its "
                    f"{len(group['params'])} parameters stay as they are",
                    "give it a learning rate; a warm-up that starts at 0 is passed over by "
                    "nn.Linter if a later step has another",
                )
