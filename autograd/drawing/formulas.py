"""Local derivatives in symbols, for the operations whose rule is a short formula."""

from __future__ import annotations

from collections.abc import Sequence

PARTIALS: dict[str, tuple[str, ...]] = {
    "add": ("1", "1"),
    "subtract": ("1", "-1"),
    "multiply": ("{1}", "{0}"),
    "divide": ("1 / {1}", "-{out} / {1}"),
    "negative": ("-1",),
    "positive": ("1",),
    "square": ("2 * {0}",),
    "sqrt": ("1 / (2 * {out})",),
    "reciprocal": ("-{out}**2",),
    "power": ("{1} * {0}**({1} - 1)", "{out} * log({0})"),
    "exp": ("{out}",),
    "expm1": ("{out} + 1",),
    "log": ("1 / {0}",),
    "log1p": ("1 / (1 + {0})",),
    "sin": ("cos({0})",),
    "cos": ("-sin({0})",),
    "tan": ("1 + {out}**2",),
    "sinh": ("cosh({0})",),
    "cosh": ("sinh({0})",),
    "tanh": ("1 - {out}**2",),
    "arctan": ("1 / (1 + {0}**2)",),
    "sigmoid": ("{out} * (1 - {out})",),
    "softplus": ("sigmoid({0})",),
}
"""By operation, one for each operand; {0}, {1} are the operands, {out} the result."""

_INFIX = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "power": "**"}


def expression(name: str, operands: Sequence[str]) -> str:
    """'y * z' or 'sin(y)'."""
    if name in _INFIX and len(operands) == 2:
        return f"{operands[0]} {_INFIX[name]} {operands[1]}"
    if name == "negative":
        return f"-{operands[0]}"
    return f"{name}({', '.join(operands)})"


def partial(name: str, index: int, operands: Sequence[str], out: str) -> str:
    """The formula of a local derivative, or 'd out/d operand' where there is no short one."""
    formulas = PARTIALS.get(name, ())
    if index < len(formulas):
        formula = formulas[index].format(*operands, out=out)
        return f"({formula})" if " " in formula else formula
    return f"d{out}/d{operands[index]}"
