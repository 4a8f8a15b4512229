"""Both backends for every kernel test, and arrays in the memory layouts that callers may have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from autograd.kernels import workers
from autograd.kernels.backend import use_kernels

Array = np.ndarray[Any, Any]


@pytest.fixture(params=["numpy", "numba"], scope="module", autouse=True)
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "numba" and find_spec("numba") is None:
        pytest.skip("Numba is not installed")
    with use_kernels(request.param):
        yield request.param


def lay_out(array: Array, layout: str) -> Array:
    """The same values, in another memory layout; read-only, so that a write is an error."""
    if layout == "fortran":
        result = np.asfortranarray(array)
    elif layout == "channels_last" and array.ndim > 2:
        result = np.moveaxis(np.ascontiguousarray(np.moveaxis(array, 1, -1)), -1, 1)
    elif layout == "strided":
        wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
        result = wide[..., ::2]
        result[...] = array
    elif layout == "reversed":
        result = np.ascontiguousarray(array[..., ::-1])[..., ::-1]
    else:
        result = np.array(array, order="C")
    result = result.view()
    result.flags.writeable = False
    return result


LAYOUTS = ("C", "fortran", "channels_last", "strided", "reversed")


@pytest.fixture(scope="session")
def in_layout() -> Callable[[Array, str], Array]:
    return lay_out


@pytest.fixture(scope="session")
def layouts() -> tuple[str, ...]:
    return LAYOUTS


@pytest.fixture(params=[1, 2, 3, 5], scope="module")
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    """The library's own threads, so many."""
    workers.use_own_threads()
    before = workers.get_num_threads()
    workers.set_num_threads(request.param)
    yield request.param
    workers.set_num_threads(before)
