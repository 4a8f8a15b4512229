"""Convolutions that pad with something else than zeros: padding first, then none."""

from __future__ import annotations

import numpy as np
import pytest

import nn

NUMPY_NAMES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


@pytest.mark.parametrize("mode", NUMPY_NAMES)
@pytest.mark.parametrize(("padding", "widths"), [((2, 1), (2, 2, 1, 1)), ("same", (1, 1, 0, 1))])
def test_conv2d(mode, padding, widths):
    rng = np.random.default_rng(0)
    padded = nn.Conv2d(2, 3, (3, 2), padding=padding, padding_mode=mode, rng=rng).double()
    plain = nn.Conv2d(2, 3, (3, 2)).double()
    plain.load_state_dict(padded.state_dict())
    x = rng.normal(size=(2, 2, 5, 4))
    wide = np.pad(x, ((0, 0), (0, 0), widths[:2], widths[2:]), mode=NUMPY_NAMES[mode])
    np.testing.assert_allclose(padded(x).data, plain(wide).data, rtol=1e-12)


@pytest.mark.parametrize("mode", NUMPY_NAMES)
def test_conv1d(mode):
    rng = np.random.default_rng(1)
    padded = nn.Conv1d(1, 2, 3, padding=2, dilation=2, padding_mode=mode, rng=rng).double()
    plain = nn.Conv1d(1, 2, 3, dilation=2).double()
    plain.load_state_dict(padded.state_dict())
    x = rng.normal(size=(2, 1, 6))
    wide = np.pad(x, ((0, 0), (0, 0), (2, 2)), mode=NUMPY_NAMES[mode])
    np.testing.assert_allclose(padded(x).data, plain(wide).data, rtol=1e-12)


def test_valid_padding_is_none():
    layer = nn.Conv2d(1, 1, 3, padding="valid", padding_mode="reflect")
    assert layer(np.ones((1, 1, 5, 4), np.float32)).shape == (1, 1, 3, 2)


def test_repr_names_what_is_not_the_default():
    assert repr(nn.Conv2d(3, 8, 5)) == "Conv2d(3, 8, kernel_size=(5, 5), stride=(1, 1))"
    assert repr(nn.Conv1d(4, 8, 3, 2, 1, 2, 2, False, "circular")) == (
        "Conv1d(4, 8, kernel_size=(3,), stride=(2,), padding=(1,), dilation=(2,), groups=2, "
        "bias=False, padding_mode=circular)"
    )
    assert repr(nn.ConvTranspose2d(1, 1, 2, 2, output_padding=1)).endswith("output_padding=(1, 1))")


@pytest.mark.parametrize(
    ("use", "match"),
    [
        (lambda: nn.Conv2d(1, 1, 3, padding_mode="mirror"), "padding_mode"),
        (lambda: nn.Conv2d(1, 1, 3, 2, "same"), "stride 1"),
        (lambda: nn.ConvTranspose2d(1, 1, 3, padding_mode="reflect"), "padding_mode"),
        (
            lambda: nn.Conv1d(1, 1, 3, padding=4, padding_mode="reflect")(np.ones((1, 1, 3))),
            "reflect",
        ),
    ],
)
def test_bad_input(use, match):
    with pytest.raises(ValueError, match=match):
        use()
