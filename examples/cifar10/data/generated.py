"""An embedded data set for machines without a network: ten kinds of patterns, drawn by arithmetic.

Every image is a stripe texture, a grid or a shape in two random colours, at a random place and
scale, under a brightness ramp and noise. No class has a mean image of its own beyond a faint tint,
so a linear classifier on pixels learns little, while small filters see the patterns well. The
numbers come from a bit generator's raw output, whose stream NumPy guarantees, and from arithmetic
that IEEE 754 rounds exactly: every machine draws the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from examples.cifar10.data.dataset import Dataset
from examples.cifar10.data.images import CLASSES, LabelledImages

TRAIN_IMAGES = 12_000
TEST_IMAGES = 2_000
NAMES = (
    "level stripes",
    "upright stripes",
    "rising stripes",
    "falling stripes",
    "checkerboard",
    "dots",
    "rings",
    "disc",
    "cross",
    "frame",
)
_CHUNK = 500
_SIZE = 32
_NOISE = 70.0
_TINT = 26.0


def generate(train: int | None = None, test: int | None = None) -> Dataset:
    """The data set with `train` and `test` images; always the same for the same numbers."""
    train = TRAIN_IMAGES if train is None else train
    test = TEST_IMAGES if test is None else test
    return Dataset(_draw(train, seed=1), _draw(test, seed=2), NAMES, "generated")


class _Random:
    """Uniform numbers that are the same with every version of NumPy."""

    def __init__(self, seed: int) -> None:
        self._bits = np.random.PCG64(seed)

    def uniform(self, low: float, high: float, *shape: int) -> np.ndarray:
        raw = self._bits.random_raw(int(np.prod(shape))) >> np.uint64(11)
        values: np.ndarray = (low + (high - low) * (raw * 2.0**-53)).reshape(shape)
        return values

    def noise(self, *shape: int) -> np.ndarray:
        """Sums of two bytes, centred: triangular on (-1, 1), as float32."""
        count = 2 * int(np.prod(shape))
        raw = self._bits.random_raw(-(-count // 8)).astype("<u8").view(np.uint8)[:count]
        pairs = raw.reshape(2, -1).astype(np.float32)
        values: np.ndarray = ((pairs[0] + pairs[1] - 255.0) / 255.0).reshape(shape)
        return values


def _draw(count: int, seed: int) -> LabelledImages:
    random = _Random(seed)
    labels = np.arange(count, dtype=np.int64) % CLASSES
    labels = labels[np.argsort(random.uniform(0, 1, count), kind="stable")]
    images = np.empty((count, 3, _SIZE, _SIZE), dtype=np.uint8)
    for start in range(0, count, _CHUNK):
        chunk = slice(start, min(start + _CHUNK, count))
        images[chunk] = _paint(labels[chunk], random)
    return LabelledImages(images, labels)


def _paint(labels: np.ndarray, random: _Random) -> np.ndarray:
    count = len(labels)
    grid = np.arange(_SIZE, dtype=np.float64)
    masks = np.empty((count, _SIZE, _SIZE))
    for kind, pattern in enumerate(_PATTERNS):
        chosen = np.flatnonzero(labels == kind)
        if not chosen.size:
            continue
        # Coordinates in a frame that is turned a little, around a centre somewhere inside.
        turn = random.uniform(-0.2, 0.2, len(chosen), 1, 1)
        length = np.sqrt(1.0 + turn * turn)
        x = grid[None, None, :] - random.uniform(9, 22, len(chosen), 1, 1)
        y = grid[None, :, None] - random.uniform(9, 22, len(chosen), 1, 1)
        masks[chosen] = pattern((x + turn * y) / length, (y - turn * x) / length, random)
    front = random.uniform(0, 255, count, 3, 1, 1)
    step = random.uniform(60, 130, count, 3, 1, 1)
    sign = np.where(random.uniform(0, 1, count, 3, 1, 1) < 0.5, -1.0, 1.0)
    sign = np.where(np.abs(front + sign * step - 127.5) > 127.5, -sign, sign)
    back = front + sign * step
    ramp = random.uniform(-1.5, 1.5, count, 1, 1, 2)
    light = ramp[..., :1] * (grid[:, None] - 15.5) + ramp[..., 1:] * (grid[None, :] - 15.5)
    picture = back + (front - back) * masks[:, None] + light + _TINT * _tints()[labels]
    picture = picture.astype(np.float32) + _NOISE * random.noise(count, 3, _SIZE, _SIZE)
    pixels: np.ndarray = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
    return pixels


def _tints() -> np.ndarray:
    """A faint colour per class, shape (10, 3, 1, 1): the corners of a cube and two more."""
    corners = [[2.0 * (kind >> bit & 1) - 1.0 for bit in range(3)] for kind in range(8)]
    return np.array([*corners, [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]).reshape(CLASSES, 3, 1, 1)


def _edge(distance: np.ndarray) -> np.ndarray:
    """1 inside (negative distance), 0 outside, one pixel of transition."""
    return np.clip(0.5 - distance, 0.0, 1.0)


def _wave(position: np.ndarray, period: np.ndarray) -> np.ndarray:
    """Bars of half a period, with soft edges."""
    phase = position / period
    return _edge((np.abs(phase - np.rint(phase)) - 0.25) * period)


def _stripes(across: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> _Pattern:
    def pattern(x: np.ndarray, y: np.ndarray, random: _Random) -> np.ndarray:
        return _wave(across(x, y), random.uniform(4, 9, len(x), 1, 1))

    return pattern


def _checkerboard(x: np.ndarray, y: np.ndarray, random: _Random) -> np.ndarray:
    period = random.uniform(6, 12, len(x), 1, 1)
    across, down = _wave(x, period), _wave(y, period)
    board: np.ndarray = across + down - 2.0 * across * down
    return board


def _dots(x: np.ndarray, y: np.ndarray, random: _Random) -> np.ndarray:
    period = random.uniform(5, 10, len(x), 1, 1)
    dx = x - period * np.rint(x / period)
    dy = y - period * np.rint(y / period)
    return _edge(np.sqrt(dx * dx + dy * dy) - 0.3 * period)


def _rings(x: np.ndarray, y: np.ndarray, random: _Random) -> np.ndarray:
    return _wave(np.sqrt(x * x + y * y), random.uniform(5, 9, len(x), 1, 1))


def _disc(x: np.ndarray, y: np.ndarray, random: _Random) -> np.ndarray:
    return _edge(np.sqrt(x * x + y * y) - random.uniform(5, 10, len(x), 1, 1))


def _cross(x: np.ndarray, y: np.ndarray, random: _Random) -> np.ndarray:
    arm = random.uniform(7, 12, len(x), 1, 1)
    half = random.uniform(1.5, 3.0, len(x), 1, 1)
    level = np.maximum(np.abs(x) - arm, np.abs(y) - half)
    upright = np.maximum(np.abs(y) - arm, np.abs(x) - half)
    return _edge(np.minimum(level, upright))


def _frame(x: np.ndarray, y: np.ndarray, random: _Random) -> np.ndarray:
    half = random.uniform(6, 11, len(x), 1, 1)
    width = random.uniform(1.0, 2.0, len(x), 1, 1)
    return _edge(np.abs(np.maximum(np.abs(x), np.abs(y)) - half) - width)


_Pattern = Callable[[np.ndarray, np.ndarray, _Random], np.ndarray]
_DIAGONAL = float(np.sqrt(0.5))
_PATTERNS: tuple[_Pattern, ...] = (
    _stripes(lambda _x, y: y),
    _stripes(lambda x, _y: x),
    _stripes(lambda x, y: _DIAGONAL * (x + y)),
    _stripes(lambda x, y: _DIAGONAL * (x - y)),
    _checkerboard,
    _dots,
    _rings,
    _disc,
    _cross,
    _frame,
)
