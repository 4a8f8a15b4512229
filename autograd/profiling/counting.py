"""How many floating-point operations and bytes a call or a rule stands for, by its shapes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.base import Op
from autograd.families import Affine, Multilinear
from autograd.node import Node


def forward_flops(op: Op, out: Any, operands: Sequence[Any]) -> int:
    """Of one call; 0 for an operation whose operations are not counted."""
    return 0 if op.flops is None else op.flops(np.shape(out), *(np.shape(x) for x in operands))


def sweep_flops(node: Node, reached: Callable[[Node], bool]) -> int:
    """Of the rule of `node` in a sweep; `reached` says which inputs a derivative goes through.

    Each derivative of a product, its transpose in an operand or itself with a tangent in the
    operand's place, costs as many operations as the product.
    """
    product = node.op.product if isinstance(node.op, Affine) else node.op
    if not isinstance(product, Multilinear) or product.flops is None:
        return 0
    inputs = node.inputs[: len(product.transposes)]
    products = sum(type(x) is Node and reached(x) for x in inputs)
    if not products:
        return 0
    saved = node.saved[1:]  # each constant beside what is tracked
    shapes = [x.shape if type(x) is Node else np.shape(saved[i]) for i, x in enumerate(inputs)]
    return products * product.flops(node.shape, *shapes)


def bytes_of(value: Any) -> int:
    """The size of an array or a Tensor, or of all in a tuple."""
    if isinstance(value, tuple | list):
        return sum(map(bytes_of, value))
    return int(getattr(getattr(value, "_value", value), "nbytes", 0))


def bytes_written(out: Any, operands: Sequence[Any]) -> int:
    """The size of a call's results, without those that are views of an operand."""
    if isinstance(out, tuple):
        return sum(bytes_written(item, operands) for item in out)
    if isinstance(out, np.ndarray) and out.base is not None:
        arrays = [x for x in operands if isinstance(x, np.ndarray)]
        if any(np.may_share_memory(out, x) for x in arrays):
            return 0
    return bytes_of(out)


def node_bytes(node: Node) -> int:
    """The size of a value, or of its derivative, at a node of one output."""
    return int(math.prod(node.shape) * node.dtype.itemsize)
