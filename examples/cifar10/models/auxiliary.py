"""What a network with an auxiliary head gives while it is trained."""

from __future__ import annotations

from typing import NamedTuple

from autograd import Tensor


class ScoresWithAuxiliary(NamedTuple):
    """The scores that count, and those of the auxiliary head: (N, classes) each."""

    scores: Tensor
    auxiliary: Tensor


def main_scores(output: Tensor | ScoresWithAuxiliary) -> Tensor:
    """The scores that count of what a model gave."""
    return output.scores if isinstance(output, ScoresWithAuxiliary) else output
