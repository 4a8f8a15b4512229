"""The optimizers and schedules of a recipe."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import nn
import optim
from examples.cifar10.models.airbench import Whitening
from examples.cifar10.presets import Group, Recipe

_Assigned = list[tuple[Group, list[nn.Parameter]]]


def assign(model: nn.Module, recipe: Recipe) -> _Assigned:
    """Each group of the recipe with its parameters; a group without any is left out."""
    whitening = {
        id(parameter)
        for module in model.modules()
        if isinstance(module, Whitening)
        for parameter in module.parameters()
    }
    takes: dict[str, Callable[[nn.Parameter], bool]] = {
        "whitening": lambda parameter: id(parameter) in whitening,
        "filters": lambda parameter: parameter.ndim == 4,
        "weights": lambda parameter: parameter.ndim > 1,
        "all": lambda _parameter: True,
    }
    rest = [parameter for parameter in model.parameters() if parameter.requires_grad]
    assigned = []
    for group in recipe.groups:
        taken = [parameter for parameter in rest if takes[group.parameters](parameter)]
        chosen = {id(parameter) for parameter in taken}
        rest = [parameter for parameter in rest if id(parameter) not in chosen]
        if taken:
            assigned.append((group, taken))
    if rest:
        raise ValueError(f"no group of the recipe takes parameters of shapes {_shapes(rest)}")
    return assigned


def make_optimizers(
    assigned: _Assigned, recipe: Recipe, total_steps: int, steps_per_epoch: int
) -> list[tuple[optim.Optimizer, optim.lr_scheduler.LRScheduler]]:
    """An optimizer of each kind that the groups name, with its schedule."""
    made = []
    for kind in dict.fromkeys(group.optimizer for group, _ in assigned):
        own = [(group, params) for group, params in assigned if group.optimizer == kind]
        optimizer = _optimizer(kind, own, recipe)
        spans = [
            total_steps if group.epochs is None else group.epochs * steps_per_epoch
            for group, _ in own
        ]
        made.append((optimizer, _scheduler(optimizer, recipe, total_steps, spans)))
    return made


def _optimizer(kind: str, assigned: _Assigned, recipe: Recipe) -> optim.Optimizer:
    options: list[dict[str, Any]] = []
    for group, parameters in assigned:
        momentum = _either(group.momentum, recipe.momentum)
        entry = {
            "params": parameters,
            "lr": _either(group.lr, recipe.lr),
            "momentum": momentum,
            "weight_decay": _either(group.weight_decay, recipe.weight_decay),
            "nesterov": recipe.nesterov and momentum > 0,
        }
        if kind == "muon":
            entry |= {"ns_steps": group.ns_steps, "renormalize": group.renormalize}
        options.append(entry)
    return optim.Muon(options) if kind == "muon" else optim.SGD(options)


def _scheduler(
    optimizer: optim.Optimizer, recipe: Recipe, total_steps: int, spans: list[int]
) -> optim.lr_scheduler.LRScheduler:
    if recipe.schedule == "decay":
        return optim.lr_scheduler.ExponentialLR(optimizer, recipe.lr_decay)
    if recipe.schedule == "linear":
        lines = [linear_factor(span) for span in spans]
        return optim.lr_scheduler.LambdaLR(optimizer, lines)
    if recipe.schedule == "cosine":
        return optim.lr_scheduler.CosineAnnealingLR(optimizer, total_steps)
    peaks = [float(group["lr"]) for group in optimizer.param_groups]
    return optim.lr_scheduler.OneCycleLR(
        optimizer, peaks, total_steps=max(total_steps, 2), cycle_momentum=False
    )


def linear_factor(span: int) -> Callable[[int], float]:
    """1 - step / span, and 0 after that.

    >>> [linear_factor(4)(step) for step in range(6)]
    [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
    """
    return lambda step: max(0.0, 1.0 - step / span)


def _either(own: float | None, common: float) -> float:
    return common if own is None else own


def _shapes(parameters: list[nn.Parameter]) -> str:
    return ", ".join(str(parameter.shape) for parameter in parameters)
