"""Messages for axes and shapes that are none."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda x: ag.sum(x, x), r"sum takes axis as an int, got Tensor of shape \(300, 400\)"),
        (lambda x: ag.reshape(x, x.data), r"ints, got ndarray of shape \(300, 400\) and dtype"),
        (lambda x: ag.sum(x, 1.5), r"got 1\.5 \(float\)"),
        (lambda x: ag.reshape(x, (2.0, 6)), r"got \(2\.0, 6\) \(tuple\)"),
    ],
)
def test_what_was_given_is_shown_in_a_line(call, said):
    with pytest.raises(TypeError, match=said) as told:
        call(ag.Tensor(np.ones((300, 400))))
    assert len(str(told.value)) < 120
