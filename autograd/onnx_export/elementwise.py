"""Translations of operations that work entry by entry."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.base import Op
from autograd.onnx_export.graph import Graph, Step
from autograd.ops import activations, arithmetic, choosing, shaping, transcendental

Translation = Callable[[Graph, Step], list[str]]


def _direct(kind: str) -> Translation:
    """An operation that ONNX has, on operands of the result's dtype."""

    def translate(graph: Graph, step: Step) -> list[str]:
        inputs = [graph.use(operand, step.dtype) for operand in step.operands]
        return [graph.node(kind, inputs)]

    return translate


def _written(formula: Callable[..., str]) -> Translation:
    """An operation as a formula of others: `formula(terms, *names, **params)`."""

    def translate(graph: Graph, step: Step) -> list[str]:
        inputs = [graph.use(operand, step.dtype) for operand in step.operands]
        return [formula(Terms(graph, step.dtype), *inputs, **step.params)]

    return translate


class Terms:
    """Short names for the arithmetic of formulas."""

    def __init__(self, graph: Graph, dtype: np.dtype[Any]) -> None:
        self.graph = graph
        self.dtype = dtype

    def number(self, value: float) -> str:
        """A scalar constant of the result's dtype."""
        return self.graph.constant(np.asarray(value, self.dtype), "number")

    def __call__(self, kind: str, *inputs: Any, **attributes: Any) -> str:
        """One node; numbers among its inputs become constants."""
        names = [item if isinstance(item, str) else self.number(item) for item in inputs]
        return self.graph.node(kind, names, **attributes)


def gelu(f: Terms, x: str) -> str:
    inside = f("Erf", f("Mul", x, math.sqrt(0.5)))
    return f("Mul", f("Mul", x, 0.5), f("Add", inside, 1.0))


def _gelu_tanh(f: Terms, x: str) -> str:
    cubic = f("Add", x, f("Mul", f("Mul", f("Mul", x, x), x), 0.044715))
    inside = f("Tanh", f("Mul", cubic, math.sqrt(2.0 / math.pi)))
    return f("Mul", f("Mul", x, 0.5), f("Add", inside, 1.0))


def _softplus(f: Terms, x: str, beta: float, threshold: float) -> str:
    scaled = f("Mul", x, beta)
    return f("Where", f("Greater", scaled, threshold), x, f("Div", f("Softplus", scaled), beta))


def _floor_divide(f: Terms, x: str, y: str) -> str:
    return f("Floor", f("Div", x, y))


def _round(f: Terms, x: str, decimals: int) -> str:
    scale = 10.0**decimals
    return f("Div", f("Round", f("Mul", x, scale)), scale)


def _hypot(f: Terms, x: str, y: str) -> str:
    return f("Sqrt", f("Add", f("Mul", x, x), f("Mul", y, y)))


def _logaddexp(f: Terms, x: str, y: str) -> str:
    apart = f("Neg", f("Abs", f("Sub", x, y)))
    return f("Add", f("Max", x, y), f("Softplus", apart))


def _cast(graph: Graph, step: Step) -> list[str]:
    return [graph.use(step.x, step.dtype)]


def _where(graph: Graph, step: Step) -> list[str]:
    x, y = (graph.use(operand, step.dtype) for operand in step.operands)
    condition = step.params["condition"]
    if isinstance(condition, np.ndarray | np.bool_):
        return [graph.node("Where", [graph.constant(condition, "condition"), x, y])]
    return [graph.node("Where", [condition, x, y])]


ELEMENTWISE: dict[Op, Translation] = {
    arithmetic.add: _direct("Add"),
    arithmetic.subtract: _direct("Sub"),
    arithmetic.multiply: _direct("Mul"),
    arithmetic.divide: _direct("Div"),
    arithmetic.power: _direct("Pow"),
    arithmetic.negative: _direct("Neg"),
    arithmetic.positive: _direct("Identity"),
    arithmetic.reciprocal: _direct("Reciprocal"),
    arithmetic.square: _written(lambda f, x: f("Mul", x, x)),
    arithmetic.floor_divide: _written(_floor_divide),
    arithmetic.remainder: _written(
        lambda f, x, y: f("Sub", x, f("Mul", _floor_divide(f, x, y), y))
    ),
    choosing.absolute: _direct("Abs"),
    choosing.sign: _direct("Sign"),
    choosing.floor: _direct("Floor"),
    choosing.ceil: _direct("Ceil"),
    choosing.rint: _direct("Round"),
    choosing.trunc: _written(lambda f, x: f("Mul", f("Sign", x), f("Floor", f("Abs", x)))),
    choosing._round: _written(_round),
    choosing.maximum: _direct("Max"),
    choosing.minimum: _direct("Min"),
    choosing._clip: _written(lambda f, x, low, high: f("Clip", x, low, high)),
    choosing._where: _where,
    transcendental.exp: _direct("Exp"),
    transcendental.exp2: _written(lambda f, x: f("Pow", 2.0, x)),
    transcendental.expm1: _written(lambda f, x: f("Sub", f("Exp", x), 1.0)),
    transcendental.log: _direct("Log"),
    transcendental.log2: _written(lambda f, x: f("Div", f("Log", x), math.log(2.0))),
    transcendental.log10: _written(lambda f, x: f("Div", f("Log", x), math.log(10.0))),
    transcendental.log1p: _written(lambda f, x: f("Log", f("Add", x, 1.0))),
    transcendental.logaddexp: _written(_logaddexp),
    transcendental.sqrt: _direct("Sqrt"),
    transcendental.hypot: _written(_hypot),
    transcendental.erf: _direct("Erf"),
    transcendental.sin: _direct("Sin"),
    transcendental.cos: _direct("Cos"),
    transcendental.tan: _direct("Tan"),
    transcendental.arcsin: _direct("Asin"),
    transcendental.arccos: _direct("Acos"),
    transcendental.arctan: _direct("Atan"),
    transcendental.sinh: _direct("Sinh"),
    transcendental.cosh: _direct("Cosh"),
    transcendental.tanh: _direct("Tanh"),
    transcendental.arcsinh: _direct("Asinh"),
    transcendental.arccosh: _direct("Acosh"),
    transcendental.arctanh: _direct("Atanh"),
    activations.relu: _direct("Relu"),
    activations.sigmoid: _direct("Sigmoid"),
    activations.silu: _written(lambda f, x: f("Mul", x, f("Sigmoid", x))),
    activations.log_sigmoid: _written(lambda f, x: f("Neg", f("Softplus", f("Neg", x)))),
    activations._leaky_relu: _written(
        lambda f, x, negative_slope: f("LeakyRelu", x, alpha=negative_slope)
    ),
    activations._elu: _written(lambda f, x, alpha: f("Elu", x, alpha=alpha)),
    activations._softplus: _written(_softplus),
    activations._gelu: _written(gelu),
    activations._gelu_tanh: _written(_gelu_tanh),
    shaping._astype: _cast,
    shaping._copy: _direct("Identity"),
}
