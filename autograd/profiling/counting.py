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
    if node.op.flops is None or not isinstance(node.op, Multilinear | Affine):
        return 0
    shapes = node.saved[-1]
    products = sum(type(x) is Node and reached(x) for x in node.inputs[: len(shapes)])
    return products * node.op.flops(node.shape, *shapes) if products else 0


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
