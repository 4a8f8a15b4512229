"""The files of a run: config.json, metrics.jsonl, model.npz and the pictures' places."""

from __future__ import annotations

import json
import os
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


class RunFolder:
    """Writes and reads the files of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.json"
        self.metrics = path / "metrics.jsonl"
        self.model = path / "model.npz"
        self.curves = path / "curves.png"
        self.weights = path / "weights.png"

    def begin(self, config: Config, *, overwrite: bool = False) -> None:
        """Make the folder with its config.json; TrainingError if it already holds a run."""
        if self.config.exists() and not overwrite:
            raise TrainingError(
                f"{self.path} already holds a run; choose another --out, or replace it with "
                "--overwrite"
            )
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            for old in (self.metrics, self.model, self.curves, self.weights):
                old.unlink(missing_ok=True)
            text = json.dumps({"format": FORMAT, **asdict(config)}, indent=2)
            partial = self.config.with_name("config.json.part")
            partial.write_text(text + "\n", encoding="utf-8")
            os.replace(partial, self.config)
        except OSError as error:
            raise TrainingError(f"{self.path}: cannot be written: {error.strerror}") from error

    def add_metrics(self, entry: dict[str, Any]) -> None:
        """Append one line to metrics.jsonl."""
        with open(self.metrics, "a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")

    def save_model(self, model: nn.Module) -> None:
        """Write model.npz; the file is replaced only by a complete one."""
        nn.save(self.model, model)

    def read_config(self) -> Config:
        """What `begin` wrote; DataError naming the file if it is missing or damaged."""
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
