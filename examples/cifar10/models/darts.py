"""Networks of searched cells (H. Liu, K. Simonyan & Y. Yang, "DARTS: Differentiable architecture
search", 2019), with the attribute names of the published ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import autograd as ag
import nn
from examples.cifar10.data.images import CLASSES
from examples.cifar10.models.auxiliary import ScoresWithAuxiliary
from examples.cifar10.models.darts_operations import (
    FactorizedReduce,
    Operation,
    Projection,
    make_operation,
)

Edges = tuple[tuple[Operation, int], ...]


@dataclass(frozen=True)
class Genotype:
    """What a search found: the edges of both kinds of cells, two for each node.

    An edge is an operation and the state it reads: 0 and 1 are the outputs of the last cell but
    one and of the last one, 2 and above the cell's own nodes.
    """

    normal: Edges
    reduce: Edges


DARTS_V1 = Genotype(
    normal=(
        ("sep_conv_3x3", 1),
        ("sep_conv_3x3", 0),
        ("skip_connect", 0),
        ("sep_conv_3x3", 1),
        ("skip_connect", 0),
        ("sep_conv_3x3", 1),
        ("sep_conv_3x3", 0),
        ("skip_connect", 2),
    ),
    reduce=(
        ("max_pool_3x3", 0),
        ("max_pool_3x3", 1),
        ("skip_connect", 2),
        ("max_pool_3x3", 0),
        ("max_pool_3x3", 0),
        ("skip_connect", 2),
        ("skip_connect", 2),
        ("avg_pool_3x3", 0),
    ),
)
DARTS_V2 = Genotype(
    normal=(
        ("sep_conv_3x3", 0),
        ("sep_conv_3x3", 1),
        ("sep_conv_3x3", 0),
        ("sep_conv_3x3", 1),
        ("sep_conv_3x3", 1),
        ("skip_connect", 0),
        ("skip_connect", 0),
        ("dil_conv_3x3", 2),
    ),
    reduce=(
        ("max_pool_3x3", 0),
        ("max_pool_3x3", 1),
        ("skip_connect", 2),
        ("max_pool_3x3", 1),
        ("max_pool_3x3", 0),
        ("skip_connect", 2),
        ("skip_connect", 2),
        ("max_pool_3x3", 1),
    ),
)


class Cell(nn.Module):
    """Four nodes, each the sum of two operations on earlier states; their channels joined.

    `before` and `last` are the channels of the two inputs. A cell that `reduces` halves the
    sides; one that follows such a cell halves those of its older input.
    """

    def __init__(
        self,
        genotype: Genotype,
        before: int,
        last: int,
        channels: int,
        rng: np.random.Generator,
        *,
        reduces: bool,
        follows_reduction: bool,
    ) -> None:
        first = FactorizedReduce if follows_reduction else Projection
        self.preprocess0: nn.Module = first(before, channels, rng)
        self.preprocess1 = Projection(last, channels, rng)
        edges = genotype.reduce if reduces else genotype.normal
        self.sources = tuple(source for _, source in edges)
        self._ops = nn.ModuleList(
            make_operation(name, channels, 2 if reduces and source < 2 else 1, rng)
            for name, source in edges
        )
        self.out_channels = channels * len(edges) // 2
        self.drop_path = nn.DropPath()

    def forward(self, before: Any, last: Any) -> Any:
        """Outputs of the last cell but one and of the last one, (N, C, H, W) each."""
        states = [self.preprocess0(before), self.preprocess1(last)]
        results = []
        for operation, source in zip(self._ops, self.sources, strict=True):
            result = operation(states[source])
            # As published, a connection that changes nothing is never dropped.
            results.append(result if isinstance(operation, nn.Identity) else self.drop_path(result))
            if len(results) % 2 == 0:
                states.append(results[-2] + results[-1])
        return ag.concatenate(states[2:], axis=1)


class AuxiliaryHead(nn.Module):
    """A small classifier of images (N, C, 8, 8), which helps to train the layers below it."""

    def __init__(self, channels: int, classes: int, rng: np.random.Generator) -> None:
        self.features = nn.Sequential(
            nn.ReLU(),
            nn.AvgPool2d(5, 3, count_include_pad=False),
            nn.Conv2d(channels, 128, 1, bias=False, rng=rng),
            nn.BatchNorm2d(128),
            nn.ReLU(),
            nn.Conv2d(128, 768, 2, bias=False, rng=rng),
            nn.BatchNorm2d(768),
            nn.ReLU(),
        )
        self.classifier = nn.Linear(768, classes, rng=rng)

    def forward(self, images: Any) -> Any:
        """Scores (N, classes)."""
        return self.classifier(nn.functional.flatten(self.features(images), 1))


class DartsNetwork(nn.Module):
    """A convolution, `cells` cells of which those at 1/3 and 2/3 reduce, a mean, a linear layer.

    The first cells have `channels` channels to a node; each reduction doubles them. With the
    auxiliary head, training gives ScoresWithAuxiliary, evaluation the scores alone.

    >>> network = DartsNetwork(4, 3, np.random.default_rng(0)).eval()
    >>> network(np.zeros((1, 3, 32, 32), np.float32)).shape
    (1, 10)
    """

    def __init__(
        self,
        channels: int,
        cells: int,
        rng: np.random.Generator,
        *,
        auxiliary: bool = False,
        genotype: Genotype = DARTS_V2,
        classes: int = CLASSES,
    ) -> None:
        reductions = (cells // 3, 2 * cells // 3)
        before = last = 3 * channels
        self.stem = nn.Sequential(
            nn.Conv2d(3, last, 3, padding=1, bias=False, rng=rng), nn.BatchNorm2d(last)
        )
        self.cells = nn.ModuleList()
        for number in range(cells):
            reduces = number in reductions
            channels *= 2 if reduces else 1
            cell = Cell(
                genotype,
                before,
                last,
                channels,
                rng,
                reduces=reduces,
                follows_reduction=number - 1 in reductions,
            )
            self.cells.append(cell)
            before, last = last, cell.out_channels
            if number == reductions[1]:
                auxiliary_channels = last
        self.auxiliary_after = reductions[1]
        self.auxiliary_head = AuxiliaryHead(auxiliary_channels, classes, rng) if auxiliary else None
        self.global_pooling = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(last, classes, rng=rng)

    def forward(self, images: Any) -> Any:
        """Images (N, 3, 32, 32), floats."""
        auxiliary = None
        before = last = self.stem(images)
        for number, cell in enumerate(self.cells):
            before, last = last, cell(before, last)
            if number == self.auxiliary_after and self.auxiliary_head is not None and self.training:
                auxiliary = self.auxiliary_head(last)
        scores = self.classifier(nn.functional.flatten(self.global_pooling(last), 1))
        return scores if auxiliary is None else ScoresWithAuxiliary(scores, auxiliary)
