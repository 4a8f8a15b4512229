"""Defining an operation in one place: differentiable in both modes and to any order at once.

Each function returns the operation's callable. `samples` (a sequence of `autograd.samples.Call`)
says what the operation can be tested with; it is optional here. `error` is the forward kernel's
error constant: how inexact its values are, relative to the largest of them and in units of the
dtype's rounding (1: right to rounding); the checkers' tolerances scale by it. `analytic` says that
the kernel and the rules take complex arrays, `kinks` are functions of the operands and parameters
that vanish where the derivative is a convention.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.families import Composite, Elementwise, Linear, Linearised, Multilinear, Selection

Function = Callable[..., Any]


def _check(name: Any, **functions: Any) -> None:
    if not isinstance(name, str) or not name:
        raise TypeError(f"name must be a non-empty string, got {name!r}")
    for argument, function in functions.items():
        if not callable(function):
            raise TypeError(
                f"{argument} of {name} must be a function, got {type(function).__name__}"
            )


def _check_error(name: str, error: Any) -> float:
    if isinstance(error, bool) or not isinstance(error, (int, float)) or not 1 <= error < 1e12:
        raise ValueError(
            f"error of {name} must be a number from 1 (values right to rounding) to 1e12, got "
            f"{error!r}"
        )
    return float(error)


def _check_arity(name: str, what: str, rule: Any, count: int, expected: str) -> None:
    try:
        inspect.signature(rule).bind(*[None] * count)
    except TypeError:
        raise TypeError(
            f"{what} of {name} must take {count} positional arguments ({expected}), its signature "
            f"is {inspect.signature(rule)}"
        ) from None
    except ValueError:
        return


def _arrays(name: str, forward: Function) -> Function:
    """`forward` with its result as an array, so that a rule may return a Python number."""

    def run(*values: Any, **params: Any) -> Any:
        out = forward(*values, **params)
        if isinstance(out, (np.ndarray, np.generic)):
            return out
        array = np.asarray(out) if isinstance(out, (int, float, list)) else None
        if array is None:
            raise TypeError(f"forward of {name} returned {type(out).__name__}, expected an array")
        return array[()] if array.ndim == 0 else array

    return run


def elementwise(
    name: str,
    forward: Function,
    partials: Sequence[Any],
    samples: Any = None,
    *,
    analytic: bool = False,
    kinks: Sequence[Function] = (),
    error: float = 1.0,
) -> Elementwise:
    """An operation y = f(x1, ..., xn) entry by entry, with broadcasting.

    `partials` has one function `(out, *inputs) -> df/dx_i` per input (or a number, where it is
    constant), written with operations of `ag` or NumPy so that it can be differentiated again.
    Both maps follow: dy = sum_i partial_i dx_i, and xbar_i = partial_i ybar.

    Raises TypeError for a rule that is no function, or takes the wrong number of arguments.

    >>> import autograd as ag
    >>> cube = ag.op.elementwise("cube", lambda x: x**3, (lambda out, x: 3 * x**2,))
    >>> float(ag.grad(ag.grad(cube))(2.0))
    12.0
    """
    _check(name, forward=forward)
    if callable(partials) or not isinstance(partials, (tuple, list)) or not partials:
        raise TypeError(
            f"partials of {name} must be a tuple with one function per input, got "
            f"{type(partials).__name__}; write (f,) for one input"
        )
    count = len(partials)
    for index, partial in enumerate(partials):
        if callable(partial):
            _check_arity(name, f"partials[{index}]", partial, count + 1, "out and every input")
        elif not isinstance(partial, (int, float)):
            raise TypeError(
                f"partials[{index}] of {name} must be a function or a number, got "
                f"{type(partial).__name__}"
            )
    return Elementwise(
        name,
        _arrays(name, forward),
        tuple(partials),
        analytic=analytic,
        kinks=tuple(kinks),
        error=_check_error(name, error),
        samples=samples,
        duals=False,  # a user's function is given arrays or Tensors
    )


def linear(
    name: str,
    forward: Function,
    transpose: Any,
    samples: Any = None,
    *,
    analytic: bool = True,
    error: float = 1.0,
) -> Linear:
    """An operation linear in its operand (or in all of several together): the JVP is itself.

    `transpose(cotangent, **params)` is the transposed map, <transpose(c), x> = <c, forward(x)>,
    written with operations of `ag` or NumPy; one that names a parameter `in_shape` is given the
    operand's shape. For several operands `transpose` is a tuple of functions.

    >>> import autograd as ag, numpy as np
    >>> double = ag.op.linear("double", lambda x: 2 * x, lambda c: 2 * c)
    >>> ag.grad(lambda x: double(x).sum())(np.ones(2))
    array([2., 2.])
    """
    _check(name, forward=forward)
    rules = transpose if isinstance(transpose, (tuple, list)) else (transpose,)
    for rule in rules:
        _check(name, transpose=rule)
    chosen = tuple(transpose) if isinstance(transpose, list) else transpose
    return Linear(
        name,
        _arrays(name, forward),
        chosen,
        analytic=analytic,
        error=_check_error(name, error),
        samples=samples,
    )


def multilinear(
    name: str,
    forward: Function,
    transposes: Sequence[Function],
    samples: Any = None,
    *,
    analytic: bool = True,
    error: float = 1.0,
    flops: Callable[..., int] | None = None,
) -> Multilinear:
    """An operation linear in each operand alone: the product rule.

    `transposes[i](cotangent, *the other operands in order, **params)` is the transposed map in
    operand i. `flops(out, *operands)`, from their shapes, counts the additions and multiplications
    of `forward`, for `ag.profile`.

    >>> import autograd as ag, numpy as np
    >>> dot = ag.op.multilinear(
    ...     "dot", lambda x, y: (x * y).sum(), (lambda c, y: c * y, lambda c, x: c * x)
    ... )
    >>> ag.grad(dot)(np.ones(2), np.array([3.0, 4.0]))
    array([3., 4.])
    """
    _check(name, forward=forward)
    if not isinstance(transposes, (tuple, list)) or not transposes:
        raise TypeError(f"transposes of {name} must be a tuple with one function per operand")
    for index, rule in enumerate(transposes):
        _check(name, **{f"transposes[{index}]": rule})
    if flops is not None:
        _check_arity(name, "flops", flops, len(transposes) + 1, "the shapes of out and operands")
    return Multilinear(
        name,
        _arrays(name, forward),
        tuple(transposes),
        analytic=analytic,
        error=_check_error(name, error),
        flops=flops,
        samples=samples,
    )


def bilinear(
    name: str,
    forward: Function,
    transpose_lhs: Function,
    transpose_rhs: Function,
    samples: Any = None,
    *,
    analytic: bool = True,
    error: float = 1.0,
    flops: Callable[..., int] | None = None,
) -> Multilinear:
    """An operation of two operands, linear in each: see `multilinear`.

    `transpose_lhs(cotangent, rhs)` and `transpose_rhs(cotangent, lhs)` are the transposed maps.

    >>> import autograd as ag, numpy as np
    >>> outer = ag.op.bilinear("outer", np.outer, lambda c, y: c @ y, lambda c, x: c.T @ x)
    >>> ag.grad(lambda x: outer(x, np.array([1.0, 2.0])).sum())(np.ones(3))
    array([3., 3., 3.])
    """
    rules = (transpose_lhs, transpose_rhs)
    return multilinear(name, forward, rules, samples, analytic=analytic, error=error, flops=flops)


def selection(
    name: str,
    forward: Function,
    gather: Function,
    scatter: Function,
    samples: Any = None,
    *,
    kinks: Sequence[Function] = (),
) -> Selection:
    """An operation that chooses entries of its operand: both maps follow the chosen indices.

    `forward(x, **params)` returns `(out, indices)`; `gather(x, indices, **params)` picks them, and
    `scatter(cotangent, indices, in_shape=shape, **params)` is its transpose; both are recorded
    operations.

    >>> import autograd as ag, numpy as np
    >>> def largest(x):
    ...     return x.max(), x.argmax()
    >>> def put(c, i, in_shape):
    ...     return ag.Tensor(np.zeros(in_shape)).at[i].add(c).data
    >>> top = ag.op.selection("top", largest, lambda x, i: x[i], put)
    >>> ag.grad(top)(np.array([1.0, 5.0, 2.0]))
    array([0., 1., 0.])
    """
    _check(name, forward=forward, gather=gather, scatter=scatter)
    return Selection(name, forward, gather, scatter, kinks=tuple(kinks), samples=samples)


def linearised(
    name: str,
    forward: Function,
    jvp: Function,
    samples: Any = None,
    *,
    analytic: bool = False,
    error: float = 1.0,
) -> Linearised:
    """An operation given by its JVP: the engine gets the VJP by sweeping that back.

    `jvp(out, *inputs, *tangents, **params)` is written with operations of `ag`, linear in the
    tangents.

    >>> import autograd as ag, numpy as np
    >>> square_sum = ag.op.linearised(
    ...     "square_sum", lambda x: (x * x).sum(), lambda out, x, dx: 2 * ag.sum(x * dx)
    ... )
    >>> ag.grad(square_sum)(np.array([1.0, 2.0]))
    array([2., 4.])
    """
    _check(name, forward=forward, jvp=jvp)
    _check_error(name, error)
    return Linearised(name, forward, jvp, analytic=analytic, error=error, samples=samples)


def composite(
    name: str,
    forward: Function,
    reference: Function,
    pullback: Function | None = None,
    pushforward: Function | None = None,
    auxiliaries: bool = False,
    samples: Any = None,
    *,
    analytic: bool = False,
    kinks: Sequence[Function] = (),
    error: float = 1.0,
) -> Composite:
    """A fast `forward` on arrays with a readable `reference` made of other operations.

    The derivatives replay the reference, unless the kernels `pullback(cotangent, out, *inputs,
    **params)` (a tuple of cotangents) or `pushforward(tangents, out, *inputs, **params)` are
    given for sweeps on plain arrays. With `auxiliaries`, `forward` returns (out, auxiliaries),
    and the auxiliaries (a mask, statistics) are passed on after the inputs, so that a replay
    draws and updates nothing again.

    >>> import autograd as ag, numpy as np
    >>> softplus = ag.op.composite(
    ...     "softplus", lambda x: np.logaddexp(x, 0), lambda x: ag.log(1 + ag.exp(x))
    ... )
    >>> float(ag.grad(softplus)(0.0))
    0.5
    """
    _check(name, forward=forward, reference=reference)
    for argument, function in (("pullback", pullback), ("pushforward", pushforward)):
        if function is not None:
            _check(name, **{argument: function})
    return Composite(
        name,
        forward if auxiliaries else _arrays(name, forward),
        reference,
        pullback,
        pushforward,
        auxiliaries,
        analytic=analytic,
        kinks=tuple(kinks),
        error=_check_error(name, error),
        samples=samples,
    )
