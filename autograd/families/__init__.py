"""Families of operations: how both maps follow from one description of the derivative."""

from __future__ import annotations

from autograd.families.composed import Composite, Linearised
from autograd.families.elementwise import Elementwise
from autograd.families.gated import Gated
from autograd.families.multilinear import Affine, Linear, Multilinear, Selection
from autograd.families.rules import CallableOp

__all__ = [
    "Affine",
    "CallableOp",
    "Composite",
    "Elementwise",
    "Gated",
    "Linear",
    "Linearised",
    "Multilinear",
    "Selection",
]
