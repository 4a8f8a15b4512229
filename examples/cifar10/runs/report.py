"""The end of a run: its confusion matrix as a table and a picture, and its worst mistakes."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence

import numpy as np

from examples.cifar10.data.dataset import Dataset
from examples.cifar10.errors import TrainingError
from examples.cifar10.runs.figures import draw_confusion, draw_mistakes
from examples.cifar10.runs.folder import RunFolder
from examples.cifar10.training.evaluation import Measurement
from examples.cifar10.training.mistakes import worst_mistakes

_RIGHT = "  right"
_MISTAKES_SHOWN = 24


def report_mistakes(
    measurement: Measurement,
    dataset: Dataset,
    title: str,
    pictures: RunFolder | None,
    say: Callable[[str], object],
) -> None:
    """Say the confusion matrix of the test images; draw it and the worst mistakes into the folder
    `pictures`, if any, replacing what an earlier run or evaluation drew there.
    """
    names = dataset.class_names
    for line in confusion_table(measurement.confusion, names):
        say(line)
    if pictures is None:
        return
    try:
        pictures.path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(f"{pictures.path}: cannot be made: {error.strerror}") from error
    right = f"{measurement.accuracy:.2%} of {measurement.count} test images are right"
    draw_confusion(measurement.confusion, names, f"{title}: {right}", pictures.confusion)
    worst = worst_mistakes(measurement, dataset.test.labels, _MISTAKES_SHOWN)
    if worst:
        heading = f"{title}: the worst mistakes on {measurement.count} test images"
        draw_mistakes(dataset.test.images, worst, names, heading, pictures.mistakes)
    else:
        pictures.mistakes.unlink(missing_ok=True)


def confusion_table(
    confusion: np.ndarray, names: Sequence[str], width: int | None = None
) -> list[str]:
    r"""Lines of a table: a row for each true class, a column for each class that images were taken
    for, and the share of the row that is right.

    Where `width` columns (by default the terminal's; 80 in a pipe) are too few, a line for each
    class with that share and the class it is mistaken for most.

    >>> print(*confusion_table(np.array([[8, 2], [0, 9]]), ["cat", "dog"]), sep="\n")
    Test images of each class (rows), and what they were taken for (columns):
         cat  dog  right
    cat    8    2   0.80
    dog    .    9   1.00
    """
    right = np.diagonal(confusion) / np.maximum(confusion.sum(axis=1), 1)
    if width is None:
        width = shutil.get_terminal_size().columns
    heads = _shortened(names)
    first = max(len(name) for name in names)
    cell = 2 + max(len(str(confusion.max())), *(len(head) for head in heads))
    if first + cell * len(names) + len(_RIGHT) > width:
        return _most_mistaken(confusion, names, right)
    lines = [
        "Test images of each class (rows), and what they were taken for (columns):",
        " " * first + "".join(f"{head:>{cell}}" for head in heads) + _RIGHT,
    ]
    for name, counts, share in zip(names, confusion, right, strict=True):
        cells = "".join(f"{count or '.':>{cell}}" for count in counts.tolist())
        lines.append(f"{name:>{first}}{cells}   {share:.2f}")
    return lines


def _most_mistaken(confusion: np.ndarray, names: Sequence[str], right: np.ndarray) -> list[str]:
    width = max(len(name) for name in names)
    others = confusion.copy()
    np.fill_diagonal(others, 0)
    lines = ["Test images of each class: the share that is right, and what most others pass for:"]
    for name, share, row in zip(names, right, others, strict=True):
        most = int(row.argmax())
        told = f"  {row[most]} as {names[most]}" if row[most] else ""
        lines.append(f"{name:>{width}}  {share:.2f}{told}")
    return lines


def _shortened(names: Sequence[str], length: int = 4) -> list[str]:
    """The names' beginnings, or their numbers where two begin alike."""
    short = [name[:length] for name in names]
    return short if len(set(short)) == len(names) else [str(i) for i in range(len(names))]
