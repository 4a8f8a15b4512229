"""Recipes by name or from a file, such as those that a search found."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from examples.cifar10.errors import DataError, TrainingError
from examples.cifar10.presets import MODELS, PRESETS, ModelName, Recipe, find_recipe

FORMAT = 1
SEARCHED = "searched"
# What --preset takes besides a file.
NAMES: tuple[str, ...] = (*PRESETS, SEARCHED)
# MODEL.json, with the log of the search that found it in MODEL.jsonl.
FOLDER = Path(__file__).parent / "tuning" / "found"


def write_preset(path: Path, model: ModelName, recipe: Recipe, found: dict[str, Any]) -> None:
    """Replace the file by a recipe for a model, and what is to be known of where it is from."""
    entries = {"format": FORMAT, "model": model, "found": found, "recipe": asdict(recipe)}
    partial = path.with_name(f"{path.name}.part")
    partial.write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")
    os.replace(partial, path)


def read_preset(path: Path, model: ModelName) -> Recipe:
    """The recipe in a file; DataError naming it if it is missing, damaged or another model's."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        if entries["format"] != FORMAT:
            raise ValueError(f"format {entries['format']!r}, expected {FORMAT}")
        recipe = Recipe.from_json(entries["recipe"])
        theirs = entries["model"]
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DataError(f"{path}: not a preset as `tune` writes it: {error}") from error
    if theirs != model:
        raise DataError(f"{path}: a preset of {theirs}, not of {model}")
    return recipe


def searched_models() -> list[ModelName]:
    """The models whose recipe of a search is kept here."""
    return [model for model in MODELS if (FOLDER / f"{model}.json").is_file()]


def choose_recipe(model: ModelName, preset: str) -> Recipe:
    """The recipe of a name in NAMES, or in the file of that path.

    Raises TrainingError for a name that has no recipe for the model, DataError for a file that
    does not hold one.
    """
    for name in PRESETS:
        if preset == name:
            return find_recipe(model, name)
    if preset == SEARCHED:
        if model not in searched_models():
            raise TrainingError(
                f"no search for {model} is kept here, only for {', '.join(searched_models())}; "
                f"python -m examples.cifar10 tune {model} makes one"
            )
        return read_preset(FOLDER / f"{model}.json", model)
    path = Path(preset).expanduser()
    if not path.exists():
        raise TrainingError(
            f"--preset {preset}: neither a file nor one of the names {', '.join(NAMES)}"
        )
    return read_preset(path, model)
