"""Batches: whole epochs, each a function of the seed, the epoch and the step."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from examples.cifar10.data.batches import Batches
from examples.cifar10.data.images import LabelledImages


def marked(count):
    """Images that are their own number all over."""
    images = np.arange(count, dtype=np.uint8)[:, None, None, None]
    return LabelledImages(np.broadcast_to(images, (count, 3, 32, 32)).copy(), np.arange(count) % 10)


@given(st.integers(1, 60), st.integers(1, 70), st.integers(0, 2**20), st.integers(1, 100))
def test_every_image_comes_at_most_once_an_epoch_and_with_its_label(count, size, seed, epoch):
    data = marked(count)
    batches = Batches(data, size, seed, flips="random", shift_reach=4)
    seen = []
    steps = 0
    for images, labels in batches.epoch(epoch):
        steps += 1
        assert images.shape == (min(size, count), 3, 32, 32)
        assert images.dtype == np.uint8
        assert np.all(images == images[:, :1, :1, :1])  # moved and mirrored, they are the same
        np.testing.assert_array_equal(images[:, 0, 0, 0] % 10, labels)
        seen += images[:, 0, 0, 0].tolist()
    assert steps == len(batches)
    assert len(set(seen)) == len(seen) == count - count % min(size, count)


def test_the_order_differs_between_epochs_and_seeds():
    orders = {
        tuple(labels.tolist())
        for seed in (0, 1)
        for epoch in (1, 2, 3)
        for _, labels in Batches(marked(50), 50, seed).epoch(epoch)
    }
    assert len(orders) == 6


@given(st.integers(0, 2**20), st.permutations([1, 2, 3]))
def test_an_epoch_does_not_depend_on_what_came_before(seed, epochs):
    data = marked(12)
    batches = Batches(data, 4, seed, flips="alternating", cutout_size=6)
    for epoch in epochs:
        fresh = Batches(data, 4, seed, flips="alternating", cutout_size=6)
        pairs = zip(batches.epoch(epoch), fresh.epoch(epoch), strict=True)
        for (images, labels), (others, other_labels) in pairs:
            np.testing.assert_array_equal(images, others)
            np.testing.assert_array_equal(labels, other_labels)


def test_batches_can_be_written_to_without_changing_the_data():
    data = marked(9)
    kept = data.images.copy()
    for images, labels in Batches(data, 3, seed=0).epoch(1):
        images[...] = 255
        labels[...] = 0
    np.testing.assert_array_equal(data.images, kept)
    np.testing.assert_array_equal(data.labels, np.arange(9))
