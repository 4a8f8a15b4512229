"""Pictures of a run: its curves, the first layer's weights, its confusions and worst mistakes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

import nn
from examples.cifar10.data.images import IMAGE_BYTES, IMAGE_SHAPE
from examples.cifar10.errors import TrainingError
from examples.cifar10.extras import check_extra, load_extra
from examples.cifar10.training.mistakes import Mistake
from nn.atomic_files import write_atomically

_MOST_IMAGES = 100
_MISTAKE_COLUMNS = 6
# Blue and vermilion of the palette of Okabe & Ito (2008), which the colour-blind tell apart.
_RIGHT_COLOUR, _WRONG_COLOUR = "#0072B2", "#D55E00"


def check_figures() -> None:
    """Raise now if the pictures could not be drawn in the end."""
    check_extra("matplotlib", "drawing pictures (--no-figures does without)")


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
    _save(figure, path)


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
    _save(figure, path)


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


def draw_confusion(confusion: np.ndarray, names: Sequence[str], title: str, path: Path) -> None:
    """Counts of images by true class (rows) and by the class they were taken for (columns); the
    colour is the share of the true class.
    """
    size = max(len(names), 8)
    figure = new_figure(2.0 + 0.58 * size, 1.7 + 0.5 * size)
    axes = figure.subplots()
    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    # The root, so that shares of a few percent are seen beside the diagonal.
    norm = load_extra("matplotlib.colors", "drawing").PowerNorm(0.5, vmin=0.0, vmax=1.0)
    image = axes.imshow(shares, cmap="Blues", norm=norm, aspect="auto")
    for (row, column), count in np.ndenumerate(confusion):
        if count:
            colour = "white" if shares[row, column] > 0.3 else "black"
            axes.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=9)
    places = range(len(names))
    axes.set_xticks(places, names, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(places, names)
    axes.set_xlabel("taken for")
    axes.set_ylabel("true class")
    bar = figure.colorbar(image, ax=axes, label="share of the true class", fraction=0.05)
    bar.set_ticks([0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0])
    bar.ax.yaxis.set_major_formatter("{x:.0%}")
    axes.set_title(title, fontsize=11)
    _save(figure, path)


def draw_mistakes(
    images: np.ndarray, mistakes: Sequence[Mistake], names: Sequence[str], title: str, path: Path
) -> None:
    """The images (N, 3, H, W) of at least one mistake, each with the class it was taken for and
    its own, and their probabilities.
    """
    columns = min(_MISTAKE_COLUMNS, len(mistakes))
    rows = math.ceil(len(mistakes) / columns)
    figure = new_figure(1.75 * max(columns, 4), 0.5 + 2.1 * rows)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid:
        axes.set_axis_off()
    for axes, mistake in zip(grid, mistakes, strict=False):
        axes.imshow(images[mistake.image].transpose(1, 2, 0), interpolation="nearest")
        taken = f"taken for {names[mistake.predicted]}, {percent(mistake.probability)}"
        axes.set_title(taken, fontsize=7.5, color=_WRONG_COLOUR, pad=13)
        axes.annotate(
            f"is {names[mistake.label]}, {percent(mistake.label_probability)}",
            (0.5, 1.0),
            xytext=(0, 3),
            xycoords="axes fraction",
            textcoords="offset points",
            fontsize=7.5,
            color=_RIGHT_COLOUR,
            ha="center",
            va="bottom",
        )
    figure.suptitle(title, fontsize=11)
    _save(figure, path)


def percent(probability: float) -> str:
    """A probability in percent, never rounded to 0 or 100.

    >>> [percent(p) for p in (0.123, 0.9996, 0.0004, 1.0)]
    ['12%', '>99.9%', '<0.1%', '>99.9%']
    """
    if probability < 0.001:
        return "<0.1%"
    if probability > 0.999:
        return ">99.9%"
    return f"{probability:.0%}" if 0.01 <= probability <= 0.99 else f"{probability:.1%}"


def _save(figure: Any, path: Path) -> None:
    def write(file: BinaryIO) -> None:
        figure.savefig(file, format="png")

    try:
        write_atomically(path, write)
    except OSError as error:
        raise TrainingError(f"{path}: cannot be written: {error.strerror}") from error


def new_figure(width: float, height: float) -> Any:
    """A figure of its own on the Agg canvas: no window system and no global state."""
    figure = load_extra("matplotlib.figure", "drawing").Figure(
        figsize=(width, height), dpi=120, layout="constrained"
    )
    load_extra("matplotlib.backends.backend_agg", "drawing").FigureCanvasAgg(figure)
    return figure
