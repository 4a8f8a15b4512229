"""A function of containers seen as a function from one vector to another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd import tree
from autograd.modes import keep_values
from autograd.node import Node, ancestors, caller_place, value_of
from autograd.recording import identity_input
from autograd.tensor import Tensor

Function = Callable[..., Any]


class Flat:
    """`f` at `args`: flat vectors in and out, with names for their entries."""

    def __init__(self, f: Function, args: Sequence[Any]) -> None:
        if not callable(f):
            raise TypeError(f"expected a function to check, got {type(f).__name__}")
        if not args:
            raise TypeError("no arguments given: check_grads(f, x, ...) needs where to check")
        self.f = f
        self.args = tuple(_plain(arg) for arg in args)
        leaves, self.structure = tree.flatten(self.args, "args", tree.check_differentiable)
        self.leaves = [np.asarray(leaf) for leaf in leaves]
        self.shapes = [leaf.shape for leaf in self.leaves]
        self.dtypes = [leaf.dtype for leaf in self.leaves]
        self.x = _joined(self.leaves)
        out = self(self.x)
        if not np.all(np.isfinite(out)):
            raise ValueError(
                f"the function is not finite at the given arguments (it returned {out}); "
                "derivatives can be checked only inside its domain"
            )
        self.out = out
        dtypes = [d for d in (*self.dtypes, *self.out_dtypes) if d.kind == "f"]
        self.eps = max(float(np.finfo(d).eps) for d in dtypes)
        self.not_analytic: str | None = None
        """An operation that is not declared analytic, once the records were read."""

    def read_records(self) -> None:
        """Record `f` once: the largest error constant widens `eps`, and which operation, if any,
        takes no complex arrays is noted.
        """
        nodes = self.recorded()
        self.eps *= max((node.op.error for node in nodes), default=1.0)
        self.not_analytic = next((n.op.name for n in nodes if not n.op.analytic), None)

    def unflatten(self, x: Any) -> tuple[Any, ...]:
        """The arguments whose entries are the vector `x`."""
        leaves, start = [], 0
        for shape, dtype in zip(self.shapes, self.dtypes, strict=True):
            count = int(np.prod(shape))
            kind = np.result_type(x.dtype, dtype) if x.dtype.kind == "c" else dtype
            leaves.append(x[start : start + count].reshape(shape).astype(kind))
            start += count
        result: tuple[Any, ...] = tree.unflatten(self.structure, leaves)
        return result

    def __call__(self, x: Any) -> Any:
        out = self.f(*self.unflatten(x))
        check = None if np.iscomplexobj(x) else tree.check_output
        leaves, self.out_structure = tree.flatten(out, "the output", check)
        arrays = [np.asarray(_plain(leaf)) for leaf in leaves]
        self.out_shapes = [array.shape for array in arrays]
        self.out_dtypes = [array.dtype for array in arrays]
        return _joined(arrays)

    def recorded(self) -> list[Node]:
        """The nodes that `f` records at its arguments, with their values."""
        with keep_values():
            place = caller_place()
            variables = [identity_input(leaf, place) for leaf in self.leaves]
            out = self.f(*tree.unflatten(self.structure, variables))
        leaves, _ = tree.flatten(out, "the output", tree.check_output)
        self._alive = variables, leaves
        return ancestors(t._node for t in leaves if isinstance(t, Tensor) and t._node is not None)

    def split_like_args(self, x: Any) -> tuple[Any, ...]:
        """A direction vector in the structure of the arguments."""
        return self.unflatten(np.asarray(x))

    def out_from_vector(self, w: Any) -> Any:
        """A vector in the structure of the output."""
        leaves, start = [], 0
        for shape, dtype in zip(self.out_shapes, self.out_dtypes, strict=True):
            count = int(np.prod(shape))
            kind = dtype if dtype.kind == "f" else np.dtype(float)
            leaves.append(w[start : start + count].reshape(shape).astype(kind))
            start += count
        return tree.unflatten(self.out_structure, leaves)


def vector(value: Any) -> Any:
    """All entries of a container as one float64 vector."""
    leaves, _ = tree.flatten(value, "value")
    return _joined([np.asarray(_plain(leaf)) for leaf in leaves])


def _plain(value: Any) -> Any:
    """Tensors replaced by their data, in containers too."""
    leaves, structure = tree.flatten(value, "value")
    plain = [leaf.data if isinstance(leaf, Tensor) else leaf for leaf in leaves]
    return tree.unflatten(structure, plain)


def _joined(arrays: Sequence[Any]) -> Any:
    if not arrays:
        return np.zeros(0)
    kind = complex if any(a.dtype.kind == "c" for a in arrays) else float
    return np.concatenate([np.asarray(a, dtype=kind).reshape(-1) for a in arrays])


def near_kink(nodes: Sequence[Node], reach: float) -> str | None:
    """The name of a recorded operation with a declared kink within `reach` of its operands."""
    for node in nodes:
        for kink in node.op.kinks:
            values = [value_of(s) if type(s) is Node else s for s in node.inputs]
            if any(value is None for value in values):
                continue
            distance = np.abs(np.asarray(kink(*values, **node.params), float))
            if distance.size and float(distance.min()) <= reach:
                return node.op.name
    return None
