"""Transforms of functions: grad, vjp, jvp and what is built of them.

A transform passes each differentiated argument through a recorded identity, calls the function
with recording on, and sweeps the graph it recorded. Arrays in, arrays out; Tensors in, Tensors
out; a result that still depends on something tracked outside stays a Tensor, so that transforms
nest in every order.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd import sweep, tree
from autograd.markers import LEAF
from autograd.modes import current_modes, recording_level
from autograd.node import FINISHED, Node
from autograd.recording import identity_input
from autograd.results import exclusive, seed_array
from autograd.tensor import Tensor, wrap

Function = Callable[..., Any]


class Traced:
    """A function called once on variables of a transform's own, ready to be swept."""

    __slots__ = (
        "argument_leaves",
        "as_tensors",
        "nodes",
        "out",
        "out_leaves",
        "out_structure",
        "structures",
    )

    def __init__(
        self, f: Function, args: Sequence[Any], kwargs: dict[str, Any], argnums: Sequence[int]
    ) -> None:
        if not callable(f):
            raise TypeError(f"expected a function to differentiate, got {type(f).__name__}")
        flat = {i: tree.flatten(args[i], f"args[{i}]", tree.check_differentiable) for i in argnums}
        self.structures = [flat[i][1] for i in argnums]
        self.argument_leaves = [leaf for i in argnums for leaf in flat[i][0]]
        self.as_tensors = any(isinstance(leaf, Tensor) for leaf in self.argument_leaves)
        with recording_level():
            variables = {i: [identity_input(leaf) for leaf in flat[i][0]] for i in argnums}
            called = list(args)
            for i in argnums:
                called[i] = tree.unflatten(flat[i][1], variables[i])
            self.nodes: list[Node] = [v._node for i in argnums for v in variables[i]]
            try:
                out = f(*called, **kwargs)
            finally:
                for node in self.nodes:
                    if node.op is LEAF:
                        node.params = FINISHED
        leaves, self.out_structure = tree.flatten(out, "the output", tree.check_output)
        self.out_leaves = [
            leaf if isinstance(leaf, Tensor) else wrap(np.asarray(leaf), None) for leaf in leaves
        ]

    def value(self) -> Any:
        """The function's own result, free of the transform's variables."""
        leaves = [self.settled(leaf, self.as_tensors, as_scalar=True) for leaf in self.out_leaves]
        return tree.unflatten(self.out_structure, leaves)

    def settled(self, value: Any, as_tensor: bool, as_scalar: bool = False) -> Any:
        """A result as the caller gets it: see the module's docstring."""
        if isinstance(value, Tensor):
            node = value._node
            if node is not None and sweep.reaches_other([node], self.nodes):
                return value
            value = value._value
        if as_tensor:
            return wrap(np.asarray(value), None)
        if as_scalar and np.ndim(value) == 0:
            return np.asarray(value)[()]
        return value if type(value) is np.ndarray else np.asarray(value)

    def like_argument(self, value: Any, argument: Any) -> Any:
        is_array = isinstance(argument, np.ndarray)
        return self.settled(value, isinstance(argument, Tensor), as_scalar=not is_array)

    def records(self, seeds: Sequence[Any]) -> bool:
        """Whether a sweep must record itself so that no derivative is lost."""
        if not current_modes().recording:
            return False
        if any(isinstance(seed, Tensor) and seed._node is not None for seed in seeds):
            return True
        tracked = [leaf._node for leaf in self.out_leaves if leaf._node is not None]
        return sweep.reaches_other(tracked, self.nodes)

    def pull(self, seeds: Sequence[Any]) -> list[Any]:
        """Cotangents of the argument leaves, given those of the output leaves."""
        record = self.records(seeds)
        pairs = [
            (leaf._node, _seed_value(seed, record))
            for leaf, seed in zip(self.out_leaves, seeds, strict=True)
            if leaf._node is not None
        ]
        _, found = sweep.reverse(
            [node for node, _ in pairs], [seed for _, seed in pairs], self.nodes, record=record
        )
        results = []
        for node, argument in zip(self.nodes, self.argument_leaves, strict=True):
            value = found.pop(node, None)
            if value is None:
                value = np.zeros(node.shape, node.dtype)
            results.append(self.like_argument(exclusive(value), argument))
        return results

    def push(self, seeds: Sequence[Any]) -> list[Any]:
        """Tangents of the output leaves, given those of the argument leaves."""
        record = self.records(seeds)
        tracked = [leaf._node for leaf in self.out_leaves if leaf._node is not None]
        values = [_seed_value(seed, record) for seed in seeds]
        found = sweep.forward(tracked, self.nodes, values, record=record)
        results = []
        for leaf in self.out_leaves:
            value = None if leaf._node is None else found.get(leaf._node)
            if value is None:
                dtype = leaf.dtype if leaf.dtype.kind == "f" else np.dtype(float)
                value = np.zeros(leaf.shape, dtype)
            results.append(self.settled(exclusive(value), self.as_tensors, as_scalar=True))
        return results

    def argument_seeds(self, tangents: Sequence[Any], what: str) -> list[Any]:
        """Checked tangents of the argument leaves."""
        if len(tangents) != len(self.structures):
            raise ValueError(
                f"got {len(tangents)} {what} for {len(self.structures)} primals; pass one each"
            )
        leaves: list[Any] = []
        for index, (tangent, structure) in enumerate(zip(tangents, self.structures, strict=True)):
            path = f"{what}[{index}]"
            leaves += tree.flatten_like(tangent, structure, path, "the structure of its primal")
        return [
            seed_array(seed, node.shape, node.dtype, what)
            for seed, node in zip(leaves, self.nodes, strict=True)
        ]

    def output_seeds(self, cotangent: Any) -> list[Any]:
        """Checked cotangents of the output leaves."""
        leaves = tree.flatten_like(
            cotangent, self.out_structure, "the cotangent", "the structure of the output"
        )
        return [
            seed_array(seed, leaf.shape, leaf.dtype, "the cotangent")
            for seed, leaf in zip(leaves, self.out_leaves, strict=True)
        ]

    def per_argument(self, leaves: Sequence[Any]) -> list[Any]:
        """Leaf results regrouped in the structure of each differentiated argument."""
        result, start = [], 0
        for structure in self.structures:
            count = structure.leaf_count
            result.append(tree.unflatten(structure, leaves[start : start + count]))
            start += count
        return result


def _seed_value(seed: Any, record: bool) -> Any:
    return seed._value if isinstance(seed, Tensor) and not record else seed


def resolve_argnums(argnums: Any, count: int, what: str) -> tuple[int, ...]:
    """Non-negative argument numbers; errors name what was given."""
    chosen = argnums if isinstance(argnums, tuple | list) else (argnums,)
    resolved = []
    for number in chosen:
        if isinstance(number, bool) or not isinstance(number, int | np.integer):
            raise TypeError(f"argnums must be an int or a tuple of ints, got {argnums!r}")
        if not -count <= number < count:
            raise ValueError(
                f"argnums={argnums!r} is out of range: {what} was called with {count} positional "
                "arguments"
            )
        resolved.append(int(number) % count)
    if len(set(resolved)) != len(resolved):
        raise ValueError(f"argnums={argnums!r} names an argument twice")
    return tuple(resolved)


def _traced(f: Function, argnums: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Traced:
    name = getattr(f, "__name__", "f")
    return Traced(f, args, kwargs, resolve_argnums(argnums, len(args), name))


def _chosen(results: Sequence[Any], argnums: Any) -> Any:
    return tuple(results) if isinstance(argnums, tuple | list) else results[0]


def _renamed(wrapper: Function, f: Function, prefix: str) -> Function:
    functools.update_wrapper(wrapper, f, assigned=("__module__", "__qualname__"), updated=())
    wrapper.__name__ = f"{prefix}({getattr(f, '__name__', 'f')})"
    return wrapper


def value_and_grad(f: Function, argnums: int | Sequence[int] = 0) -> Function:
    """The function that gives `(f(*args), grad f(*args))` from one recorded graph.

    See `grad` for arguments, structure and errors.

    >>> import autograd as ag
    >>> value, gradient = ag.value_and_grad(lambda x: x**3)(2.0)
    >>> float(value), float(gradient)
    (8.0, 12.0)
    """

    def value_and_gradient(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        traced = _traced(f, argnums, args, kwargs)
        out = traced.out_leaves
        if len(out) != 1 or traced.out_structure.kind is not None:
            raise TypeError(
                "grad needs a function with one scalar output, this one returned a "
                f"{traced.out_structure.kind.__name__}; use vjp or jacobian"
            )
        if out[0].size != 1:
            raise ValueError(
                f"grad needs a scalar output, this function returned shape {out[0].shape}; sum "
                "it, or use vjp or jacobian"
            )
        if out[0].dtype.kind != "f":
            raise TypeError(
                f"grad needs a float output, this function returned dtype {out[0].dtype}"
            )
        gradients = traced.per_argument(traced.pull([np.ones(out[0].shape, out[0].dtype)]))
        return traced.value(), _chosen(gradients, argnums)

    return _renamed(value_and_gradient, f, "value_and_grad")


def grad(f: Function, argnums: int | Sequence[int] = 0) -> Function:
    """The function that gives the gradient of a scalar function by the reverse sweep.

    grad f = J^T 1, with the structure, shapes and dtypes of the argument(s) `argnums`: one result
    for an int, a tuple for a tuple. Arguments are floats, float arrays, Tensors, or nested
    tuples, lists and dicts of them; other arguments pass through untouched. (Griewank & Walther,
    Evaluating Derivatives, 2008, chapter 3.)

    Raises TypeError for arguments or outputs without a derivative, naming their path, ValueError
    for an output that is no scalar or argnums out of range.

    >>> import autograd as ag
    >>> float(ag.grad(ag.grad(lambda x: x**3))(2.0))
    12.0
    """
    both = value_and_grad(f, argnums)

    def gradient(*args: Any, **kwargs: Any) -> Any:
        return both(*args, **kwargs)[1]

    return _renamed(gradient, f, "grad")


def vjp(f: Function, *primals: Any) -> tuple[Any, Function]:
    """`(f(*primals), pullback)`: pullback(cotangent) is the tuple of J_i^T cotangent.

    The cotangent has the structure and shapes of the output, the results those of the primals.
    The pullback may be called any number of times.

    >>> import autograd as ag, numpy as np
    >>> out, pullback = ag.vjp(lambda x: x * x, np.array([1.0, 2.0]))
    >>> pullback(np.array([1.0, 10.0]))
    (array([ 2., 40.]),)
    """
    traced = Traced(f, primals, {}, range(len(primals)))

    def pullback(cotangent: Any) -> tuple[Any, ...]:
        return tuple(traced.per_argument(traced.pull(traced.output_seeds(cotangent))))

    return traced.value(), pullback


def linearize(f: Function, *primals: Any) -> tuple[Any, Function]:
    """`(f(*primals), jvp_fn)`: jvp_fn(*tangents) is J tangents, from one recorded graph.

    >>> import autograd as ag
    >>> out, derivative = ag.linearize(lambda x: x * x, 3.0)
    >>> float(derivative(1.0)), float(derivative(2.0))
    (6.0, 12.0)
    """
    traced = Traced(f, primals, {}, range(len(primals)))

    def jvp_fn(*tangents: Any) -> Any:
        seeds = traced.argument_seeds(tangents, "tangents")
        return tree.unflatten(traced.out_structure, traced.push(seeds))

    return traced.value(), jvp_fn


def jvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """`(f(*primals), J tangents)` by the forward sweep; one tangent per primal.

    >>> import autograd as ag
    >>> out, tangent = ag.jvp(lambda x, y: x * y, (2.0, 3.0), (1.0, 0.0))
    >>> float(out), float(tangent)
    (6.0, 3.0)
    """
    for name, given in (("primals", primals), ("tangents", tangents)):
        if not isinstance(given, tuple | list):
            raise TypeError(
                f"jvp takes {name} as a tuple with one entry per argument, got "
                f"{type(given).__name__}; write ({name[:-1]},)"
            )
    out, jvp_fn = linearize(f, *primals)
    return out, jvp_fn(*tangents)


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
        traced = _traced(f, argnums, args, kwargs)
        inputs = sum(int(np.prod(node.shape)) for node in traced.nodes)
        outputs = sum(leaf.size for leaf in traced.out_leaves)
        forward = mode == "forward" or (mode == "auto" and inputs < outputs)
        blocks = _columns(traced) if forward else _rows(traced)
        regrouped = [_chosen(traced.per_argument(row), argnums) for row in blocks]
        return tree.unflatten(traced.out_structure, regrouped)

    return _renamed(jacobian_of_f, f, "jacobian")


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
    """blocks[output leaf][argument leaf], by one forward sweep per argument element."""
    shapes = [node.shape for node in traced.nodes]
    dtypes = [node.dtype for node in traced.nodes]
    blocks: list[list[Any]] = [[] for _ in traced.out_leaves]
    for index, (node, leaf) in enumerate(zip(traced.nodes, traced.argument_leaves, strict=True)):
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
        return sweep.operations.stack(parts, axis=axis).reshape(full)
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
    return _renamed(jacobian(grad(f, argnums), argnums, mode="forward"), f, "hessian")


def hvp(f: Function, x: Any, v: Any) -> Any:
    """The Hessian of `f` at `x` times `v`, forward over reverse, without forming the Hessian.

    `f` takes one argument, which may be a container; the result has its structure. (Pearlmutter,
    Fast exact multiplication by the Hessian, Neural Computation 6, 1994.)

    >>> import autograd as ag, numpy as np
    >>> ag.hvp(lambda x: (x**3).sum(), np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    array([ 6., 12.])
    """
    return jvp(grad(f), (x,), (v,))[1]
