"""TensorBoard's event files, by its own writer."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from examples.cifar10.errors import TrainingError
from examples.cifar10.extras import load_extra
from examples.cifar10.reporting.reporter import Reporter
from examples.cifar10.reporting.results import result_entry
from examples.cifar10.runs.folder import Config, RunFolder
from examples.cifar10.training.evaluation import Measurement

# Steps between two points of the loss within an epoch.
STEPS_A_POINT = 20

# Tags by the keys of metrics.jsonl; what stands before the slash is a group of charts.
TAGS = {
    "loss": "loss/epoch",
    "train_loss": "loss/training",
    "validation_loss": "loss/validation",
    "accuracy": "accuracy/epoch",
    "train_accuracy": "accuracy/training",
    "validation_accuracy": "accuracy/validation",
    "lr": "learning_rate",
    "images_per_second": "images_per_second",
    "test_loss": "loss/test",
    "test_accuracy": "accuracy/test",
    "averaged_test_loss": "loss/test_averaged",
    "averaged_test_accuracy": "accuracy/test_averaged",
}
STEPS_TAG = "loss/steps"


class EventFiles(Reporter):
    """Writes scalars into RUN_DIR/tensorboard, by number of optimizer steps.

    Per epoch the metrics under `TAGS`; within epochs `loss/steps`, the mean over the images since
    its last point. A run that goes on after `step` steps hides what was written beyond them.
    """

    def __init__(self) -> None:
        purpose = "writing event files (--tensorboard)"
        self._writing = _load("tensorboard.summary.writer.event_file_writer", purpose)
        self._events = _load("tensorboard.compat.proto.event_pb2", purpose)
        self._summaries = _load("tensorboard.compat.proto.summary_pb2", purpose)
        self._writer: Any = None
        self._folder = Path()
        self._step = 0
        self._point = (0, 0, 0.0)

    def begin_run(self, config: Config, folder: Path, step: int = 0) -> None:
        """Begin a file; TrainingError if it cannot be written."""
        self.close()
        self._folder = RunFolder(folder).tensorboard
        self._step = step
        try:
            self._writer = self._writing.EventFileWriter(str(self._folder))
        except OSError as error:
            raise self._unwritable(error) from error
        if step:
            session = self._events.SessionLog(status=self._events.SessionLog.START)
            # TensorBoard drops what has this step or a later one.
            self._write(step + 1, session_log=session)

    def begin_epoch(self, epoch: int, epochs: int, images: int, step: int) -> None:
        """Begin to average the loss."""
        self._step = step
        self._point = (step, 0, 0.0)

    def step(self, images: int, loss: float, accuracy: float) -> None:
        """A point of the loss after every so many steps."""
        self._step += 1
        last_step, last_images, last_total = self._point
        if self._step - last_step >= STEPS_A_POINT:
            total = images * loss
            self._scalars({STEPS_TAG: (total - last_total) / (images - last_images)})
            self._point = (self._step, images, total)

    def end_epoch(self, entry: dict[str, Any]) -> None:
        """The epoch's scalars, at once in the file."""
        self._step = entry["steps"]
        self._metrics(entry)

    def end_run(self, results: Sequence[Measurement], class_names: Sequence[str]) -> None:
        """The test's scalars."""
        self._metrics(result_entry(results))

    def close(self) -> None:
        """End the file."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    def _metrics(self, entry: dict[str, Any]) -> None:
        self._scalars({tag: entry[key] for key, tag in TAGS.items() if key in entry})
        if self._writer is not None:
            self._writer.flush()

    def _scalars(self, values: dict[str, float]) -> None:
        value = self._summaries.Summary.Value
        points = [value(tag=tag, simple_value=number) for tag, number in values.items()]
        self._write(self._step, summary=self._summaries.Summary(value=points))

    def _write(self, step: int, **content: Any) -> None:
        if self._writer is None:
            return
        event = self._events.Event(wall_time=time.time(), step=step, **content)
        try:
            self._writer.add_event(event)
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> TrainingError:
        return TrainingError(f"{self._folder}: event files cannot be written: {error}")


def _load(name: str, purpose: str) -> Any:
    return load_extra(name, purpose, "tensorboard")
