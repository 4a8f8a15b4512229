"""The files of a run: config.json, metrics.jsonl, model.npz; the places of what others write."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import nn
from examples.cifar10.errors import DataError, TrainingError
from examples.cifar10.presets import MODELS, ModelName, Recipe

FORMAT = 2


@dataclass(frozen=True)
class Config:
    """What a run was asked to do, and on which images."""

    model: ModelName
    # A name, or the path of a file.
    preset: str
    seed: int
    recipe: Recipe
    # As given to --data, and where that led.
    data: str
    data_source: str
    data_fingerprint: str
    train_images: int
    validation_images: int
    test_images: int
    class_names: tuple[str, ...]
    parameters: int
    versions: dict[str, str]
    # The weights that training began with.
    weights: str | None = None
    new_classifier: bool = False
    # Of the images and labels that may be trained on; None in folders of earlier versions.
    training_fingerprint: str | None = None


class RunFolder:
    """Writes and reads the files of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.json"
        self.metrics = path / "metrics.jsonl"
        self.model = path / "model.npz"
        self.curves = path / "curves.png"
        self.weights = path / "weights.png"
        self.checkpoints = path / "checkpoints"
        self.lock = path / "lock"
        self.tensorboard = path / "tensorboard"
        self.confusion = path / "confusion.png"
        self.mistakes = path / "mistakes.png"

    def clear(self, *, overwrite: bool = False) -> None:
        """Delete the files of a run, its config.json first: without it the folder holds none.

        Raises TrainingError if the folder holds a run and is not to be overwritten.
        """
        if self.config.exists() and not overwrite:
            raise TrainingError(
                f"{self.path} already holds a run; choose another --out, go on with it with "
                "--resume, or replace it with --overwrite"
            )
        with self._writing():
            self.path.mkdir(parents=True, exist_ok=True)
            old = [self.config, self.metrics, self.model, self.curves, self.weights]
            old += [self.confusion, self.mistakes]
            old += self.checkpoints.glob("checkpoint-*.safetensors")
            old += self.tensorboard.glob("events.out.tfevents.*")
            for file in (*old, *self._partial_files()):
                file.unlink(missing_ok=True)

    def write_config(self, config: Config) -> None:
        """Write config.json, the file that makes the folder that of a run."""
        text = json.dumps({"format": FORMAT, **asdict(config)}, indent=2)
        self._replace(self.config, text + "\n")

    def add_metrics(self, entry: dict[str, Any]) -> None:
        """Append one line to metrics.jsonl."""
        with self._writing(), open(self.metrics, "a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")

    def mend(self, entries: Sequence[dict[str, Any]]) -> None:
        """Make metrics.jsonl hold `entries`, and delete what a killed process has half written."""
        with self._writing():
            for file in self._partial_files():
                file.unlink()
        text = "".join(json.dumps(entry) + "\n" for entry in entries)
        if not self.metrics.exists() or self.metrics.read_bytes() != text.encode():
            self._replace(self.metrics, text)

    def test_metrics(self) -> dict[str, Any] | None:
        """The line that ends a run's metrics.jsonl, measured on the test images; or None."""
        try:
            lines = self.metrics.read_text(encoding="utf-8").splitlines()
            entry = json.loads(lines[-1])
        except (OSError, ValueError, IndexError):
            return None
        return entry if isinstance(entry, dict) and "test_accuracy" in entry else None

    def _partial_files(self) -> list[Path]:
        """Those of this folder; `nn.save` deletes those of the checkpoints."""
        return [*self.path.glob(f".{self.model.name}.*.part"), *self.path.glob("*.json*.part")]

    def _replace(self, file: Path, text: str) -> None:
        partial = file.with_name(f"{file.name}.part")
        with self._writing():
            partial.write_text(text, encoding="utf-8")
            os.replace(partial, file)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            place = error.filename or self.path
            raise TrainingError(f"{place}: cannot be written: {error.strerror}") from error

    def save_model(self, model: nn.Module) -> None:
        """Write model.npz; the file is replaced only by a complete one."""
        with self._writing():
            nn.save(self.model, model)

    def read_config(self) -> Config:
        """What `write_config` wrote; DataError naming the file if it is missing or damaged."""
        try:
            entries = json.loads(self.config.read_text(encoding="utf-8"))
            version = entries.pop("format")
            if version != FORMAT or entries["model"] not in MODELS:
                raise ValueError(f"format {version}, model {entries['model']!r}")
            entries["recipe"] = Recipe.from_json(entries["recipe"])
            entries["class_names"] = tuple(entries["class_names"])
            return Config(**entries)
        except OSError as error:
            raise DataError(
                f"{self.config}: cannot be read ({error.strerror}); is {self.path} the folder of "
                "a run?"
            ) from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise DataError(f"{self.config}: not the config.json of a run: {error}") from error

    def load_model(self, model: nn.Module) -> None:
        """Load model.npz into `model`; DataError naming the file if it does not fit."""
        if not self.model.exists():
            raise DataError(f"{self.model}: missing; did the run's first epoch end?")
        try:
            model.load_state_dict(nn.load(self.model))
        except ValueError as error:
            raise DataError(f"{self.model}: {error}") from error
