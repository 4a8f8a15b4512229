"""Higher derivatives of the matrix product, against the product rule written out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag

Array = np.ndarray[Any, Any]
Pair = list[Array]
SIZES = st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4))
SEEDS = st.integers(0, 2**32 - 1)


def cubes(pair: list[Any]) -> Any:
    """The sum of z^3, z = x y."""
    return ((pair[0] @ pair[1]) ** 3).sum()


def matrices(sizes: tuple[int, int, int], seed: int) -> tuple[Pair, Pair, Pair]:
    """A point and two directions."""
    rng = np.random.default_rng(seed)
    rows, inner, columns = sizes
    first, second, third = (
        [rng.normal(size=(rows, inner)), rng.normal(size=(inner, columns))] for _ in range(3)
    )
    return first, second, third


def along_one(pair: Pair, u: Pair) -> Pair:
    """The Hessian times u."""
    (x, y), z = pair, pair[0] @ pair[1]
    slope, change = 3 * z**2, 6 * z * (u[0] @ y + x @ u[1])
    return [change @ y.T + slope @ u[1].T, x.T @ change + u[0].T @ slope]


def along_two(pair: Pair, u: Pair, v: Pair) -> Pair:
    """The third derivative in the directions u and v."""
    (x, y), z = pair, pair[0] @ pair[1]
    by_u, by_v = u[0] @ y + x @ u[1], v[0] @ y + x @ v[1]
    to_u, to_v = 6 * z * by_u, 6 * z * by_v
    both = 6 * by_u * by_v + 6 * z * (u[0] @ v[1] + v[0] @ u[1])
    return [
        both @ y.T + to_u @ v[1].T + to_v @ u[1].T,
        x.T @ both + v[0].T @ to_u + u[0].T @ to_v,
    ]


def assert_close(got: Any, expected: Pair) -> None:
    for ours, theirs in zip(got, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)


@given(SIZES, SEEDS)
def test_second_derivatives(sizes: tuple[int, int, int], seed: int) -> None:
    pair, u, _ = matrices(sizes, seed)
    expected = along_one(pair, u)
    assert_close(ag.hvp(cubes, pair, u), expected)
    _, pullback = ag.vjp(ag.grad(cubes), pair)
    assert_close(pullback(u)[0], expected)


@given(SIZES, SEEDS)
def test_third_derivatives(sizes: tuple[int, int, int], seed: int) -> None:
    pair, u, v = matrices(sizes, seed)
    expected = along_two(pair, u, v)
    assert_close(ag.jvp(lambda p: ag.hvp(cubes, p, u), (pair,), (v,))[1], expected)
    _, pullback = ag.vjp(lambda p: ag.hvp(cubes, p, u), pair)
    assert_close(pullback(v)[0], expected)


def test_columns_of_a_hessian_that_are_pushed_together() -> None:
    pair, *_ = matrices((3, 2, 4), 0)
    x, y = pair
    blocks = ag.hessian(lambda x, y: cubes([x, y]), argnums=(0, 1))(x, y)
    for which, shape in enumerate((x.shape, y.shape)):
        for position in np.ndindex(*shape):
            unit = [np.zeros_like(x), np.zeros_like(y)]
            unit[which][position] = 1.0
            column = [blocks[row][which][(..., *position)] for row in (0, 1)]
            assert_close(column, along_one(pair, unit))


def test_the_slope_of_a_product_is_recorded_in_one_node() -> None:
    x, y = ag.Tensor(np.ones((2, 3)), requires_grad=True), np.ones((3, 4))
    out, slopes = ag.vjp(lambda y: x @ y, y)
    (slope,) = slopes(np.ones((2, 4)))
    assert isinstance(out, ag.Tensor)
    assert [op.name for op in _operations(slope)] == ["matmul(x.T, y)"]


def _operations(tensor: ag.Tensor) -> list[Any]:
    from autograd.node import ancestors

    assert tensor._node is not None
    return [node.op for node in ancestors([tensor._node]) if node.inputs]


@pytest.mark.parametrize("dtypes", [("f4", "f8"), ("f8", "f4"), ("f4", "f4")])
@pytest.mark.parametrize("tracked", [(True, True), (True, False), (False, True)])
@given(SIZES, SEEDS)
def test_each_operand_gets_its_cotangent_in_its_own_dtype(dtypes, tracked, sizes, seed):
    seen = []

    def transpose(cotangent):
        seen.append(cotangent.dtype)
        return cotangent

    passed = ag.op.linear("passed", lambda x: x * 1, transpose)
    rng = np.random.default_rng(seed)
    rows, inner, columns = sizes
    x, y = rng.normal(size=(rows, inner)), rng.normal(size=(inner, columns))
    operands = [
        ag.Tensor(value.astype(dtype), some)
        for value, dtype, some in zip((x, y), dtypes, tracked, strict=True)
    ]
    out = passed(operands[0]) @ passed(operands[1])
    cotangent = rng.normal(size=out.shape)
    out.backward(cotangent)
    assert sorted(seen) == sorted(operand.dtype for operand in operands if operand.requires_grad)
    for operand, expected in zip(operands, (cotangent @ y.T, x.T @ cotangent), strict=True):
        if operand.requires_grad:
            np.testing.assert_allclose(operand.grad.numpy(), expected, rtol=1e-4, atol=1e-5)
