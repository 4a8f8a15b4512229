"""Functions of operations go to ONNX; what one graph cannot hold is an error with its place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.onnx_export.building import TRANSLATIONS
from tests.autograd.onnx_export.running import assert_same, run

RNG = np.random.default_rng(1)
X = RNG.uniform(0.2, 0.9, (3, 4)).astype(np.float32)
ABOVE = X + np.float32(1.0)
SIGNED = RNG.normal(scale=3.0, size=(3, 4)).astype(np.float32)
INDEX = np.array([2, 0, 0])

IMAGES = RNG.normal(size=(2, 3, 7, 6)).astype(np.float32)
FILTERS = RNG.normal(size=(4, 3, 3, 3)).astype(np.float32)

FUNCTIONS = {
    "convolutions": (lambda x: ag.conv2d(x, FILTERS, None, 2, 1), IMAGES),
    "and relu": (lambda x: ag.conv2d(x, FILTERS, padding=1, activation="relu"), IMAGES),
    "linear and relu": (lambda x: ag.linear(x, SIGNED, activation="relu"), SIGNED),
    "and gelu": (lambda x: ag.conv2d(x, FILTERS, np.ones(4, "f4"), activation="gelu"), IMAGES),
    "and maxima": (lambda x: ag.conv2d(x, FILTERS, np.ones(4, "f4"), max_pool=True), IMAGES),
    "and all": (lambda x: ag.conv2d(x, FILTERS, activation="gelu", max_pool=True), IMAGES),
    "arithmetic": (lambda x, y: (x + 1.5) * y - x / y + 2.0 ** (-x) - 3 // y, X, SIGNED),
    "remainder": (lambda x, y: x % y, SIGNED, X),
    "powers": (lambda x: x**3 + ag.square(x) + ag.reciprocal(x) + ag.sqrt(x) + +x, X),
    "exponentials": (lambda x: ag.exp(x) + ag.exp2(x) + ag.expm1(x) + ag.erf(x), X),
    "logarithms": (lambda x: ag.log(x) + ag.log2(x) + ag.log10(x) + ag.log1p(x), X),
    "circles": (lambda x: ag.sin(x) + ag.cos(x) + ag.tan(x) + ag.arctan(x), X),
    "inverse circles": (lambda x: ag.arcsin(x) + ag.arccos(x) + ag.arctanh(x), X),
    "hyperbolas": (lambda x: ag.sinh(x) + ag.cosh(x) + ag.tanh(x) + ag.arcsinh(x), X),
    "arccosh": (ag.arccosh, ABOVE),
    "two arguments": (lambda x, y: ag.hypot(x, y) + ag.logaddexp(x, y), X, SIGNED),
    "rounding": (lambda x: ag.floor(x) + ag.ceil(x) + ag.rint(x) + ag.trunc(x), SIGNED),
    "decimals": (lambda x: ag.round(x, 1), X),
    "choosing": (lambda x: ag.clip(abs(x) * ag.sign(x), -1.0, 1.0), SIGNED),
    "where": (lambda x: ag.where(np.eye(3, 4) > 0, x, 2.0), X),
    "extremes": (lambda x, y: ag.maximum(x, y) + ag.minimum(x, 0.5), X, SIGNED),
    "sums": (lambda x: x.sum(0, keepdims=True) + x.mean(1, keepdims=True) + x.sum(), X),
    "products": (lambda x: ag.prod(x, 0) + ag.max(x) + ag.min(x, (0, 1)), X),
    "moments": (lambda x: ag.var(x, 1) + ag.logsumexp(x, 1), X),
    "squares": (
        lambda x: ag.norm(x, axis=0) + ag.var(x, 0, ddof=1) + ag.mse_loss(x[0, 1], x[1, 0]),
        X,
    ),
    "cumsum": (lambda x: ag.cumsum(x, 1), X),
    "matmul": (lambda x, y: x @ y.T + ag.einsum("ij,kj->ik", x, y), X, SIGNED),
    "a row and a column": (lambda x: x[0] @ x.T @ np.ones((3, 1), np.float32), X),
    "stacks": (lambda x: ag.stack([x, x * 2], 1)[:, 1] + ag.concatenate([x[:1], x[1:]]), X),
    "split": (lambda x: ag.split(x, [1, 3], 1), X),
    "axes": (lambda x: ag.expand_dims(x, (0, 2)).squeeze().swapaxes(0, 1), X),
    "broadcast": (lambda x: ag.broadcast_to(x[:, None], (3, 2, 4)), X),
    "padding": (lambda x: ag.pad(x, ((1, 0), (0, 2))) + ag.pad(x, ((0, 1), (2, 0))), X),
    "filled": (lambda x: ag.pad(x, 1, constant_values=2.0), X),
    "repetition": (lambda x: ag.tile(x, (2, 1)) + ag.repeat(x, 2, 0), X),
    "roll": (lambda x: ag.roll(x, 1) + ag.roll(x, (1, -2), (0, 1)) + ag.flip(x, 0), X),
    "slices": (lambda x: x[::-1, 1:-1] + x[-1, ::2], X),
    "slices backwards": (lambda x: x[..., 3:0:-2], X),
    "new axes": (lambda x: x[None, ..., 0, None], X),
    "new axes first": (lambda x: x[None, 1, None, :], X),
    "rows": (lambda x: x[INDEX] + x[:, INDEX][:, :1], X),
    "a mask": (lambda x: x[:, np.array([True, False, True, True])], X),
    "take": (lambda x: ag.take(x, INDEX, 1), X),
    "cast": (lambda x: ag.astype(x, np.float64) * 2.0, X),
    "normalize": (lambda x: nn.functional.normalize(x), X),
    "softmax": (lambda x: ag.softmax(x) + ag.log_softmax(x, 0), SIGNED),
    "a number": (lambda x: ag.sum(x) * 2.0, X),
    "a scalar input": (lambda x: ag.sin(x) + 1.0, np.full((), 0.5, np.float32)),
    "a mask as input": (lambda x, m: ag.where(m, x, -x), X, X > 0.5),
    "numbers as input": (lambda x, i: x[i] * 2.0, X, INDEX),
    "itself": (lambda x: x, X),
    "twice the same": (lambda x: (x * 2, x * 2), X),
    "one value twice": (lambda x: [ag.exp(x)] * 2, X),
    "an output used again": (lambda x: (y := ag.exp(x), y + 1.0), X),
}


@pytest.mark.parametrize("kind", FUNCTIONS)
def test_function(kind):
    function, *arrays = FUNCTIONS[kind]
    assert_same(function, *arrays)


def test_every_translation_is_tried(monkeypatch):
    tried = set()
    for op, translation in list(TRANSLATIONS.items()):

        def noted(graph, step, op=op, translation=translation):
            tried.add(op)
            return translation(graph, step)

        monkeypatch.setitem(TRANSLATIONS, op, noted)
    from tests.autograd.onnx_export.test_layers import CASES, example

    for function, *arrays in FUNCTIONS.values():
        ag.to_onnx(function, tuple(arrays))
    for case in CASES:
        layer, given = case.values
        ag.to_onnx(layer, example(given))
    ag.to_onnx(lambda x: ag.copy(x), X)
    assert {op.name for op in TRANSLATIONS} == {op.name for op in tried}


def test_the_documentation_lists_what_has_a_translation():
    page = Path(__file__).parents[3] / "docs" / "interchange.md"
    listed = page.read_text().partition("Operations with a translation: ")[2].partition(".")[0]
    assert listed.replace("`", "").split() == sorted({op.name for op in TRANSLATIONS})


def test_dicts_name_the_outputs():
    proto = ag.to_onnx(lambda x: {"a": x + 1, "b": (x, x * 2)}, X)
    assert [info.name for info in proto.graph.output] == ["a", "b_0", "b_1"]
    assert np.array_equal(run(proto, X)[2], X * 2)


def test_modules_in_a_function_have_their_names():
    layer = nn.Sequential(nn.Linear(4, 2))
    proto = ag.to_onnx(lambda x: layer(x), X)
    assert [node.name for node in proto.graph.node] == ["Sequential.0/Gemm"]
    twice = ag.to_onnx(lambda x: x @ layer[0].weight.T @ layer[0].weight, X)
    assert sum(sorted(tensor.dims) == [2, 4] for tensor in twice.graph.initializer) == 2


def test_a_square_weight_and_its_transpose_are_two_constants():
    weight = ag.Tensor(RNG.normal(size=(5, 5)).astype("f"), requires_grad=True)
    array = RNG.normal(size=(3, 5)).astype("f")
    assert_same(lambda x: x @ weight @ weight.T, array, tolerance=1e-4)


def test_nothing_is_left_behind():
    layer = nn.Linear(4, 2)
    ag.to_onnx(layer, X)
    assert layer.weight.grad is None
    y = layer(X)
    assert y.requires_grad
    y.backward(np.ones((3, 2), np.float32))


cube = ag.op.elementwise("exp", lambda x: x**3, (lambda out, x: 3 * x**2,))


class Cubed(nn.Module):
    def __init__(self):
        self.inner = Inner()

    def forward(self, x):
        return self.inner(x)


class Inner(nn.Module):
    def forward(self, x):
        return cube(x)


ERRORS = {
    "an operation of one's own, whatever its name": (
        Cubed(),
        ValueError,
        r"no translation of exp, called at .*test_functions\.py:\d+ in forward: return cube\(x\) "
        "in inner;",
    ),
    "linear algebra": (
        lambda x: ag.linalg.inv(x[:, :3]),
        ValueError,
        r"no translation of inv.*\.py:\d+",
    ),
    "a mask from the input": (
        lambda x: ag.where(x > 0, x, 0.0),
        ValueError,
        r"condition of where, called at .*\.py:\d+.*depends on the input",
    ),
    "NumPy on the data": (
        lambda x: x * np.exp(x.data),
        ValueError,
        "operand 1 of multiply.*differs from input to input",
    ),
    "a branch": (
        lambda x: ag.exp(x) if x.data.ravel()[0] > X.mean() else ag.log(x),
        ValueError,
        "branches on its input",
    ),
    "a loop": (
        lambda x: sum((x + 1 for _ in range(int(abs(x.data).sum()))), x),
        ValueError,
        "operations for one input|branches",
    ),
    "random numbers": (
        lambda x: x + RNG.normal(size=4).astype("f"),
        ValueError,
        "operand 1 of add",
    ),
    "an array as output": (lambda x: np.argmax(x), TypeError, "output is a int64, no Tensor"),
    "an unused input": (lambda x, y: x * 2.0, ValueError, "used y:"),
    "several index arrays": (
        lambda x: x[INDEX, INDEX],
        ValueError,
        "getitem, called at .* several arrays",
    ),
    "complex numbers": (lambda x: x, TypeError, "complex"),
    "no function": (3, TypeError, "a model or a function, got int"),
}


@pytest.mark.parametrize("kind", ERRORS)
def test_what_cannot_be_exported_is_named(kind):
    function, error, message = ERRORS[kind]
    arrays = (X, SIGNED) if kind == "an unused input" else (X,)
    if kind == "complex numbers":
        arrays = (X.astype(complex),)
    with pytest.raises(error, match=message):
        ag.to_onnx(function, arrays)


@pytest.mark.parametrize(
    ("dtype", "reduction"),  # onnxruntime has no sums of uint64
    [("i1", "mean"), ("i1", "sum"), ("u1", "mean"), ("i4", "mean"), ("i4", "sum"), ("i8", "sum")],
)
def test_squares_of_integers_wrap_as_numpy_s_do(dtype, reduction):
    x = np.array([[100, 3, 60], [90, 4, 5]], dtype) * np.array(
        1 if dtype[1] == "1" else 1000, dtype
    )
    with np.errstate(over="ignore"):
        assert_same(lambda x: ag.mse_loss(x, x * 0, reduction), x)


BATCH_ERRORS = {
    "the size as a number": (lambda x: x / len(x), "operand 1 of divide.*size of the batch"),
    "a loop over samples": (lambda x: ag.stack([row * 2.0 for row in x]), "loops|branches|batch"),
    "sizes mixed": (lambda x: x.reshape(len(x), len(x) * 0 + 2, -1), None),
    "one axis with the batch": (lambda x: x.reshape(-1), None),
    "repeated for the batch": (
        lambda x: x + ag.broadcast_to(x[:1].sum(0), x.shape),
        "repeats a value",
    ),
    "a mean of squares": (lambda x: ag.mse_loss(x, 2.0 * x) + ag.var(x), None),
    "a cut in the batch": (lambda x: ag.split(x, [1])[1], "batch"),
}


@pytest.mark.parametrize("kind", BATCH_ERRORS)
def test_what_depends_on_the_size_of_the_batch_is_named(kind):
    function, message = BATCH_ERRORS[kind]
    if message is None:
        proto = ag.to_onnx(function, X, dynamic_batch=True)
        for count in (1, 5):
            array = RNG.normal(size=(count, 4)).astype("f")
            assert_same(function, array, proto=proto)
        return
    with pytest.raises(ValueError, match=message):
        ag.to_onnx(function, X, dynamic_batch=True)
    with pytest.raises(ValueError, match="at least one sample"):
        ag.to_onnx(function, np.float32(1.0), dynamic_batch=True)


def test_without_onnx_the_extra_is_named(monkeypatch):
    import sys

    for name in [n for n in sys.modules if n.startswith("autograd.onnx_export.")]:
        if name.rpartition(".")[2] in (
            "inference",
            "building",
            "graph",
            "arrays",
            "layers",
            "elementwise",
        ):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"pip install 'dagrad\[onnx\]'"):
        ag.to_onnx(lambda x: x, X)
