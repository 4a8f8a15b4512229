"""Checking derivatives: numerical oracles, checkers and Hypothesis strategies."""

from autograd.samples import call, many, real
from autograd.testing import strategies
from autograd.testing.checks import (
    DerivativeError,
    NotDifferentiableWarning,
    Report,
    assert_close,
    check_grads,
    check_jvp,
    check_vjp,
    numerical_jacobian,
)
from autograd.testing.operation_checks import check_op

__all__ = [
    "DerivativeError",
    "NotDifferentiableWarning",
    "Report",
    "assert_close",
    "call",
    "check_grads",
    "check_jvp",
    "check_op",
    "check_vjp",
    "many",
    "numerical_jacobian",
    "real",
    "strategies",
]
