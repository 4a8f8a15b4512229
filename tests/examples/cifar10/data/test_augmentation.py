"""Flips, shifts and hidden squares: what each image becomes, how often, and where it is written."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.cifar10.data.augmentation import cutout, flip, mirror, pad_reflecting, shift
from examples.cifar10.data.batches import Batches
from examples.cifar10.data.images import LabelledImages

SEEDS = st.integers(0, 2**20)
SIDES = st.tuples(st.integers(1, 9), st.integers(1, 9))


def numbered(count, sides):
    """Images whose pixels all differ, so that where each pixel came from can be read off it."""
    return np.arange(count * 3 * sides[0] * sides[1]).reshape(count, 3, *sides)


@given(SEEDS, st.integers(1, 12), SIDES)
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


@given(SEEDS, SIDES, st.lists(st.booleans(), min_size=1, max_size=6))
def test_mirroring_reverses_the_columns_of_the_chosen_images(seed, sides, chosen):
    images = numbered(len(chosen), sides)
    result = mirror(images, np.array(chosen))
    width = sides[1]
    for i, (is_mirrored, after) in enumerate(zip(chosen, result, strict=True)):
        for channel, y, x in np.ndindex(after.shape):
            source = width - 1 - x if is_mirrored else x
            assert after[channel, y, x] == images[i, channel, y, source]


def test_half_of_the_images_are_flipped():
    images = numbered(4000, (1, 2))
    flipped = flip(images, np.random.default_rng(0))[:, 0, 0, 0] != images[:, 0, 0, 0]
    assert abs(flipped.mean() - 0.5) < 6 * 0.5 / np.sqrt(4000)
    # The draws of neighbours do not depend on each other.
    assert abs((flipped[1:] ^ flipped[:-1]).mean() - 0.5) < 6 * 0.5 / np.sqrt(4000)


def reflected(index, length):
    """The index of the pixel seen at `index` past the border, where the border acts as a mirror."""
    index = abs(index)
    return index if index < length else 2 * (length - 1) - index


@given(SEEDS, st.tuples(st.integers(2, 7), st.integers(2, 7)), st.data())
def test_a_shift_is_a_displacement_with_a_mirror_at_the_border(seed, sides, data):
    reach = data.draw(st.integers(0, min(sides) - 1))
    images = numbered(5, sides)
    moved = shift(images, reach, np.random.default_rng(seed))
    down_and_right = [
        (down, right) for down in range(-reach, reach + 1) for right in range(-reach, reach + 1)
    ]
    for before, after in zip(images, moved, strict=True):
        assert any(
            all(
                after[0, y, x]
                == before[0, reflected(y + down, sides[0]), reflected(x + r, sides[1])]
                for y, x in np.ndindex(*sides)
            )
            for down, r in down_and_right
        )
        # All channels move alike: here they differ by a constant.
        offsets = after - after[:1] - (before - before[:1])
        assert not offsets.any()


def test_all_displacements_are_equally_likely():
    count, reach = 8000, 1
    images = numbered(count, (5, 5))
    moved = shift(images, reach, np.random.default_rng(0))
    # The middle pixel came from within the image.
    places = (moved - images)[:, 0, 2, 2]
    seen = Counter(places.tolist())
    assert sorted(seen) == [5 * down + right for down in (-1, 0, 1) for right in (-1, 0, 1)]
    expected = count / 9
    assert max(abs(found - expected) for found in seen.values()) < 6 * np.sqrt(expected)


@given(SEEDS, SIDES, st.sampled_from([np.uint8, np.float32, np.int64]), st.data())
def test_the_padding_is_numpys(seed, sides, dtype, data):
    reach = data.draw(st.integers(0, min(sides) - 1))
    images = np.random.default_rng(seed).integers(0, 256, (2, 3, *sides)).astype(dtype)
    border = ((0, 0), (0, 0), (reach, reach), (reach, reach))
    padded = pad_reflecting(images, reach)
    assert padded.dtype == dtype
    np.testing.assert_array_equal(padded, np.pad(images, border, mode="reflect"))


@pytest.mark.parametrize("reach", [-1, 3, 10])
def test_a_reach_beyond_the_image_is_an_error(reach):
    with pytest.raises(ValueError, match=f"3x5 can be moved by 0 to 2 pixels, got {reach}"):
        shift(np.zeros((1, 3, 3, 5)), reach, np.random.default_rng(0))


@pytest.mark.parametrize(
    "augment",
    [
        flip,
        lambda images, rng, out=None: shift(images, 2, rng, out),
        lambda images, rng, out=None: cutout(images, 4, np.zeros(3), rng, out),
    ],
)
def test_results_go_where_they_are_asked_for_and_nowhere_else(augment):
    rng = np.random.default_rng(0)
    images = rng.integers(1, 256, (20, 3, 8, 8), dtype=np.uint8)
    kept = images.copy()
    expected = augment(images, np.random.default_rng(1))
    np.testing.assert_array_equal(images, kept)
    assert not np.shares_memory(expected, images)
    assert not np.array_equal(expected, images)
    out = np.zeros_like(images)
    assert augment(images, np.random.default_rng(1), out) is out
    np.testing.assert_array_equal(out, expected)
    np.testing.assert_array_equal(images, kept)
    assert augment(images, np.random.default_rng(1), images) is images
    np.testing.assert_array_equal(images, expected)
