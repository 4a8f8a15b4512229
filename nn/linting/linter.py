"""The linter's two forms: one step, or the first steps of a training loop."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from autograd import Tensor
from nn.linting import gradients, losses, optimizers
from nn.linting.findings import Finding, Report, check_ignored, check_report, tell
from nn.linting.graphs import KeptGraphs, double_precision
from nn.linting.hidden import hidden_parts
from nn.linting.modes import ModeRule
from nn.linting.step import Model, Step
from nn.module import Module

_STRUCTURE: Sequence[Callable[[Step], Iterator[Finding]]] = (
    losses.constant,
    losses.squashed_inputs,
    losses.targets,
    losses.broadcast_targets,
    double_precision,
    optimizers.twice,
    optimizers.frozen,
    hidden_parts,
    gradients.redundant_biases,
)


def lint(
    model: Model,
    loss: Tensor | Sequence[Tensor],
    optimizer: Any = None,
    *,
    ignore: Collection[str] = (),
    report: Report = None,
) -> list[Finding]:
    """The mistakes of a training step that would raise nothing.

    Call it between the forward pass and `backward`: it sweeps the recorded graph back once more,
    frees nothing and leaves every `grad` as it is. After `backward` it reads the gradients that
    are there, and then cannot say where one of zeros vanished. The model is a Module, or a dict of
    Tensors by name. Pass all losses and all optimizers of a step as sequences; for networks that
    are trained in turn, lint each with its own. `ignore` has names of rules (`nn.LINT_RULES`);
    `report` prints (a function of a string), "warn"s, or "raise"s LintError for all but notes.

    Mistakes that need several steps to be seen are found by `nn.Linter`.

    Raises TypeError for a model, loss or optimizer of another type, ValueError for unknown rules.

    >>> import nn, optim
    >>> import numpy as np
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.Softmax(dim=1))
    >>> optimizer = optim.SGD(net.parameters(), lr=0.1)
    >>> loss = nn.functional.cross_entropy(net(np.ones((4, 2), np.float32)), [0, 1, 2, 0])
    >>> [(finding.rule, finding.path) for finding in nn.lint(net, loss, optimizer)]
    [('softmax-input', '1')]
    """
    check_report(report)
    found = Linter(model, optimizer, steps=1, ignore=ignore).check(loss)
    tell(found, report)
    return found


class Linter:
    """Lints the first steps of a training loop, and what only several of them show.

    `check(loss)` belongs between the forward pass and `backward`. The first `steps` checks apply
    all rules, the first one with a sweep of its own; each finding is given once. Held back until
    the last of them are parameters that only some steps reach (a branch chosen by the data) and
    learning rates of 0 (a warm-up). Later checks only look whether the model is in evaluation
    mode, at the cost of a few attribute look-ups.

    `total += loss` is found at the second check if the total is the loss, at the third if it is
    only kept. Use one Linter for each model that is trained by itself.

    >>> import nn, optim
    >>> import numpy as np
    >>> net = nn.Linear(2, 1)
    >>> optimizer = optim.SGD(net.parameters(), lr=0.1)
    >>> linter = nn.Linter(net, optimizer)
    >>> total = 0.0
    >>> for _ in range(3):
    ...     loss = nn.functional.mse_loss(net(np.ones((4, 2), np.float32)), np.ones((4, 1)))
    ...     for finding in linter.check(loss):
    ...         print(finding.rule)
    ...     optimizer.zero_grad()
    ...     loss.backward()
    ...     optimizer.step()
    ...     total = total + loss
    float64
    kept-graph
    """

    def __init__(
        self,
        model: Model,
        optimizer: Any = None,
        *,
        steps: int = 3,
        ignore: Collection[str] = (),
        report: Report = None,
    ) -> None:
        if not isinstance(model, Module) and not (
            isinstance(model, Mapping) and all(isinstance(p, Tensor) for p in model.values())
        ):
            raise TypeError(
                f"model is a Module, or a dict of Tensors by name; got {type(model).__name__}"
            )
        if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
            raise ValueError(f"steps must be an integer of at least 1, got {steps!r}")
        self._ignored = check_ignored(ignore)
        check_report(report)
        self._report = report
        self._optimizers = optimizers.as_optimizers(optimizer)
        self._model = model
        self._steps = steps
        self._done = 0
        self._sweeping = True
        self._graphs = KeptGraphs()
        self._reached: set[str] = set()
        self._always_still: set[Finding] | None = None
        self._mode = ModeRule(model if isinstance(model, Module) else None)
        self._told: set[tuple[str, str, str | None, tuple[str, ...]]] = set()
        self.findings: list[Finding] = []

    @property
    def finished(self) -> bool:
        """Whether the steps that are linted in full have passed."""
        return self._done >= self._steps

    def check(self, loss: Tensor | Sequence[Tensor]) -> list[Finding]:
        """What is new in this step; also told as `report` says, and kept in `findings`."""
        if self.finished:
            found = self._new(self._mode.findings())
        else:
            self._done += 1
            found = self._new(
                self._all(Step(self._model, losses.as_losses(loss), self._optimizers))
            )
        self.findings += found
        tell(found, self._report)
        return found

    def _new(self, given: Iterator[Finding]) -> list[Finding]:
        new = []
        for finding in given:
            key = (finding.rule, finding.path, finding.place, finding.paths)
            if finding.rule not in self._ignored and key not in self._told:
                self._told.add(key)
                new.append(finding)
        return new

    def _all(self, step: Step) -> Iterator[Finding]:
        yield from self._mode.findings()
        kept = list(self._graphs.findings(step))
        yield from kept
        self._graphs.remember(step)
        for rule in _STRUCTURE:
            yield from rule(step)
        yield from self._rates(step)
        if step.reached:
            yield from self._gradients(step, swept=not step.torn and not kept)

    def _rates(self, step: Step) -> Iterator[Finding]:
        now = set(optimizers.still(step))
        self._always_still = now if self._always_still is None else self._always_still & now
        if self.finished:
            yield from sorted(self._always_still, key=str)

    def _gradients(self, step: Step, swept: bool) -> Iterator[Finding]:
        first, last = self._done == 1, self.finished
        self._reached |= step.reached
        yield from optimizers.missing(step)
        for finding in gradients.unreached(step, by_choice=last):
            if finding.severity == "note":
                never = [path for path in finding.paths if path not in self._reached]
                if len(never) < len(finding.paths):
                    continue
            elif not first:
                continue
            yield finding
        if swept and self._sweeping:
            bad = list(gradients.finite_values(step))
            dead = [] if bad else list(gradients.dead(step))
            yield from bad + dead
            # Once more where a gradient of zero has an excuse that the next step takes away.
            self._sweeping = not bad and bool(gradients.zero_paths(step))
