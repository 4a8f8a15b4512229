"""The public operations: what each is called, answers for in NumPy, and is tested with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from autograd.dispatch import operations
from autograd.samples import Call

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Kink:
    """A point where the derivative is a convention: the arguments there, and its value."""

    args: tuple[Any, ...]
    derivative: Any
    rule: str


@dataclass(frozen=True)
class Bad:
    """A call that must raise `error` with a message that matches `match`."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    error: type[Exception]
    match: str = ""


def bad(error: type[Exception], match: str, *args: Any, **kwargs: Any) -> Bad:
    """`bad(ValueError, "axis", np.ones(3), axis=5)`: a call that must raise."""
    return Bad(args, kwargs, error, match)


@dataclass(frozen=True)
class Entry:
    """One public operation."""

    name: str
    function: Callable[..., Any]
    samples: tuple[Call, ...]
    numpy: tuple[Any, ...] = ()
    analytic: bool = True
    differentiable: bool = True
    bad: tuple[Bad, ...] = ()
    kinks: tuple[Kink, ...] = ()
    namespace: str = ""
    reference: Callable[..., Any] | None = field(default=None, repr=False)


REGISTRY: dict[str, Entry] = {}
NUMPY_FUNCTIONS: dict[Any, Callable[..., Any]] = {}


def register(
    samples: Sequence[Call],
    *,
    numpy: Sequence[Any] = (),
    analytic: bool = True,
    differentiable: bool = True,
    bad: Sequence[Bad] = (),
    kinks: Sequence[Kink] = (),
    namespace: str = "",
    name: str | None = None,
    reference: Callable[..., Any] | None = None,
) -> Callable[[Function], Function]:
    """Register a public operation: a documented function, or an operation's record.

    `samples` are mandatory; `numpy` are the NumPy functions that dispatch to it (the first one is
    what its values are tested against, or `reference` is); `analytic` says whether it takes
    complex arrays, as complex-step checks need; `namespace` is "linalg" for `ag.linalg`.
    """

    def add(function: Function) -> Function:
        public = name if name is not None else function.__name__
        key = f"{namespace}.{public}" if namespace else public
        assert key not in REGISTRY, key
        assert samples, f"{key} needs sample calls"
        entry = Entry(
            public,
            function,
            tuple(samples),
            tuple(numpy),
            analytic,
            differentiable,
            tuple(bad),
            tuple(kinks),
            namespace,
            reference,
        )
        REGISTRY[key] = entry
        if not namespace:
            setattr(operations, public, function)
        for numpy_function in numpy:
            NUMPY_FUNCTIONS.setdefault(numpy_function, function)
        return function

    return add
