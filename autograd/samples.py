"""Sample calls: plain data that says which arguments an operation can be tested with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Real:
    """A differentiable array argument: entries uniform in [low, high].

    Entries keep a distance from the points in `away` (kinks); with `distinct` they differ from
    one another by a clear gap (so that max and sort have no ties); `transform` maps the drawn
    array to the wanted kind (say, symmetric).
    """

    shape: tuple[int, ...]
    low: float = -2.0
    high: float = 2.0
    away: tuple[float, ...] = ()
    distinct: bool = False
    transform: Callable[[Any], Any] | None = None

    def draw(self, rng: np.random.Generator, dtype: Any = np.float64) -> np.ndarray:
        """An array of this kind."""
        size = int(np.prod(self.shape))
        if self.distinct:
            cells = rng.permutation(size) + rng.uniform(0.3, 0.7, size)
            values = self.low + (self.high - self.low) * cells / max(size, 1)
        else:
            values = rng.uniform(self.low, self.high, size)
        gap = 0.05 * (self.high - self.low)
        for point in self.away:
            near = np.abs(values - point) < gap
            values = np.where(near, point + np.where(values >= point, gap, -gap) * 2, values)
        array = values.reshape(self.shape)
        if self.transform is not None:
            array = self.transform(array)
        return np.asarray(array).astype(dtype)


@dataclass(frozen=True)
class Many:
    """A differentiable list of arrays in one argument, as `concatenate` takes."""

    items: tuple[Real, ...]


@dataclass(frozen=True)
class Call:
    """One sample call; `Real` and `Many` among the arguments are differentiable."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def draw(
        self, rng: np.random.Generator, dtype: Any = np.float64
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Arguments with every `Real` replaced by an array."""
        return (
            tuple(_draw(argument, rng, dtype) for argument in self.args),
            {key: _draw(argument, rng, dtype) for key, argument in self.kwargs.items()},
        )


def _draw(argument: Any, rng: np.random.Generator, dtype: Any) -> Any:
    if isinstance(argument, Real):
        return argument.draw(rng, dtype)
    if isinstance(argument, Many):
        return [item.draw(rng, dtype) for item in argument.items]
    return argument


def real(*shape: int, **options: Any) -> Real:
    """`real(2, 3, low=0.5)`: a differentiable array argument."""
    return Real(shape, **options)


def many(*items: Real) -> Many:
    """`many(real(2), real(3))`: a differentiable list of arrays."""
    return Many(items)


def call(*args: Any, **kwargs: Any) -> Call:
    """`call(real(2, 3), axis=1)`: one sample call."""
    return Call(args, kwargs)


def elementwise_calls(*domains: dict[str, Any]) -> tuple[Call, ...]:
    """The family's default for elementwise operations, one domain per operand: same shapes,
    broadcasting, 0-d and empty.
    """
    count = len(domains)
    patterns: list[tuple[tuple[int, ...], ...]] = [
        ((2, 3),) * count,
        ((),) * count,
        ((0, 2),) * count,
    ]
    if count > 1:
        patterns.append(tuple([(2, 1), (1, 3), (3,)][i % 3] for i in range(count)))
        patterns.append(tuple([(), (2, 2), (2,)][i % 3] for i in range(count)))
        patterns.append(tuple([(2, 3), (3,), ()][i % 3] for i in range(count)))
    return tuple(
        Call(tuple(Real(s, **d) for s, d in zip(shapes, domains, strict=True)), {})
        for shapes in patterns
    )
