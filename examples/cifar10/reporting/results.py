"""The measurements of the test images as an entry of metrics.jsonl."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from examples.cifar10.training.evaluation import Measurement


def result_entry(results: Sequence[Measurement]) -> dict[str, Any]:
    """Loss and accuracy, and the averaged ones if the last measurement is of several views."""
    plain, averaged = results[0], results[-1]
    entry: dict[str, Any] = {"test_loss": plain.loss, "test_accuracy": plain.accuracy}
    if averaged.views > 1:
        entry |= {
            "views": averaged.views,
            "averaged_test_loss": averaged.loss,
            "averaged_test_accuracy": averaged.accuracy,
        }
    return entry
