"""Every public operation by name.

The registry fills this namespace as the operations are defined, and Tensor's methods and the
engine look them up here. So the engine needs no import of the operations, which import it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autograd.tensor import Tensor


class Operations:
    """A namespace of functions; given a Tensor each gives a Tensor, given arrays an array."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Callable[..., Tensor]: ...

        def __setattr__(self, name: str, value: Any) -> None: ...


operations = Operations()
