"""The end of a run: what the table and the pictures of its mistakes hold, legibly."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.cifar10.cli import main
from examples.cifar10.commands import evaluate, train
from examples.cifar10.data.dataset import Dataset
from examples.cifar10.data.images import CLASS_NAMES, LabelledImages
from examples.cifar10.runs import figures
from examples.cifar10.runs.folder import RunFolder
from examples.cifar10.runs.report import confusion_table, report_mistakes
from examples.cifar10.training.evaluation import Measurement
from examples.cifar10.training.mistakes import Mistake

matplotlib = pytest.importorskip("matplotlib")


def random_confusion(seed, count=10, most=1000):
    rng = np.random.default_rng(seed)
    return np.stack(
        [rng.multinomial(most, rng.dirichlet(np.full(count, 0.4))) for _ in range(count)]
    )


@given(st.integers(0, 2**20), st.integers(0, 1000))
def test_the_table_holds_every_count_within_80_columns(seed, most):
    confusion = random_confusion(seed, most=most)
    _, heads, *rows = confusion_table(confusion, CLASS_NAMES, 80)
    assert max(len(line) for line in (heads, *rows)) <= 80
    assert [name.startswith(head) for name, head in zip(CLASS_NAMES, heads.split(), strict=False)]
    assert len(heads.split()) == 11
    for name, line, counts in zip(CLASS_NAMES, rows, confusion, strict=True):
        first, *cells, right = line.split()
        assert first == name
        assert [int(cell.replace(".", "0")) for cell in cells] == counts.tolist()
        share = counts[CLASS_NAMES.index(name)] / most if most else 0.0
        assert float(right) == pytest.approx(share, abs=0.0051)
        # Each number ends under its heading.
        for place, head in enumerate(heads.split()):
            end = heads.index(f" {head}") + len(head) + 1
            cell = [*cells, right][place]
            assert line[:end].endswith(cell)


def test_a_narrow_terminal_gets_a_line_for_each_class(monkeypatch):
    confusion = np.diag(np.full(10, 5)).astype(int)
    confusion[3, 5] = 7
    monkeypatch.setenv("COLUMNS", "50")
    title, *lines = confusion_table(confusion, CLASS_NAMES)
    assert title.startswith("Test images")
    assert [line.split() for line in lines] == [
        [name, "0.42", "7", "as", "dog"] if name == "cat" else [name, "1.00"]
        for name in CLASS_NAMES
    ]
    assert max(len(line) for line in lines) <= 50


def test_names_that_begin_alike_are_numbered():
    heads = confusion_table(np.eye(2, dtype=int), ["class 0", "class 1"], 80)[1]
    assert heads.split() == ["0", "1", "right"]


@pytest.fixture
def drawn(monkeypatch):
    """The figures instead of their files."""
    made = []
    monkeypatch.setattr(figures, "_save", lambda figure, _path: made.append(figure))
    return made


def texts_of(figure):
    """The visible texts and where they are, in pixels."""
    figure.canvas.draw()
    texts = [] if figure._suptitle is None else [figure._suptitle]
    for axes in figure.axes:
        texts += [axes.title, *axes.texts]
        if axes.axison:
            texts += [axes.xaxis.label, axes.yaxis.label]
            texts += [*axes.get_xticklabels(), *axes.get_yticklabels()]
    return [
        (text.get_text(), text.get_window_extent())
        for text in texts
        if text.get_visible() and text.get_text().strip()
    ]


def assert_legible(figure):
    width, height = figure.canvas.get_width_height()
    texts = texts_of(figure)
    for text, box in texts:
        assert box.x0 >= -0.5 and box.y0 >= -0.5, text
        assert box.x1 <= width + 0.5 and box.y1 <= height + 0.5, text
        assert box.height > 8, text
    for (one, box), (other, other_box) in combinations(texts, 2):
        assert not overlap(box, other_box), (one, other)


def overlap(one, other):
    across = min(one.x1, other.x1) - max(one.x0, other.x0)
    down = min(one.y1, other.y1) - max(one.y0, other.y0)
    return across > 1 and down > 1


def unslanted(figure):
    """Slanted labels' boxes overlap where the labels do not."""
    for axes in figure.axes:
        axes.tick_params(axis="x", labelrotation=90)


def test_the_confusion_picture_holds_every_count(drawn, tmp_path):
    confusion = random_confusion(4)
    confusion[2] = 0
    title = "convnet, tuned recipe, seed 12345: 62.08% of 10000 test images are right"
    figures.draw_confusion(confusion, CLASS_NAMES, title, tmp_path / "x.png")
    (figure,) = drawn
    axes = figure.axes[0]
    shown = {}
    for text in axes.texts:
        x, y = text.get_position()
        shown[int(y), int(x)] = int(text.get_text())
    assert shown == {place: count for place, count in np.ndenumerate(confusion) if count}
    shares = np.array([row / max(row.sum(), 1) for row in confusion])
    np.testing.assert_allclose(axes.images[0].get_array(), shares)
    for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
        assert tuple(label.get_text() for label in labels) == CLASS_NAMES
    unslanted(figure)
    assert_legible(figure)


def test_counts_are_legible_on_their_colours(drawn, tmp_path):
    confusion = np.arange(100).reshape(10, 10) ** 2
    figures.draw_confusion(confusion, CLASS_NAMES, "title", tmp_path / "x.png")
    axes = drawn[0].axes[0]
    image = axes.images[0]
    for text in axes.texts:
        x, y = map(int, text.get_position())
        behind = luminance(image.to_rgba(image.get_array())[y, x, :3])
        front = luminance(matplotlib.colors.to_rgb(text.get_color()))
        contrast = (max(behind, front) + 0.05) / (min(behind, front) + 0.05)
        assert contrast > 4.5  # WCAG 2.1, level AA


def luminance(colour):
    """Relative luminance of sRGB by WCAG 2.1."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


@pytest.mark.parametrize("count", [1, 2, 5, 7, 24])
def test_the_picture_of_mistakes_shows_each_with_both_classes(drawn, tmp_path, count):
    rng = np.random.default_rng(count)
    images = rng.integers(0, 256, (40, 3, 32, 32), dtype=np.uint8)
    # The longest name, wherever it can be.
    mistakes = [
        Mistake(int(i), 1, (0, 2)[k % 2], 0.25 + 0.03 * k, 0.02 / (k + 1))
        if k % 3
        else Mistake(int(i), 3, 1, 0.9999, 0.0001)
        for k, i in enumerate(rng.permutation(40)[:count])
    ]
    title = "convnet, tuned recipe, seed 12345: the worst mistakes on 10000 test images"
    figures.draw_mistakes(images, mistakes, CLASS_NAMES, title, tmp_path / "x.png")
    (figure,) = drawn
    shown = [axes for axes in figure.axes if axes.images]
    assert len(shown) == count
    for axes, mistake in zip(shown, mistakes, strict=True):
        pixels = axes.images[0].get_array()
        np.testing.assert_array_equal(pixels, np.moveaxis(images[mistake.image], 0, -1))
        taken, own = axes.get_title(), axes.texts[0].get_text()
        assert re.fullmatch(rf"taken for {CLASS_NAMES[mistake.predicted]}, >?[\d.]+%", taken)
        assert re.fullmatch(rf"is {CLASS_NAMES[mistake.label]}, <?[\d.]+%", own)
    # An image is drawn several times its size.
    assert shown[0].get_window_extent().width > 100
    assert_legible(figure)


@given(st.floats(0, 1))
def test_percents_are_close_and_never_claim_certainty(probability):
    text = figures.percent(probability)
    number = float(text.strip("<>%"))
    assert number not in (0, 100)
    assert abs(number - 100 * probability) <= (0.501 if number >= 1 else 0.101)


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    path = RunFolder(tmp_path / "file").confusion
    with pytest.raises(figures.TrainingError, match=r"confusion\.png: cannot be written"):
        figures.draw_confusion(np.eye(2, dtype=int), ["a", "b"], "", path)


@pytest.fixture
def few_images(monkeypatch):
    """A data set of random images, which no model gets right."""
    rng = np.random.default_rng(0)
    train_part, test_part = (
        LabelledImages(
            rng.integers(0, 256, (count, 3, 32, 32), dtype=np.uint8), rng.integers(0, 10, count)
        )
        for count in (60, 200)
    )
    dataset = Dataset(train_part, test_part, CLASS_NAMES, "random")
    for command in (train, evaluate):
        monkeypatch.setattr(command, "load", lambda *_, **__: dataset)
    return dataset


def test_train_and_evaluate_show_the_same_mistakes(tmp_path, capsys, monkeypatch, few_images):
    monkeypatch.setattr("examples.cifar10.runs.report._MISTAKES_SHOWN", 3)  # in less time
    folder, other = tmp_path / "run", tmp_path / "new" / "other"
    quick = ["--epochs", "1", "--out", str(folder)]
    assert main(["train", "softmax", *quick]) == 0
    said = capsys.readouterr().out.splitlines()
    table = next(i for i, line in enumerate(said) if line.startswith("Test images"))
    cells = " ".join(line[:-5] for line in said[table + 2 : table + 12]).split()
    assert sum(int(cell) for cell in cells if cell.isdecimal()) == len(few_images.test)
    pictures = [(folder / name).read_bytes() for name in ("confusion.png", "mistakes.png")]
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)
    assert main(["evaluate", str(folder), "--no-figures", "--out", str(other)]) == 0
    assert not other.exists()
    capsys.readouterr()
    assert main(["evaluate", str(folder), "--out", str(other)]) == 0
    again = capsys.readouterr().out.splitlines()
    assert again[-13:-1] == said[table : table + 12]
    assert again[-1] == said[-1]
    names = ("confusion.png", "mistakes.png")
    assert [(other / name).read_bytes() for name in names] == pictures


def test_a_run_without_mistakes_leaves_no_old_picture_of_them(tmp_path, monkeypatch, few_images):
    dataset = few_images
    labels = dataset.test.labels
    right = Measurement(
        0.0, 1.0, np.diag(np.bincount(labels)), 0.0 * labels, labels, np.ones(len(labels))
    )
    monkeypatch.setattr("examples.cifar10.runs.report.draw_confusion", lambda *_: None)
    pictures = RunFolder(tmp_path)
    pictures.mistakes.write_bytes(b"old")

    report_mistakes(right, dataset, "a run", pictures, lambda _line: None)
    assert not pictures.mistakes.exists()
    wrong = replace(right, predicted=np.where(np.arange(len(labels)) == 3, 9 - labels, labels))
    report_mistakes(wrong, dataset, "a run", pictures, lambda _line: None)
    assert pictures.mistakes.read_bytes().startswith(b"\x89PNG")
