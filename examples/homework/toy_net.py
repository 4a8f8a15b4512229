"""The toy two-layer net (affine - ReLU - affine - softmax) with the homework's exact numbers.

Scores of 5 inputs, the gradients against central differences, and the loss before the 100th
full-batch update of SGD, momentum and RMSProp, in float64. The loss is the mean cross-entropy plus
0.5 reg (|W1|^2 + |W2|^2); biases are not regularised.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import autograd as ag
import optim
from autograd import Tensor
from examples.homework.command_line import homework_parser

Array = np.ndarray[Any, np.dtype[np.float64]]

INPUTS = np.linspace(-0.2, 0.5, 20).reshape(5, 4)
LABELS = np.array([0, 1, 2, 2, 1])
REGULARISATION = 0.001
LEARNING_RATE = 0.1
UPDATES = 100
REFERENCE_LOSSES = {"SGD": 0.9406862361, "momentum": 0.4943935533, "RMSProp": 0.4393675690}


def initial_parameters() -> dict[str, Tensor]:
    values = {
        "W1": np.linspace(-0.2, 0.6, 40).reshape(4, 10),
        "b1": np.linspace(-0.3, 0.7, 10),
        "W2": np.linspace(-0.4, 0.1, 30).reshape(10, 3),
        "b2": np.linspace(-0.5, 0.9, 3),
    }
    return {name: Tensor(v, requires_grad=True, name=name) for name, v in values.items()}


def scores(parameters: dict[str, Tensor]) -> Tensor:
    hidden: Tensor = ag.relu(INPUTS @ parameters["W1"] + parameters["b1"])
    return hidden @ parameters["W2"] + parameters["b2"]


def loss(parameters: dict[str, Tensor], reg: float = REGULARISATION) -> Tensor:
    squares = ag.sum(parameters["W1"] ** 2) + ag.sum(parameters["W2"] ** 2)
    total: Tensor = ag.cross_entropy(scores(parameters), LABELS) + 0.5 * reg * squares
    return total


def make_optimizer(name: str, parameters: dict[str, Tensor]) -> optim.Optimizer:
    tensors = list(parameters.values())
    if name == "momentum":
        return optim.SGD(tensors, lr=LEARNING_RATE, momentum=0.9)
    if name == "RMSProp":
        return optim.RMSprop(tensors, lr=LEARNING_RATE, alpha=0.99, eps=1e-8, eps_inside_sqrt=True)
    return optim.SGD(tensors, lr=LEARNING_RATE)


def train(name: str, updates: int = UPDATES) -> list[float]:
    """The loss before each of the updates."""
    parameters = initial_parameters()
    optimizer = make_optimizer(name, parameters)
    history = []
    for _ in range(updates):
        optimizer.zero_grad()
        value = loss(parameters)
        value.backward()
        optimizer.step()
        history.append(value.item())
    return history


def relative_error(x: Array, y: Array) -> float:
    """max |x - y| / max(1e-8, |x| + |y|), the homework's measure."""
    return float(np.max(np.abs(x - y) / np.maximum(1e-8, np.abs(x) + np.abs(y))))


def central_difference(parameters: dict[str, Tensor], name: str, step: float = 2e-4) -> Array:
    """The gradient of the loss with respect to one parameter, four losses per entry.

    (8 (f(x + h) - f(x - h)) - (f(x + 2h) - f(x - 2h))) / 12h, whose error falls as h^4.
    """
    original = parameters[name].numpy()
    result = np.empty_like(original)
    for place in np.ndindex(original.shape):
        values = []
        for multiple in (1, -1, 2, -2):
            moved = original.copy()
            moved[place] += multiple * step
            values.append(loss({**parameters, name: Tensor(moved)}).item())
        near, far = values[0] - values[1], values[2] - values[3]
        result[place] = (8 * near - far) / (12 * step)
    return result


def gradient_errors() -> dict[str, float]:
    """For each parameter, the relative error of `backward` against central differences."""
    parameters = initial_parameters()
    loss(parameters).backward()
    errors = {}
    for name, parameter in parameters.items():
        assert parameter.grad is not None
        numeric = central_difference(parameters, name)
        errors[name] = relative_error(parameter.grad.numpy(), numeric)
    return errors


def main(arguments: Sequence[str] | None = None) -> None:
    options = homework_parser("toy_net", __doc__).parse_args(arguments)
    parameters = initial_parameters()
    print("Scores:")
    print(scores(parameters).numpy())
    print(f"Loss: {loss(parameters).item():.10f}")
    print("Relative error of the gradients against central differences:")
    for name, error in gradient_errors().items():
        print(f"  {name}: {error:.1e}")
    updates = 5 if options.smoke else UPDATES
    print(f"Loss before update {updates}:")
    for name, expected in REFERENCE_LOSSES.items():
        reached = train(name, updates)[-1]
        beside = "" if options.smoke else f"   homework {expected:.10f}"
        print(f"  {name:<9}{reached:.10f}{beside}")


if __name__ == "__main__":
    main()
