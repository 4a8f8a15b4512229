"""Random flips, shifts and hidden squares of a batch of images.

Each takes `out`, an array for the result, as NumPy's functions do; but for `shift`, it may be the
images themselves.
"""

from __future__ import annotations

import numpy as np


def flip(images: np.ndarray, rng: np.random.Generator, out: np.ndarray | None = None) -> np.ndarray:
    """Each image of (N, C, H, W) mirrored left to right with probability 1/2.

    >>> flip(np.arange(3.0).reshape(1, 1, 1, 3), np.random.default_rng(2))
    array([[[[2., 1., 0.]]]])
    """
    return mirror(images, rng.random(len(images)) < 0.5, out)


def mirror(images: np.ndarray, mirrored: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """The images of (N, C, H, W) that `mirrored`, (N,), says, mirrored left to right.

    >>> mirror(np.arange(4).reshape(2, 1, 1, 2), np.array([True, False])).ravel()
    array([1, 0, 2, 3])
    """
    chosen = images[mirrored]
    out = _copied(images, out)
    out[mirrored] = chosen[..., ::-1]
    return out


def shift(
    images: np.ndarray, reach: int, rng: np.random.Generator, out: np.ndarray | None = None
) -> np.ndarray:
    """Each image of (N, C, H, W) moved by up to `reach` pixels along both axes.

    All (2 reach + 1)^2 displacements are equally likely; what comes in from outside is the image
    reflected at its border. Raises ValueError unless 0 <= reach < min(H, W).

    >>> images = np.arange(3.0).reshape(1, 1, 1, 3) * np.ones((1, 1, 3, 1))
    >>> shift(images, 1, np.random.default_rng(4))[0, 0, 0]
    array([1., 2., 1.])
    """
    count, _, height, width = images.shape
    padded = pad_reflecting(images, reach)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (height, width), axis=(2, 3))
    down, right = rng.integers(0, 2 * reach + 1, (2, count))
    moved = windows[np.arange(count), :, down, right]
    if out is None:
        return moved
    out[...] = moved
    return out


def pad_reflecting(images: np.ndarray, reach: int) -> np.ndarray:
    """Images (N, C, H, W) as (N, C, H + 2 reach, W + 2 reach), reflected at their borders, whose
    pixels are not repeated: np.pad's mode `reflect`, in fewer passes.

    >>> pad_reflecting(np.arange(9).reshape(1, 1, 3, 3), 1)[0, 0, 0]
    array([4, 3, 4, 5, 4])
    """
    count, channels, height, width = images.shape
    if not 0 <= reach < min(height, width):
        raise ValueError(
            f"images of {height}x{width} can be moved by 0 to {min(height, width) - 1} pixels, "
            f"got {reach}"
        )
    shape = (count, channels, height + 2 * reach, width + 2 * reach)
    padded = np.empty(shape, images.dtype)
    padded[:, :, reach : reach + height, reach : reach + width] = images
    bottom, right = reach + height - 1, reach + width - 1
    for step in range(1, reach + 1):
        padded[:, :, :, reach - step] = padded[:, :, :, reach + step]
        padded[:, :, :, right + step] = padded[:, :, :, right - step]
    for step in range(1, reach + 1):
        padded[:, :, reach - step] = padded[:, :, reach + step]
        padded[:, :, bottom + step] = padded[:, :, bottom - step]
    return padded


def cutout(
    images: np.ndarray,
    size: int,
    fill: np.ndarray,
    rng: np.random.Generator,
    out: np.ndarray | None = None,
) -> np.ndarray:
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
    out = _copied(images, out)
    np.copyto(out, fill.astype(out.dtype)[:, None, None], where=hidden)
    return out


def _copied(images: np.ndarray, out: np.ndarray | None) -> np.ndarray:
    if out is None:
        return images.copy()
    if out is not images:
        out[...] = images
    return out
