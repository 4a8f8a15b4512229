"""Operations whose maps are made of other recorded operations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from autograd import sweep
from autograd.families.rules import CallableOp, Rule, reads
from autograd.modes import recording_level
from autograd.node import Node, caller_place
from autograd.recording import identity_input
from autograd.tensor import Tensor, wrap


def pullback_of(
    function: Rule, inputs: Sequence[Any], cotangent: Any, wanted: Sequence[bool], record: bool
) -> list[Any]:
    """Cotangents of the wanted inputs of a function written in recorded operations."""
    outputs, own = _trace(function, inputs, wanted)
    seeds = cotangent if type(cotangent) is tuple else (cotangent,)
    tracked = [(t._node, s) for t, s in zip(outputs, seeds, strict=True) if t._node is not None]
    # An output that nothing used must not bring in its infinities: 0 times them would be NaN.
    used = [(node, seed) for node, seed in tracked if not _is_zero(seed)]
    tracked = used or tracked
    nodes = [node for node in own if node is not None]
    _, found = sweep.reverse(
        [node for node, _ in tracked], [seed for _, seed in tracked], nodes, record=record
    )
    return [None if node is None else found.get(node) for node in own]


def _is_zero(seed: Any) -> bool:
    if isinstance(seed, Tensor):
        return seed._node is None and not seed.data.any()
    return not np.any(seed)


def pushforward_of(
    function: Rule, inputs: Sequence[Any], tangents: Sequence[Any], record: bool
) -> Any:
    """The tangent of a function written in recorded operations."""
    outputs, own = _trace(function, inputs, [tangent is not None for tangent in tangents])
    nodes = [node for node in own if node is not None]
    seeds = [tangent for tangent in tangents if tangent is not None]
    reached = [t._node for t in outputs if t._node is not None]
    found = sweep.forward(reached, nodes, seeds, record=record)
    result = tuple(
        np.zeros(t.shape, t.dtype) if t._node is None or t._node not in found else found[t._node]
        for t in outputs
    )
    return result if len(result) > 1 else result[0]


def _trace(
    function: Rule, inputs: Sequence[Any], wanted: Sequence[bool]
) -> tuple[tuple[Tensor, ...], list[Node | None]]:
    """The outputs of `function` on variables of its own, and those variables' nodes."""
    with recording_level():
        place = caller_place()
        variables = [
            identity_input(value, place) if want else value
            for value, want in zip(inputs, wanted, strict=True)
        ]
        out = function(*variables)
    outputs = out if isinstance(out, tuple) else (out,)
    return (
        tuple(t if isinstance(t, Tensor) else wrap(np.asarray(t), None) for t in outputs),
        [v._node if want else None for v, want in zip(variables, wanted, strict=True)],
    )


@dataclass(frozen=True, eq=False)
class Linearised(CallableOp):
    """y = f(x1, ..., xn) with dy = jvp(y, x1, ..., xn, dx1, ..., dxn), linear in the dx.

    `jvp` is written in recorded operations; the VJP sweeps that small graph back. Where f is
    itself linear in an operand, `transposes` has `(cotangent, out, x1, ..., xn) -> cotangent` in
    its place (None in the others'): what ends the recursion when `jvp` calls f again.
    """

    jvp: Rule | None = None
    transposes: tuple[Rule | None, ...] = ()

    def save(
        self,
        out: Any,
        values: Sequence[Any],
        nodes: Sequence[Node | None],
        extra: tuple[Any, ...],
    ) -> tuple[Any, ...]:
        return (out, *values)

    def _with_values(self, values: tuple[Any, ...], params: dict[str, Any]) -> Rule:
        assert self.jvp is not None
        rule = self.jvp
        return lambda *tangents: rule(*values, *tangents, **params)

    def pull(
        self,
        node: Node,
        cotangent: Any,
        values: tuple[Any, ...],
        targets: tuple[Any, ...],
        record: bool,
    ) -> Sequence[Any]:
        wanted = [type(target) is Node for target in targets]
        if self.transposes and not any(
            want and rule is None for want, rule in zip(wanted, self.transposes, strict=True)
        ):
            return [
                rule(cotangent, *values, **node.params) if want and rule is not None else None
                for want, rule in zip(wanted, self.transposes, strict=True)
            ]
        zeros = [_zeros_like(value) for value in values[1:]]
        rule = self._with_values(values, node.params)
        return pullback_of(rule, zeros, cotangent, wanted, record)

    def push(
        self, node: Node, tangents: Sequence[Any], values: tuple[Any, ...], record: bool
    ) -> Any:
        filled = [
            _zeros_like(value) if tangent is None else tangent
            for value, tangent in zip(values[1:], tangents, strict=True)
        ]
        return self._with_values(values, node.params)(*filled)


def _zeros_like(value: Any) -> np.ndarray:
    data = value.data if isinstance(value, Tensor) else np.asarray(value)
    dtype = data.dtype if data.dtype.kind == "f" else np.dtype(float)
    return np.broadcast_to(np.zeros((), dtype), data.shape)


@dataclass(frozen=True, eq=False)
class Composite(CallableOp):
    """A fast kernel with a readable reference made of other operations.

    `forward(*inputs, **params)` returns the result, or (result, auxiliaries) when `auxiliaries` is
    True; auxiliaries (a dropout mask, batch statistics) are what a replay must not draw or update
    again: `reference(*inputs, *auxiliaries, **params)` computes the same from them. The optional
    kernels `pullback(cotangent, out, *inputs, *auxiliaries, **params)` (a tuple of cotangents; with
    `may_overwrite=True` one that `overwrites` may lose the cotangent) and
    `pushforward(tangents, out, *inputs, *auxiliaries, **params)` (None
    for a zero tangent) serve sweeps on plain arrays; recorded sweeps replay the reference.
    """

    reference: Rule | None = None
    pullback: Rule | None = None
    pushforward: Rule | None = None
    auxiliaries: bool = False

    def run(self, values: Sequence[Any], params: dict[str, Any]) -> tuple[Any, tuple[Any, ...]]:
        if self.auxiliaries:
            out, extra = self.forward(*values, **params)
            return out, tuple(extra)
        return self.forward(*values, **params), ()

    def save(
        self,
        out: Any,
        values: Sequence[Any],
        nodes: Sequence[Node | None],
        extra: tuple[Any, ...],
    ) -> tuple[Any, ...]:
        return (out if self._reads_out else None, *values, *extra)

    @cached_property
    def _reads_out(self) -> bool:
        kernels = (self.pullback, self.pushforward)
        return any(kernel is not None and reads(kernel, 1) for kernel in kernels)

    def _replay(self, values: tuple[Any, ...], count: int, params: dict[str, Any]) -> Rule:
        assert self.reference is not None
        reference, extra = self.reference, values[1 + count :]
        return lambda *inputs: reference(*inputs, *extra, **params)

    def pull(
        self,
        node: Node,
        cotangent: Any,
        values: tuple[Any, ...],
        targets: tuple[Any, ...],
        record: bool,
    ) -> Sequence[Any]:
        if self.pullback is not None and not record:
            return tuple(self.pullback(cotangent, *values, **node.params))
        count = len(targets)
        wanted = [type(target) is Node for target in targets]
        replay = self._replay(values, count, node.params)
        return pullback_of(replay, values[1 : 1 + count], cotangent, wanted, record)

    def pull_in_place(
        self, node: Node, cotangent: Any, values: tuple[Any, ...], targets: tuple[Any, ...]
    ) -> Sequence[Any]:
        assert self.pullback is not None
        return tuple(self.pullback(cotangent, *values, **node.params, may_overwrite=True))

    def push(
        self, node: Node, tangents: Sequence[Any], values: tuple[Any, ...], record: bool
    ) -> Any:
        if self.pushforward is not None and not record:
            return self.pushforward(tuple(tangents), *values, **node.params)
        count = len(tangents)
        replay = self._replay(values, count, node.params)
        return pushforward_of(replay, values[1 : 1 + count], tangents, record)
