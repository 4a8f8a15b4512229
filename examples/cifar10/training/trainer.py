"""One model by one recipe: an epoch at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from time import perf_counter

import numpy as np

import nn
import optim
from autograd import Tensor
from examples.cifar10.data.batches import Batches
from examples.cifar10.data.prefetching import Prefetcher
from examples.cifar10.models.auxiliary import ScoresWithAuxiliary, main_scores
from examples.cifar10.models.pixels import Prepared, preparing
from examples.cifar10.presets import Recipe
from examples.cifar10.training.nonfinite import NonFiniteError, finite_gradients, origin
from examples.cifar10.training.optimizers import assign, make_optimizers
from examples.cifar10.training.progress import EpochProgress

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
    # Of these, spent waiting for batches.
    waited_seconds: float
    images_per_second: float


def objective(
    model: nn.Module, output: Tensor | ScoresWithAuxiliary, labels: np.ndarray, recipe: Recipe
) -> Tensor:
    """Cross-entropy, the batch's mean or sum, plus auxiliary_weight times that of an auxiliary
    head, plus l2_penalty / 2 times the sum of the squared weights.
    """
    entropy = nn.CrossEntropyLoss(reduction=recipe.loss, label_smoothing=recipe.label_smoothing)
    loss: Tensor = entropy(main_scores(output), labels)
    if isinstance(output, ScoresWithAuxiliary):
        loss = loss + recipe.auxiliary_weight * entropy(output.auxiliary, labels)
    if recipe.l2_penalty:
        weights = [parameter for parameter in model.parameters() if parameter.ndim > 1]
        for weight in weights:
            loss = loss + 0.5 * recipe.l2_penalty * (weight * weight).sum()
    return loss


class Trainer:
    """Runs the epochs of a recipe on a model; a thread makes up to `prefetch` batches ahead."""

    def __init__(
        self, model: nn.Module, recipe: Recipe, batches: Batches, *, prefetch: int = 2
    ) -> None:
        self.model = model
        self.recipe = recipe
        self.batches = batches
        self.prefetch = prefetch
        planned = recipe.epochs * len(batches)
        self.total_steps = min(planned, recipe.max_steps or planned)
        self.step = 0
        self.progress = EpochProgress()
        self.groups = assign(model, recipe)
        made = make_optimizers(self.groups, recipe, self.total_steps, len(batches))
        self.optimizers = [optimizer for optimizer, _ in made]
        self.schedulers = [scheduler for _, scheduler in made]
        self.linter: nn.Linter | None = None

    @property
    def finished(self) -> bool:
        """Whether all steps are done."""
        return self.step >= self.total_steps

    @property
    def lr(self) -> float:
        """The current learning rate of the recipe's first group."""
        return float(self.optimizers[0].param_groups[0]["lr"])

    def lint(self, report: Callable[[str], object]) -> None:
        """Look for mistakes in the first steps, and later for evaluation mode; tell `report`."""
        self.linter = nn.Linter(self.model, self.optimizers, report=report)

    @property
    def epochs(self) -> int:
        """How many epochs the steps fill, the last perhaps in part."""
        return -(-self.total_steps // len(self.batches))

    def run_epoch(
        self, epoch: int, on_step: OnStep = lambda _images, _loss, _accuracy: None
    ) -> EpochResult:
        """Train once through the batches, telling `on_step` how far it is.

        The epoch that `progress` is in goes on from there, and one that has ended gives its result
        again; so an exception of `on_step` may leave an epoch between two steps.

        Raises NonFiniteError when a loss or a gradient is not finite.
        """
        progress = self.progress
        if progress.epoch != epoch:
            progress = self.progress = EpochProgress(epoch, lr=self.lr)
        self.model.train()
        self.freeze(epoch)
        set_drop_path(self.model, self.recipe.drop_path * (epoch - 1) / self.recipe.epochs)
        if not progress.ended:
            self._run_batches(progress, on_step)
            if self.recipe.schedule == "decay":
                for scheduler in self.schedulers:
                    scheduler.step()
            progress.ended = True
        return EpochResult(
            epoch=epoch,
            steps=self.step,
            loss=progress.mean_loss,
            accuracy=progress.accuracy,
            lr=progress.lr,
            seconds=progress.seconds,
            waited_seconds=progress.waited_seconds,
            images_per_second=progress.images / progress.seconds,
        )

    def _run_batches(self, progress: EpochProgress, on_step: OnStep) -> None:
        began = perf_counter()
        source = self.prepared(progress.epoch, progress.batches)
        waited = progress.waited_seconds
        with Prefetcher(source, self.prefetch) as batches:
            for images, labels in batches:
                if self.finished:
                    break
                nn.manual_seed(self.batches.layer_seed(progress.epoch, progress.batches))
                progress.lr = self.lr
                value, scores = self.train_on(images, labels)
                progress.batches += 1
                progress.images += len(labels)
                progress.loss += value * len(labels)
                progress.correct += int((scores.argmax(axis=1) == labels).sum())
                now = perf_counter()
                progress.seconds, began = progress.seconds + now - began, now
                progress.waited_seconds = waited + batches.waited_seconds
                on_step(progress.images, progress.mean_loss, progress.accuracy)

    def prepared(
        self, epoch: int, first_step: int = 0
    ) -> Iterator[tuple[np.ndarray | Prepared, np.ndarray]]:
        """The batches of an epoch, with the work done that the model's first layer leaves to us."""
        prepare = preparing(self.model)
        with closing(self.batches.epoch(epoch, first_step)) as batches:
            for images, labels in batches:
                yield prepare(images), labels

    def train_on(
        self, images: np.ndarray | Prepared, labels: np.ndarray
    ) -> tuple[float, np.ndarray]:
        """One step on a batch: its loss per example and its scores (B, 10), from before the step.

        Raises NonFiniteError, before a parameter changes, when the loss or a gradient is not
        finite.
        """
        random_state = nn.default_rng().bit_generator.state
        output = self.model(images)
        loss = objective(self.model, output, labels, self.recipe)
        value = loss.item()
        finite = math.isfinite(value)
        if finite:
            if self.linter is not None:
                self.linter.check(loss)
            for optimizer in self.optimizers:
                optimizer.zero_grad()
            loss.backward()
            finite = finite_gradients(self.model)
        if not finite:
            nn.default_rng().bit_generator.state = random_state
            raise self._non_finite(value, images, labels)
        if self.recipe.max_grad_norm is not None:
            optim.clip_grad_norm_(self.model.parameters(), self.recipe.max_grad_norm)
        for optimizer in self.optimizers:
            optimizer.step()
        self.step += 1
        if self.recipe.schedule != "decay" and not self.finished:
            for scheduler in self.schedulers:
                scheduler.step()
        scores = main_scores(output).data
        return value / (len(labels) if self.recipe.loss == "sum" else 1), scores

    def _non_finite(
        self, loss: float, images: np.ndarray | Prepared, labels: np.ndarray
    ) -> NonFiniteError:
        def again() -> Tensor:
            return objective(self.model, self.model(images), labels, self.recipe)

        what = "a gradient is not finite" if math.isfinite(loss) else f"the loss is {loss}"
        return NonFiniteError(
            f"{what} in step {self.step + 1}, at learning rate {self.lr:g}; lower it with --lr. "
            f"Origin: {origin(self.model, again)}"
        )

    def freeze(self, epoch: int) -> None:
        """Let only what is trained in this epoch require gradients; the rest records nothing."""
        for group, parameters in self.groups:
            for parameter in parameters:
                parameter.requires_grad = group.epochs is None or epoch <= group.epochs
                parameter.grad = None


def set_drop_path(model: nn.Module, drop_prob: float) -> None:
    """Make `drop_prob` the probability of all DropPath layers of a model."""
    for module in model.modules():
        if isinstance(module, nn.DropPath):
            module.drop_prob = drop_prob
