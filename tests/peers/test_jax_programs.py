"""The same random programs and layers through JAX in float64: values and derivatives to 1e-10."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd.testing import strategies

pytestmark = pytest.mark.peers
jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")
CLOSE = {"rtol": 1e-10, "atol": 1e-11}


class Functions:
    """JAX's functions under the names that programs use."""

    sin, cos, tanh, arctan = jnp.sin, jnp.cos, jnp.tanh, jnp.arctan
    sigmoid, softplus = jax.nn.sigmoid, jax.nn.softplus
    sqrt, expm1 = jnp.sqrt, jnp.expm1


def assert_same(ours, theirs):
    for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
        np.testing.assert_allclose(a, b, **CLOSE)


@given(strategies.programs(6), st.integers(0, 2**20))
def test_programs_in_both_modes_and_second_order(program, seed):
    inputs = tuple(strategies.inputs_of(program, (3,), seed))
    rng = np.random.default_rng(seed)
    v = tuple(rng.normal(size=3) for _ in inputs)

    def ours(x, y):
        return program(x, y)

    def theirs(x, y):
        return program.run(Functions, x, y) + 0.0 * x

    assert_same(ag.jvp(ours, inputs, v), jax.jvp(theirs, inputs, v))
    out, pullback = ag.vjp(ours, *inputs)
    _, their_pullback = jax.vjp(theirs, *inputs)
    w = rng.normal(size=3)
    assert_same(pullback(w), their_pullback(jnp.asarray(w)))
    assert_same(
        ag.hessian(lambda x: ag.sum(ours(x, inputs[1]) ** 2))(inputs[0]),
        jax.hessian(lambda x: (theirs(x, inputs[1]) ** 2).sum())(inputs[0]),
    )
    assert np.shape(out) == (3,)


@settings(max_examples=20)
@given(
    st.integers(0, 2**20),
    st.integers(1, 3),
    st.integers(0, 2),
    st.integers(1, 2),
    st.sampled_from([1, 2]),
)
def test_convolutions(seed, stride, padding, dilation, groups):
    rng = np.random.default_rng(seed)
    x, w = rng.normal(size=(2, 2 * groups, 7, 6)), rng.normal(size=(4, 2, 3, 2))

    def ours(x, w):
        return ag.conv2d(x, w, stride=stride, padding=padding, dilation=dilation, groups=groups)

    def theirs(x, w):
        return jax.lax.conv_general_dilated(
            x,
            w,
            (stride, stride),
            [(padding, padding)] * 2,
            rhs_dilation=(dilation, dilation),
            dimension_numbers=("NCHW", "OIHW", "NCHW"),
            feature_group_count=groups,
        )

    out, pullback = ag.vjp(ours, x, w)
    their_out, their_pullback = jax.vjp(theirs, x, w)
    cotangent = rng.normal(size=np.shape(out))
    assert_same(out, their_out)
    assert_same(pullback(cotangent), their_pullback(jnp.asarray(cotangent)))


@settings(max_examples=20)
@given(st.integers(0, 2**20))
def test_softmaxes_norms_and_factorizations(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(3, 3))
    positive = x @ x.T + 3 * np.eye(3)
    pairs = [
        (lambda x: ag.log_softmax(x, 1), lambda x: jax.nn.log_softmax(x, 1), x),
        (lambda x: ag.logsumexp(x, 0), lambda x: jax.nn.logsumexp(x, 0), x),
        (lambda x: ag.norm(x, "nuc"), lambda x: jnp.linalg.norm(x, "nuc"), positive),
        (ag.linalg.cholesky, lambda x: jnp.linalg.cholesky(x, symmetrize_input=False), positive),
        (ag.linalg.inv, jnp.linalg.inv, positive),
        (lambda x: ag.linalg.slogdet(x)[1], lambda x: jnp.linalg.slogdet(x)[1], positive),
        (lambda x: ag.cumprod(x, 1), lambda x: jnp.cumprod(x, 1), x),
        (lambda x: ag.std(x, 0), lambda x: jnp.std(x, 0), x),
    ]
    symmetric = rng.normal(size=(3, 3))
    symmetric += symmetric.T
    for ours, theirs, at in pairs:
        direction = (symmetric,)
        assert_same(ag.jvp(ours, (at,), direction), jax.jvp(theirs, (at,), direction))
