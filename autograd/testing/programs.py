"""Random differentiable programs as readable Python, for Hypothesis.

A program is straight-line code over variables of one shape; a failing example is printed as the
source that a reader can paste and run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.dispatch import operations
from autograd.testing.extras import drawn_with, hypothesis_strategies

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

UNARY = ("sin", "cos", "tanh", "arctan", "sigmoid", "softplus", "negative", "expm1_of_tanh")
BINARY = ("add", "subtract", "multiply", "divide_safely", "hypot_safely")

_SOURCES = {
    "expm1_of_tanh": "ag.expm1(ag.tanh({0}))",
    "divide_safely": "{0} / (1.5 + ag.tanh({1}))",
    "hypot_safely": "ag.sqrt(1.0 + {0} * {0} + {1} * {1})",
    "add": "{0} + {1}",
    "subtract": "{0} - {1}",
    "multiply": "{0} * ag.tanh({1})",
    "negative": "-{0}",
}

# Values stay moderate: products and quotients go through tanh.
_ACTIONS: dict[str, Callable[..., Any]] = {
    "expm1_of_tanh": lambda m, x: m.expm1(m.tanh(x)),
    "divide_safely": lambda m, x, y: x / (1.5 + m.tanh(y)),
    "hypot_safely": lambda m, x, y: m.sqrt(1.0 + x * x + y * y),
    "add": lambda m, x, y: x + y,
    "subtract": lambda m, x, y: x - y,
    "multiply": lambda m, x, y: x * m.tanh(y),
    "negative": lambda m, x: -x,
}


@dataclass(frozen=True)
class Step:
    """`v<k> = operation(v<i>, v<j>)`."""

    operation: str
    operands: tuple[int, ...]


@dataclass(frozen=True)
class Program:
    """Inputs v0 ... v<n-1>, then one variable per step; the result is the last one.

    >>> program = Program(2, (Step("multiply", (0, 1)), Step("sin", (2,))))
    >>> print(program.source())
    def program(v0, v1):
        v2 = v0 * ag.tanh(v1)
        v3 = ag.sin(v2)
        return v3
    >>> float(program(0.0, 1.0))
    0.0
    """

    inputs: int
    steps: tuple[Step, ...]

    def source(self) -> str:
        """The program as Python source that calls `ag`."""
        names = [f"v{i}" for i in range(self.inputs)]
        lines = [f"def program({', '.join(names)}):"]
        for step in self.steps:
            operands = [f"v{i}" for i in step.operands]
            pattern = _SOURCES.get(step.operation, f"ag.{step.operation}({{0}})")
            names.append(f"v{len(names)}")
            lines.append(f"    {names[-1]} = {pattern.format(*operands)}")
        lines.append(f"    return {names[-1]}")
        return "\n".join(lines)

    def __call__(self, *inputs: Any) -> Any:
        """The program's result, computed by `ag`."""
        return self.run(operations, *inputs)

    def run(self, module: Any, *inputs: Any) -> Any:
        """The result by another module's operations (PyTorch's, say) in the place of `ag`'s."""
        if len(inputs) != self.inputs:
            raise ValueError(f"the program takes {self.inputs} inputs, got {len(inputs)}")
        values = list(inputs)
        for step in self.steps:
            operands = [values[i] for i in step.operands]
            action = _ACTIONS.get(step.operation)
            if action is None:
                values.append(getattr(module, step.operation)(*operands))
            else:
                values.append(action(module, *operands))
        return values[-1]

    def __repr__(self) -> str:
        return f"\n{self.source()}\n"


def programs(
    depth: int = 8,
    ops: Sequence[str] = (*UNARY, *BINARY),
    inputs: int = 2,
) -> SearchStrategy[Program]:
    """Programs of up to `depth` steps of `ops` (names in UNARY and BINARY) on `inputs` variables.

    Every step uses earlier variables, the newest more often, so that results are shared and nested;
    values stay moderate. Raises ValueError for an operation that is not known.

    >>> from autograd.testing import strategies
    >>> programs_of_three = strategies.programs(3)
    """
    unknown = set(ops) - {*UNARY, *BINARY}
    if unknown:
        raise ValueError(f"programs knows no {sorted(unknown)}; it knows {[*UNARY, *BINARY]}")
    st = hypothesis_strategies()

    def build(count: int, picks: list[tuple[str, int, int]]) -> Program:
        steps: list[Step] = []
        for operation, first, second in picks:
            known = count + len(steps)
            newest = known - 1 - min(first, known - 1)
            other = known - 1 - min(second, known - 1)
            operands = (newest,) if operation in UNARY else (newest, other)
            steps.append(Step(operation, operands))
        return Program(count, tuple(steps))

    pick = st.tuples(st.sampled_from(tuple(ops)), st.integers(0, 3), st.integers(0, depth))
    strategy: SearchStrategy[Program] = drawn_with(
        build, st.just(inputs), st.lists(pick, min_size=1, max_size=depth)
    )
    return strategy


def inputs_of(program: Program, shape: tuple[int, ...], seed: int) -> list[np.ndarray]:
    """Inputs with three digits in [-2, 2]."""
    rng = np.random.default_rng(seed)
    return [rng.uniform(-2, 2, shape).round(3) for _ in range(program.inputs)]
