"""Measurements against counts and probabilities computed by hand, and the mistakes among them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
import nn
from examples.cifar10.data.images import LabelledImages
from examples.cifar10.training.evaluation import measure
from examples.cifar10.training.mistakes import worst_mistakes


class Scores(nn.Module):
    """A model whose scores are known: the first pixels of an image are its number."""

    def __init__(self, scores):
        self.scores = scores

    def forward(self, images):
        assert not self.training
        pixels = images.reshape(len(images), -1).astype(int)
        return ag.Tensor(self.scores[pixels[:, 0] + 256 * pixels[:, 1]])


def measured(seed, count, spread=3.0):
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, spread, (count, 10)).astype(np.float32)
    images = np.zeros((count, 3, 32, 32), np.uint8)
    images[:, 0, 0, 0], images[:, 0, 0, 1] = np.arange(count) % 256, np.arange(count) // 256
    labels = rng.integers(0, 10, count)
    # Every other image is easy.
    scores[np.arange(0, count, 2), labels[::2]] += 10
    return scores, labels, measure(Scores(scores), LabelledImages(images, labels))


def probability(row, label):
    """exp(score of the label) / sum of exp(scores), in Python's floats."""
    return math.exp(row[label]) / math.fsum(math.exp(score) for score in row)


@pytest.mark.parametrize("count", [1, 37, 1203])
def test_counts_and_probabilities_are_those_of_the_scores(count):
    scores, labels, result = measured(count, count)
    confusion = np.zeros((10, 10), int)
    for i, (row, label) in enumerate(zip(scores.tolist(), labels.tolist(), strict=True)):
        taken = row.index(max(row))
        confusion[label, taken] += 1
        assert result.predicted[i] == taken
        assert result.probabilities[i] == pytest.approx(probability(row, taken), rel=1e-5)
        assert result.losses[i] == pytest.approx(-math.log(probability(row, label)), abs=1e-5)
    np.testing.assert_array_equal(result.confusion, confusion)
    assert result.accuracy == np.mean(result.predicted == labels)
    assert result.loss == pytest.approx(result.losses.mean(dtype=float), rel=1e-9)
    assert result.count == count


@given(st.integers(0, 2**20), st.integers(1, 60), st.integers(1, 30))
def test_the_worst_mistakes_give_their_class_the_least_probability(seed, count, most):
    scores, labels, result = measured(seed, count)
    found = worst_mistakes(result, labels, most)
    wrong = {
        i: probability(row, label)
        for i, (row, label) in enumerate(zip(scores.tolist(), labels.tolist(), strict=True))
        if row[label] < max(row)
    }
    assert len(found) == min(most, len(wrong))
    chosen = [mistake.image for mistake in found]
    assert len(set(chosen)) == len(chosen)
    left = [wrong[i] for i in wrong if i not in chosen]
    expected = [wrong[i] for i in chosen]
    assert expected == sorted(expected)
    assert not left or not expected or max(expected) <= min(left)
    for mistake in found:
        row = scores[mistake.image].tolist()
        assert mistake.label == labels[mistake.image]
        assert mistake.predicted == row.index(max(row)) != mistake.label
        assert mistake.probability == pytest.approx(probability(row, mistake.predicted), rel=1e-5)
        assert mistake.label_probability == pytest.approx(wrong[mistake.image], rel=1e-4)
