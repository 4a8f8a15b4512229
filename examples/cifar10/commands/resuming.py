"""Options beside `--resume`: what decides a run's result may only be repeated."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from examples.cifar10.errors import ExampleError
from examples.cifar10.presets import Recipe

if TYPE_CHECKING:
    from examples.cifar10.runs.folder import Config


def check_options(options: argparse.Namespace, config: Config, recipe: Recipe) -> None:
    """Raise ExampleError naming every option that contradicts the config of the run to go on.

    `recipe` is the config's with the options applied to it.
    """
    found = list(_contradictions(options, config, recipe))
    if found:
        raise ExampleError(
            f"{options.resume} cannot go on as another run: {'; '.join(found)}. Leave these out, "
            "or begin a new run without --resume"
        )


def _contradictions(options: argparse.Namespace, config: Config, recipe: Recipe) -> Iterator[str]:
    weights = None if options.weights is None else str(options.weights)
    pairs: list[tuple[str, Any, Any]] = [
        ("MODEL", options.model, config.model),
        ("--preset", options.preset, config.preset),
        ("--seed", options.seed, config.seed),
        ("--train-images", options.train_images, config.train_images),
        ("--from", weights, config.weights),
    ]
    for name, given, has in pairs:
        if given is not None and given != has:
            yield f"{name} {given} (the run has {'none' if has is None else has})"
    if options.new_classifier and not config.new_classifier:
        yield "--new-classifier (the run has its old one)"
    if options.out is not None and options.out.resolve() != options.resume.resolve():
        yield f"--out {options.out} (it goes on in its own folder)"
    if options.overwrite:
        yield "--overwrite (which would delete it)"
    kept = asdict(config.recipe)
    for field, value in asdict(recipe).items():
        if value != kept[field]:
            name = f"--{field.replace('_', '-')}" if hasattr(options, field) else field
            yield f"{name} {_shown(value)} (the run has {_shown(kept[field])})"


def _shown(value: Any) -> str:
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
