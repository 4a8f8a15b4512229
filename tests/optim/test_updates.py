"""Each optimizer against its textbook formula, written out as a plain loop."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
import nn
import optim
from autograd.kernels.backend import use_kernels

RATES = st.sampled_from([1e-3, 0.03, 0.5])
DECAYS = st.sampled_from([0.0, 0.01, 0.3])
SEEDS = st.integers(0, 2**20)
STEPS = 5


def run(make, seed, dtype=np.float64, shape=(3, 2)):
    """The parameter after some steps with random gradients, and those gradients."""
    rng = np.random.default_rng(seed)
    start = rng.normal(size=shape).astype(dtype)
    gradients = rng.normal(size=(STEPS, *shape)).astype(dtype)
    p = nn.Parameter(start)
    optimizer = make([p])
    array = p.data
    for gradient in gradients:
        p.grad = ag.Tensor(gradient.copy())
        optimizer.step()
        np.testing.assert_array_equal(p.grad.data, gradient)
    assert p.data is array
    assert array.dtype == dtype
    return start, gradients, array


@given(
    SEEDS, RATES, st.sampled_from([0.0, 0.9]), st.sampled_from([0.0, 0.5]), DECAYS, st.booleans()
)
def test_sgd(seed, lr, momentum, dampening, decay, nesterov):
    nesterov = nesterov and momentum > 0
    dampening = 0.0 if nesterov else dampening
    start, gradients, got = run(
        lambda p: optim.SGD(p, lr, momentum, dampening, decay, nesterov), seed
    )
    w, v = start, None
    for g in gradients:
        d = g + decay * w
        if momentum:
            v = d if v is None else momentum * v + (1 - dampening) * d
            d = d + momentum * v if nesterov else v
        w = w - lr * d
    np.testing.assert_allclose(got, w, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [5, 40_000])
@pytest.mark.parametrize(
    "make",
    [
        lambda p: optim.SGD(p, 0.1),
        lambda p: optim.SGD(p, 0.1, momentum=0.9),
        lambda p: optim.SGD(p, 0.1, momentum=0.9, nesterov=True),
        lambda p: optim.Adam(p, 0.1),
        lambda p: optim.AdamW(p, 0.1),
        lambda p: optim.Adam(p, 0.1, (0.9, 0.5), amsgrad=True, weight_decay=0.1),
        lambda p: optim.AdamW(p, 0.1, (0.9, 0.5), amsgrad=True, maximize=True),
        lambda p: optim.RMSprop(p, 0.1),
        lambda p: optim.RMSprop(p, 0.1, eps=0.1, weight_decay=0.1, eps_inside_sqrt=True),
        lambda p: optim.RMSprop(p, 0.1, momentum=0.9, eps=0.1, eps_inside_sqrt=True),
        lambda p: optim.RMSprop(p, 0.1, momentum=0.9, eps=0.1, maximize=True),
        lambda p: optim.RMSprop(p, 0.1, momentum=0.9, centered=True),
        lambda p: optim.Adagrad(p, 0.1),
        lambda p: optim.Adagrad(p, 0.1, lr_decay=0.5, weight_decay=0.1, eps=0.1, maximize=True),
    ],
)
def test_all_kernels_give_the_same_also_where_it_is_not_finite(make, size, dtype):
    found = []
    for kernels in ("numpy", "auto", "numba"):
        rng = np.random.default_rng(size)
        start, gradient = rng.normal(size=(2, size)).astype(dtype)
        start[1], gradient[2], gradient[3] = np.inf, np.nan, np.inf
        with use_kernels(kernels), np.errstate(invalid="ignore"):
            p = nn.Parameter(start)
            optimizer = make([p])
            for scale in (1.0, -0.25, 0.5):
                p.grad = ag.Tensor(gradient * dtype(scale))
                optimizer.step()
            found.append(p.data)
    close = {"rtol": 1e-5, "atol": 1e-6} if dtype is np.float32 else {"rtol": 1e-12, "atol": 1e-13}
    np.testing.assert_allclose(found[1], found[0], **close)
    np.testing.assert_allclose(found[2], found[0], **close)


@given(SEEDS, RATES, DECAYS, st.sampled_from([0.0, 0.9]), st.booleans(), st.booleans())
def test_rmsprop(seed, lr, decay, momentum, centred, inside):
    start, gradients, got = run(
        lambda p: optim.RMSprop(p, lr, 0.9, 1e-6, decay, momentum, centred, eps_inside_sqrt=inside),
        seed,
    )
    w, s, m, v = start, 0.0, 0.0, 0.0
    for g in gradients:
        d = g + decay * w
        s = 0.9 * s + 0.1 * d * d
        m = 0.9 * m + 0.1 * d
        spread = s - m * m if centred else s
        v = momentum * v + d / (np.sqrt(spread + 1e-6) if inside else np.sqrt(spread) + 1e-6)
        w = w - lr * v
    np.testing.assert_allclose(got, w, rtol=1e-8, atol=1e-8)


@given(SEEDS, RATES, DECAYS, st.booleans(), st.booleans())
def test_adam_and_adamw(seed, lr, decay, decoupled, amsgrad):
    kind = optim.AdamW if decoupled else optim.Adam
    start, gradients, got = run(lambda p: kind(p, lr, (0.8, 0.95), 1e-8, decay, amsgrad), seed)
    w, m, v, top = start, 0.0, 0.0, 0.0
    for t, g in enumerate(gradients, start=1):
        if decoupled:
            w = w - lr * decay * w
            d = g
        else:
            d = g + decay * w
        m = 0.8 * m + 0.2 * d
        v = 0.95 * v + 0.05 * d * d
        top = np.maximum(top, v)
        used = top if amsgrad else v
        w = w - lr * (m / (1 - 0.8**t)) / (np.sqrt(used / (1 - 0.95**t)) + 1e-8)
    np.testing.assert_allclose(got, w, rtol=1e-10, atol=1e-12)


@given(SEEDS, RATES, DECAYS, st.sampled_from([0.0, 0.1]), st.sampled_from([0.0, 0.2]))
def test_adagrad(seed, lr, decay, lr_decay, initial):
    start, gradients, got = run(
        lambda p: optim.Adagrad(p, lr, lr_decay, decay, initial, 1e-10), seed
    )
    w, s = start, initial
    for t, g in enumerate(gradients):
        d = g + decay * w
        s = s + d * d
        w = w - lr / (1 + t * lr_decay) * d / (np.sqrt(s) + 1e-10)
    np.testing.assert_allclose(got, w, rtol=1e-10, atol=1e-12)


@given(SEEDS, DECAYS, st.booleans(), st.booleans(), st.sampled_from([(3, 2), (2, 5), (4, 2, 1, 2)]))
def test_muon(seed, decay, nesterov, renormalize, shape):
    start, gradients, got = run(
        lambda p: optim.Muon(p, 0.02, decay, 0.9, nesterov, renormalize=renormalize),
        seed,
        shape=shape,
    )
    a, b, c = 3.4445, -4.7750, 2.0315
    w, v = start.reshape(shape[0], -1), 0.0
    for g in gradients.reshape(STEPS, shape[0], -1):
        v = 0.9 * v + g
        u = g + 0.9 * v if nesterov else v
        left, singular, right = np.linalg.svd(u, full_matrices=False)
        singular = singular / (np.linalg.norm(u) + 1e-7)
        for _ in range(5):
            singular = a * singular + b * singular**3 + c * singular**5
        scale = np.sqrt(max(1.0, w.shape[0] / w.shape[1]))
        if renormalize:
            w = w / np.sqrt((w**2).sum() / len(w))
        w = w * (1 - 0.02 * decay) - 0.02 * scale * (left * singular) @ right
    np.testing.assert_allclose(got.reshape(w.shape), w, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("shape", [(130, 300), (300, 130), (150, 16, 3, 3)])
@pytest.mark.parametrize("nesterov", [True, False])
def test_muon_on_large_weights_is_the_same_with_any_kernels(nesterov, shape):
    start, gradients = np.random.default_rng(0).normal(size=(2, *shape))
    results = []
    for kernels in ("numpy", "auto"):
        with use_kernels(kernels):
            p = nn.Parameter(start.copy())
            optimizer = optim.Muon([p], 0.1, 0.1, 0.9, nesterov, renormalize=True)
            for sign in (1, -1, 1):
                p.grad = ag.Tensor(sign * gradients + gradients**2)
                optimizer.step()
        results.append((p.data, optimizer.state[p]["momentum_buffer"]))
    for found, expected in zip(*results, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-9)


def test_muon_takes_weights_and_gradients_in_any_memory_order():
    start, gradient = np.random.default_rng(0).normal(size=(2, 150, 16, 3, 3))
    results = []
    for order in ("C", "F", "last"):
        arrays = []
        for array in (start, gradient):
            last = np.ascontiguousarray(np.moveaxis(array, 1, -1))
            arrays.append(np.moveaxis(last, -1, 1) if order == "last" else array.copy(order=order))
        for mixed in (False, True):
            p = nn.Parameter(start.copy())
            p.data = arrays[0].copy(order="K")
            p.grad = ag.Tensor(gradient.copy() if mixed else arrays[1])
            optim.Muon([p], 0.1, 0.1).step()
            results.append(p.data)
    for found in results:
        np.testing.assert_allclose(found, results[0], rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("maker", [optim.Adam, optim.AdamW])
def test_adam_in_one_pass_tells_groups_and_steps_apart(maker):
    rng = np.random.default_rng(0)
    starts, gradients = rng.normal(size=(3, 200, 100)), rng.normal(size=(6, 3, 200, 100))
    results = []
    for kernels in ("numpy", "auto"):
        with use_kernels(kernels):
            params = [nn.Parameter(start.copy()) for start in starts]
            groups = [
                {"params": params[:2]},
                {"params": params[2:], "lr": 0.5, "weight_decay": 0.1},
            ]
            optimizer = maker(groups, 0.1)
            for step, gradient in enumerate(gradients):
                if step == 3:
                    saved = optimizer.state_dict()
                for number, (p, g) in enumerate(zip(params, gradient, strict=True)):
                    p.grad = ag.Tensor(g) if step != 1 or number else None  # the first falls behind
                optimizer.step()
            optimizer.load_state_dict(saved)  # the same step again, with another rate
            optimizer.param_groups[0]["lr"] = 0.7
            optimizer.step()
        results.append([p.data for p in params])
    for found, expected in zip(*results, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-11)


def test_muon_leaves_a_weight_of_zeros_where_it_rescales():
    p = nn.Parameter(np.zeros((2, 3)))
    p.grad = ag.Tensor(np.zeros((2, 3)))
    optim.Muon([p], renormalize=True).step()
    np.testing.assert_array_equal(p.data, 0.0)


MAKERS = {
    "SGD": lambda p: optim.SGD(p, 0.1, 0.9, weight_decay=0.1, nesterov=True),
    "RMSprop": lambda p: optim.RMSprop(p, 0.1, momentum=0.9, centered=True, weight_decay=0.1),
    "Adam": lambda p: optim.Adam(p, weight_decay=0.1, amsgrad=True),
    "AdamW": lambda p: optim.AdamW(p),
    "Adagrad": lambda p: optim.Adagrad(p, weight_decay=0.1),
    "Muon": lambda p: optim.Muon(p),
}


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_float32_stays_float32(name):
    run(MAKERS[name], 0, np.float32)


@pytest.mark.parametrize("name", sorted(set(MAKERS) - {"Muon"}))
def test_a_step_allocates_nothing_large(name):
    p = nn.Parameter(np.ones((400, 500), np.float32))
    p.grad = ag.Tensor(np.ones((400, 500), np.float32))
    optimizer = MAKERS[name]([p])
    optimizer.step()
    optimizer.step()
    tracemalloc.start()
    optimizer.step()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < p.data.nbytes / 10


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_a_state_dict_goes_on_where_it_was_saved(name):
    rng = np.random.default_rng(1)
    start, gradients = rng.normal(size=(4, 3)), rng.normal(size=(6, 4, 3))

    def steps(p, optimizer, which):
        for gradient in which:
            p.grad = ag.Tensor(gradient)
            optimizer.step()

    whole = nn.Parameter(start)
    steps(whole, MAKERS[name]([whole]), gradients)
    first = nn.Parameter(start)
    before = MAKERS[name]([first])
    steps(first, before, gradients[:3])
    second = nn.Parameter(first.data)
    after = MAKERS[name]([second])
    after.load_state_dict(before.state_dict())
    steps(second, after, gradients[3:])
    np.testing.assert_array_equal(second.data, whole.data)


def test_a_step_is_seen_by_a_graph_recorded_before():
    layer = nn.Linear(2, 2)
    x = ag.Tensor(np.ones((1, 2), np.float32), requires_grad=True)
    loss = ag.sum(layer(x) ** 2)
    loss.backward(retain_graph=True)
    optim.SGD(layer.parameters(), lr=0.1).step()
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()
