"""Running an exported model with onnxruntime."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")


def run(proto, *arrays):
    """The outputs of a model, by onnxruntime."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    names = [item.name for item in session.get_inputs()]
    return session.run(None, dict(zip(names, arrays, strict=True)))


def assert_same(function, *arrays, proto=None, tolerance=1e-5):
    """onnxruntime computes what `function` does, on the example and on other entries."""
    if proto is None:
        proto = ag.to_onnx(function, tuple(ag.Tensor(array) for array in arrays))
    others = [array[..., ::-1].copy() if array.ndim else array for array in arrays]
    for given in (arrays, others):
        with ag.no_grad():
            expected = function(*map(ag.Tensor, given))
        expected = expected if isinstance(expected, tuple | list) else [expected]
        found = run(proto, *given)
        assert len(found) == len(expected)
        for ours, theirs in zip(expected, found, strict=True):
            assert theirs.dtype == ours.dtype
            assert theirs.shape == ours.shape
            np.testing.assert_allclose(theirs, ours.data, rtol=tolerance, atol=tolerance)
    return proto
