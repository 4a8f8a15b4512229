"""Checking derivatives: right, wrong, or not differentiable here.

Each derivative is compared with differences of the function it derives, in random directions and
with random cotangents, and the two modes with each other by the adjoint identity.
"""

from __future__ import annotations

import contextlib
import itertools
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd.testing import differences
from autograd.testing.flat import Flat, near_kink, vector
from autograd.transforms import jvp, vjp

Function = Callable[..., Any]


class DerivativeError(AssertionError):
    """A derivative that differs from the function's."""


class NotDifferentiableWarning(UserWarning):
    """A check that could say nothing, because the function has no derivative at this point."""


@dataclass
class Report:
    """What a check found: `verdict` is 'right' or 'not differentiable'."""

    verdict: str = "right"
    comparisons: int = 0
    notes: list[str] = field(default_factory=list)


def check_grads(
    f: Function,
    *args: Any,
    order: int = 2,
    modes: Sequence[str] = ("forward", "reverse"),
    seed: int = 0,
) -> Report:
    """Check all derivatives of `f` at `args` up to `order`, in all compositions of `modes`.

    `args` are floats, float arrays, Tensors, or containers of them. In a random direction v and
    with a random cotangent w: <w, Jv> = <J'w, v> to rounding; J v equals an extrapolated
    difference within the error that this itself estimates, and the complex step to rounding where
    all operations are declared analytic; the Taylor remainder falls as h^2; dtypes and shapes are
    the primals'. Tolerances scale with the largest error constant of the recorded operations. Then
    the same for the functions x -> J(x) v and x -> J(x)' w, up to the order.

    Returns a Report. Raises DerivativeError where a derivative is wrong, with the mode, the worst
    entry and (for small problems) both Jacobians; ValueError where the function is not finite or
    jumps. Where it has no derivative (a kink) warns with NotDifferentiableWarning.

    >>> import autograd as ag, numpy as np
    >>> ag.testing.check_grads(lambda x: ag.sin(x) * x, np.array([0.5, 2.0])).verdict
    'right'
    """
    _check_options(order, modes)
    report = Report()
    _check_level(f, args, order, tuple(modes), "", np.random.default_rng(seed), report)
    if report.verdict != "right":
        warnings.warn("; ".join(report.notes), NotDifferentiableWarning, stacklevel=2)
    return report


def check_jvp(f: Function, *args: Any, order: int = 1, seed: int = 0) -> Report:
    """`check_grads` in forward mode only.

    >>> import autograd as ag
    >>> ag.testing.check_jvp(ag.exp, 1.0).verdict
    'right'
    """
    return check_grads(f, *args, order=order, modes=("forward",), seed=seed)


def check_vjp(f: Function, *args: Any, order: int = 1, seed: int = 0) -> Report:
    """`check_grads` in reverse mode only.

    >>> import autograd as ag
    >>> ag.testing.check_vjp(ag.exp, 1.0).verdict
    'right'
    """
    return check_grads(f, *args, order=order, modes=("reverse",), seed=seed)


def _check_options(order: int, modes: Sequence[str]) -> None:
    if isinstance(order, bool) or not isinstance(order, int) or order < 1:
        raise ValueError(f"order must be a positive int, got {order!r}")
    if isinstance(modes, str) or not modes or not set(modes) <= {"forward", "reverse"}:
        raise ValueError(f"modes must be a tuple of 'forward' and 'reverse', got {modes!r}")


def _check_level(
    f: Function,
    args: Sequence[Any],
    order: int,
    modes: tuple[str, ...],
    path: str,
    rng: np.random.Generator,
    report: Report,
) -> None:
    flat = Flat(f, args)
    flat.read_records()
    v, w = _direction(rng, flat.x.size), _direction(rng, flat.out.size)
    tangent, cotangent = flat.split_like_args(v), flat.out_from_vector(w)
    pushed = pulled = None
    if "forward" in modes:
        out, result = jvp(f, flat.args, tangent)
        _check_kinds(out, result, path + "forward")
        pushed = vector(result)
    if "reverse" in modes:
        _, pullback = vjp(f, *flat.args)
        result = pullback(cotangent)
        _check_kinds(flat.args, result, path + "reverse")
        pulled = vector(result)
    if pushed is not None and not _compare(flat, v, pushed, None, path + "forward", report):
        return
    if pulled is not None and not _compare(flat, v, None, (w, pulled), path + "reverse", report):
        return
    if pushed is not None and pulled is not None:
        _check_adjoint(flat, w, pushed, pulled, v, path)
        report.comparisons += 1
    if order == 1:
        return
    for mode in modes:
        if mode == "forward":

            def derived(*primals: Any) -> Any:
                return jvp(f, primals, tangent)[1]

        else:

            def derived(*primals: Any) -> Any:
                return vjp(f, *primals)[1](cotangent)

        _check_level(derived, flat.args, order - 1, modes, f"{path}{mode}-", rng, report)
        if report.verdict != "right":
            return


def _direction(rng: np.random.Generator, size: int) -> Any:
    """Non-uniform, none of it near 0: no entry can hide."""
    return rng.uniform(0.5, 1.5, size) * rng.choice([-1.0, 1.0], size)


def _check_kinds(primal: Any, derivative: Any, what: str) -> None:
    from autograd import tree

    primals, expected = tree.flatten(primal, "primal")
    derivatives, given = tree.flatten(derivative, "derivative")
    if expected != given:
        raise DerivativeError(f"{what}: the derivative's structure is not its primal's")
    for p, d in zip(primals, derivatives, strict=True):
        shape, dtype = np.shape(p), getattr(p, "dtype", np.dtype(float))
        if np.shape(d) != shape:
            raise DerivativeError(f"{what}: derivative of shape {np.shape(d)}, primal {shape}")
        if dtype.kind == "f" and getattr(d, "dtype", dtype) != dtype:
            raise DerivativeError(f"{what}: derivative of dtype {d.dtype}, primal {dtype}")


def _check_adjoint(flat: Flat, w: Any, pushed: Any, pulled: Any, v: Any, path: str) -> None:
    left, right = float(w @ pushed), float(pulled @ v)
    terms = float(np.abs(w) @ np.abs(pushed) + np.abs(pulled) @ np.abs(v))
    # Derivatives that cancel keep rounding of the function's own size.
    terms += float(np.sum(np.abs(w))) * float(np.max(np.abs(flat.out), initial=0.0))
    apart = abs(left - right)
    if apart > 1e3 * flat.eps * terms and apart > 8.0 * _noise_of_sum(flat, w, v):
        raise DerivativeError(
            f"{path or 'first order'}: the two modes disagree: <w, Jv> = {left!r} but "
            f"<J'w, v> = {right!r}"
        )


def _noise_of_sum(flat: Flat, w: Any, v: Any) -> float:
    """The rounding of w f near the point."""
    step = differences.first_step(flat.x, v, differences.STEPS[-1], flat.eps)
    noise = differences.noise(lambda x: np.array([w @ flat(x)]), flat.x, v, step, flat.eps)
    return float(noise[0])


def _compare(flat: Flat, v: Any, pushed: Any, pulled: Any, what: str, report: Report) -> bool:
    """Whether a derivative agrees with differences; False where there is none."""
    scale = float(np.max(np.abs(flat.out), initial=0.0))
    if pulled is None:
        function, ours = flat.__call__, np.asarray(pushed, float)
    else:
        scale = float(np.abs(pulled[0]) @ np.abs(flat.out))
        w, back = pulled

        def function(x: Any) -> Any:
            return np.array([w @ flat(x)])

        ours = np.array([float(back @ v)])
    report.comparisons += 1
    closest = reason = None
    for relative in differences.STEPS:
        step = differences.first_step(flat.x, v, relative, flat.eps)
        estimate = differences.central(function, flat.x, v, step, flat.eps, scale)
        size = np.maximum(np.abs(ours), np.abs(estimate.value))
        # Derivatives that cancel keep rounding of the size of what they cancel from.
        floor = 200 * flat.eps * (size + float(np.max(np.abs(ours), initial=0.0)) + scale)
        largest = float(np.max(size, initial=0.0))
        known = estimate.error <= 0.02 * (size + 1e-6) + 1e-6 * largest
        off = np.abs(ours - estimate.value)
        allowed = 10 * estimate.error + floor
        if relative == differences.STEPS[0] and np.any(off > allowed):
            # Neighbours agreed by chance, or terms cancelled that `scale` does not show. A smaller
            # step would make more of the rounding, and less of a wrong derivative.
            noise = differences.noise(function, flat.x, v, step, flat.eps)
            allowed = allowed + 8.0 * noise / step
        if np.all(known) and np.all(off <= allowed):
            fall = differences.remainder_slope(function, flat.x, v, ours, step, flat.eps, scale)
            if fall is None or fall >= differences.SLOWEST_FALL:
                if what == "forward" and flat.not_analytic is None:
                    _check_complex_step(flat, v, ours, estimate, floor)
                return True
            # A kink within this step makes it fall as h too: a smaller step decides.
            reason = f"the Taylor remainder falls only as h^{fall:.2f}, a right derivative's as h^2"
        if closest is None or np.sum(estimate.error) < np.sum(closest.error):
            closest = estimate
    assert closest is not None
    if flat.eps > 1e-4 and np.all(np.abs(ours - closest.value) <= 3 * closest.error):
        return True  # half precision: differences tell no more than that
    return _explain(flat, function, v, ours, closest, what, report, reason)


def _check_complex_step(
    flat: Flat, v: Any, ours: Any, estimate: differences.Estimate, floor: Any
) -> None:
    """Analytic functions are compared to rounding: a complex step cancels nothing.

    A function may be made of analytic operations and still refuse complex arrays, or drop their
    imaginary part, between them; then it keeps the differences' verdict.
    """
    try:
        with np.errstate(all="ignore"):
            exact = differences.complex_step(flat, flat.x, v)
    except (TypeError, ValueError):
        return
    if np.any(np.abs(exact.value - estimate.value) > 10 * estimate.error + floor):
        return
    off = np.abs(ours - exact.value)
    if np.all(off <= exact.error + floor):
        return
    worst = int(np.argmax(off - floor))
    raise DerivativeError(
        f"forward: wrong derivative along v. Output entry {worst}: ours {ours[worst]!r}, by the "
        f"complex step {exact.value[worst]!r}" + _jacobians(flat)
    )


def _explain(
    flat: Flat,
    function: Function,
    v: Any,
    ours: Any,
    numerical: differences.Estimate,
    what: str,
    report: Report,
    reason: str | None = None,
) -> bool:
    """Why ours is not the numerical derivative: outside the domain, a jump, a kink, or wrong."""
    if not np.all(np.isfinite(numerical.value)):
        raise ValueError(
            f"{what}: the function is not finite within {numerical.reach:.1e} of the arguments; "
            "check it farther inside its domain"
        )
    if differences.jump(function, flat.x, v, flat.eps):
        raise ValueError(f"{what}: the function jumps at the given arguments; move them")
    step = differences.first_step(flat.x, v, 2.0**-12, flat.eps)
    right = differences.one_sided(function, flat.x, v, step, flat.eps, +1)
    left = differences.one_sided(function, flat.x, v, step, flat.eps, -1)
    spread = np.abs(right.value - left.value)
    slack = 10 * (right.error + left.error) + 1e-6 * (np.abs(right.value) + np.abs(left.value))
    kinked = spread > slack
    kink = near_kink(flat.recorded(), 4 * step)
    low, high = np.minimum(left.value, right.value), np.maximum(left.value, right.value)
    inside = (ours >= low - slack) & (ours <= high + slack)
    if kink is not None or (np.any(kinked) and np.all(inside | ~kinked)):
        where = f"a kink of {kink}" if kink is not None else "one-sided derivatives that disagree"
        report.verdict = "not differentiable"
        report.notes.append(f"{what}: not differentiable here ({where})")
        return False
    if reason is not None:
        raise DerivativeError(f"{what}: {reason}")
    worst = int(np.argmax(np.abs(ours - numerical.value)))
    raise DerivativeError(
        f"{what}: wrong derivative along v. Output entry {worst}: ours {ours[worst]!r}, "
        f"numerical {numerical.value[worst]!r} (+- {numerical.error[worst]:.1e})" + _jacobians(flat)
    )


def _jacobians(flat: Flat) -> str:
    """Both Jacobians in full where that is readable."""
    n, m = flat.x.size, flat.out.size
    if n * m > 64:
        return f"; the Jacobian is {m} x {n}, too large to print"
    ours, numerical = np.zeros((m, n)), np.zeros((m, n))
    for j in range(n):
        unit = np.zeros(n)
        unit[j] = 1.0
        ours[:, j] = vector(jvp(flat.f, flat.args, flat.split_like_args(unit))[1])
        step = differences.first_step(flat.x, unit, differences.STEPS[0], flat.eps)
        numerical[:, j] = differences.central(flat, flat.x, unit, step, flat.eps).value
    i, j = divmod(int(np.argmax(np.abs(ours - numerical))), n)
    with np.printoptions(precision=6, suppress=True):
        return (
            f"\nJacobian (outputs x inputs), ours by forward mode:\n{ours}\nnumerically:\n"
            f"{numerical}\nworst entry [{i}, {j}]: {ours[i, j]!r} against {numerical[i, j]!r}"
        )


def numerical_jacobian(f: Function, x: Any, method: str = "central") -> Any:
    """The Jacobian of `f` at `x` without the engine, of shape out.shape + in.shape.

    'central': extrapolated central differences (Ridders, 1982). 'complex': the complex step
    (Squire & Trapp, 1998), for functions that take complex arrays and are analytic.

    Raises ValueError for another method, or a complex step through an operation that is not
    declared analytic.

    >>> import autograd as ag, numpy as np
    >>> np.round(ag.testing.numerical_jacobian(lambda x: x * x, np.array([1.0, 2.0])), 6)
    array([[2., 0.],
           [0., 4.]])
    """
    if method not in ("central", "complex"):
        raise ValueError(f"method must be 'central' or 'complex', got {method!r}")
    flat = Flat(f, (x,))
    if method == "complex":
        # A function of plain NumPy records nothing, and may refuse Tensors: it declares nothing.
        with contextlib.suppress(TypeError):
            flat.read_records()
    if flat.not_analytic is not None:
        raise ValueError(
            f"the complex step needs analytic operations, {flat.not_analytic} is not declared "
            "analytic; use method='central'"
        )
    columns = []
    for j in range(flat.x.size):
        unit = np.zeros(flat.x.size)
        unit[j] = 1.0
        if method == "complex":
            estimate = differences.complex_step(flat, flat.x, unit)
        else:
            step = differences.first_step(flat.x, unit, differences.STEPS[0], flat.eps)
            estimate = differences.central(flat, flat.x, unit, step, flat.eps)
        columns.append(estimate.value)
    shape = np.shape(f(*flat.args))
    if not columns:
        return np.zeros(shape + np.shape(x))
    return np.stack(columns, axis=-1).reshape(shape + np.shape(x))


def assert_close(
    actual: Any, expected: Any, rtol: float = 1e-9, atol: float = 0.0, what: str = "value"
) -> None:
    """Raise AssertionError naming what differs: structure, shape, dtype, or the worst entry.

    >>> import autograd as ag
    >>> ag.testing.assert_close({"a": 1.0}, {"a": 1.0 + 1e-12})
    """
    from autograd import tree

    got, structure = tree.flatten(actual, what)
    wanted, expected_structure = tree.flatten(expected, what)
    assert structure == expected_structure, f"{what}: different containers"
    for index, (a, b) in enumerate(zip(got, wanted, strict=True)):
        a, b = (np.asarray(getattr(t, "data", t)) for t in (a, b))
        name = what if len(got) == 1 else f"{what} (leaf {index})"
        assert a.shape == b.shape, f"{name}: shape {a.shape}, expected {b.shape}"
        assert a.dtype == b.dtype, f"{name}: dtype {a.dtype}, expected {b.dtype}"
        off = np.abs(a - b) > atol + rtol * np.abs(b)
        off |= np.isnan(a) != np.isnan(b)
        if np.any(off):
            where = next(itertools.islice(zip(*np.nonzero(np.atleast_1d(off)), strict=True), 1))
            place = tuple(int(i) for i in where)
            raise AssertionError(
                f"{name}: {int(off.sum())} of {a.size} entries differ, first at {place}: "
                f"{np.atleast_1d(a)[place]!r}, expected {np.atleast_1d(b)[place]!r}"
            )
