"""Layers, losses and their gradients against PyTorch, over many random configurations."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

import autograd as ag
import nn

# PyTorch warns of what padding="same" costs with even kernels.
pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore::UserWarning")]

SEEDS = st.integers(0, 2**20)
SMALL = st.integers(1, 3)


def compare(ours, theirs, shape, seed, **inputs):
    """Same state, same input: same output, gradients of everything, and state afterwards."""
    rng = np.random.default_rng(seed)
    ours.double()
    state = {name: rng.normal(size=array.shape) for name, array in ours.state_dict().items()}
    for name in state:
        if name.endswith("running_var"):
            state[name] = np.abs(state[name]) + 0.5
        if name.endswith("num_batches_tracked"):
            state[name] = np.array(3)
    ours.load_state_dict(state)
    theirs.double().load_state_dict({k: torch.tensor(v) for k, v in state.items()})
    x = rng.normal(size=shape)
    tracked = ag.Tensor(x, requires_grad=True)
    peer = torch.tensor(x, requires_grad=True)
    out, expected = ours(tracked), theirs(peer)
    np.testing.assert_allclose(out.data, expected.detach().numpy(), rtol=1e-9, atol=1e-11)
    cotangent = rng.normal(size=out.shape)
    out.backward(cotangent)
    expected.backward(torch.tensor(cotangent))
    np.testing.assert_allclose(tracked.grad.data, peer.grad.numpy(), rtol=1e-8, atol=1e-10)
    gradients = {name: p.grad for name, p in theirs.named_parameters()}
    assert set(gradients) == {name for name, _ in ours.named_parameters()}
    for name, p in ours.named_parameters():
        np.testing.assert_allclose(p.grad.data, gradients[name].numpy(), rtol=1e-8, atol=1e-10)
    after = theirs.state_dict()
    for name, array in ours.state_dict().items():
        np.testing.assert_allclose(array, after[name].numpy(), rtol=1e-9, atol=1e-11)


@given(SEEDS, SMALL, SMALL, st.booleans())
def test_linear(seed, inputs, outputs, bias):
    compare(
        nn.Linear(inputs, outputs, bias),
        torch.nn.Linear(inputs, outputs, bias),
        (2, inputs),
        seed,
    )


@given(
    SEEDS,
    SMALL,
    SMALL,
    st.sampled_from([1, 2]),
    st.tuples(SMALL, SMALL),
    st.tuples(SMALL, SMALL),
    st.sampled_from([0, 1, (2, 0), "same", "valid"]),
    st.sampled_from([1, 2]),
    st.booleans(),
)
def test_conv2d(seed, inputs, outputs, groups, kernel, stride, padding, dilation, bias):
    if padding == "same":
        stride = 1
    arguments = (inputs * groups, outputs * groups, kernel, stride, padding, dilation, groups, bias)
    compare(nn.Conv2d(*arguments), torch.nn.Conv2d(*arguments), (2, inputs * groups, 7, 6), seed)


@given(SEEDS, SMALL, SMALL, SMALL, SMALL, st.integers(0, 2), st.sampled_from([1, 2]))
def test_conv1d(seed, inputs, outputs, kernel, stride, padding, dilation):
    arguments = (inputs, outputs, kernel, stride, padding, dilation)
    compare(nn.Conv1d(*arguments), torch.nn.Conv1d(*arguments), (2, inputs, 8), seed)


@given(SEEDS, SMALL, SMALL, st.sampled_from([1, 2]), SMALL, SMALL, st.integers(0, 1), SMALL)
def test_conv_transpose2d(seed, inputs, outputs, groups, kernel, stride, padding, dilation):
    assume(2 * padding < dilation * (kernel - 1) + 4 * stride)
    extra = min(1, max(stride, dilation) - 1)
    arguments = (inputs * groups, outputs * groups, kernel, stride, padding, extra, groups)
    compare(
        nn.ConvTranspose2d(*arguments, dilation=dilation),
        torch.nn.ConvTranspose2d(*arguments, dilation=dilation),
        (2, inputs * groups, 5, 5),
        seed,
    )


@given(SEEDS, SMALL, SMALL, st.integers(0, 1), st.sampled_from([1, 2]))
def test_max_pool(seed, kernel, stride, padding, dilation):
    assume(2 * padding <= kernel)
    arguments = (kernel, stride, padding, dilation)
    compare(nn.MaxPool2d(*arguments), torch.nn.MaxPool2d(*arguments), (2, 2, 7, 6), seed)


@given(SEEDS, SMALL, SMALL, st.integers(0, 1), st.booleans())
def test_avg_pool(seed, kernel, stride, padding, counted):
    assume(2 * padding <= kernel)
    compare(
        nn.AvgPool2d(kernel, stride, padding, count_include_pad=counted),
        torch.nn.AvgPool2d(kernel, stride, padding, count_include_pad=counted),
        (2, 2, 7, 6),
        seed,
    )


@given(SEEDS, st.tuples(st.integers(1, 5), st.integers(1, 5)))
def test_adaptive_avg_pool(seed, size):
    compare(nn.AdaptiveAvgPool2d(size), torch.nn.AdaptiveAvgPool2d(size), (2, 2, 6, 5), seed)


@given(
    SEEDS,
    st.sampled_from([None, 0.1, 0.3]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_batch_norm(seed, momentum, affine, tracked, training, images):
    options = {"momentum": momentum, "affine": affine, "track_running_stats": tracked}
    if images:
        ours, theirs = nn.BatchNorm2d(3, **options), torch.nn.BatchNorm2d(3, **options)
    else:
        ours, theirs = nn.BatchNorm1d(3, **options), torch.nn.BatchNorm1d(3, **options)
    compare(ours.train(training), theirs.train(training), (4, 3, 2, 2) if images else (4, 3), seed)


@given(SEEDS, st.booleans())
def test_layer_and_group_norm(seed, affine):
    compare(
        nn.LayerNorm((3, 4), elementwise_affine=affine),
        torch.nn.LayerNorm((3, 4), elementwise_affine=affine),
        (2, 3, 4),
        seed,
    )
    compare(
        nn.GroupNorm(2, 4, affine=affine),
        torch.nn.GroupNorm(2, 4, affine=affine),
        (2, 4, 3, 2),
        seed,
    )


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("ReLU", {}),
        ("LeakyReLU", {"negative_slope": 0.2}),
        ("ELU", {"alpha": 0.7}),
        ("GELU", {}),
        ("GELU", {"approximate": "tanh"}),
        ("SiLU", {}),
        ("Sigmoid", {}),
        ("LogSigmoid", {}),
        ("Tanh", {}),
        ("Softplus", {"beta": 2.0}),
        ("Softmax", {"dim": 1}),
        ("LogSoftmax", {"dim": 0}),
    ],
)
@given(seed=SEEDS)
def test_activations(name, options, seed):
    compare(getattr(nn, name)(**options), getattr(torch.nn, name)(**options), (3, 4), seed)


@given(
    SEEDS,
    st.sampled_from(["mean", "sum", "none"]),
    st.sampled_from([0.0, 0.2]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_cross_entropy(seed, reduction, smoothing, weighted, probabilities, images):
    rng = np.random.default_rng(seed)
    shape = (3, 4, 2) if images else (3, 4)
    logits = rng.normal(size=shape) * 3
    weight = rng.uniform(0.5, 2, 4) if weighted else None
    if probabilities:
        target = rng.dirichlet(np.ones(4), size=(3, 2) if images else (3,))
        target = np.moveaxis(target, -1, 1)
    else:
        target = rng.integers(0, 4, (3, 2) if images else (3,))
        target.flat[0] = -100
    check_loss(
        nn.CrossEntropyLoss(weight, reduction=reduction, label_smoothing=smoothing),
        torch.nn.CrossEntropyLoss(
            None if weight is None else torch.tensor(weight),
            reduction=reduction,
            label_smoothing=smoothing,
        ),
        logits,
        target,
    )


def check_loss(ours, theirs, x, target):
    tracked = ag.Tensor(x, requires_grad=True)
    peer = torch.tensor(x, requires_grad=True)
    out, expected = ours(tracked, target), theirs(peer, torch.tensor(target))
    np.testing.assert_allclose(out.data, expected.detach().numpy(), rtol=1e-9, atol=1e-12)
    ag.sum(out).backward()
    expected.sum().backward()
    np.testing.assert_allclose(tracked.grad.data, peer.grad.numpy(), rtol=1e-8, atol=1e-11)


@given(SEEDS, st.sampled_from(["mean", "sum", "none"]), st.sampled_from([1, 2]), st.booleans())
def test_margin_and_regression_losses(seed, reduction, p, weighted):
    rng = np.random.default_rng(seed)
    x, target = rng.normal(size=(3, 4)), rng.integers(0, 4, 3)
    weight = rng.uniform(0.5, 2, 4) if weighted else None
    peer_weight = None if weight is None else torch.tensor(weight)
    check_loss(
        nn.MultiMarginLoss(p, 0.7, weight, reduction=reduction),
        torch.nn.MultiMarginLoss(p, 0.7, peer_weight, reduction=reduction),
        x,
        target,
    )
    other = rng.uniform(size=(3, 4))
    check_loss(nn.MSELoss(reduction=reduction), torch.nn.MSELoss(reduction=reduction), x, other)
    check_loss(nn.L1Loss(reduction=reduction), torch.nn.L1Loss(reduction=reduction), x, other)
    check_loss(
        nn.BCEWithLogitsLoss(reduction=reduction, pos_weight=weight),
        torch.nn.BCEWithLogitsLoss(reduction=reduction, pos_weight=peer_weight),
        x,
        other,
    )
    logs = np.log(rng.dirichlet(np.ones(4), 3))
    check_loss(
        nn.NLLLoss(weight, reduction=reduction),
        torch.nn.NLLLoss(peer_weight, reduction=reduction),
        logs,
        target,
    )


@given(SEEDS, st.sampled_from([None, 0, -1]))
def test_embedding(seed, padding):
    rng = np.random.default_rng(seed)
    ours, theirs = nn.Embedding(5, 3, padding), torch.nn.Embedding(5, 3, padding)
    theirs.load_state_dict({"weight": torch.tensor(ours.weight.data)})
    indices = rng.integers(0, 5, (2, 3))
    out, expected = ours(indices), theirs(torch.tensor(indices))
    cotangent = rng.normal(size=out.shape).astype(np.float32)
    out.backward(cotangent)
    expected.backward(torch.tensor(cotangent))
    np.testing.assert_array_equal(out.data, expected.detach().numpy())
    np.testing.assert_allclose(
        ours.weight.grad.data, theirs.weight.grad.numpy(), rtol=1e-5, atol=1e-6
    )
