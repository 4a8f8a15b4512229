"""Calling a function on variables of a transform's own, and sweeping what it recorded."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import update_wrapper
from typing import Any

import numpy as np

from autograd import forward_over_reverse, sweep, tree
from autograd.base import Pair
from autograd.errors import GraphNeeded
from autograd.gathering import reached, reaches_other
from autograd.markers import LEAF
from autograd.modes import current_modes, pushing_tangents, recording_level
from autograd.node import Node, Place, Transform, caller_place
from autograd.pushing import Pushing
from autograd.recording import identity_input, node_of
from autograd.results import exclusive, seed_array
from autograd.tensor import Tensor, wrap

Function = Callable[..., Any]

PUSHED_BYTES = 1 << 22
"""How much memory tangents that are pushed together may take: about a processor's cache."""

MANY = 4
"""From how many on tangents are pushed together."""


class Traced:
    """A function called once on variables of a transform's own, ready to be swept.

    With `tangents`, one per argument, they are pushed while the function runs: `out_tangents`. With
    `then` the function is given variables that depend on those, `then` computes from its result
    inside as well, and nothing but that is asked of this.
    """

    __slots__ = (
        "argument_leaves",
        "as_tensors",
        "nodes",
        "out",
        "out_leaves",
        "out_structure",
        "out_tangents",
        "structures",
    )

    def __init__(
        self,
        f: Function,
        args: Sequence[Any],
        kwargs: dict[str, Any],
        argnums: Sequence[int],
        transform: Transform | None = None,
        tangents: Sequence[Any] | None = None,
        then: Callable[[Traced], None] | None = None,
    ) -> None:
        if not callable(f):
            raise TypeError(f"expected a function to differentiate, got {type(f).__name__}")
        flat = {i: tree.flatten(args[i], f"args[{i}]", tree.check_differentiable) for i in argnums}
        self.structures = [flat[i][1] for i in argnums]
        self.argument_leaves = [leaf for i in argnums for leaf in flat[i][0]]
        self.as_tensors = any(isinstance(leaf, Tensor) for leaf in self.argument_leaves)
        outside = current_modes()
        with recording_level():
            place = caller_place()
            variables = {i: [identity_input(leaf, place) for leaf in flat[i][0]] for i in argnums}
            called = list(args)
            for i in argnums:
                called[i] = tree.unflatten(flat[i][1], variables[i])
            self.nodes = [node_of(v) for i in argnums for v in variables[i]]
            del variables
            if transform is None:
                transform = Transform(current_modes().level, pushes=False)
            for node in self.nodes:
                if node.op is LEAF:
                    node.params = transform
            if tangents is None:
                try:
                    out = f(*called, **kwargs)
                finally:
                    transform.finished = True
                self._take(out)
                return
            seeds = [
                _seed_value(seed, outside.recording)
                for seed in self.argument_seeds(tangents, "tangents")
            ]
            with Pushing(transform, outside, self.nodes, seeds) as pushing:
                del seeds
                with pushing_tangents(pushing):
                    if then is not None:
                        called = self._inner(called, argnums, place)
                    out = f(*called, **kwargs)
                    self._take(out)
                    if then is not None:
                        then(self)
                if then is None:
                    self.out_tangents = [
                        None if leaf._node is None else pushing.tangent(leaf._node)
                        for leaf in self.out_leaves
                    ]
            if transform.needed:  # f caught what only jvp should
                raise GraphNeeded(transform)

    def _inner(self, called: list[Any], argnums: Sequence[int], place: Place | None) -> list[Any]:
        """Arguments that depend on those `called`, and are the variables from now on."""
        inner = list(called)
        self.nodes = []
        for i, structure in zip(argnums, self.structures, strict=True):
            outer, _ = tree.flatten(called[i], "")
            variables = [identity_input(variable, place) for variable in outer]
            self.nodes += [node_of(variable) for variable in variables]
            inner[i] = tree.unflatten(structure, variables)
        return inner

    def _take(self, out: Any) -> None:
        leaves, self.out_structure = tree.flatten(out, "the output", tree.check_output)
        self.out_leaves = [
            leaf if isinstance(leaf, Tensor) else wrap(np.asarray(leaf), None) for leaf in leaves
        ]

    def value(self) -> Any:
        """The function's own result, free of the transform's variables, in memory of its own: a
        sweep may still read what the function computed.
        """
        known: set[Node] = set()
        leaves = [self.settled(leaf, self.as_tensors, True, known) for leaf in self.out_leaves]
        leaves = [np.array(leaf) if type(leaf) is np.ndarray else leaf for leaf in leaves]
        return tree.unflatten(self.out_structure, leaves)

    def settled(
        self, value: Any, as_tensor: bool, as_scalar: bool, known: set[Node] | None = None
    ) -> Any:
        """A result as the caller gets it: see the module's docstring. `known` are nodes that depend
        on nothing but the variables, which results of one call tell each other of.
        """
        if isinstance(value, Tensor):
            node = value._node
            if node is not None and reaches_other([node], self.nodes, known):
                return value
            value = value._value
        if as_tensor:
            return wrap(np.asarray(value), None)
        if as_scalar and np.ndim(value) == 0:
            return np.asarray(value)[()]
        return value if type(value) is np.ndarray else np.asarray(value)

    def like_argument(self, value: Any, argument: Any, known: set[Node] | None = None) -> Any:
        is_array = isinstance(argument, np.ndarray)
        return self.settled(value, isinstance(argument, Tensor), not is_array, known)

    def records(self, seeds: Sequence[Any]) -> bool:
        """Whether a sweep must record itself so that no derivative is lost."""
        if not current_modes().recording:
            return False
        if any(isinstance(seed, Tensor) and seed._node is not None for seed in seeds):
            return True
        tracked = [leaf._node for leaf in self.out_leaves if leaf._node is not None]
        return reaches_other(tracked, self.nodes)

    def pull(self, seeds: Sequence[Any]) -> list[Any]:
        """Cotangents of the argument leaves, given those of the output leaves."""
        record = self.records(seeds)
        pairs = [
            (leaf._node, _seed_value(seed, record))
            for leaf, seed in zip(self.out_leaves, seeds, strict=True)
            if leaf._node is not None
        ]
        outputs, cotangents = [node for node, _ in pairs], [seed for _, seed in pairs]
        moving = self._pull_pairs(outputs, cotangents) if record else None
        if moving is None:
            _, found = sweep.reverse(outputs, cotangents, self.nodes, record=record)
        else:
            found = forward_over_reverse.variables(moving)
        results = []
        known: set[Node] = set()
        for node, argument in zip(self.nodes, self.argument_leaves, strict=True):
            value = found.pop(node, None)
            if value is None:
                value = np.zeros(node.shape, node.dtype)
            results.append(self.like_argument(exclusive(value), argument, known))
        return results

    def pull_tangents(self, cotangent: Any) -> list[Any]:
        """The tangents of what `pull` gives for one output, None where zero; for `then`."""
        outputs = [leaf._node for leaf in self.out_leaves if leaf._node is not None]
        cotangents = [cotangent] * len(outputs)
        moving = self._pull_pairs(outputs, cotangents, tangents_only=True)
        if moving is not None:
            return [moving.get(node, (None, None))[1] for node in self.nodes]
        pushing = current_modes().pushing
        assert pushing is not None
        _, found = sweep.reverse(outputs, cotangents, self.nodes, record=True)
        pulled = [getattr(found.get(node), "_node", None) for node in self.nodes]
        return [None if node is None else pushing.tangent(node) for node in pulled]

    def _pull_pairs(
        self, outputs: list[Node], cotangents: list[Any], tangents_only: bool = False
    ) -> dict[Node, Pair] | None:
        """`pull` with the tangents of a jvp that runs, or None where a sweep must be recorded."""
        if not forward_over_reverse.serves(current_modes(), outputs, cotangents, self.nodes):
            return None
        return forward_over_reverse.reverse(outputs, cotangents, self.nodes, tangents_only)

    def push(self, seeds: Sequence[Any]) -> list[Any]:
        """Tangents of the output leaves, given those of the argument leaves."""
        record = self.records(seeds)
        tracked = [leaf._node for leaf in self.out_leaves if leaf._node is not None]
        values = [_seed_value(seed, record) for seed in seeds]
        found = sweep.forward(tracked, self.nodes, values, record=record)
        return self.settled_tangents(
            None if leaf._node is None else found.get(leaf._node) for leaf in self.out_leaves
        )

    def push_units(self, index: int) -> list[Any] | None:
        """J by the columns that belong to one argument leaf, pushed together.

        For each output leaf an array of shape (size of the argument,) + its own shape; None where
        the sweep must record itself, or so many numbers would need much memory.
        """
        if self.records(()):
            return None
        variable = self.nodes[index]
        count = math.prod(variable.shape)
        tracked = [leaf._node for leaf in self.out_leaves if leaf._node is not None]
        found = reached(tracked, min(node.serial for node in self.nodes))
        each = sum(_bytes_of(node) for node in found)
        step = PUSHED_BYTES // max(each, 1)
        if step < MANY or count < MANY:
            return None
        blocks: list[list[Any]] = [[] for _ in self.out_leaves]
        for start in range(0, count, step):
            chosen = np.arange(start, min(start + step, count))
            units = np.zeros((len(chosen), count), variable.dtype)
            units[np.arange(len(chosen)), chosen] = 1
            seeds = units.reshape(len(chosen), *variable.shape)
            pushed = sweep.forward(tracked, [variable], [seeds], count=len(chosen))
            for block, leaf in zip(blocks, self.out_leaves, strict=True):
                part = None if leaf._node is None else pushed.get(leaf._node)
                if part is None:
                    dtype = leaf.dtype if leaf.dtype.kind == "f" else np.dtype(float)
                    part = np.zeros((len(chosen), *leaf.shape), dtype)
                block.append(part)
        return [np.concatenate(block) for block in blocks]

    def settled_tangents(
        self, tangents: Iterable[Any], like: Sequence[Any] | None = None
    ) -> list[Any]:
        """Tangents of the output leaves, or of other values, as the caller gets them."""
        results = []
        known: set[Node] = set()
        for leaf, value in zip(self.out_leaves if like is None else like, tangents, strict=True):
            if value is None:
                dtype = leaf.dtype if leaf.dtype.kind == "f" else np.dtype(float)
                value = np.zeros(leaf.shape, dtype)
            results.append(self.settled(exclusive(value), self.as_tensors, True, known))
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


def _bytes_of(node: Any) -> int:
    """The size of a node's value; of one with several outputs, 0, because those have nodes too."""
    if type(node.dtype) is tuple:
        return 0
    size: int = math.prod(node.shape) * node.dtype.itemsize
    return size


def _seed_value(seed: Any, record: bool) -> Any:
    return seed._value if isinstance(seed, Tensor) and not record else seed


def resolve_argnums(argnums: Any, count: int, what: str) -> tuple[int, ...]:
    """Non-negative argument numbers; errors name what was given."""
    chosen = argnums if isinstance(argnums, (tuple, list)) else (argnums,)
    resolved = []
    for number in chosen:
        if isinstance(number, bool) or not isinstance(number, (int, np.integer)):
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


def trace(f: Function, argnums: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Traced:
    name = getattr(f, "__name__", "f")
    return Traced(f, args, kwargs, resolve_argnums(argnums, len(args), name))


def chosen(results: Sequence[Any], argnums: Any) -> Any:
    return tuple(results) if isinstance(argnums, (tuple, list)) else results[0]


def renamed(wrapper: Function, f: Function, prefix: str) -> Function:
    update_wrapper(wrapper, f, assigned=("__module__", "__qualname__"), updated=())
    wrapper.__name__ = f"{prefix}({getattr(f, '__name__', 'f')})"
    return wrapper
