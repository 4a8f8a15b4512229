"""How each model is trained: the homework's recipes, and ours."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from examples.cifar10.errors import TrainingError

ModelName = Literal["softmax", "two_layer", "mlp", "convnet", "vgg"]
Preset = Literal["tuned", "homework"]
MODELS: tuple[ModelName, ...] = get_args(ModelName)
PRESETS: tuple[Preset, ...] = get_args(Preset)

FEW_IMAGES = 500


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run but the data and the seed."""

    epochs: int
    batch_size: int
    lr: float
    # one_cycle: up and down again within the run (Smith & Topin 2017); decay: a factor per epoch.
    schedule: Literal["one_cycle", "decay"] = "one_cycle"
    lr_decay: float = 1.0
    momentum: float = 0.9
    nesterov: bool = True
    # Weights only, neither biases nor batch norm: decay by the optimizer, or a term of the loss,
    # l2_penalty / 2 times the sum of squares.
    weight_decay: float = 0.0
    l2_penalty: float = 0.0
    label_smoothing: float = 0.0
    flips: bool = False
    shift: int = 0
    # standardised: channels of mean 0 and deviation 1; centred: 0..255 minus the mean image.
    pixels: Literal["standardised", "centred"] = "standardised"
    hidden: tuple[int, ...] = ()
    # Weights N(0, initial_std^2) and biases 0; None for an initialisation by fan-in.
    initial_std: float | None = None
    max_steps: int | None = None

    @classmethod
    def from_json(cls, entries: dict[str, Any]) -> Recipe:
        """The recipe that `dataclasses.asdict` and JSON made `entries` of."""
        return cls(**{**entries, "hidden": tuple(entries["hidden"])})


_HOMEWORK = Recipe(
    epochs=1,
    batch_size=100,
    lr=1e-5,
    schedule="decay",
    nesterov=False,
    pixels="centred",
)

_RECIPES: dict[tuple[ModelName, Preset], Recipe] = {
    ("softmax", "homework"): replace(
        _HOMEWORK,
        epochs=84,
        max_steps=500,
        batch_size=8000,
        momentum=0.0,
        l2_penalty=2000.0,
        initial_std=1e-3,
    ),
    ("two_layer", "homework"): replace(
        _HOMEWORK, epochs=5, lr_decay=0.95, l2_penalty=1.0, initial_std=1e-5, hidden=(50,)
    ),
    ("convnet", "homework"): replace(
        _HOMEWORK, batch_size=50, lr=1e-4, lr_decay=0.95, l2_penalty=1e-3, initial_std=1e-3
    ),
    ("softmax", "tuned"): Recipe(epochs=8, batch_size=200, lr=3e-3, flips=True),
    ("two_layer", "tuned"): Recipe(
        epochs=10, batch_size=100, lr=1e-2, weight_decay=5e-4, flips=True, hidden=(512,)
    ),
    ("mlp", "tuned"): Recipe(
        epochs=20,
        batch_size=128,
        lr=5e-2,
        weight_decay=5e-4,
        label_smoothing=0.1,
        flips=True,
        shift=2,
        hidden=(1024, 512, 256),
    ),
    ("convnet", "tuned"): Recipe(epochs=8, batch_size=50, lr=1e-2, weight_decay=5e-4, flips=True),
    ("vgg", "tuned"): Recipe(
        epochs=6,
        batch_size=128,
        lr=0.1,
        weight_decay=5e-4,
        label_smoothing=0.1,
        flips=True,
        shift=4,
    ),
}


def find_recipe(model: ModelName, preset: Preset) -> Recipe:
    """The recipe of that name; TrainingError where the homework has no such model."""
    try:
        return _RECIPES[model, preset]
    except KeyError:
        known = ", ".join(name for name, which in _RECIPES if which == preset)
        raise TrainingError(
            f"the {preset} preset has no recipe for {model}, only for {known}; "
            "leave --preset out for ours"
        ) from None


def for_few_images(recipe: Recipe) -> Recipe:
    """The recipe changed for learning a handful of images by heart, as a check of a model."""
    return replace(
        recipe,
        epochs=20,
        batch_size=10,
        max_steps=None,
        label_smoothing=0.0,
        flips=False,
        shift=0,
    )
