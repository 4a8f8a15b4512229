"""How an elementwise operation is written down: one line of mathematics, then its samples."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from autograd.families import Elementwise
from autograd.registry import Bad, Kink, register
from autograd.samples import elementwise_calls

Domain = dict[str, Any]
ANYWHERE: Domain = {}
POSITIVE: Domain = {"low": 0.2, "high": 3.0}
INSIDE_UNIT: Domain = {"low": -0.8, "high": 0.8}
AWAY_FROM_ZERO: Domain = {"away": (0.0,)}


def elementwise(
    name: str,
    forward: Callable[..., Any],
    partials: tuple[Any, ...],
    *domains: Domain,
    doc: str,
    numpy: Sequence[Any] = (),
    analytic: bool = True,
    kinks: Sequence[Kink] = (),
    near: Sequence[Callable[..., Any]] = (),
    bad: Sequence[Bad] = (),
    reference: Callable[..., Any] | None = None,
    operator: Callable[..., Any] | None = None,
    pullback: Callable[..., Any] | None = None,
) -> Elementwise:
    """Make and register an elementwise operation of `len(partials)` operands.

    `domains` says where its operands may lie in samples, one each; `near` are functions of the
    operands that vanish at its kinks; `operator` is Python's for it; `pullback` a kernel of one
    pass (see `Elementwise`).
    """
    chosen = domains if domains else (ANYWHERE,) * len(partials)
    assert len(chosen) == len(partials), name
    samples = elementwise_calls(*chosen)
    record = Elementwise(
        name,
        forward,
        partials,
        operator,
        pullback,
        analytic=analytic,
        kinks=tuple(near),
        samples=samples,
    )
    names = ("x",) if len(partials) == 1 else ("x1", "x2", "x3")[: len(partials)]
    parameters = [inspect.Parameter(n, inspect.Parameter.POSITIONAL_ONLY) for n in names]
    object.__setattr__(record, "__doc__", doc)
    object.__setattr__(record, "__signature__", inspect.Signature(parameters))
    register(
        samples,
        name=name,
        numpy=numpy,
        analytic=analytic,
        kinks=kinks,
        bad=bad,
        reference=reference,
    )(record)
    return record
