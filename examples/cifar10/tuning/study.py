"""The trials of a search in a SQLite file, by Optuna: drawn, pruned, and kept when killed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import numpy as np
import optuna
import sqlalchemy

from examples.cifar10.errors import DataError, TrainingError
from examples.cifar10.tuning.log import Search, TrialRecord, describe_machine
from examples.cifar10.tuning.spaces import (
    Choice,
    Range,
    Real,
    Value,
    round_values,
    space_of,
    start_of,
)
from examples.cifar10.tuning.trials import TrialEpoch

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_NAME = "search"
# Trials before values are drawn near good ones, and before any is pruned.
_RANDOM_TRIALS = 10
_UNPRUNED_TRIALS = 5
_RUNNING, _PRUNED, _FAILED = (
    optuna.trial.TrialState.RUNNING,
    optuna.trial.TrialState.PRUNED,
    optuna.trial.TrialState.FAIL,
)


class Study:
    """A search's trials, one at a time.

    What a trial draws is a function of the seed and the trials that ended before it, not of a
    generator's state: a trial that was interrupted is drawn again, and a search that was killed
    goes on as if it never had been.
    """

    def __init__(self, study: optuna.Study, search: Search) -> None:
        self._study = study
        self.search = search
        self._ranges = {name: _distribution(r) for name, r in space_of(search.model).items()}

    def begin_trial(self) -> RunningTrial:
        """The next trial: the model's own recipe first, then drawn values (by TPE)."""
        position = sum(record.state != "interrupted" for record in self.records())
        words = np.random.SeedSequence([self.search.seed, position]).generate_state(1)
        self._study.sampler = optuna.samplers.TPESampler(
            seed=int(words[0]), n_startup_trials=_RANDOM_TRIALS
        )
        waiting = self._study.get_trials(states=(optuna.trial.TrialState.WAITING,))
        if position == 0 and not waiting:
            self._study.enqueue_trial(start_of(self.search.model))
        return RunningTrial(self._study, self._study.ask(self._ranges))

    def records(self) -> tuple[TrialRecord, ...]:
        """All trials that ended."""
        return tuple(_record(t) for t in self._study.trials if t.state.is_finished())

    @property
    def machine(self) -> dict[str, str]:
        """Where the search began."""
        found: dict[str, str] = self._study.user_attrs["machine"]
        return found

    @property
    def final(self) -> dict[str, Any] | None:
        """What was kept of the best trial's full training."""
        found: dict[str, Any] | None = self._study.user_attrs.get("final")
        return found

    @final.setter
    def final(self, result: dict[str, Any]) -> None:
        self._study.set_user_attr("final", result)

    def importances(self) -> dict[str, float]:
        """The share of each hyper-parameter in what sets good trials apart (PED-ANOVA: Watanabe,
        Bansal & Hutter 2023), of finished trials; empty where these are too few to tell.
        """
        finished = [record for record in self.records() if record.state == "finished"]
        if len(finished) < _UNPRUNED_TRIALS:
            return {}
        evaluator = optuna.importance.PedAnovaImportanceEvaluator()
        return optuna.importance.get_param_importances(self._study, evaluator=evaluator)


class RunningTrial:
    """A trial that has drawn its values and not ended yet."""

    def __init__(self, study: optuna.Study, trial: optuna.Trial) -> None:
        self._study = study
        self._trial = trial
        self._accuracies: list[float] = []
        self._seconds = 0.0
        self.number = trial.number
        self.values: dict[str, Value] = round_values(trial.params)

    def report(self, epoch: TrialEpoch) -> bool:
        """Keep what an epoch gave; whether the trial is hopeless: its best so far is below the
        median of the finished trials at this epoch.
        """
        self._accuracies.append(epoch.validation_accuracy)
        self._seconds += epoch.seconds
        self._trial.report(epoch.validation_accuracy, epoch.epoch)
        return self._trial.should_prune()

    def finish(self) -> TrialRecord:
        """All epochs are done."""
        self._keep_seconds()
        return _record(self._study.tell(self._trial, max(self._accuracies)))

    def prune(self, diverged: str | None = None) -> TrialRecord:
        """It is hopeless, or its loss is not finite, as the message says."""
        if diverged is not None:
            self._trial.set_user_attr("diverged", diverged)
        self._keep_seconds()
        return _record(self._study.tell(self._trial, state=_PRUNED))

    def interrupt(self) -> None:
        """It was stopped and says nothing about its values."""
        self._keep_seconds()
        self._study.tell(self._trial, state=_FAILED)

    def _keep_seconds(self) -> None:
        self._trial.set_user_attr("seconds", round(self._seconds, 1))


@contextmanager
def open_study(path: Path, search: Search) -> Iterator[Study]:
    """The study kept in a file, a new one if there is none. Trials that were running when their
    search was killed are marked as failed.

    Raises TrainingError if another process has it open, it is of another search or the folder
    cannot be written; DataError, then or later, if the file is not a study's or cannot be written.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with _locked(path.with_name(f"{path.name}.lock"), path):
        storage = None
        try:
            storage = optuna.storages.RDBStorage(f"sqlite:///{path}")
            yield Study(_opened(storage, path, search), search)
        except (optuna.exceptions.OptunaError, sqlalchemy.exc.SQLAlchemyError) as error:
            reason = str(error).splitlines()[0]
            raise DataError(f"{path}: cannot be used as the file of a search: {reason}") from error
        finally:
            if storage is not None:
                storage.remove_session()
                storage.engine.dispose()


def _opened(storage: optuna.storages.BaseStorage, path: Path, search: Search) -> optuna.Study:
    pruner: optuna.pruners.BasePruner = optuna.pruners.NopPruner()
    if search.pruned_from is not None:
        pruner = optuna.pruners.MedianPruner(_UNPRUNED_TRIALS, search.pruned_from)
    study = optuna.create_study(
        storage=storage, study_name=_NAME, direction="maximize", load_if_exists=True, pruner=pruner
    )
    if "search" not in study.user_attrs:
        study.set_user_attr("machine", describe_machine())
        study.set_user_attr("search", json.dumps(asdict(search)))
    differences = Search(**json.loads(study.user_attrs["search"])).differences(search)
    if differences:
        raise TrainingError(
            f"{path} holds a search with {'; '.join(differences)}. Go on with the options it was "
            "begun with, or choose another --out"
        )
    for trial in study.get_trials(states=(_RUNNING,)):
        study.tell(trial.number, state=_FAILED)
    return study


@contextmanager
def _locked(lock: Path, path: Path) -> Iterator[None]:
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        opened: IO[str] = open(lock, "w", encoding="utf-8")  # noqa: SIM115
    except OSError as error:
        raise TrainingError(f"{lock}: cannot be written: {error.strerror}") from error
    with opened as file:
        if fcntl is not None:
            try:
                # Until the process ends, however it ends.
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise TrainingError(
                    f"{path} is being searched by another process; wait, or choose another --out"
                ) from error
        yield


def _record(trial: optuna.trial.FrozenTrial) -> TrialRecord:
    states = {_FAILED: "interrupted", _PRUNED: "pruned"}
    state: Any = states.get(trial.state, "finished")
    if "diverged" in trial.user_attrs:
        state = "diverged"
    return TrialRecord(
        trial.number,
        state,
        round_values(trial.params),
        tuple(accuracy for _, accuracy in sorted(trial.intermediate_values.items())),
        trial.user_attrs.get("seconds", 0.0),
    )


def _distribution(values: Range) -> optuna.distributions.BaseDistribution:
    if isinstance(values, Choice):
        return optuna.distributions.CategoricalDistribution(values.values)
    if isinstance(values, Real):
        return optuna.distributions.FloatDistribution(values.low, values.high, log=values.log)
    return optuna.distributions.IntDistribution(values.low, values.high)
