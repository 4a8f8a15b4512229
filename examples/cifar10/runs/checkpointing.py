"""When a run's checkpoints are written, what is in them, and going on from one."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import nn
from examples.cifar10.errors import DataError, TrainingError
from examples.cifar10.training.nonfinite import NonFiniteError, non_finite_state
from examples.cifar10.training.trainer import Trainer

KEPT = 3


@dataclass(frozen=True)
class Interval:
    """How often to write a checkpoint within an epoch: every so many steps, or seconds."""

    steps: int | None = None
    seconds: float | None = None

    @classmethod
    def parse(cls, text: str) -> Interval:
        """`200`: steps; `90s`, `5min`: time. Raises ValueError for anything else.

        >>> Interval.parse("200"), Interval.parse("5min")
        (Interval(steps=200, seconds=None), Interval(steps=None, seconds=300.0))
        """
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|min|)", text.strip())
        if match is None or float(match[1]) <= 0 or (not match[2] and not match[1].isdigit()):
            raise ValueError(f"expected steps or a time, such as 200, 90s or 5min, got {text!r}")
        if not match[2]:
            return cls(steps=int(match[1]))
        return cls(seconds=float(match[1]) * (60 if match[2] == "min" else 1))


DEFAULT_INTERVAL = Interval(seconds=300.0)


class Checkpoints:
    """The checkpoints of one run: everything its trainer holds, and the epochs' metrics.

    The weights, the optimizers' and schedules' state and the sums of the present epoch are all
    that is carried from step to step; what is random is a function of seed, epoch and step.
    """

    def __init__(
        self, folder: Path, trainer: Trainer, interval: Interval = DEFAULT_INTERVAL
    ) -> None:
        self.folder = folder
        self.trainer = trainer
        self.interval = interval
        self.history: list[dict[str, Any]] = []
        self._saved: tuple[int, bool, int] | None = None
        self._moment = monotonic()

    def save(self) -> None:
        """Write the present state, unless the newest checkpoint has it.

        Raises NonFiniteError instead of keeping a state that cannot go on, TrainingError if the
        file cannot be written; the checkpoints before it are then as they were.
        """
        trainer = self.trainer
        state = (trainer.step, trainer.progress.ended, len(self.history))
        if state == self._saved:
            return
        broken = non_finite_state(trainer.model)
        if broken:
            raise NonFiniteError(
                f"after step {trainer.step} {broken[0]} is not finite, at learning rate "
                f"{trainer.lr:g}; lower it with --lr. Origin: the update of that step overflowed"
            )
        try:
            nn.save(
                self.folder,
                trainer.model,
                trainer.optimizers,
                trainer.schedulers,
                loader=trainer.progress,
                step=trainer.step,
                metadata={"history": self.history},
                keep=KEPT,
            )
        except OSError as error:
            raise TrainingError(
                f"the checkpoint of step {trainer.step} cannot be written: {error}"
            ) from error
        self._saved = state
        self._moment = monotonic()

    def save_if_due(self) -> None:
        """Write the present state, reached by a step, if it is time to."""
        steps, seconds = self.interval.steps, self.interval.seconds
        if (steps is not None and self.trainer.step % steps == 0) or (
            seconds is not None and monotonic() - self._moment >= seconds
        ):
            self.save()

    def restore(self, say: Callable[[str], object]) -> None:
        """Go to the state of the newest intact checkpoint; `say` is told of damaged ones.

        Raises DataError if there is none, or it is of another model.
        """
        trainer = self.trainer
        try:
            with warnings.catch_warnings():
                # The damaged files are told below.
                warnings.simplefilter("ignore")
                found = nn.load(
                    self.folder,
                    trainer.model,
                    trainer.optimizers,
                    trainer.schedulers,
                    loader=trainer.progress,
                )
            history = list(found.metadata["history"])
        except FileNotFoundError as error:
            raise DataError(f"{self.folder} holds no checkpoint to go on from") from error
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise DataError(f"the run cannot go on: {error}") from error
        for _, reason in found.skipped:
            say(f"Note: a damaged checkpoint is left out: {reason}")
        self.history = history
        trainer.step = found.step
        self._saved = (trainer.step, trainer.progress.ended, len(history))
        self._moment = monotonic()

    @property
    def newest(self) -> int | None:
        """The step of the newest checkpoint that this process has read or written."""
        return None if self._saved is None else self._saved[0]
