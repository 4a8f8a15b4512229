"""One model, one optimizer, one schedule: an epoch at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import numpy as np

import nn
import optim
from autograd import Tensor
from examples.cifar10.batches import Batches
from examples.cifar10.errors import TrainingError
from examples.cifar10.presets import Recipe

# Called with the images so far in the epoch, and the mean loss and accuracy over them.
OnStep = Callable[[int, float, float], object]


@dataclass(frozen=True)
class EpochResult:
    """What an epoch of training gave, measured on the augmented batches as they passed."""

    epoch: int
    steps: int
    loss: float
    accuracy: float
    lr: float
    seconds: float
    images_per_second: float


def objective(model: nn.Module, scores: Tensor, labels: np.ndarray, recipe: Recipe) -> Tensor:
    """Mean cross-entropy, plus l2_penalty / 2 times the sum of the squared weights."""
    loss: Tensor = nn.functional.cross_entropy(
        scores, labels, label_smoothing=recipe.label_smoothing
    )
    if recipe.l2_penalty:
        weights = [parameter for parameter in model.parameters() if parameter.ndim > 1]
        for weight in weights:
            loss = loss + 0.5 * recipe.l2_penalty * (weight * weight).sum()
    return loss


class Trainer:
    """Runs the epochs of a recipe on a model."""

    def __init__(self, model: nn.Module, recipe: Recipe, batches: Batches) -> None:
        self.model = model
        self.recipe = recipe
        self.batches = batches
        planned = recipe.epochs * len(batches)
        self.total_steps = min(planned, recipe.max_steps or planned)
        self.step = 0
        self.optimizer = _optimizer(model, recipe)
        self.scheduler = _scheduler(self.optimizer, recipe, self.total_steps)
        self.linter: nn.Linter | None = None

    @property
    def finished(self) -> bool:
        """Whether all steps are done."""
        return self.step >= self.total_steps

    def lint(self, report: Callable[[str], object]) -> None:
        """Look for mistakes in the first steps, and later for evaluation mode; tell `report`."""
        self.linter = nn.Linter(self.model, self.optimizer, report=report)

    def run_epoch(
        self, epoch: int, on_step: OnStep = lambda _images, _loss, _accuracy: None
    ) -> EpochResult:
        """Train once through the batches, telling `on_step` how far it is.

        Raises TrainingError when the loss is not finite.
        """
        self.model.train()
        began = perf_counter()
        images = correct = 0
        total = 0.0
        lr = float(self.optimizer.param_groups[0]["lr"])
        for number, (batch, labels) in enumerate(self.batches.epoch(epoch)):
            if self.finished:
                break
            nn.manual_seed(self.batches.layer_seed(epoch, number))
            lr = float(self.optimizer.param_groups[0]["lr"])
            scores = self.model(batch)
            loss = objective(self.model, scores, labels, self.recipe)
            value = loss.item()
            if not math.isfinite(value):
                raise TrainingError(
                    f"the loss is {value} in epoch {epoch}, step {number + 1}, at learning rate "
                    f"{lr:g}; lower it with --lr"
                )
            if self.linter is not None:
                self.linter.check(loss)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.step += 1
            if self.recipe.schedule == "one_cycle" and not self.finished:
                self.scheduler.step()
            images += len(labels)
            total += value * len(labels)
            correct += int((scores.data.argmax(axis=1) == labels).sum())
            on_step(images, total / images, correct / images)
        if self.recipe.schedule == "decay":
            self.scheduler.step()
        seconds = perf_counter() - began
        return EpochResult(
            epoch=epoch,
            steps=self.step,
            loss=total / images,
            accuracy=correct / images,
            lr=lr,
            seconds=seconds,
            images_per_second=images / seconds,
        )


def _optimizer(model: nn.Module, recipe: Recipe) -> optim.SGD:
    parameters = list(model.parameters())
    weights = [parameter for parameter in parameters if parameter.ndim > 1]
    others = [parameter for parameter in parameters if parameter.ndim <= 1]
    return optim.SGD(
        [
            {"params": weights, "weight_decay": recipe.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ],
        lr=recipe.lr,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov and recipe.momentum > 0,
    )


def _scheduler(optimizer: optim.SGD, recipe: Recipe, steps: int) -> optim.lr_scheduler.LRScheduler:
    if recipe.schedule == "decay":
        return optim.lr_scheduler.ExponentialLR(optimizer, recipe.lr_decay)
    return optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.lr, total_steps=max(steps, 2), cycle_momentum=False
    )
