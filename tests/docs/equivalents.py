"""The tables of equivalents of docs/coming_from.md, and what their rows are about."""

from __future__ import annotations

import ast
import re
from typing import Any

import numpy as np

import autograd as ag
import nn
import optim
from tests.docs.pages import DOCS

LIBRARIES = ("PyTorch", "JAX", "HIPS autograd")
ABSENT = ("not here", "not needed")
ARRAYS = {
    "x": np.array([[1.0, 3.0, 2.0], [-1.0, 0.5, 4.0]]),
    "v": np.array([[0.3, -1.0, 2.0], [1.5, 0.25, -0.5]]),
    "i": np.array([[0, 1], [1, 0]]),
    "a": np.array([[2.0, 1.0], [0.5, 3.0]]),
    "b": np.array([1.0, -1.0]),
    "labels": np.array([0, 2]),
    "images": np.linspace(-1.0, 1.0, 32).reshape(1, 2, 4, 4),
    "kernels": np.linspace(0.0, 1.0, 54).reshape(3, 2, 3, 3),
    "inputs": np.ones((2, 3), np.float32),
    "array": np.ones(3),
}


def rows(library: str) -> list[tuple[str, str]]:
    """The cells of a library's table: theirs and ours, without the head."""
    text = (DOCS / "coming_from.md").read_text()
    section = text.split(f"## From {library}\n")[1].split("\n## ")[0]
    lines = [line.strip("| ") for line in section.splitlines() if line.startswith("| ")]
    cells = [tuple(line.split(" | ")) for line in lines[1:]]
    assert len(cells) > 15
    return cells  # type: ignore[return-value]


def codes(cell: str) -> list[str]:
    """The code of a cell, without what its remarks in parentheses mention."""
    found, depth = [], 0
    for part in re.split(r"(`[^`]+`)", cell):
        if not part.startswith("`"):
            depth += part.count("(") - part.count(")")
        elif not depth:
            found.append(part.strip("`"))
    assert not depth, cell
    return found


def evaluate(code: str, namespace: dict[str, Any]) -> Any:
    """The value of an expression; None for a statement, which is run."""
    kind = "eval" if isinstance(ast.parse(code).body[0], ast.Expr) else "exec"
    return eval(compile(code, code, kind), namespace)


def ours(tensors: bool) -> dict[str, Any]:
    """What our side's names stand for, `x` and `v` being Tensors or arrays."""
    names: dict[str, Any] = {"np": np, "ag": ag, "nn": nn, "optim": optim, **ARRAYS}
    names["t"] = tensor = ag.Tensor(ARRAYS["x"].copy(), requires_grad=True)
    if tensors:
        names["x"], names["v"] = tensor, ag.Tensor(ARRAYS["v"])
    names["f"] = lambda x, z=1.0: ag.sum(ag.sin(x) * x * z)
    names["g"] = lambda x: ag.sin(x) * x
    names["y"] = names["f"](tensor)
    names["model"] = model = nn.Linear(3, 2)
    names["weights"] = {
        "weight": ag.Tensor(np.ones((2, 3), np.float32)),
        "bias": ag.Tensor(np.zeros(2, np.float32)),
    }
    names["optimizer"] = optim.SGD(model.parameters(), lr=0.1)
    for parameter in model.parameters():
        parameter.grad = np.ones_like(parameter.data)
    return names


def numbers(value: Any) -> list[np.ndarray]:
    """The numeric arrays of a result, in a tuple or alone; none where it is another object."""
    if isinstance(value, tuple | list):
        return [array for item in value for array in numbers(item)]
    if hasattr(value, "detach"):
        value = value.detach()
    try:
        array = np.asarray(value)
    except TypeError:
        return []
    return [array] if array.dtype.kind in "fiub" else []
