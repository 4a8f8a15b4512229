"""Linear layers that take the activation after them: values and derivatives."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
import nn
from autograd.ops import contractions
from autograd.testing import NotDifferentiableWarning, check_grads
from nn import fusion
from tests.nn.test_fusion import one_by_one


@given(
    st.lists(st.sampled_from(["linear", "relu", "gelu", "tanh_gelu"]), min_size=1, max_size=6),
    st.integers(0, 2**32 - 1),
    st.sampled_from(["float32", "float64"]),
    st.sampled_from([(2, 3), (7,), (0, 2)]),
)
def test_linear_layers_take_the_activation_where_nothing_is_recorded(
    kinds: list[str], seed: int, dtype: str, sizes: tuple[int, ...]
) -> None:
    rng = np.random.default_rng(seed)
    made: dict[str, Any] = {
        "linear": lambda: nn.Linear(5, 5, bias=bool(seed % 2), dtype=dtype, rng=rng),
        "relu": nn.ReLU,
        "gelu": nn.GELU,
        "tanh_gelu": lambda: nn.GELU("tanh"),
    }
    net = nn.Sequential(*(made[kind]() for kind in kinds))
    x = rng.normal(size=(*sizes, 5)).astype(dtype)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fusion, "SMALLEST", 0)
        with ag.no_grad(), ag.profile(show=False) as profile:
            fused = net(ag.Tensor(x)).numpy()
        recorded = net(ag.Tensor(x)).numpy()
    single = one_by_one(net, ag.Tensor(x)).numpy()
    pairs = sum(
        first == "linear" and second in ("relu", "gelu")
        for first, second in itertools.pairwise(kinds)
    )
    # Each activation on its own is one call in a module of its own.
    alone = [row.module for row in profile.rows if "LU)" in row.module]
    assert len(set(alone)) == len(kinds) - kinds.count("linear") - pairs
    scale = {"float32": 2e-4, "float64": 1e-12}[dtype]
    for found in (fused, recorded):
        assert found.dtype == single.dtype
        np.testing.assert_allclose(found, single, rtol=scale, atol=scale)


@pytest.mark.parametrize(
    ("activation", "names"), [(nn.ReLU, ["linear_relu"]), (nn.GELU, ["gelu", "linear"])]
)
def test_recorded_linear_layers_take_the_relu_after_them(activation: Any, names: list[str]) -> None:
    net = nn.Sequential(nn.Linear(5, 4), activation())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fusion, "SMALLEST", 0)
        node = net(np.ones((2, 5), np.float32))._node
    for name in names:
        assert node.op.name == name
        node = node.inputs[0]


@given(
    st.integers(0, 2**32 - 1),
    st.booleans(),
    st.booleans(),
    st.sampled_from([(3,), (2, 3), (0, 2)]),
)
def test_recorded_linear_layers_with_the_relu_have_the_same_derivatives(
    seed: int, bias: bool, of_input: bool, sizes: tuple[int, ...]
) -> None:
    """Of both sweeps, and the sweep of the sweep."""
    rng = np.random.default_rng(seed)
    net = nn.Sequential(nn.Linear(5, 4, bias=bias, dtype="f8", rng=rng), nn.ReLU())
    x = ag.Tensor(rng.normal(size=(*sizes, 5)), requires_grad=of_input)
    seeds, tangent = rng.normal(size=(*sizes, 4)), rng.normal(size=(*sizes, 5))
    variables = [*net.parameters(), *([x] if of_input else [])]

    def found(map: Any) -> list[np.ndarray]:
        out = map(x)
        values = ag.pullback(out, variables, seeds)
        again = ag.pullback(out, variables, seeds, create_graph=True)
        total = sum(ag.sum(value**2) for value in again)
        second = ag.pullback(total, variables) if total._node is not None else ()
        _, pushed = ag.jvp(map, (x,), (tangent,))
        curved = ag.hvp(lambda x: ag.sum((map(x) + 1) ** 3), x.numpy(), tangent)
        return [v.numpy() for v in (out, *values, *again, *second, pushed, curved)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fusion, "SMALLEST", 0)
        fused = found(net)
        assert net(x)._node.op.name == ("linear_relu" if len(sizes) == 1 else "reshape")
    for value, other in zip(fused, found(lambda x: one_by_one(net, x)), strict=True):
        np.testing.assert_allclose(value, other, rtol=1e-12, atol=1e-12)


def test_a_cotangent_that_nobody_asks_for_is_not_computed() -> None:
    """The first layer's input has none, and a frozen weight."""
    x, w, b = np.ones((4, 3)), ag.Tensor(np.ones((2, 3))), ag.Tensor(np.ones(2), requires_grad=True)
    made: list[Any] = []
    real = contractions.matrix_product

    def counted(x: Any, y: Any) -> Any:
        made.append((x.shape, y.shape))
        return real(x, y)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contractions, "matrix_product", counted)
        ag.sum(ag.linear(x, w, b, activation="relu")).backward()
        assert made == [] and b.grad is not None and b.grad.numpy().tolist() == [4, 4]
        w = ag.Tensor(np.ones((2, 3)), requires_grad=True)
        ag.sum(ag.linear(x, w, b, activation="relu")).backward()
    assert made == [((2, 4), (4, 3))]


@given(st.integers(0, 2**32 - 1), st.integers(0, 4))
def test_curvatures_with_the_relu(seed: int, count: int) -> None:
    """Forward over reverse of plain arrays, by each operand and by all together."""
    rng = np.random.default_rng(seed)
    operands = [rng.normal(size=shape) for shape in ((count, 3), (5, 3), (5,))]
    tangents = [rng.normal(size=x.shape) for x in operands]

    def fused(*operands: Any) -> Any:
        return ag.sum((ag.linear(*operands, activation="relu") + 1) ** 3) ** 2

    def apart(*operands: Any) -> Any:
        return ag.sum((ag.relu(ag.linear(*operands)) + 1) ** 3) ** 2

    def curved(function: Any, number: int) -> Any:
        def of(x: Any) -> Any:
            return function(*operands[:number], x, *operands[number + 1 :])

        return ag.hvp(of, operands[number], tangents[number])

    for number in range(3):
        np.testing.assert_allclose(curved(fused, number), curved(apart, number), rtol=1e-11)
    found, expected = (
        ag.hvp(lambda xs, function=function: function(*xs), tuple(operands), tuple(tangents))
        for function in (fused, apart)
    )
    for value, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(value, other, rtol=1e-11)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_large_linear_layers_with_the_relu(dtype: str) -> None:
    """With the kernels of large arrays, and cotangents that are overwritten."""
    rng = np.random.default_rng(0)
    net = nn.Sequential(nn.Linear(512, 300, dtype=dtype, rng=rng), nn.ReLU())
    net.append(nn.Linear(300, 7, dtype=dtype, rng=rng))
    x = rng.standard_normal((280, 512)).astype(dtype)
    seeds = rng.standard_normal((280, 7)).astype(dtype)
    found = []
    for map in (net, lambda x: one_by_one(net, x)):
        y = ag.Tensor(x, requires_grad=True)
        out = map(y)
        out.backward(seeds)
        found.append([out.detach(), y.grad, *(p.grad for p in net.parameters())])
        net.zero_grad()
    tolerance = {"float32": 2e-4, "float64": 1e-11}[dtype]
    for fused, single in zip(*found, strict=True):
        np.testing.assert_allclose(fused.numpy(), single.numpy(), rtol=tolerance, atol=tolerance)


def test_a_kink_behind_the_product_is_told() -> None:
    x, w = np.array([[1.0, 2.0]]), np.array([[3.0, -1.0]])
    with pytest.warns(NotDifferentiableWarning, match="a kink of linear_relu"):
        check_grads(lambda x: ag.linear(x, w, np.array([-1.0 + 1e-9]), activation="relu"), x)
