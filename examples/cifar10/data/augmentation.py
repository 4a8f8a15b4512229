"""Random flips and shifts of a batch of images."""

from __future__ import annotations

import numpy as np


def flip(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Each image of (N, C, H, W) mirrored left to right with probability 1/2.

    >>> flip(np.arange(3.0).reshape(1, 1, 1, 3), np.random.default_rng(2))
    array([[[[2., 1., 0.]]]])
    """
    return mirror(images, rng.random(len(images)) < 0.5)


def mirror(images: np.ndarray, mirrored: np.ndarray) -> np.ndarray:
    """The images of (N, C, H, W) that `mirrored`, (N,), says, mirrored left to right.

    >>> mirror(np.arange(4).reshape(2, 1, 1, 2), np.array([True, False])).ravel()
    array([1, 0, 2, 3])
    """
    return np.where(mirrored[:, None, None, None], images[..., ::-1], images)


def shift(images: np.ndarray, reach: int, rng: np.random.Generator) -> np.ndarray:
    """Each image of (N, C, H, W) moved by up to `reach` pixels along both axes.

    All (2 reach + 1)^2 displacements are equally likely; what comes in from outside is the image
    reflected at its border.

    >>> images = np.arange(3.0).reshape(1, 1, 1, 3) * np.ones((1, 1, 3, 1))
    >>> shift(images, 1, np.random.default_rng(4))[0, 0, 0]
    array([1., 2., 1.])
    """
    count, _, height, width = images.shape
    border = ((0, 0), (0, 0), (reach, reach), (reach, reach))
    padded = np.pad(images, border, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (height, width), axis=(2, 3))
    down, right = rng.integers(0, 2 * reach + 1, (2, count))
    return windows[np.arange(count), :, down, right]


def cutout(images: np.ndarray, size: int, fill: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Each image of (N, C, H, W) with a square of `size` by `size` pixels replaced by `fill` (C,).

    The squares' centres are uniform over the image, so that a square may lie partly outside.
    Source: DeVries & Taylor, Improved regularization of convolutional neural networks with
    cutout, 2017.

    >>> images = np.ones((1, 1, 3, 3))
    >>> cutout(images, 2, np.zeros(1), np.random.default_rng(0))[0, 0]
    array([[1., 1., 1.],
           [0., 0., 1.],
           [0., 0., 1.]])
    """
    count, _, height, width = images.shape
    top = rng.integers(0, height, (count, 1)) - size // 2
    left = rng.integers(0, width, (count, 1)) - size // 2
    rows, columns = np.arange(height), np.arange(width)
    tall = (rows >= top) & (rows < top + size)
    wide = (columns >= left) & (columns < left + size)
    hidden = tall[:, None, :, None] & wide[:, None, None, :]
    return np.where(hidden, fill.astype(images.dtype)[:, None, None], images)
