"""Every public operation by name.

The registry fills this namespace as the operations are defined, and Tensor's methods and the
engine look them up here. So the engine needs no import of the operations, which import it.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

operations: Any = SimpleNamespace()
