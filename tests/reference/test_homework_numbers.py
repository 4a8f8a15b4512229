"""The numbers of the 2019 homework's section on CIFAR-10, from our engine in float64.

The fixtures and numbers are the homework's; the gradients are checked against five-point
differences that are written out here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd as ag
import nn
import optim

Array = np.ndarray[Any, np.dtype[np.float64]]


def span(start: float, stop: float, *shape: int) -> Array:
    return np.linspace(start, stop, int(np.prod(shape))).reshape(shape)


def relative_error(x: Any, y: Any) -> float:
    x, y = np.asarray(x), np.asarray(y)
    assert x.shape == y.shape
    return float(np.max(np.abs(x - y) / np.maximum(1e-8, np.abs(x) + np.abs(y))))


def five_point_gradient(f: Callable[[Array], Any], x: Array, step: float) -> Array:
    """The gradient of a scalar function from four values per entry."""
    result = np.empty_like(x)
    for place in np.ndindex(x.shape):
        values = []
        for multiple in (-2, -1, 1, 2):
            moved = x.copy()
            moved[place] += multiple * step
            values.append(float(f(moved)))
        # Differences first: what the entry does not change cancels exactly.
        inner, outer = values[2] - values[1], values[3] - values[0]
        result[place] = (8 * inner - outer) / (12 * step)
    return result


def check_gradients(f: Callable[..., Any], *inputs: Array, step: float = 1e-3) -> None:
    """Every input's pullback of a random cotangent, to 1e-8 relative."""
    cotangent = np.random.default_rng(0).standard_normal(np.shape(f(*inputs)))
    out, pullback = ag.vjp(f, *inputs)
    assert out.dtype == np.float64
    for which, pulled in enumerate(pullback(cotangent)):

        def contracted(x: Array, which: int = which) -> Any:
            return np.sum(f(*inputs[:which], x, *inputs[which + 1 :]) * cotangent)

        assert pulled.dtype == np.float64
        assert relative_error(pulled, five_point_gradient(contracted, inputs[which], step)) <= 1e-8


class TestToyNet:
    """Affine - ReLU - affine - softmax on five inputs."""

    inputs = span(-0.2, 0.5, 5, 4)
    labels = np.array([0, 1, 2, 2, 1])
    reg = 0.001

    @pytest.fixture
    def parameters(self) -> dict[str, ag.Tensor]:
        values = {
            "W1": span(-0.2, 0.6, 4, 10),
            "b1": span(-0.3, 0.7, 10),
            "W2": span(-0.4, 0.1, 10, 3),
            "b2": span(-0.5, 0.9, 3),
        }
        return {name: ag.Tensor(value, requires_grad=True) for name, value in values.items()}

    def scores(self, W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
        return ag.relu(self.inputs @ W1 + b1) @ W2 + b2

    def loss(self, W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
        penalty = 0.5 * self.reg * (ag.sum(W1**2) + ag.sum(W2**2))
        return ag.cross_entropy(self.scores(W1, b1, W2, b2), self.labels) + penalty

    def plain_loss(self, W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
        """In NumPy alone, also for complex steps (which central differences' rounding spoils)."""
        before = self.inputs @ W1 + b1
        logits = np.where(before.real > 0, before, 0) @ W2 + b2
        right = logits[np.arange(5), self.labels]
        penalty = 0.5 * self.reg * (np.sum(W1**2) + np.sum(W2**2))
        return np.mean(np.log(np.exp(logits).sum(axis=1)) - right) + penalty

    def test_scores(self, parameters: dict[str, ag.Tensor]) -> None:
        expected = [
            [-0.5328368, 0.20031504, 0.93346689],
            [-0.59412164, 0.15498488, 0.9040914],
            [-0.67658362, 0.08978957, 0.85616275],
            [-0.77092643, 0.01339997, 0.79772637],
            [-0.89110401, -0.08754544, 0.71601312],
        ]
        computed = self.scores(**parameters).numpy()
        assert computed.dtype == np.float64
        np.testing.assert_allclose(computed, expected, rtol=0, atol=5.1e-9)

    @pytest.mark.parametrize("name", ["W1", "b1", "W2", "b2"])
    def test_gradients(self, parameters: dict[str, ag.Tensor], name: str) -> None:
        self.loss(**parameters).backward()
        arrays = {key: parameter.numpy() for key, parameter in parameters.items()}
        numeric = np.empty_like(arrays[name])
        for place in np.ndindex(numeric.shape):
            moved = arrays[name].astype(complex)
            moved[place] += 1e-20j
            numeric[place] = self.plain_loss(**{**arrays, name: moved}).imag / 1e-20
        gradient = parameters[name].grad
        assert gradient is not None
        assert relative_error(gradient.numpy(), numeric) <= 6e-8

    @pytest.mark.parametrize(
        ("make", "expected"),
        [
            (lambda p: optim.SGD(p, lr=0.1), 0.9406862361),
            (lambda p: optim.SGD(p, lr=0.1, momentum=0.9), 0.4943935533),
            (
                lambda p: optim.RMSprop(p, lr=0.1, alpha=0.99, eps=1e-8, eps_inside_sqrt=True),
                0.4393675690,
            ),
        ],
        ids=["SGD", "momentum", "RMSProp"],
    )
    def test_loss_before_the_100th_update(
        self,
        parameters: dict[str, ag.Tensor],
        make: Callable[[list[ag.Tensor]], optim.Optimizer],
        expected: float,
    ) -> None:
        optimizer = make(list(parameters.values()))
        for _ in range(99):
            optimizer.zero_grad()
            self.loss(**parameters).backward()
            optimizer.step()
        assert self.loss(**parameters).item() == pytest.approx(expected, rel=0, abs=1e-9)


class TestLayers:
    def test_affine(self) -> None:
        x, w, b = span(-0.1, 0.5, 2, 4, 5, 6), span(-0.2, 0.3, 120, 3), span(-0.3, 0.1, 3)
        expected = [[1.49834967, 1.70660132, 1.91485297], [3.25553199, 3.5141327, 3.77273342]]

        def affine(x: Any, w: Any, b: Any) -> Any:
            return x.reshape(2, 120) @ w + b

        assert relative_error(affine(x, w, b), expected) <= 1e-7
        layer = nn.functional.linear(x.reshape(2, 120), w.T, b)
        assert relative_error(layer, expected) <= 1e-7
        check_gradients(affine, x, w, b)

    def test_relu(self) -> None:
        x = np.linspace(-0.5, 0.5, 12)
        positive = [0.04545455, 0.13636364, 0.22727273, 0.31818182, 0.40909091, 0.5]
        assert relative_error(ag.relu(x), [0.0] * 6 + positive) <= 1e-7
        check_gradients(ag.relu, x)

    def test_convolution(self) -> None:
        x, w, b = span(-0.1, 0.5, 2, 3, 4, 4), span(-0.2, 0.3, 3, 3, 4, 4), span(-0.1, 0.2, 3)
        expected = [
            [
                [[-0.08759809, -0.10987781], [-0.18387192, -0.2109216]],
                [[0.21027089, 0.21661097], [0.22847626, 0.23004637]],
                [[0.50813986, 0.54309974], [0.64082444, 0.67101435]],
            ],
            [
                [[-0.98053589, -1.03143541], [-1.19128892, -1.24695841]],
                [[0.69108355, 0.66880383], [0.59480972, 0.56776003]],
                [[2.36270298, 2.36904306], [2.38090835, 2.38247847]],
            ],
        ]

        def convolve(x: Any, w: Any, b: Any) -> Any:
            return ag.conv2d(x, w, b, stride=2, padding=1)

        assert relative_error(convolve(x, w, b), expected) <= 1e-7
        check_gradients(convolve, x, w, b)

    def test_max_pool(self) -> None:
        x = span(-0.3, 0.4, 2, 3, 4, 4)
        expected = np.empty((2, 3, 2, 2))
        for n, c, i, j in np.ndindex(expected.shape):
            expected[n, c, i, j] = x[n, c, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].max()
        pooled = ag.max_pool2d(x, 2)
        np.testing.assert_array_equal(pooled, expected)
        first = [[-0.26315789, -0.24842105], [-0.20421053, -0.18947368]]
        assert relative_error(pooled[0, 0], first) <= 1e-7
        # Neighbours differ by 0.7 / 95, so this step keeps every maximum where it is.
        check_gradients(lambda x: ag.max_pool2d(x, 2), x)


class TestLosses:
    """On 50 x 10 scores near 0: hinge about 9.0, softmax loss about log 10."""

    rng = np.random.default_rng(231)
    scores = 0.001 * rng.standard_normal((50, 10))
    labels = rng.integers(10, size=50)

    def test_hinge(self) -> None:
        rows = []
        for row, label in zip(self.scores, self.labels, strict=True):
            margins = np.maximum(0, row - row[label] + 1)
            rows.append(margins.sum() - 1)
        value = nn.functional.multiclass_hinge(self.scores, self.labels)
        assert float(value) == pytest.approx(np.mean(rows), rel=1e-12)
        assert float(value) == pytest.approx(9.0, abs=1e-2)
        check_gradients(lambda s: nn.functional.multiclass_hinge(s, self.labels), self.scores)

    def test_softmax_loss(self) -> None:
        chances = np.exp(self.scores) / np.exp(self.scores).sum(axis=1, keepdims=True)
        expected = -np.log(chances[np.arange(50), self.labels]).mean()
        value = ag.cross_entropy(self.scores, self.labels)
        assert float(value) == pytest.approx(expected, rel=1e-12)
        assert float(value) == pytest.approx(2.3026, abs=1e-3)
        check_gradients(lambda s: ag.cross_entropy(s, self.labels), self.scores)


class TestInitialLoss:
    """The untrained two-layer convnet: weights 1e-3 N(0, 1), zero biases, 32 filters of 5 x 5."""

    def test_with_and_without_regularisation(self) -> None:
        rng = np.random.default_rng(0)
        filters = 1e-3 * rng.standard_normal((32, 3, 5, 5))
        weights = 1e-3 * rng.standard_normal((10, 32 * 16 * 16))
        images = rng.uniform(-128, 128, (20, 3, 32, 32))
        hidden = ag.max_pool2d(ag.relu(ag.conv2d(images, filters, padding="same")), 2)
        scores = hidden.reshape(20, -1) @ weights.T
        loss = float(ag.cross_entropy(scores, rng.integers(10, size=20)))
        penalty = 0.5 * float(ag.sum(filters**2) + ag.sum(weights**2))
        assert loss == pytest.approx(2.302547, abs=2e-3)
        assert penalty == pytest.approx(2.344742 - 2.302547, abs=1e-3)
