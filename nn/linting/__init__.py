"""A linter for training: mistakes that raise nothing and only make the model learn badly."""

from __future__ import annotations

from nn.linting.findings import RULES, Finding, LintError, LintWarning
from nn.linting.linter import Linter, lint

__all__ = ["RULES", "Finding", "LintError", "LintWarning", "Linter", "lint"]
