"""Beginning with weights that were trained before."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

import nn
from examples.cifar10.errors import DataError
from examples.cifar10.runs.folder import RunFolder


def load_weights(model: nn.Sequential, path: Path, *, new_classifier: bool = False) -> None:
    """Load the weights of a file, a run folder or a folder of checkpoints into `model`.

    The names are those of the model's state, or of one of its parts alone, as published weights of
    a network have them. With `new_classifier` the last layer (and an auxiliary head's) keeps its
    values. What `path` may lack besides: the statistics of pixels, which stay those of the
    training images, and batch norm's counts of batches.

    Raises DataError naming the file if it cannot be read or does not fit.
    """
    run = RunFolder(path).model
    file = run if run.exists() else path
    state = _with_model_names(_read(file), model)
    fresh = _classifiers(model) if new_classifier else []

    def is_fresh(name: str) -> bool:
        return name.rpartition(".")[0] in fresh

    kept = {
        name: array
        for name, array in model.state_dict().items()
        if is_fresh(name) or (name not in state and _may_be_absent(name))
    }
    loaded = {name: array for name, array in state.items() if not is_fresh(name)}
    try:
        model.load_state_dict({**loaded, **kept})
    except ValueError as error:
        hint = "" if new_classifier else "; --new-classifier leaves the last layer out"
        raise DataError(f"{file} does not fit this model{hint}: {error}") from error


def _read(file: Path) -> dict[str, np.ndarray]:
    try:
        state = nn.load(file)
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror or error})") from error
    except ValueError as error:
        raise DataError(str(error)) from error
    if not isinstance(state, Mapping) or not all(
        isinstance(value, np.ndarray) for value in state.values()
    ):
        raise DataError(f"{file} holds no state dict of a model (names of arrays)")
    return dict(state)


def _with_model_names(state: dict[str, np.ndarray], model: nn.Module) -> dict[str, np.ndarray]:
    """The state of one part of the model under the names that the whole model has for it."""
    names = set(model.state_dict())
    if names.isdisjoint(state):
        for part, _ in model.named_children():
            renamed = {f"{part}.{name}": array for name, array in state.items()}
            if not names.isdisjoint(renamed):
                return renamed
    return state


def _classifiers(model: nn.Module) -> list[str]:
    """Paths of the last affine layer, and of an auxiliary head's."""
    affine = [path for path, module in model.named_modules() if isinstance(module, nn.Linear)]
    return [*affine[-1:], *(path for path in affine if path.endswith("auxiliary_head.classifier"))]


def _may_be_absent(name: str) -> bool:
    # Files written by PyTorch before 0.4.1 have no counts of batches.
    return name in ("0.mean", "0.deviation") or name.endswith(".num_batches_tracked")
