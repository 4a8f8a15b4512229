"""The short ways of sweeps on plain arrays through elementwise operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.families.rules import Rule, is_mask, scaled
from autograd.kernels.arithmetic import product_of
from autograd.kernels.backend import LARGE
from autograd.kernels.constants import as_operand

if TYPE_CHECKING:
    from autograd.families.elementwise import Elementwise

__all__ = ["NUMBERS", "quick_rule"]

_ARRAY = np.ndarray
NUMBERS = frozenset({float, int})


def quick_rule(op: Elementwise, partial: Any) -> Rule | None:
    """The function of (cotangent, *saved) that gives the cotangent of one operand, on arrays."""
    count = len(op.partials)
    if op.pullback is not None and count == 1:
        return op.pullback
    if count > 2 or (not callable(partial) and partial == 0):
        return None
    if callable(partial):

        def times(cotangent: Any, factor: Any) -> Any:
            if type(factor) in NUMBERS:
                if type(cotangent) is _ARRAY and cotangent.size < LARGE:
                    return cotangent * as_operand(factor, cotangent.dtype)
            elif is_mask(factor):
                return scaled(cotangent, factor)
            if type(cotangent) is _ARRAY and cotangent.size >= LARGE:
                return product_of(cotangent, factor)
            return cotangent * factor

        if count == 1:
            return lambda cotangent, out, x: times(cotangent, partial(out, x))
        return lambda cotangent, out, x, y: times(cotangent, partial(out, x, y))
    if partial == 1:
        return lambda cotangent, *saved: cotangent
    return lambda cotangent, *saved: op.times(cotangent, partial, (), {})
