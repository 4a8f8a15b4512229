"""How many examples Hypothesis draws: `--hypothesis-profile` or HYPOTHESIS_PROFILE chooses."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

from autograd.kernels.environment import forget_environment

# A first call may compile a kernel, and two cores are shared by several workers.
COMMON = settings(
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)

# The same examples in every CI run, so that a change is judged by what it changed.
settings.register_profile(
    "quick", COMMON, max_examples=25, derandomize=os.environ.get("CI", "") not in ("", "false")
)
# The operations' own thousands are the table's (`python -m autograd.testing --examples 2000`).
settings.register_profile("thorough", COMMON, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


def pytest_runtest_setup() -> None:
    """Each test may set the library's variables of the environment."""
    forget_environment()


def pytest_runtest_teardown() -> None:
    """What it set is not to stay."""
    forget_environment()
