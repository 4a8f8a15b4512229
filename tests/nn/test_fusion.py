"""Neighbours that run as one give what they give one after another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import autograd as ag
import nn
from nn import fusion

layers = st.lists(
    st.sampled_from(
        ["conv", "norm", "relu", "gelu", "tanh_gelu", "pool", "overlapping", "halves", "leaky"]
    ),
    min_size=2,
    max_size=7,
)


def build(kinds: list[str], seed: int, dtype: str) -> nn.Sequential:
    rng = np.random.default_rng(seed)
    made: list[nn.Module] = []
    channels = 3
    for kind in kinds:
        if kind == "conv":
            wider = int(rng.integers(2, 6))
            bias = bool(rng.integers(2))
            made.append(nn.Conv2d(channels, wider, 3, padding=1, bias=bias, dtype=dtype, rng=rng))
            channels = wider
        elif kind == "norm":
            norm = nn.BatchNorm2d(channels, affine=bool(rng.integers(2)), dtype=dtype)
            assert norm.running_mean is not None
            assert norm.running_var is not None
            norm.running_mean[...] = rng.normal(size=channels)
            norm.running_var[...] = rng.random(channels) + 0.5
            for parameter in norm.parameters():
                parameter.data[...] = rng.normal(size=channels)
            made.append(norm)
        else:
            others: dict[str, nn.Module] = {
                "relu": nn.ReLU(),
                "gelu": nn.GELU(),
                "tanh_gelu": nn.GELU("tanh"),
                "pool": nn.MaxPool2d(2, 1),
                "overlapping": nn.MaxPool2d(3, 1, padding=1),
                "halves": nn.MaxPool2d(2),
                "leaky": nn.LeakyReLU(),
            }
            made.append(others[kind])
    return nn.Sequential(*made)


def outcome(net: nn.Sequential, pixels: np.ndarray, seed: int, run: Any) -> list[np.ndarray]:
    """The output, all gradients and buffers."""
    x = ag.Tensor(pixels.copy(), requires_grad=True)
    y = run(net, x)
    cotangent = np.random.default_rng(seed + 1).normal(size=y.shape).astype(y.dtype)
    (y * cotangent).sum().backward()
    assert x.grad is not None
    grads = [parameter.grad for parameter in net.parameters()]
    buffers = [np.array(buffer) for _, buffer in net.named_buffers()]
    return [y.numpy(), np.asarray(x.grad), *(np.asarray(g) for g in grads), *buffers]


def one_by_one(net: nn.Sequential, x: Any) -> Any:
    for module in net:
        x = module(x)
    return x


@given(layers, st.integers(0, 2**32 - 1), st.sampled_from(["float32", "float64"]), st.booleans())
def test_fused_and_one_by_one_agree(
    kinds: list[str], seed: int, dtype: str, training: bool
) -> None:
    # Every layer may halve the image.
    size = 9 << min(kinds.count("halves"), 3)
    assume(kinds.count("halves") <= 5)
    pixels = np.random.default_rng(seed).normal(size=(3, 3, size, size)).astype(dtype)
    # Small numbers repeat: the ties of pooling are tried too.
    pixels = pixels if seed % 2 else np.rint(pixels)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fusion, "SMALLEST", 1)
        both = []
        for run in (lambda net, x: net(x), one_by_one):
            net = build(kinds, seed, dtype).train(training)
            both.append(outcome(net, pixels, seed, run))
            with ag.no_grad():
                both[-1].append(run(net.eval(), ag.Tensor(pixels)).numpy())
    scale = {"float32": 2e-3, "float64": 1e-9}[dtype]
    for fused, single in zip(*both, strict=True):
        assert fused.dtype == single.dtype
        largest = np.abs(single).max(initial=1.0)
        np.testing.assert_allclose(fused, single, rtol=scale, atol=scale * largest)


def recorded(net: nn.Module, size: int) -> list[str]:
    """Names of the operations in a graph, the output's first."""
    x = ag.Tensor(np.random.default_rng(0).normal(size=(4, 3, size, size)), requires_grad=True)
    node, names = net(x)._node, []
    while node is not None:
        names.append(node.op.name)
        node = next(iter(node.inputs), None)
        node = node if hasattr(node, "op") else None
    return names


def test_large_graphs_are_fused_and_small_ones_show_every_layer() -> None:
    net = nn.Sequential(nn.BatchNorm2d(3), nn.ReLU(), nn.ReLU(), nn.MaxPool2d(2))
    assert recorded(net, 128)[:3] == ["relu", "max_pool2d", "batch_norm"]
    one_by_one = ["max_pool2d", "relu", "relu", "batch_norm"]
    assert recorded(net, 8)[:4] == one_by_one
    for watching in (ag.detect_anomaly(), ag.keep_values()):
        with watching:
            assert recorded(net, 128)[:4] == one_by_one


def convolutions(net: nn.Module, size: int) -> list[tuple[str, bool]]:
    """Which modules run for an image, and the pooling that a convolution is asked for."""
    ran: list[tuple[str, bool]] = []
    with pytest.MonkeyPatch.context() as patch:
        for kind in (nn.Conv2d, nn.BatchNorm2d, nn.ReLU, nn.GELU, nn.MaxPool2d):
            own = kind.forward

            def spy(self: Any, input: Any, *, own: Any = own, **options: Any) -> Any:
                ran.append((type(self).__name__, bool(options.get("max_pool", False))))
                return own(self, input, **options)

            patch.setattr(kind, "forward", spy)
        patch.setattr(fusion, "_CONVOLVES", nn.Conv2d.forward)
        patch.setattr(fusion, "_NORMALISES", nn.BatchNorm2d.forward)
        patch.setattr(fusion, "_POOLS", nn.MaxPool2d.forward)
        activations = {nn.ReLU.forward: "relu", nn.GELU.forward: "gelu"}
        patch.setattr(fusion, "_ACTIVATES", activations)
        with ag.no_grad():
            net(np.random.default_rng(0).normal(size=(4, 3, size, size)).astype(np.float32))
    return ran


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ([nn.MaxPool2d(2)], [("Conv2d", True)]),
        ([nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2)], [("Conv2d", True)]),
        ([nn.ReLU(), nn.MaxPool2d((2, 2), (2, 2), (0, 0))], [("Conv2d", True)]),
        ([nn.GELU(), nn.MaxPool2d(2)], [("Conv2d", False), ("MaxPool2d", False)]),
        ([nn.MaxPool2d(np.int64(2))], [("Conv2d", True)]),
        ([nn.MaxPool2d(np.int64(3))], [("Conv2d", False), ("MaxPool2d", False)]),
        ([nn.MaxPool2d(2, 1)], [("Conv2d", False), ("MaxPool2d", False)]),
        ([nn.MaxPool2d(2, padding=1)], [("Conv2d", False), ("MaxPool2d", False)]),
        ([nn.MaxPool2d(2, dilation=2)], [("Conv2d", False), ("MaxPool2d", False)]),
        ([nn.MaxPool2d((2, 3))], [("Conv2d", False), ("MaxPool2d", False)]),
    ],
)
def test_maxima_of_halves_are_taken_by_the_convolution(
    rest: list[nn.Module], expected: list[tuple[str, bool]]
) -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), *rest).eval()
    assert convolutions(net, 128) == expected
    assert convolutions(net, 16)[0] == ("Conv2d", False)


class Doubling(nn.BatchNorm2d):
    def forward(self, input: Any, *, activation: str | None = None) -> Any:
        return 2 * super().forward(input, activation=activation)


class Squared(nn.ReLU):
    def forward(self, input: Any) -> Any:
        return super().forward(input) ** 2


def test_a_forward_of_their_own_is_called() -> None:
    pixels = np.random.default_rng(0).normal(size=(4, 3, 128, 128))
    for net in (
        nn.Sequential(Doubling(3, dtype="float64"), nn.ReLU()),
        nn.Sequential(nn.BatchNorm2d(3, dtype="float64"), Squared()),
        nn.Sequential(Squared(), nn.MaxPool2d(2)),
    ):
        with ag.no_grad():
            np.testing.assert_array_equal(net(pixels), one_by_one(net, pixels))


class Counting(nn.GELU):
    calls = 0

    def __call__(self, input: Any) -> Any:
        type(self).calls += 1
        return super().__call__(input)


def test_a_call_of_their_own_is_called() -> None:
    pixels = np.random.default_rng(0).normal(size=(4, 3, 128, 128))
    net = nn.Sequential(nn.BatchNorm2d(3, dtype="float64"), Counting())
    net(pixels)
    assert Counting.calls == 1


class Checking(nn.MaxPool2d):
    def _checked(self, input: Any) -> Any:
        return 0 * super()._checked(input)


def test_what_a_pooling_layers_forward_calls_is_called() -> None:
    pixels = np.random.default_rng(0).normal(size=(4, 3, 128, 128))
    net = nn.Sequential(nn.Conv2d(3, 3, 3, dtype="float64"), Checking(2))
    with ag.no_grad():
        assert not net(pixels).any()


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_forward_of_one_module_is_called(place: int) -> None:
    pixels = np.random.default_rng(0).normal(size=(4, 3, 128, 128))
    layers = [nn.Conv2d(3, 3, 1, dtype="float64"), nn.BatchNorm2d(3, dtype="float64"), nn.ReLU()]
    net = nn.Sequential(*layers, nn.MaxPool2d(2)).eval()
    own = layers[place].forward
    layers[place].forward = lambda input: own(input) + 1.0  # type: ignore[method-assign]
    with ag.no_grad():
        np.testing.assert_allclose(net(pixels), one_by_one(net, pixels), rtol=1e-12, atol=1e-12)


def test_what_the_second_refuses_is_refused() -> None:
    net = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)).eval()
    with ag.no_grad(), pytest.raises(ValueError, match="BatchNorm2d"):
        net(np.zeros((3, 256, 256), np.float32))


def test_anomalies_are_found_where_they_are() -> None:
    net = nn.Sequential(nn.BatchNorm2d(3), nn.ReLU())
    pixels = np.ones((4, 3, 128, 128), np.float32)
    pixels[0, 0, 0, 0] = np.nan
    with ag.detect_anomaly(), pytest.raises(ag.AnomalyError, match="batch_norm"):
        net(ag.Tensor(pixels, requires_grad=True))


def test_nan_stays() -> None:
    pixels = np.random.default_rng(0).normal(size=(8, 16, 40, 40)).astype(np.float32)
    pixels[1, 2, 3, 4] = np.nan
    net = nn.Sequential(nn.Conv2d(16, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU()).eval()
    with ag.no_grad():
        out = net(pixels)
    assert np.isnan(out[1, :, 3, 4]).all()
    assert not np.isnan(out[0]).any()
