"""Image filters by convolution: one layer with hand-set weights turns a colour picture gray, and
finds the horizontal edges of its blue channel.

Without --image, a drawn picture is filtered.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import autograd as ag
from examples.homework.command_line import homework_parser, new_figure, save_figure

Array = np.ndarray[Any, np.dtype[np.float64]]

GRAY_WEIGHTS = (0.3, 0.6, 0.1)
HORIZONTAL_EDGES = ((1, 2, 1), (0, 0, 0), (-1, -2, -1))
MIDDLE_GRAY = 128.0


def filter_weights() -> tuple[Array, Array]:
    """Weights of shape (2, 3, 3, 3) and biases (2,): gray, and edges around a middle gray."""
    weights = np.zeros((2, 3, 3, 3))
    weights[0, :, 1, 1] = GRAY_WEIGHTS
    weights[1, 2] = HORIZONTAL_EDGES
    return weights, np.array([0.0, MIDDLE_GRAY])


def apply_filters(images: Array) -> Array:
    """Images (N, 3, H, W) in 0..255 to (N, 2, H, W): gray values, and blue edges about 128."""
    weights, biases = filter_weights()
    filtered: Array = ag.conv2d(images, weights, biases, padding=1)
    return filtered


def drawn_picture(size: int) -> Array:
    """A sunset over striped water, (3, size, size) in 0..255."""
    down, across = np.mgrid[0:size, 0:size] / (size - 1)
    sky = np.stack([255 - 60 * down, 120 + 90 * down, 90 + 140 * (1 - down)])
    stripes = 30 * np.sign(np.sin(60 * down**2))
    water = np.stack([20 + 0 * down, 70 + stripes, 150 + 2 * stripes])
    sun = (across - 0.6) ** 2 + (down - 0.45) ** 2 < 0.04
    picture = np.where(sun, np.array([255.0, 220.0, 60.0])[:, None, None], sky)
    return np.where(down > 0.55, water, picture)


def read_picture(path: Path) -> Array:
    """A picture file as (3, H, W) in 0..255. Raises SystemExit if it is not a colour picture."""
    from matplotlib import image

    try:
        pixels = np.asarray(image.imread(path))
    except (OSError, ValueError, SyntaxError) as error:
        raise SystemExit(f"{path} cannot be read as a picture: {error}") from error
    if pixels.ndim != 3 or pixels.shape[2] < 3:
        raise SystemExit(f"{path} is no colour picture: its array has shape {pixels.shape}.")
    scale = 1.0 if np.issubdtype(pixels.dtype, np.integer) else 255.0
    return np.moveaxis(pixels[:, :, :3] * scale, 2, 0)


def draw_filtered(picture: Array, filtered: Array, out: Path) -> Path:
    figure = new_figure(9.0, 3.4)
    left, middle, right = figure.subplots(1, 3)
    left.imshow(np.moveaxis(picture, 0, 2).round().astype(np.uint8))
    middle.imshow(filtered[0], cmap="gray", vmin=0, vmax=255)
    right.imshow(filtered[1], cmap="gray")
    titles = ("the picture", "gray", "horizontal edges of blue")
    for axis, title in zip((left, middle, right), titles, strict=True):
        axis.set_title(title)
        axis.set_axis_off()
    return save_figure(figure, out, "filters")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = homework_parser("filters", __doc__, draws=True)
    parser.add_argument("--image", type=Path, metavar="FILE", help="a colour picture of your own")
    options = parser.parse_args(arguments)
    if options.image is not None:
        picture = read_picture(options.image)
    else:
        picture = drawn_picture(32 if options.smoke else 200)
    filtered = apply_filters(picture[None])[0]
    print(f"picture {picture.shape} -> filtered {filtered.shape}")
    for name, values in zip(("gray", "edges"), filtered, strict=True):
        print(f"  {name:<6} from {values.min():.1f} to {values.max():.1f}")
    draw_filtered(picture, filtered, options.out)


if __name__ == "__main__":
    main()
