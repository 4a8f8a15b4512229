"""How each model is trained: the homework's recipes, and ours."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from examples.cifar10.errors import TrainingError

ModelName = Literal[
    "softmax", "two_layer", "mlp", "convnet", "vgg", "airbench", "darts_small", "darts"
]
Preset = Literal["tuned", "homework"]
PixelScale = Literal["standardised", "published", "whitened", "centred"]
MODELS: tuple[ModelName, ...] = get_args(ModelName)
PRESETS: tuple[Preset, ...] = get_args(Preset)
PIXEL_SCALES: tuple[PixelScale, ...] = get_args(PixelScale)

FEW_IMAGES = 500


@dataclass(frozen=True)
class Group:
    """Parameters that are trained alike; None is the recipe's own value.

    A parameter belongs to the first group of its recipe that takes it.
    """

    # whitening: of the whitening layer; filters: of four axes; weights: of at least two.
    parameters: Literal["whitening", "filters", "weights", "all"]
    optimizer: Literal["sgd", "muon"] = "sgd"
    lr: float | None = None
    momentum: float | None = None
    weight_decay: float | None = None
    # Trained for so many epochs, then frozen; a linear schedule ends there too.
    epochs: int | None = None
    # Of Muon.
    ns_steps: int = 5
    renormalize: bool = False


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run but the data and the seed."""

    epochs: int
    batch_size: int
    lr: float
    # one_cycle: up and down again within the run (Smith & Topin 2017); linear and cosine: down to 0
    # at its end (Loshchilov & Hutter 2017); decay: a factor per epoch.
    schedule: Literal["one_cycle", "linear", "cosine", "decay"] = "one_cycle"
    lr_decay: float = 1.0
    momentum: float = 0.9
    nesterov: bool = True
    # Decay by the optimizer, of weights only unless `groups` say otherwise; or a term of the loss,
    # l2_penalty / 2 times the sum of the weights' squares.
    weight_decay: float = 0.0
    l2_penalty: float = 0.0
    groups: tuple[Group, ...] = (Group("weights"), Group("all", weight_decay=0.0))
    # Over the examples of a batch.
    loss: Literal["mean", "sum"] = "mean"
    label_smoothing: float = 0.0
    # The factor of an auxiliary head's loss; 0 is without the head.
    auxiliary_weight: float = 0.0
    # The probability of dropping a path, reached in equal steps from 0 in the first epoch.
    drop_path: float = 0.0
    # Gradients are scaled to a common norm of at most this.
    max_grad_norm: float | None = None
    # random: by chance in every epoch; alternating: by chance in the first, then in turns.
    flips: Literal["random", "alternating"] | None = None
    shift: int = 0
    # Side of a square that is hidden in each image.
    cutout: int = 0
    # standardised: channels of mean 0 and deviation 1; published: by CIFAR-10's published means and
    # deviations; whitened: each image's channels of mean 0 and deviation 1; centred: 0..255 minus
    # the mean image.
    pixels: PixelScale = "standardised"
    hidden: tuple[int, ...] = ()
    # Weights N(0, initial_std^2) and biases 0; None for an initialisation by fan-in.
    initial_std: float | None = None
    max_steps: int | None = None
    # Held out from the training images to choose the best epoch; without, the last one is kept.
    validation_images: int = 1000
    # Views of a test image whose scores are averaged: 1, 2 (with its mirror) or 6 (and shifted).
    test_views: int = 1

    @classmethod
    def from_json(cls, entries: dict[str, Any]) -> Recipe:
        """The recipe that `dataclasses.asdict` and JSON made `entries` of."""
        groups = tuple(Group(**group) for group in entries["groups"])
        return cls(**{**entries, "hidden": tuple(entries["hidden"]), "groups": groups})


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
    ("softmax", "tuned"): Recipe(epochs=8, batch_size=200, lr=3e-3, flips="random"),
    ("two_layer", "tuned"): Recipe(
        epochs=10, batch_size=100, lr=1e-2, weight_decay=5e-4, flips="random", hidden=(512,)
    ),
    ("mlp", "tuned"): Recipe(
        epochs=20,
        batch_size=128,
        lr=5e-2,
        weight_decay=5e-4,
        label_smoothing=0.1,
        flips="random",
        shift=2,
        hidden=(1024, 512, 256),
    ),
    ("convnet", "tuned"): Recipe(
        epochs=8, batch_size=50, lr=1e-2, weight_decay=5e-4, flips="random"
    ),
    ("vgg", "tuned"): Recipe(
        epochs=6,
        batch_size=128,
        lr=0.1,
        weight_decay=5e-4,
        label_smoothing=0.1,
        flips="random",
        shift=4,
    ),
    # Of airbench94_muon. A group's decay per step, lr weight_decay, begins at 0.004 for every lr.
    ("airbench", "tuned"): Recipe(
        epochs=8,
        batch_size=2000,
        lr=0.24,
        momentum=0.6,
        schedule="linear",
        groups=(
            Group("filters", "muon", ns_steps=3, renormalize=True),
            Group("weights", lr=0.67, momentum=0.85, weight_decay=0.004 / 0.67),
            Group("whitening", lr=0.053, momentum=0.85, weight_decay=0.004 / 0.053, epochs=3),
            Group("all", lr=0.053, momentum=0.85, weight_decay=0.004 / 0.053),
        ),
        loss="sum",
        label_smoothing=0.2,
        flips="alternating",
        shift=2,
        pixels="published",
        validation_images=0,
        test_views=6,
    ),
    ("darts_small", "tuned"): Recipe(
        epochs=5,
        batch_size=96,
        lr=0.1,
        weight_decay=3e-4,
        auxiliary_weight=0.4,
        max_grad_norm=5.0,
        flips="random",
        shift=4,
        pixels="published",
    ),
    # As published, but for what comes in from outside where images are shifted (reflected here).
    ("darts", "tuned"): Recipe(
        epochs=600,
        batch_size=96,
        lr=0.025,
        schedule="cosine",
        nesterov=False,
        weight_decay=3e-4,
        groups=(Group("all"),),
        auxiliary_weight=0.4,
        drop_path=0.2,
        max_grad_norm=5.0,
        flips="random",
        shift=4,
        cutout=16,
        pixels="published",
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
        drop_path=0.0,
        flips=None,
        shift=0,
        cutout=0,
    )


def for_fine_tuning(recipe: Recipe) -> Recipe:
    """The recipe changed for weights that were trained before: an epoch at a tenth of the rates."""
    groups = tuple(
        group if group.lr is None else replace(group, lr=group.lr / 10) for group in recipe.groups
    )
    return replace(
        recipe, epochs=1, max_steps=None, lr=recipe.lr / 10, groups=groups, drop_path=0.0
    )
