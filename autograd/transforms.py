"""Transforms of functions: grad, vjp, jvp and what is built of them.

A transform passes each differentiated argument through a recorded identity, calls the function
with recording on, and sweeps the graph it recorded. Arrays in, arrays out; Tensors in, Tensors
out; a result that still depends on something tracked outside stays a Tensor, so that transforms
nest in every order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd import tree
from autograd.errors import GraphNeeded
from autograd.modes import current_modes
from autograd.node import Transform
from autograd.tracing import Function, Traced, chosen, renamed, trace


def value_and_grad(f: Function, argnums: int | Sequence[int] = 0) -> Function:
    """The function that gives `(f(*args), grad f(*args))` from one recorded graph.

    See `grad` for arguments, structure and errors.

    >>> import autograd as ag
    >>> value, gradient = ag.value_and_grad(lambda x: x**3)(2.0)
    >>> float(value), float(gradient)
    (8.0, 12.0)
    """

    def value_and_gradient(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        traced, gradients = _swept(f, argnums, args, kwargs)
        return traced.value(), gradients

    return renamed(value_and_gradient, f, "value_and_grad")


def _swept(
    f: Function, argnums: int | Sequence[int], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Traced, Any]:
    """The traced scalar function and its gradients."""
    traced = trace(f, argnums, args, kwargs)
    gradients = traced.per_argument(traced.pull([unit_cotangent(traced)]))
    return traced, chosen(gradients, argnums)


def unit_cotangent(traced: Traced) -> np.ndarray:
    """The cotangent 1 of a scalar function's output; TypeError or ValueError where it is none."""
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
        raise TypeError(f"grad needs a float output, this function returned dtype {out[0].dtype}")
    return np.ones(out[0].shape, out[0].dtype)


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

    def gradient(*args: Any, **kwargs: Any) -> Any:
        return _swept(f, argnums, args, kwargs)[1]

    return renamed(gradient, f, "grad")


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
    """`(f(*primals), J tangents)`, tangents pushed while f runs; one tangent per primal.

    dy = sum_i (dy / dx_i) dx_i of each operation as soon as it is recorded, so that jvp needs the
    memory of f itself, twice, and not its graph's (Griewank & Walther, 2008, section 3.1). Where
    f asks for its own graph (`pullback` to a value it computed, a drawing), jvp calls f a second
    time and records it.

    Raises TypeError or ValueError for tangents that do not fit their primals, before f is called.

    >>> import autograd as ag
    >>> out, tangent = ag.jvp(lambda x, y: x * y, (2.0, 3.0), (1.0, 0.0))
    >>> float(out), float(tangent)
    (6.0, 3.0)
    """
    for name, given in (("primals", primals), ("tangents", tangents)):
        if not isinstance(given, (tuple, list)):
            raise TypeError(
                f"jvp takes {name} as a tuple with one entry per argument, got "
                f"{type(given).__name__}; write ({name[:-1]},)"
            )
    traced = _pushed(f, primals, tangents)
    if traced is None:
        out, jvp_fn = linearize(f, *primals)
        return out, jvp_fn(*tangents)
    out = traced.value()
    pushed = traced.settled_tangents(traced.out_tangents)
    return out, tree.unflatten(traced.out_structure, pushed)


def _pushed(f: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> Traced | None:
    """The traced function with its tangents, or None if it asked for its graph."""
    transform = Transform(current_modes().level + 1, pushes=True)
    try:
        return Traced(f, primals, {}, range(len(primals)), transform, tangents)
    except GraphNeeded as needed:
        if needed.transform is not transform:
            raise
        return None
