"""What is being recorded right now, held in one context variable.

A new thread starts with the default modes (recording on), because a context variable does. Every
context restores exactly what it found, also when it is left by an exception, and works as a
decorator of functions, coroutines, generators and asynchronous generators.
"""

from __future__ import annotations

import contextvars
import functools
import inspect
import weakref
from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar, cast

if TYPE_CHECKING:
    from autograd.profiling.collecting import Collector
    from autograd.pushing import Pushing

Function = TypeVar("Function", bound=Callable[..., Any])
_new = object.__new__


class CallLog(Protocol):
    """What is told of every operation called on a Tensor, whether it is tracked or not."""

    def note(
        self, op: Any, operands: Sequence[Any], params: dict[str, Any], result: Any, modes: Modes
    ) -> None: ...


class Scope:
    """One call of a module: who was called, inside which other call. Holds the module weakly."""

    __slots__ = ("owner", "parent", "type_name")

    def __init__(self, owner: object, parent: Scope | None) -> None:
        self.owner = weakref.ref(owner)
        self.type_name = type(owner).__name__
        self.parent = parent


class Modes:
    """An immutable set of modes; entering a context replaces it by a changed copy."""

    __slots__ = (
        "anomaly",
        "calls",
        "keep_values",
        "level",
        "observed",
        "profile",
        "pushing",
        "quick",
        "recording",
        "scope",
    )

    def __init__(
        self,
        recording: bool = True,
        anomaly: AnomalyChecks | None = None,
        keep_values: bool = False,
        scope: Scope | None = None,
        level: int = 0,
        calls: CallLog | None = None,
        profile: Collector | None = None,
        pushing: Pushing | None = None,
    ) -> None:
        self.recording = recording
        self.anomaly = anomaly
        self.keep_values = keep_values
        self.scope = scope
        self.level = level
        self.calls = calls
        self.profile = profile
        self.pushing = pushing
        # one test on the hot path instead of several
        self.observed = keep_values or not (anomaly is None and calls is None and profile is None)
        self.quick = recording and not self.observed

    def changed(self, **changes: Any) -> Modes:
        values = {
            "recording": self.recording,
            "anomaly": self.anomaly,
            "keep_values": self.keep_values,
            "scope": self.scope,
            "level": self.level,
            "calls": self.calls,
            "profile": self.profile,
            "pushing": self.pushing,
        }
        return Modes(**(values | changes))

    def inside(self, owner: object) -> Modes:
        """These modes with `owner` called; written out, because every call of a module asks."""
        inner = _new(Modes)
        inner.recording, inner.observed, inner.quick = self.recording, self.observed, self.quick
        inner.anomaly, inner.keep_values = self.anomaly, self.keep_values
        inner.level, inner.calls = self.level, self.calls
        inner.profile, inner.pushing = self.profile, self.pushing
        inner.scope = Scope(owner, self.scope)
        return inner


class AnomalyChecks:
    """Which non-finite values `detect_anomaly` stops at."""

    __slots__ = ("infinity", "nan")

    def __init__(self, nan: bool, infinity: bool) -> None:
        self.nan = nan
        self.infinity = infinity


_USUAL = Modes()
_MODES: contextvars.ContextVar[Modes] = contextvars.ContextVar("dagrad_modes", default=_USUAL)
current_modes = _MODES.get
set_modes = _MODES.set
reset_modes = _MODES.reset


class ModeContext:
    """A context that changes the modes; also a decorator."""

    __slots__ = ("_previous",)

    def __init__(self) -> None:
        self._previous: list[Modes] = []

    def _change(self, modes: Modes) -> Modes:
        raise AssertionError("a mode context defines its change")

    def _copy(self) -> ModeContext:
        return type(self)()

    def __enter__(self) -> Self:
        modes = _MODES.get()
        self._previous.append(modes)
        _MODES.set(self._change(modes))
        return self

    def __exit__(self, *exc_info: object) -> None:
        _MODES.set(self._previous.pop())

    def __call__(self, function: Function) -> Function:
        if not callable(function):
            raise TypeError(
                f"{type(self).__name__}() decorates a function, got {type(function).__name__}; "
                f"write `with {type(self).__name__}():` or `@{type(self).__name__}()`"
            )
        if inspect.isgeneratorfunction(function):
            return cast("Function", _decorated_generator(self, function))
        if inspect.isasyncgenfunction(function):
            return cast("Function", _decorated_async_generator(self, function))
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def coroutine(*args: Any, **kwargs: Any) -> Any:
                with self._copy():
                    return await function(*args, **kwargs)

            return cast("Function", coroutine)

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with self._copy():
                return function(*args, **kwargs)

        return cast("Function", wrapper)


def _decorated_generator(
    context: ModeContext, function: Callable[..., Generator[Any, Any, Any]]
) -> Callable[..., Any]:
    """The body runs under the mode, the code between two items under the caller's."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        generator = function(*args, **kwargs)
        resume: Callable[[], Any] = functools.partial(next, generator)
        try:
            while True:
                try:
                    with context._copy():
                        item = resume()
                except StopIteration as stop:
                    return stop.value
                try:
                    sent = yield item
                except GeneratorExit:
                    raise
                except BaseException as error:
                    resume = functools.partial(generator.throw, error)
                else:
                    resume = functools.partial(generator.send, sent)
        finally:
            with context._copy():
                generator.close()

    return wrapper


def _decorated_async_generator(
    context: ModeContext, function: Callable[..., Any]
) -> Callable[..., Any]:
    @functools.wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        generator = function(*args, **kwargs)
        resume: Callable[[], Any] = generator.__anext__
        try:
            while True:
                try:
                    with context._copy():
                        item = await resume()
                except StopAsyncIteration:
                    return
                try:
                    sent = yield item
                except GeneratorExit:
                    raise
                except BaseException as error:
                    resume = functools.partial(generator.athrow, error)
                else:
                    resume = functools.partial(generator.asend, sent)
        finally:
            with context._copy():
                await generator.aclose()

    return wrapper


class no_grad(ModeContext):
    """Record nothing: what is computed inside is a constant, in both sweeps.

    >>> import autograd as ag
    >>> x = ag.Tensor(3.0, requires_grad=True)
    >>> with ag.no_grad():
    ...     (x * x).requires_grad
    False
    """

    __slots__ = ()

    def _change(self, modes: Modes) -> Modes:
        return modes.changed(recording=False)


class enable_grad(ModeContext):
    """Record again inside `no_grad`.

    >>> import autograd as ag
    >>> x = ag.Tensor(3.0, requires_grad=True)
    >>> with ag.no_grad(), ag.enable_grad():
    ...     (x * x).requires_grad
    True
    """

    __slots__ = ()

    def _change(self, modes: Modes) -> Modes:
        return modes.changed(recording=True)


class keep_values(ModeContext):
    """Keep the value of every recorded node, however large, so that whole graphs can be drawn.

    Without it a node keeps values of at most 16 elements.

    >>> import autograd as ag
    >>> import numpy as np
    >>> x = ag.Tensor(np.ones(100), requires_grad=True)
    >>> with ag.keep_values():
    ...     y = x * 2.0
    >>> y.node.value.shape
    (100,)
    """

    __slots__ = ()

    def _change(self, modes: Modes) -> Modes:
        return modes.changed(keep_values=True)


class detect_anomaly(ModeContext):
    """Stop at the first NaN, or at an infinity made from finite inputs, and say where it arose.

    Checked are every operation's result, every cotangent and tangent of a sweep and every
    optimizer update; the error names the operation and the user's file and line. Arrays saved for
    a sweep are fingerprinted, so that a write by NumPy between forward and backward is caught.
    Constants that hold infinities, such as masks of -inf, are exempt.

    Raises `AnomalyError` (a RuntimeError).

    >>> import autograd as ag
    >>> import numpy as np
    >>> x = ag.Tensor(-1.0, requires_grad=True)
    >>> with ag.detect_anomaly(), np.errstate(invalid="ignore"):
    ...     ag.sqrt(x)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    autograd.anomaly.AnomalyError: sqrt made a NaN ...
    """

    __slots__ = ("_infinity", "_nan")

    def __init__(self, *, nan: bool = True, infinity: bool = True) -> None:
        super().__init__()
        self._nan = nan
        self._infinity = infinity

    def _copy(self) -> detect_anomaly:
        return detect_anomaly(nan=self._nan, infinity=self._infinity)

    def _change(self, modes: Modes) -> Modes:
        return modes.changed(anomaly=AnomalyChecks(self._nan, self._infinity))


class profiled(ModeContext):
    """What runs inside is measured by a collector (see `ag.profile`)."""

    __slots__ = ("_collector",)

    def __init__(self, collector: Collector) -> None:
        super().__init__()
        self._collector = collector

    def _copy(self) -> profiled:
        return profiled(self._collector)

    def _change(self, modes: Modes) -> Modes:
        return modes.changed(profile=self._collector)


class scope(ModeContext):
    """Nodes recorded inside know that `owner` (a module) made them."""

    __slots__ = ("_owner",)

    def __init__(self, owner: object) -> None:
        super().__init__()
        self._owner = owner

    def _copy(self) -> scope:
        return scope(self._owner)

    def _change(self, modes: Modes) -> Modes:
        return modes.inside(self._owner)


class Sweep:
    """The owner of the nodes that a sweep records."""

    def __init__(self, title: str) -> None:
        self.title = title


REVERSE_SWEEP = Sweep("reverse sweep")
FORWARD_SWEEP = Sweep("forward sweep")


class log_calls(ModeContext):
    """Every operation called inside on a Tensor is noted in a log."""

    __slots__ = ("_log",)

    def __init__(self, log: CallLog) -> None:
        super().__init__()
        self._log = log

    def _copy(self) -> log_calls:
        return log_calls(self._log)

    def _change(self, modes: Modes) -> Modes:
        return modes.changed(calls=self._log)


class pushing_tangents(ModeContext):
    """Every operation recorded inside pushes a transform's tangents at once."""

    __slots__ = ("_pushing",)

    def __init__(self, pushing: Pushing) -> None:
        super().__init__()
        self._pushing = pushing

    def _copy(self) -> pushing_tangents:
        return pushing_tangents(self._pushing)

    def _change(self, modes: Modes) -> Modes:
        return modes.changed(pushing=self._pushing)


class recording_level(ModeContext):
    """The inside of a transform: recording is on, and sweeps record when they must."""

    __slots__ = ()

    def _change(self, modes: Modes) -> Modes:
        return modes.changed(recording=True, level=modes.level + 1)
