"""Libraries of extras, loaded when used; without them, an error with the install line."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from examples.cifar10.errors import ExampleError

INSTALL = "pip install 'dagrad[{extra}]'"


def load_extra(name: str, purpose: str, extra: str = "examples") -> Any:
    """Import a module of an extra."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise _missing(name, purpose, extra) from error


def check_extra(name: str, purpose: str, extra: str = "examples") -> None:
    """Raise now, not after the training, if a module of an extra is missing."""
    if importlib.util.find_spec(name) is None:
        raise _missing(name, purpose, extra)


def _missing(name: str, purpose: str, extra: str = "examples") -> ExampleError:
    install = INSTALL.format(extra=extra)
    return ExampleError(f"{purpose} needs {name}, which is not installed: {install}")
