"""What a row stands for: floating-point operations, bytes, and the module."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
import nn
import optim
from tests.autograd.profiling.clocks import rows_of


@given(
    st.integers(1, 3), st.integers(1, 3), st.integers(1, 2), st.integers(1, 2), st.integers(1, 2),
    st.integers(1, 3), st.sampled_from(["x", "w", "xw"]), st.booleans(),
)  # fmt: skip
def test_convolutions_count_their_products(
    batch, out_channels, groups, stride, dilation, size, tracked, biased
):
    """Of ones, without padding, every product adds 1 to the sum of the result."""
    sizes = {"stride": stride, "dilation": dilation, "groups": groups}
    shape_x, shape_w = (batch, 2 * groups, 6, 7), (out_channels * groups, 2, size, 2)
    x = ag.Tensor(np.ones(shape_x), requires_grad="x" in tracked)
    w = ag.Tensor(np.ones(shape_w), requires_grad="w" in tracked)
    b = ag.Tensor(np.zeros(shape_w[0]), requires_grad=True) if biased else None
    with ag.profile(show=False) as p:
        y = ag.conv2d(x, w, b, **sizes)
        leaves = [t for t in (x, w) if t.requires_grad]
        ag.pullback(ag.sum(y), leaves)
        ag.pushforward(y, leaves, [np.ones(t.shape) for t in leaves])
    flops = 2 * int(np.sum(y.detach().numpy()))
    rows = rows_of(p, "conv")
    assert rows["forward pass"].flops == flops
    assert rows["reverse sweep"].flops == len(tracked) * flops
    assert rows["forward sweep"].flops == len(tracked) * flops


@pytest.mark.parametrize(
    ("name", "x", "w"),
    [
        ("matmul", (3, 4), (4, 5)),
        ("matmul", (2, 3, 4), (4, 5)),
        ("matmul", (2, 1, 3, 4), (3, 4, 2)),
        ("matmul", (4,), (4,)),
        ("linear", (2, 3, 4), (5, 4)),
    ],
)
def test_matrix_products_count_their_products(name, x, w):
    with ag.profile(show=False) as p:
        out = getattr(ag, name)(ag.Tensor(np.ones(x), requires_grad=True), np.ones(w))
        ag.sum(out).backward()
    flops = 2 * int(np.sum(out.detach().numpy()))
    rows = rows_of(p, name)
    assert rows["forward pass"].flops == rows["reverse sweep"].flops == flops


@pytest.mark.parametrize("tracked", [(True, True), (True, False), (False, True)])
@pytest.mark.parametrize(
    ("name", "x", "w"),
    [
        ("matmul", (3, 4), (4, 5)),
        ("matmul", (2, 3, 4), (4, 5)),
        ("linear", (2, 4), (5, 4)),
        ("conv2d", (1, 2, 5, 5), (3, 2, 3, 3)),
    ],
)
def test_sweeps_count_what_was_recorded_before_the_profile(name, x, w, tracked):
    operands = [
        ag.Tensor(np.ones(shape), some) for shape, some in zip((x, w), tracked, strict=True)
    ]
    leaves = [t for t in operands if t.requires_grad]
    out = getattr(ag, name)(*operands)
    flops = 2 * int(np.sum(out.detach().numpy()))
    with ag.profile(show=False) as p:
        ag.pushforward(out, leaves, [np.ones(t.shape) for t in leaves])
        ag.pullback(out, leaves, np.ones(out.shape))
    rows = rows_of(p, name.removesuffix("2d"))
    assert rows["reverse sweep"].flops == rows["forward sweep"].flops == len(leaves) * flops


def test_the_gradients_of_a_convolution_count_too():
    xt = ag.Tensor(np.ones((1, 1, 4, 4)), requires_grad=True)
    wt = ag.Tensor(np.ones((1, 1, 3, 3)), requires_grad=True)
    y = ag.conv2d(xt, wt)
    gx, gw = ag.pullback(ag.sum(y), [xt, wt], create_graph=True)
    with ag.profile(show=False) as p:
        ag.pullback(ag.sum(gx * gx) + ag.sum(gw * gw), [xt, wt])
    # dy/dx is linear in w alone and dy/dw in x alone: one product each.
    flops = 2 * int(np.sum(y.detach().numpy()))
    assert rows_of(p, "conv_input_gradient")["reverse sweep"].flops == flops
    assert rows_of(p, "conv_weight_gradient")["reverse sweep"].flops == flops


def test_an_operation_of_ones_own_declares_its_flops(clock):
    pairs = ag.op.bilinear(
        "pairs",
        lambda x, y: x * y,
        lambda c, y: c * y,
        lambda c, x: c * x,
        flops=lambda out, x, y: out[0],
    )
    x = ag.Tensor(np.ones(5), requires_grad=True)
    with ag.profile(show=False) as p:
        ag.sum(pairs(x, x)).backward()
    rows = rows_of(p, "pairs")
    assert (rows["forward pass"].flops, rows["reverse sweep"].flops) == (5, 10)
    assert rows["forward pass"].gflops_per_second is None  # no time has passed
    with pytest.raises(TypeError, match="flops of wrong"):
        ag.op.bilinear("wrong", np.multiply, np.multiply, np.multiply, flops=lambda out: 1)


def test_bytes_are_what_was_made():
    x = ag.Tensor(np.ones((4, 6), np.float32), requires_grad=True)
    with ag.profile(show=False) as p:
        z = ag.sum(ag.transpose(ag.exp(x)), axis=0)
        ag.pushforward(z, x, np.ones((4, 6), np.float32))
        ag.pullback(z, x, np.ones(4, np.float32))
    assert {sweep: row.bytes for sweep, row in rows_of(p, "exp").items()} == {
        "forward pass": 96, "reverse sweep": 96, "forward sweep": 96,
    }  # fmt: skip
    assert rows_of(p, "transpose")["forward pass"].bytes == 0
    assert rows_of(p, "sum")["forward pass"].bytes == 16
    assert rows_of(p, "sum")["reverse sweep"].bytes == 96


class Block(nn.Module):
    def __init__(self):
        self.layers = [nn.Linear(3, 3), nn.Tanh()]

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x * 2.0


def test_modules_are_named_by_their_paths():
    net = nn.Sequential(Block(), nn.Linear(3, 1))
    x = np.ones((2, 3), np.float32)
    with ag.profile(show=False) as p:
        for _ in range(2):
            ag.mean(net(x)).backward()
    forward = {r.module: r.calls for r in p.by_module() if r.sweep == "forward pass"}
    reverse = {r.module: r.calls for r in p.by_module() if r.sweep == "reverse sweep"}
    assert forward == {
        "Sequential.0.layers.0 (Linear)": 2,
        "Sequential.0.layers.1 (Tanh)": 2,
        "Sequential.0 (Block)": 2,
        "Sequential.1 (Linear)": 2,
        "(no module)": 2,
    }
    assert reverse.pop("(order of the nodes, sums)") == 2
    assert reverse == forward


def test_a_layer_replaced_during_the_profile_gets_its_name():
    block = Block()
    x = np.ones((2, 3), np.float32)
    with ag.profile(show=False) as p:
        block(x)
        block.layers = [nn.Sequential(nn.Sigmoid())]
        block(x)
    names = {row.module for row in p.rows if row.sweep == "forward pass"}
    assert names == {
        "Block", "Block.layers.0 (Linear)", "Block.layers.1 (Tanh)", "Block.layers.0.0 (Sigmoid)",
    }  # fmt: skip


def test_a_new_module_in_the_memory_of_an_old_one_gets_its_own_name():
    block, first = Block(), nn.Tanh()
    x = np.ones((2, 3), np.float32)
    with ag.profile(show=False) as p:
        for _ in range(10):
            block.layers = [nn.Sigmoid()]
            block(x)
            block.layers = None
            block.layers = [first, nn.Sigmoid()]
            block(x)
            block.layers = None
    counts = {r.module: r.calls for r in p.by_module() if r.calls}
    assert counts["Block.layers.0 (Sigmoid)"] == counts["Block.layers.1 (Sigmoid)"] == 10


def test_what_a_recorded_sweep_recorded_belongs_to_no_module():
    layer = nn.Tanh()
    x = ag.Tensor(np.ones(3), requires_grad=True)
    slope = ag.pullback(ag.sum(layer(x)), x, create_graph=True)
    with ag.profile(show=False) as p:
        ag.pullback(ag.sum(slope), x)
    assert {r.module for r in p.rows if r.module} == {"(no module)", "Tanh"}


def test_an_optimizer_step_is_one_call():
    net = nn.Linear(3, 2)
    optimizer = optim.Adam(net.parameters())
    with ag.profile(show=False) as p:
        ag.sum(net(np.ones((2, 3), np.float32))).backward()
        optimizer.step()
    row = rows_of(p, "Adam")["update"]
    assert (row.calls, row.bytes, row.module) == (1, 4 * 8, "(optimizer)")


@pytest.mark.parametrize("profiled", [False, True])
def test_warnings_of_a_step_name_the_users_line(profiled):
    used, unused = nn.Parameter(np.ones(1)), nn.Parameter(np.ones(1))
    optimizer = optim.SGD([used, unused])
    ag.sum(used).backward()
    measured = ag.profile(show=False) if profiled else contextlib.nullcontext()
    with measured, pytest.warns(UserWarning, match="never got a gradient") as caught:
        optimizer.step()
    assert caught[0].filename == __file__


def test_operations_with_several_outputs():
    a = ag.Tensor(np.array([[2.0, 1.0], [1.0, 3.0]]), requires_grad=True)
    with ag.profile(show=False) as p:
        values, vectors = ag.linalg.eigh(a)
        total = ag.sum(values) + ag.sum(vectors**2)
        total.jvp({a: ag.Tensor(np.eye(2))})
        total.backward()
    assert {sweep: (row.calls, row.bytes) for sweep, row in rows_of(p, "eigh").items()} == {
        "forward pass": (1, 48), "reverse sweep": (1, 32), "forward sweep": (1, 48),
    }  # fmt: skip
    assert not rows_of(p, "output")
