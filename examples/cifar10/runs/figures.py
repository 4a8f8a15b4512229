"""Pictures of a run: its curves, and the first layer's weights as images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import nn
from examples.cifar10.data.images import IMAGE_BYTES, IMAGE_SHAPE
from examples.cifar10.extras import check_extra, load_extra

_MOST_IMAGES = 100


def check_figures() -> None:
    """Raise now if the pictures could not be drawn in the end."""
    check_extra("matplotlib", "drawing curves.png and weights.png")


def draw_curves(epochs: Sequence[dict[str, Any]], title: str, path: Path) -> None:
    """Loss and accuracies against epochs, from the lines of metrics.jsonl."""
    figure = new_figure(9.0, 3.8)
    numbers = [entry["epoch"] for entry in epochs]
    panels = (
        ("loss", [("train_loss", "training"), ("validation_loss", "validation")]),
        (
            "accuracy",
            [("train_accuracy", "training"), ("validation_accuracy", "validation")],
        ),
    )
    for axes, (label, curves) in zip(figure.subplots(1, 2), panels, strict=True):
        for key, name in curves:
            if key not in epochs[0]:
                continue
            axes.plot(numbers, [entry[key] for entry in epochs], marker="o", ms=3, label=name)
        axes.set_xlabel("epoch")
        axes.set_ylabel(label)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.legend()
    figure.suptitle(title)
    figure.savefig(path)


def draw_weights(model: nn.Module, names: Sequence[str], path: Path) -> None:
    """The first layer's weights, each scaled to its own range, as a grid of colour images."""
    pictures = weight_images(model)[:_MOST_IMAGES]
    columns = 5 if len(pictures) <= 10 else math.ceil(math.sqrt(len(pictures)))
    rows = math.ceil(len(pictures) / columns)
    figure = new_figure(1.2 * columns, 1.3 * rows)
    titles = list(names) if len(names) == len(pictures) else [""] * len(pictures)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid:
        axes.set_axis_off()
    for axes, picture, title in zip(grid, pictures, titles, strict=False):
        axes.imshow(picture, interpolation="nearest")
        if title:
            axes.set_title(title, fontsize=8)
    figure.savefig(path)


def weight_images(model: nn.Module) -> np.ndarray:
    """The first weight as images (count, height, width, 3) from 0 to 1.

    Rows of a matrix on 3072 pixels are 32x32 images; filters on three channels are their own size.
    """
    weight = next(parameter for parameter in model.parameters() if parameter.ndim > 1).data
    if weight.ndim == 2 and weight.shape[1] == IMAGE_BYTES:
        weight = weight.reshape(-1, *IMAGE_SHAPE)
    assert weight.ndim == 4
    assert weight.shape[1] == 3
    low = weight.min(axis=(1, 2, 3), keepdims=True)
    high = weight.max(axis=(1, 2, 3), keepdims=True)
    scaled = (weight - low) / np.where(high > low, high - low, 1.0)
    return np.asarray(scaled.transpose(0, 2, 3, 1))


def new_figure(width: float, height: float) -> Any:
    """A figure of its own on the Agg canvas: no window system and no global state."""
    figure = load_extra("matplotlib.figure", "drawing").Figure(
        figsize=(width, height), dpi=120, layout="constrained"
    )
    load_extra("matplotlib.backends.backend_agg", "drawing").FigureCanvasAgg(figure)
    return figure
