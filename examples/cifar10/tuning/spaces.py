"""What is searched for each model: ranges of hyper-parameters, and the recipe that values give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from examples.cifar10.errors import TrainingError
from examples.cifar10.presets import MODELS, ModelName, Recipe, find_recipe

# What a hyper-parameter can be, and the values of one trial by name.
Value = float | int
Values = Mapping[str, Value]

# Significant digits of real values, so that a recipe is what its log says.
_DIGITS = 3


@dataclass(frozen=True)
class Real:
    """A number of an interval, drawn evenly or (log) evenly in its logarithm."""

    low: float
    high: float
    log: bool = False

    def holds(self, value: Value) -> bool:
        """Whether the value is one of these."""
        return self.low <= value <= self.high


@dataclass(frozen=True)
class Whole:
    """A whole number of an interval, its ends included."""

    low: int
    high: int

    def holds(self, value: Value) -> bool:
        """Whether the value is one of these."""
        return self.low <= value <= self.high and value == int(value)


@dataclass(frozen=True)
class Choice:
    """One of a few numbers."""

    values: tuple[Value, ...]

    def holds(self, value: Value) -> bool:
        """Whether the value is one of these."""
        return value in self.values


Range = Real | Whole | Choice
Space = dict[str, Range]

_SGD: Space = {
    "lr": Real(1e-3, 0.2, log=True),
    "momentum": Real(0.8, 0.98),
    "weight_decay": Real(1e-5, 1e-2, log=True),
}
_IMAGES: Space = {"shift": Whole(0, 4), "label_smoothing": Real(0.0, 0.2)}

_SPACES: dict[ModelName, Space] = {
    "softmax": {
        **_SGD,
        **_IMAGES,
        "lr": Real(1e-4, 5e-2, log=True),
        "batch_size": Choice((50, 100, 200, 400)),
    },
    "two_layer": {
        **_SGD,
        **_IMAGES,
        "batch_size": Choice((50, 100, 200)),
        "hidden": Choice((64, 128, 256, 512, 1024)),
    },
    # Each hidden layer is `taper` times as wide as the one before.
    "mlp": {
        **_SGD,
        **_IMAGES,
        "batch_size": Choice((64, 128, 256)),
        "hidden": Choice((512, 1024, 1536)),
        "layers": Whole(2, 4),
        "taper": Choice((0.5, 1.0)),
    },
    "convnet": {**_SGD, **_IMAGES, "batch_size": Choice((25, 50, 100))},
    "vgg": {
        **_SGD,
        **_IMAGES,
        "lr": Real(1e-2, 0.5, log=True),
        "batch_size": Choice((64, 128, 256)),
        "cutout": Choice((0, 4, 8)),
    },
    # Muon's; the other groups of parameters keep the recipe's rates.
    "airbench": {
        **_IMAGES,
        "lr": Real(0.05, 1.0, log=True),
        "momentum": Real(0.4, 0.95),
        "label_smoothing": Real(0.0, 0.3),
        "batch_size": Choice((500, 1000, 2000)),
    },
    "darts_small": {
        **_SGD,
        "batch_size": Choice((48, 96, 192)),
        "auxiliary_weight": Real(0.0, 0.8),
        "cutout": Choice((0, 8, 16)),
    },
    "darts": {
        **_SGD,
        "batch_size": Choice((48, 96)),
        "auxiliary_weight": Real(0.0, 0.8),
        "drop_path": Real(0.0, 0.4),
        "cutout": Choice((0, 8, 16)),
    },
}
assert tuple(_SPACES) == MODELS

# Long enough to tell good values from bad ones.
_TRIAL_EPOCHS: dict[ModelName, int] = {
    "softmax": 4,
    "two_layer": 5,
    "mlp": 8,
    "convnet": 4,
    "vgg": 4,
    "airbench": 4,
    "darts_small": 2,
    "darts": 10,
}


def space_of(model: ModelName) -> Space:
    """The ranges that `tune` draws the values of a model's trials from."""
    return dict(_SPACES[model])


def trial_epochs(model: ModelName) -> int:
    """How many epochs a trial of a model is trained for unless told otherwise."""
    return _TRIAL_EPOCHS[model]


def start_of(model: ModelName) -> dict[str, Value]:
    """The values of the model's own recipe, with which a search begins; a weight decay of 0 becomes
    the least of its range, which is logarithmic.

    >>> start_of("mlp")["hidden"], start_of("mlp")["layers"], start_of("mlp")["taper"]
    (1024, 3, 0.5)
    """
    recipe = find_recipe(model, "tuned")
    shape: dict[str, Value] = {}
    if recipe.hidden:
        shape = {"hidden": recipe.hidden[0], "layers": len(recipe.hidden)}
        shape["taper"] = recipe.hidden[1] / recipe.hidden[0] if len(recipe.hidden) > 1 else 1.0
    values = {
        name: shape[name] if name in shape else getattr(recipe, name) for name in _SPACES[model]
    }
    decay = _SPACES[model].get("weight_decay")
    if isinstance(decay, Real):
        values["weight_decay"] = max(values["weight_decay"], decay.low)
    return values


def round_values(values: Values) -> dict[str, Value]:
    """The values with real numbers rounded to three significant digits: those of a trial.

    >>> round_values({"lr": 0.0123456, "hidden": 512})
    {'lr': 0.0123, 'hidden': 512}
    """
    return {
        name: float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else int(value)
        for name, value in values.items()
    }


def recipe_with(model: ModelName, values: Values) -> Recipe:
    """The model's own recipe with the values of a trial in the place of its own.

    Raises TrainingError for a value that is missing or unknown.

    >>> recipe_with("two_layer", start_of("two_layer")) == find_recipe("two_layer", "tuned")
    True
    """
    space = _SPACES[model]
    if set(values) != set(space):
        raise TrainingError(
            f"a trial of {model} needs values of {', '.join(space)}; got {', '.join(values)}"
        )
    changed = dict(values)
    recipe = find_recipe(model, "tuned")
    if recipe.hidden:
        widths = [
            int(changed["hidden"] * changed.get("taper", 1.0) ** i)
            for i in range(int(changed.get("layers", 1)))
        ]
        recipe = replace(recipe, hidden=tuple(widths))
    fields = {n: v for n, v in changed.items() if n not in ("hidden", "layers", "taper")}
    return replace(recipe, **fields)  # type: ignore[arg-type]
