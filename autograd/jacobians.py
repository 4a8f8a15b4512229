"""Whole matrices of derivatives: Jacobians and Hessians, and products with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd import tree
from autograd.dispatch import operations
from autograd.errors import GraphNeeded
from autograd.modes import current_modes
from autograd.node import Transform
from autograd.tensor import Tensor
from autograd.tracing import Function, Traced, chosen, renamed, trace
from autograd.transforms import grad, jvp, linearize, unit_cotangent


def jacobian(f: Function, argnums: int | Sequence[int] = 0, mode: str = "auto") -> Function:
    """The function that gives the Jacobian, of shape out.shape + in.shape.

    J[i, j] = d f_i / d x_j, row by row in reverse or column by column in forward mode; 'auto'
    takes the one that needs fewer sweeps. For containers the result has the output's structure,
    and in each place the argument's.

    Raises ValueError for an unknown mode, and as `grad` does for arguments and outputs.

    >>> import autograd as ag, numpy as np
    >>> ag.jacobian(lambda x: x * x)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """
    if mode not in ("auto", "forward", "reverse"):
        raise ValueError(f"mode must be 'auto', 'forward' or 'reverse', got {mode!r}")

    def jacobian_of_f(*args: Any, **kwargs: Any) -> Any:
        traced = trace(f, argnums, args, kwargs)
        inputs = sum(int(np.prod(node.shape)) for node in traced.nodes)
        outputs = sum(leaf.size for leaf in traced.out_leaves)
        forward = mode == "forward" or (mode == "auto" and inputs < outputs)
        blocks = _columns(traced) if forward else _rows(traced)
        regrouped = [chosen(traced.per_argument(row), argnums) for row in blocks]
        return tree.unflatten(traced.out_structure, regrouped)

    return renamed(jacobian_of_f, f, "jacobian")


def _unit(shapes: Sequence[Any], dtypes: Sequence[Any], which: int, position: int) -> list[Any]:
    seeds = [np.zeros(shape, dtype) for shape, dtype in zip(shapes, dtypes, strict=True)]
    seeds[which].reshape(-1)[position] = 1
    return seeds


def _rows(traced: Traced) -> list[list[Any]]:
    """blocks[output leaf][argument leaf], by one reverse sweep per output element."""
    outs = traced.out_leaves
    shapes, dtypes = [o.shape for o in outs], [o.dtype for o in outs]
    blocks = []
    for index, out in enumerate(outs):
        rows = [traced.pull(_unit(shapes, dtypes, index, k)) for k in range(out.size)]
        blocks.append(
            [
                traced.like_argument(_stacked([row[j] for row in rows], out.shape, node, 0), leaf)
                for j, (node, leaf) in enumerate(
                    zip(traced.nodes, traced.argument_leaves, strict=True)
                )
            ]
        )
    return blocks


def _columns(traced: Traced) -> list[list[Any]]:
    """blocks[output leaf][argument leaf], by a forward sweep for each argument element, or many."""
    shapes = [node.shape for node in traced.nodes]
    dtypes = [node.dtype for node in traced.nodes]
    blocks: list[list[Any]] = [[] for _ in traced.out_leaves]
    for index, (node, leaf) in enumerate(zip(traced.nodes, traced.argument_leaves, strict=True)):
        together = traced.push_units(index)
        if together is not None:
            for i, (out, block) in enumerate(zip(traced.out_leaves, together, strict=True)):
                column = np.ascontiguousarray(np.moveaxis(block, 0, -1))
                blocks[i].append(traced.like_argument(column.reshape(out.shape + node.shape), leaf))
            continue
        count = int(np.prod(node.shape))
        columns = [traced.push(_unit(shapes, dtypes, index, k)) for k in range(count)]
        for i, out in enumerate(traced.out_leaves):
            column = _stacked([c[i] for c in columns], node.shape, out, -1)
            blocks[i].append(traced.like_argument(column, leaf))
    return blocks


def _stacked(parts: list[Any], grid: tuple[int, ...], each: Any, axis: int) -> Any:
    """Parts of `each`'s shape stacked along a new first or last axis, which becomes `grid`."""
    shape = each.shape
    full = grid + shape if axis == 0 else shape + grid
    if not parts:
        return np.zeros(full, each.dtype)
    if any(isinstance(part, Tensor) for part in parts):
        return operations.stack(parts, axis=axis).reshape(full)
    return np.stack([np.asarray(part) for part in parts], axis=axis).reshape(full)


def hessian(f: Function, argnums: int | Sequence[int] = 0) -> Function:
    """The function that gives the matrix of second derivatives, forward over reverse.

    H[i, j] = d^2 f / dx_i dx_j, of shape in.shape + in.shape; for containers the structure of
    the argument(s) twice. (Griewank & Walther, 2008, section 5.1.)

    >>> import autograd as ag, numpy as np
    >>> ag.hessian(lambda x: (x**3).sum())(np.array([1.0, 2.0]))
    array([[ 6.,  0.],
           [ 0., 12.]])
    """
    return renamed(jacobian(grad(f, argnums), argnums, mode="forward"), f, "hessian")


def hvp(f: Function, x: Any, v: Any) -> Any:
    """The Hessian of `f` at `x` times `v`, forward over reverse, without forming the Hessian.

    `f` takes one argument, which may be a container; the result has its structure. Tangents are
    pushed while f runs, and those of the cotangents are pulled with them. (Pearlmutter, Fast exact
    multiplication by the Hessian, Neural Computation 6, 1994.)

    >>> import autograd as ag, numpy as np
    >>> ag.hvp(lambda x: (x**3).sum(), np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    array([ 6., 12.])
    """
    modes = current_modes()
    if modes.pushing is not None:
        return jvp(grad(f), (x,), (v,))[1]
    found: list[Any] = []
    transform = Transform(modes.level + 1, pushes=True)
    try:
        traced = Traced(
            f,
            (x,),
            {},
            (0,),
            transform,
            (v,),
            lambda traced: found.extend(traced.pull_tangents(unit_cotangent(traced))),
        )
    except GraphNeeded as needed:
        if needed.transform is not transform:
            raise
        return linearize(grad(f), x)[1](v)
    return traced.per_argument(traced.settled_tangents(found, traced.nodes))[0]
