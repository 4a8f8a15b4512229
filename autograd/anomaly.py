"""Finding where the first NaN or infinity arose, and writes that the engine cannot see."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from autograd.modes import AnomalyChecks, Scope, current_modes
from autograd.module_paths import NO_MODULE, ModulePaths
from autograd.node import Node, caller_place, describe_place
from autograd.storage import saved_arrays


class AnomalyError(RuntimeError):
    """A NaN, or an infinity from finite inputs, with the place where it arose."""


def _plain(values: Iterable[Any]) -> list[np.ndarray]:
    arrays = []
    for value in values:
        if isinstance(value, (tuple, list)):
            arrays.extend(_plain(value))
        elif value is not None:
            data = getattr(value, "_value", value)
            if isinstance(data, (np.ndarray, np.generic, float)):
                array = np.asarray(data)
                if array.dtype.kind in "fc":
                    arrays.append(array)
    return arrays


def anomaly_in(out: Any, inputs: Iterable[Any], checks: AnomalyChecks) -> str | None:
    """What is wrong with `out`: "a NaN", "an infinity", or None."""
    arrays = _plain((out,))
    if all(np.isfinite(array).all() for array in arrays):
        return None
    if checks.nan and any(np.isnan(array).any() for array in arrays):
        return "a NaN"
    if (
        checks.infinity
        and any(np.isinf(array).any() for array in arrays)
        and all(np.isfinite(array).all() for array in _plain(inputs))
    ):
        return "an infinity"
    return None


def _came_in(inputs: Sequence[Any]) -> str:
    for index, value in enumerate(inputs):
        arrays = _plain((value,))
        if any(np.isnan(array).any() for array in arrays):
            return f" (its operand {index} already held a NaN)"
    return ""


def _inside(scope: Scope | None) -> str:
    name = ModulePaths().name(scope)
    return "" if name == NO_MODULE else f", in {name}"


def check_forward(name: str, inputs: Sequence[Any], out: Any, checks: AnomalyChecks) -> None:
    """Raise if an operation's result is the first anomaly."""
    problem = anomaly_in(out, inputs, checks)
    if problem is not None:
        shapes = ", ".join(str(np.shape(value)) for value in inputs)
        raise AnomalyError(
            f"{name} made {problem} in the forward pass{_came_in(inputs)}; operands of shape "
            f"{shapes}, at {describe_place(caller_place(3))}{_inside(current_modes().scope)}"
        )


def check_sweep(node: Node, kind: str, out: Any, inputs: Sequence[Any]) -> None:
    """Raise if a rule's result in a sweep is the first anomaly. `kind`: cotangent or tangent."""
    checks = current_modes().anomaly
    if checks is None:
        return
    problem = anomaly_in(out, inputs, checks)
    if problem is not None:
        sweep = "reverse" if kind == "cotangent" else "forward"
        raise AnomalyError(
            f"the rule of {node.op.name} made {problem} in a {kind} of the {sweep} sweep; "
            f"the node has shape {node.shape} and was recorded at {describe_place(node.place)}"
            f"{_inside(node.scope)}"
        )


def check_update(array: np.ndarray, what: str) -> None:
    """Raise if an optimizer's update made a parameter non-finite. `what` names the parameter."""
    checks = current_modes().anomaly
    if checks is None:
        return
    if checks.nan and np.isnan(array).any():
        problem = "a NaN"
    elif checks.infinity and np.isinf(array).any():
        problem = "an infinity"
    else:
        return
    raise AnomalyError(
        f"the update of {what} (shape {array.shape}) made {problem}, at "
        f"{describe_place(caller_place(2))}"
    )


def fingerprint(saved: Any) -> tuple[int, ...]:
    """Checksums of the saved arrays."""
    return tuple(zlib.crc32(np.ascontiguousarray(a).data) for a in saved_arrays(saved))


def check_fingerprint(node: Node) -> None:
    """Raise if a saved array was written to by NumPy since it was saved."""
    if node.fingerprint is not None and fingerprint(node.saved) != node.fingerprint:
        raise AnomalyError(
            f"an array that {node.op.name} saved for the sweep was written to behind the "
            f"engine's back (by NumPy on `.data`, or on the array a Tensor wraps).\n"
            f"  saved at {describe_place(node.place)}\n"
            "Change parameters under `ag.no_grad()` with `p -= x` or `p.copy_(x)`, "
            "after the sweep."
        )
