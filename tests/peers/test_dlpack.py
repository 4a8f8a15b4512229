"""Memory shared with PyTorch and JAX, without a copy where it is aligned as they need."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag

pytestmark = pytest.mark.peers


def aligned(count, boundary=64, shift=0):
    """float32 memory that begins `shift` bytes after a multiple of `boundary`."""
    memory = np.zeros(4 * count + 2 * boundary, np.uint8)
    begin = -memory.ctypes.data % boundary + shift
    return memory[begin : begin + 4 * count].view(np.float32)


@pytest.mark.parametrize("shift", [0, 4])
def test_pytorch(shift):
    torch = pytest.importorskip("torch")
    array = aligned(6, shift=shift).reshape(2, 3).T
    there = torch.from_dlpack(ag.Tensor(array))
    assert there.data_ptr() == array.ctypes.data
    assert there.stride() == (1, 3)
    there[0, 1] = 7.0
    assert array[0, 1] == 7.0
    back = ag.from_dlpack(there)
    assert back.data.ctypes.data == array.ctypes.data
    back += 1.0
    assert there[0, 1] == 8.0
    with pytest.raises(TypeError, match="gradient"):
        ag.from_dlpack(torch.ones(2, requires_grad=True))
    with pytest.raises(TypeError, match="dtype"):
        ag.from_dlpack(torch.ones(2, dtype=torch.bfloat16))
    with pytest.raises(ag.TrackedTensorError, match="detach"):
        torch.from_dlpack(ag.Tensor([1.0], requires_grad=True))
    with pytest.raises(BufferError, match="copy"):  # PyTorch would end the process
        torch.from_dlpack(ag.Tensor(array[::-1]))


@pytest.mark.parametrize("shift", [0, 4])
def test_jax(shift):
    jnp = pytest.importorskip("jax.numpy")
    array = aligned(4, shift=shift)
    array[:] = [1, 2, 3, 4]
    there = jnp.from_dlpack(ag.Tensor(array))
    assert there.tolist() == [1, 2, 3, 4]
    assert (there.unsafe_buffer_pointer() == array.ctypes.data) == (shift == 0)
    back = ag.from_dlpack(there)
    assert back.data.ctypes.data == there.unsafe_buffer_pointer()
    assert back.data.tolist() == [1, 2, 3, 4]
    with pytest.raises(ValueError, match="read-only"):
        back += 1.0
