"""Where the time goes: `ag.profile`, per operation and module, in every pass."""

from __future__ import annotations

from autograd.profiling.block import profile
from autograd.profiling.collecting import measured_update
from autograd.profiling.rows import ProfileRow

__all__ = ["ProfileRow", "measured_update", "profile"]
