"""The same random programs through PyTorch in float64: values and derivatives to 1e-10."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd.testing import strategies

pytestmark = pytest.mark.peers


class Functions:
    """PyTorch's functions under the names that programs use."""

    sin, cos, tanh, arctan = torch.sin, torch.cos, torch.tanh, torch.arctan
    sigmoid, sqrt, expm1 = torch.sigmoid, torch.sqrt, torch.expm1

    @staticmethod
    def softplus(x):
        return torch.logaddexp(x, torch.zeros((), dtype=x.dtype))


@given(strategies.programs(8), st.integers(0, 2**20))
def test_values_gradients_and_hessian_vector_products(program, seed):
    inputs = strategies.inputs_of(program, (3,), seed)
    v = np.random.default_rng(seed).normal(size=3)

    def ours(x, y):
        return ag.sum(program(x, y) ** 2)

    def theirs(x, y):
        return (program.run(Functions, x, y) ** 2).sum()

    tensors = [torch.tensor(x, requires_grad=True) for x in inputs]
    value = theirs(*tensors)
    gradients = torch.autograd.grad(value, tensors, create_graph=True, materialize_grads=True)
    product = torch.zeros(3, dtype=torch.float64)
    if gradients[0].requires_grad:
        (product,) = torch.autograd.grad(
            (gradients[0] * torch.tensor(v)).sum(), tensors[0], materialize_grads=True
        )
    close = {"rtol": 1e-10, "atol": 1e-11}
    got, mine = ag.value_and_grad(ours, (0, 1))(*inputs)
    np.testing.assert_allclose(got, value.detach().numpy(), **close)
    for a, b in zip(mine, gradients, strict=True):
        np.testing.assert_allclose(a, b.detach().numpy(), **close)
    ours_product = ag.hvp(lambda x: ours(x, inputs[1]), inputs[0], v)
    np.testing.assert_allclose(ours_product, product.numpy(), **close)
