"""Tangents pushed while a function runs, which is what jvp does.

A node's tangent is computed by its operation's rule as soon as it is recorded: the forward sweep,
at the time of recording. After that, a node that depends on nothing but variables of such
transforms lets go of its inputs and of what it saved, so that memory is freed as the function
goes on. Other nodes (those that an inner `grad` will sweep, or that an outer transform or a leaf
reaches) stay, with their tangents.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, NoReturn, Self

import numpy as np

from autograd import anomaly
from autograd.gathering import oldest_first, reached
from autograd.markers import INPUT, OUTPUT
from autograd.modes import FORWARD_SWEEP, Modes, Scope, current_modes, reset_modes, set_modes
from autograd.node import Node, Transform, is_cut, is_finished, next_serial
from autograd.recording import handles
from autograd.sweep import fit
from autograd.tensor import Tensor


def level_of(node: Node) -> float:
    """The level of the outermost transform it depends on; 0 where that is a leaf."""
    if is_finished(node):
        return math.inf
    try:
        return node.level
    except AttributeError:
        return 0


_NONE: Final[dict[Any, Any]] = {}
"""The tangents of a node that depends on no running transform: shared, and never changed."""


class _Failure:
    """What a tangent has in its place whose rule raised: no matter unless an output needs it."""

    __slots__ = ("error",)

    def __init__(self, error: Exception) -> None:
        self.error: Exception | None = error

    def throw(self) -> NoReturn:
        """Raise the error, without a cycle of it and its traceback's frames."""
        error, self.error = self.error, None
        assert error is not None
        try:
            raise error
        finally:
            del error


_PLAIN = (np.ndarray, np.generic)


class Pushing:
    """One running transform that pushes tangents; also the key of its tangents in the nodes."""

    __slots__ = (
        "_failures",
        "_kept",
        "_modes",
        "_records",
        "_since",
        "outer",
        "transform",
    )

    def __init__(
        self,
        transform: Transform,
        outside: Modes,
        variables: Sequence[Node],
        tangents: Sequence[Any],
    ) -> None:
        self.outer: Pushing | None = outside.pushing
        self.transform = transform
        self._records = outside.recording
        self._since: int = next_serial() if self.outer is None else self.outer._since
        self._kept: list[Node] = []
        self._failures: list[_Failure] = []
        self._modes: tuple[Any, ...] = (None, None, None)
        for node, tangent in zip(variables, tangents, strict=True):
            if node.op is INPUT:
                (source,) = node.inputs
                node.tangents = dict(self.known(source))
                node.level = level_of(source)
                if is_cut(source):
                    _let_go(node, _outermost([source]))
            else:
                node.tangents = {}
            node.tangents[self] = tangent
            self._keep(node)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Break the cycles: tangents may be recorded on the node that has them."""
        self.transform.finished = True
        for failure in self._failures:
            failure.error = None
        self._failures.clear()
        for node in self._kept:
            node.tangents.pop(self, None)
        self._kept.clear()
        self._modes = (None, None, None)

    def tangent(self, node: Node) -> Any:
        """The tangent of an output's node, None where it is zero."""
        tangent = self.known(node).get(self)
        if type(tangent) is _Failure:
            tangent.throw()
        return tangent

    def push(self, node: Node, modes: Modes, cut: bool = True) -> None:
        """Give a node just recorded its tangents; unless `cut` is False, let it go if it may."""
        if self.outer is None and modes.profile is None and modes.anomaly is None:
            if node.quick is not None and type(node.second) is not Node:
                if self._push_quickly(node, cut):
                    return
            elif node.op.pushes_plainly and self._push_plainly(node, cut):
                return
        sources = [source for source in node.inputs if type(source) is Node]
        level = math.inf
        for source in sources:
            if not hasattr(source, "tangents"):
                self.known(source)
            level = min(level, level_of(source))
            cut = cut and is_cut(source)
        node.tangents = {}
        node.level = level
        self._push(node, modes)
        if cut:
            _let_go(node, _outermost(sources))
        else:
            self._keep(node)

    def _push_quickly(self, node: Node, cut: bool) -> bool:
        """`push` written out for a node with `quick` and one tracked operand, if that has an array
        for a tangent and nothing further out depends on it; else False, with nothing done.

        The function that pulls its cotangent pushes its tangent too.
        """
        source = node.first
        params = source.params
        try:
            tangent, level = source.tangents[self], source.level
        except (AttributeError, KeyError):  # recorded outside, or constant
            return False
        if level < self.transform.level or not isinstance(tangent, _PLAIN):
            return False
        if type(params) is not Transform:
            cut = False
        elif params is not self.transform or params.finished:
            return False
        try:
            pushed = _quietly(node.quick, tangent, *node.saved)
            if pushed.shape != node.shape or pushed.dtype is not node.dtype:
                pushed = _quietly(fit, pushed, node)
        except Exception:
            return False  # `push` will keep it as what it is
        node.tangents = {self: pushed}
        node.level = level
        if cut:
            _let_go(node, self.transform)
        return True

    def _push_plainly(self, node: Node, cut: bool) -> bool:
        """The same for any number of operands and a rule that only computes."""
        arriving: list[Any] = []
        level, moves = math.inf, False
        for source in node.inputs:
            if type(source) is not Node:
                arriving.append(None)
                continue
            params = source.params
            try:
                tangent, own = source.tangents.get(self), source.level
            except AttributeError:
                return False
            if own < level:
                level = own
            if type(params) is not Transform:
                cut = False
            elif params is not self.transform or params.finished:
                return False
            if tangent is not None:
                if not isinstance(tangent, _PLAIN):
                    return False
                moves = True
            arriving.append(tangent)
        if not moves or level < self.transform.level:
            return False
        try:
            tangent = _quietly(node.op.push, node, arriving, node.saved, False)
            if tangent is not None and type(tangent) is not tuple:
                tangent = _quietly(fit, tangent, node)
        except Exception:
            return False
        node.tangents = {} if tangent is None else {self: tangent}
        node.level = level
        if cut:
            _let_go(node, self.transform)
        return True

    def known(self, node: Node) -> dict[Any, Any]:
        """A node's tangents; one that another thread recorded has none yet."""
        try:
            return node.tangents
        except AttributeError:
            if node.serial < self._since or not node.inputs:
                node.tangents = _NONE
                return _NONE
        modes = current_modes()
        for missing in oldest_first(reached([node], self._since)):
            if missing.inputs and not hasattr(missing, "tangents"):
                self.push(missing, modes, cut=False)
        return node.tangents

    def _keep(self, node: Node) -> None:
        pushing: Pushing | None = self
        while pushing is not None:
            if pushing in node.tangents and node.level < pushing.transform.level:
                pushing._kept.append(node)
            pushing = pushing.outer

    def _push(self, node: Node, modes: Modes) -> None:
        if self.outer is not None:
            self.outer._push(node, modes)
        arriving: list[Any] = []
        moves = False
        for source in node.inputs:
            tangent = source.tangents.get(self) if type(source) is Node else None
            if tangent is not None:
                moves = True
                if type(tangent) is _Failure:
                    node.tangents[self] = tangent
                    return
            arriving.append(tangent)
        if not moves:
            return
        if node.op is OUTPUT:
            tangent = arriving[0][node.params["index"]]
        else:
            try:
                if modes.profile is None:
                    tangent = self._by_rule(node, arriving, modes)
                else:
                    tangent = modes.profile.push(self._by_rule, node, arriving, modes)
                if tangent is not None and type(tangent) is not tuple:
                    tangent = fit(tangent, node)
            except Exception as error:
                tangent = _Failure(error)
                self._failures.append(tangent)
        if tangent is not None:
            node.tangents[self] = tangent

    def _by_rule(self, node: Node, arriving: list[Any], modes: Modes) -> Any:
        """What the rule makes of the tangents that arrive; on Tensors where more depends on it."""
        inside = record = node.level < self.transform.level
        if not inside:
            for tangent in arriving:
                if isinstance(tangent, Tensor):
                    record = True
        record = record and self._records
        token = set_modes(self._modes_for(modes, record))
        try:
            if record:
                values = handles(node) if inside else node.saved
                tangent = node.op.push(node, arriving, values, True)
            else:
                values = node.saved
                tangent = _quietly(node.op.push, node, arriving, values, False)
        finally:
            reset_modes(token)
        if modes.anomaly is not None and tangent is not None:
            anomaly.check_sweep(node, "tangent", tangent, (*arriving, *values))
        return tangent

    def _modes_for(self, modes: Modes, record: bool) -> Modes:
        """The modes of a rule; the last ones are mostly the next."""
        last = self._modes
        if last[0] is not modes or last[1] is not record:
            if record:
                scope = Scope(FORWARD_SWEEP, modes.scope)
                changed = modes.changed(recording=True, scope=scope, pushing=self.outer)
            else:
                changed = modes.changed(pushing=None)
            last = self._modes = (modes, record, changed)
        result: Modes = last[2]
        return result


@np.errstate(all="ignore")
def _quietly(rule: Any, *given: Any) -> Any:
    """rule(*given), without NumPy's warnings; in half of the time that a with block takes."""
    return rule(*given)


def _let_go(node: Node, outermost: dict[str, Any]) -> None:
    """Of what it was made from; `outermost` are the params of the outermost transform of that."""
    node.params = outermost
    node.operands = node.held = ()
    node.fingerprint = node.quick = node.first = node.second = None


def _outermost(sources: Sequence[Node]) -> dict[str, Any]:
    running = [source for source in sources if not is_finished(source)] or sources
    return min((source.params for source in running), key=_level)


def _level(transform: Any) -> int:
    level: int = transform.level
    return level
