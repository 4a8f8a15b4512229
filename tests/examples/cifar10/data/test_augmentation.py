"""Hidden squares: of one size, anywhere, filled with the mean pixel."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from examples.cifar10.data.augmentation import cutout
from examples.cifar10.data.batches import Batches
from examples.cifar10.data.images import LabelledImages


@given(st.integers(0, 2**20), st.integers(1, 12), st.tuples(st.integers(1, 9), st.integers(1, 9)))
def test_cutout_hides_one_square_around_a_pixel_of_each_image(seed, size, sides):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 200, (6, 3, *sides), dtype=np.uint8)
    fill = np.array([201, 202, 203])
    hidden = cutout(images, size, fill, rng)
    assert hidden.dtype == np.uint8
    for before, after in zip(images, hidden, strict=True):
        changed = after == fill[:, None, None]
        assert np.all(changed[0] == changed[1])
        np.testing.assert_array_equal(after[~changed], before[~changed])
        places = [
            (y, x)
            for y, x in np.ndindex(*sides)
            if np.array_equal(changed[0], square_around(y, x, size, sides))
        ]
        assert places


def square_around(y, x, size, sides):
    mask = np.zeros(sides, bool)
    top, left = y - size // 2, x - size // 2
    mask[max(top, 0) : top + size, max(left, 0) : left + size] = True
    return mask


def test_cutout_fills_with_the_mean_pixel_of_the_data():
    images = np.broadcast_to(np.array([10, 20, 33], np.uint8)[:, None, None], (40, 3, 32, 32))
    images = images + np.array([0, 1], np.uint8).repeat(20)[:, None, None, None]
    data = LabelledImages(images.astype(np.uint8), np.zeros(40, int))
    ((batch, _),) = Batches(data, 40, seed=0, cutout_size=16).epoch(1)
    for channel, (low, high) in enumerate([(10, 11), (20, 21), (33, 34)]):
        mean = np.rint((low + high) / 2)
        shares = (batch[:, channel] == mean).mean(axis=(1, 2))
        assert shares.min() > 0.05
