from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from autograd.kernels import backend, smooth_activations
from autograd.kernels.backend import LARGE, compiled_for, use_kernels
from autograd.kernels.environment import forget_environment

SINGLE = np.dtype(np.float32)


def test_the_choice_is_by_dtype_and_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "_available", True)
    monkeypatch.delenv("DAGRAD_KERNELS", raising=False)
    with use_kernels("auto"):
        assert compiled_for(SINGLE, LARGE) and compiled_for(np.dtype(np.float64), LARGE)
        assert not compiled_for(SINGLE, LARGE - 1)
        assert not compiled_for(np.dtype(np.complex128), LARGE)
        forget_environment()
        monkeypatch.setenv("DAGRAD_KERNELS", "numpy")
        assert not compiled_for(SINGLE, LARGE)
        monkeypatch.setenv("DAGRAD_KERNELS", "numba")
        assert not compiled_for(SINGLE, LARGE)  # what was read stays
        forget_environment()
        assert compiled_for(SINGLE, LARGE)
        monkeypatch.setenv("DAGRAD_KERNELS", "fortran")
        forget_environment()
        with pytest.raises(ValueError, match="auto, numpy, numba"):
            compiled_for(SINGLE, LARGE)
    with use_kernels("numba"):
        assert compiled_for(SINGLE, 1)
    with use_kernels("numpy"):
        assert not compiled_for(SINGLE, LARGE)
    with pytest.raises(ValueError, match="fortran"), use_kernels("fortran"):
        pass


def test_without_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "_available", False)
    monkeypatch.delenv("DAGRAD_KERNELS", raising=False)
    with use_kernels("auto"):
        assert not compiled_for(SINGLE, LARGE)
    with use_kernels("numba"), pytest.raises(ImportError, match=r"dagrad\[fast\]"):
        compiled_for(SINGLE, LARGE)


@pytest.mark.skipif(find_spec("numba") is None, reason="Numba is not installed")
def test_one_kernel_serves_what_may_be_written_and_what_may_not() -> None:
    """Each further kind of array would be compiled for anew, and the first call take a second."""
    from autograd.kernels import (
        compiled_direct,
        compiled_entrywise,
        convolution,
        entrywise,
        softmaxes,
    )
    from autograd.kernels import compiled_smooth_activations as compiled
    from autograd.kernels.compiled_softmaxes import softmax_rows

    kernels = (
        compiled_direct.direct_images,
        compiled_direct.direct_weight_sums,
        compiled_entrywise.exp,
        compiled.silu_back,
        softmax_rows,
    )

    def kinds() -> list[int]:
        return [len(kernel.overloads) for kernel in kernels]  # type: ignore[attr-defined]

    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(4, 3, 12, 12)), rng.normal(size=(8, 3, 3, 3))
    g, row = rng.normal(size=(4, 8, 10, 10)), rng.normal(size=(128, 128))  # one part
    x, w, g, row = (array.astype(np.float32) for array in (x, w, g, row))
    counts, unpadded = [], ((0, 0), (0, 0))
    with use_kernels("numba"):
        for writeable in (True, False):
            for array in (x, w, g, row):
                array.flags.writeable = writeable
            convolution.convolve(x, w, (1, 1), unpadded, (1, 1))
            convolution.convolve_weight_gradient(x, g, (3, 3), (1, 1), unpadded, (1, 1))
            entrywise.on_threads(np.exp)(row)
            smooth_activations.silu_pullback(row, None, row)
            softmaxes.softmax(row)
            counts.append(kinds())
    assert min(counts[0]) > 0
    assert counts[0] == counts[1]


def test_numba_is_imported_at_the_first_large_array_only() -> None:
    program = f"""
import sys
import numpy as np
from autograd.kernels import convolution, losses, newton_schulz, normalization, pooling, special
x = np.ones((1, 1, 4, 4), np.float32)
pooling.max_pool(x, 2)
assert 'numba' not in sys.modules
pooling.max_pool(np.ones((1, 1, {2 * LARGE}, 2), np.float32), 2)
print('numba' in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(find_spec("numba") is not None)


@pytest.mark.skipif(find_spec("numba") is None, reason="Numba is not installed")
def test_with_the_compiler_turned_off_numpy_computes() -> None:
    program = (
        "import numpy as np, autograd as ag\n"
        "x = np.linspace(-1, 1, 1 << 16, dtype=np.float32)\n"
        "print(float(ag.relu(x).max()), ag.show_config(mode='dicts')['kernels']['used'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1", "DAGRAD_KERNELS": "auto"},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stdout == "1.0 numpy (NUMBA_DISABLE_JIT turns Numba's compiler off)\n"


def test_other_byte_orders_are_numpys() -> None:
    with use_kernels("numba"):
        assert not compiled_for(SINGLE.newbyteorder(), LARGE)


def test_small_arrays_are_numpys_again_after_the_block() -> None:
    with use_kernels("auto"):
        before = compiled_for(SINGLE, LARGE)
        with use_kernels("numba"), use_kernels("numpy"):
            assert not compiled_for(SINGLE, LARGE)
        assert not compiled_for(SINGLE, LARGE - 1) and compiled_for(SINGLE, LARGE) == before
