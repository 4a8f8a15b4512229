"""The toy two-layer net (affine - ReLU - affine - softmax) with the homework's exact numbers.

Scores of 5 inputs, the gradients against complex steps, and the loss before the 100th
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


def plain_loss(values: dict[str, Any]) -> Any:
    """The loss in NumPy alone, for real or complex parameters."""
    before = INPUTS @ values["W1"] + values["b1"]
    hidden = np.where(before.real > 0, before, 0)
    logits = hidden @ values["W2"] + values["b2"]
    logits = logits - logits.real.max(axis=1, keepdims=True)
    right = logits[np.arange(len(LABELS)), LABELS]
    squares = np.sum(values["W1"] ** 2) + np.sum(values["W2"] ** 2)
    entropy = np.mean(np.log(np.exp(logits).sum(axis=1)) - right)
    return entropy + 0.5 * REGULARISATION * squares


def complex_step(parameters: dict[str, Tensor], name: str, step: float = 1e-20) -> Array:
    """The gradient of `plain_loss` as Im L(x + ih) / h: exact to rounding, without the engine.

    Source: Squire & Trapp, Using complex variables to estimate derivatives of real functions, 1998.
    """
    values: dict[str, Any] = {key: tensor.numpy() for key, tensor in parameters.items()}
    result: Array = np.empty(values[name].shape)
    for place in np.ndindex(result.shape):
        moved = values[name].astype(complex)
        moved[place] += 1j * step
        result[place] = plain_loss({**values, name: moved}).imag / step
    return result


def gradient_errors() -> dict[str, float]:
    """For each parameter, the relative error of `backward` against complex steps."""
    parameters = initial_parameters()
    loss(parameters).backward()
    errors = {}
    for name, parameter in parameters.items():
        assert parameter.grad is not None
        numeric = complex_step(parameters, name)
        errors[name] = relative_error(parameter.grad.numpy(), numeric)
    return errors


def main(arguments: Sequence[str] | None = None) -> None:
    options = homework_parser("toy_net", __doc__).parse_args(arguments)
    parameters = initial_parameters()
    print("Scores:")
    print(scores(parameters).numpy())
    print(f"Loss: {loss(parameters).item():.10f}")
    print("Relative error of the gradients against complex steps:")
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
