"""Where random numbers come from: a generator passed as `rng`, else the one of `manual_seed`."""

from __future__ import annotations

import os
from typing import Final

import numpy as np

_DEFAULT: Final = np.random.Generator(np.random.PCG64())

if hasattr(os, "register_at_fork"):
    # A thread that draws holds the lock, and is not in the forked process to let go of it.
    _lock: Final = _DEFAULT.bit_generator.lock
    os.register_at_fork(
        before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release
    )


def default_rng() -> np.random.Generator:
    """The generator that everything random in `nn` uses when it is given no `rng`.

    It is one object for the whole process; `manual_seed` resets it in place. Until then it is
    seeded by the operating system. Its state is `default_rng().bit_generator.state`. A forked
    process goes on from the state at the fork.

    >>> import nn
    >>> nn.default_rng() is nn.default_rng()
    True
    """
    return _DEFAULT


def manual_seed(seed: int) -> np.random.Generator:
    """Reset the default generator, so that what follows is reproducible; gives the generator.

    Raises TypeError unless `seed` is an integer, ValueError if it is negative.

    >>> import nn
    >>> first = nn.manual_seed(3).normal()
    >>> first == nn.manual_seed(3).normal()
    True
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
        raise TypeError(f"manual_seed takes an integer, got {type(seed).__name__} ({seed!r})")
    if seed < 0:
        raise ValueError(f"manual_seed takes an integer of at least 0, got {seed}")
    _DEFAULT.bit_generator.state = np.random.PCG64(int(seed)).state
    return _DEFAULT


def choose_rng(rng: np.random.Generator | None) -> np.random.Generator:
    """`rng` itself, or the default generator for None; TypeError for anything else.

    >>> import numpy as np
    >>> choose_rng(None) is default_rng()
    True
    """
    if rng is None:
        return _DEFAULT
    if not isinstance(rng, np.random.Generator):
        raise TypeError(
            f"rng must be a numpy.random.Generator or None, got {type(rng).__name__}; "
            "pass rng=np.random.default_rng(seed)"
        )
    return rng
