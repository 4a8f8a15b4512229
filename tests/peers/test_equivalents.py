"""Rows of docs/coming_from.md: PyTorch's and JAX's side, run beside ours with the same numbers."""

from __future__ import annotations

import numpy as np
import pytest

from tests.docs.equivalents import ABSENT, ARRAYS, codes, evaluate, numbers, ours, rows

# Random numbers are each library's own.
NOT_COMPARED = ("Linear(", "manual_seed", "random", "get_num_threads", "check_grads")


def torch_names():
    import torch

    names = {name: torch.from_numpy(array.copy()) for name, array in ARRAYS.items()}
    names["x"].requires_grad_()
    names |= {"torch": torch, "array": np.ones(3)}
    names["f"] = lambda x, z=1.0: torch.sum(torch.sin(x) * x * z)
    names["g"] = lambda x: torch.sin(x) * x
    names["y"] = names["f"](names["x"])
    names["model"] = model = torch.nn.Linear(3, 2)
    names["weights"] = {"weight": torch.ones(2, 3), "bias": torch.zeros(2)}
    names["optimizer"] = torch.optim.SGD(model.parameters(), lr=0.1)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    return names


def jax_names():
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    names = {name: jnp.asarray(array) for name, array in ARRAYS.items()}
    names |= {"jax": jax, "jnp": jnp}
    names["f"] = lambda x, z=1.0: jnp.sum(jnp.sin(x) * x * z)
    names["g"] = lambda x: jnp.sin(x) * x
    return names


def compare(theirs, cell, names, tensors):
    result = [numbers(evaluate(code, names())) for code in codes(theirs)]
    if cell.startswith(ABSENT) or any(word in theirs + cell for word in NOT_COMPARED):
        return 0
    expected = result[0]
    if "grad_and_value" in theirs:
        expected = expected[::-1]
    count = 0
    for code in codes(cell):
        mine = numbers(evaluate(code, ours(tensors)))
        if "op." in code or not expected or not mine:
            continue
        for one, other in zip(mine, expected, strict=True):
            assert one.shape == other.shape, code
            np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-9)
            count += 1
    return count


@pytest.mark.peers
@pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"
)
def test_pytorch_gives_the_same():
    torch = pytest.importorskip("torch")
    compared = sum(
        compare(theirs, cell, torch_names, tensors=True)
        for theirs, cell in rows("PyTorch")
        if not theirs.startswith("`torch.compile`")
    )
    assert compared >= 30
    assert torch.compile


@pytest.mark.peers
def test_jax_gives_the_same():
    jax = pytest.importorskip("jax")
    compared = sum(compare(theirs, cell, jax_names, tensors=False) for theirs, cell in rows("JAX"))
    assert compared >= 20
    assert jax.jit
    jax.config.update("jax_debug_nans", False)
