"""The network of DARTS in PyTorch, written from the paper's description as an oracle of ours.

Names of parameters are those of the published weights.
"""

from __future__ import annotations

import torch
from torch import nn


def norm(channels):
    return nn.BatchNorm2d(channels)


def conv(inputs, outputs, kernel, **options):
    return nn.Conv2d(inputs, outputs, kernel, bias=False, **options)


def separable(channels, kernel, stride, dilation):
    reach = dilation * (kernel - 1) // 2
    return [
        nn.ReLU(),
        conv(
            channels,
            channels,
            kernel,
            stride=stride,
            padding=reach,
            dilation=dilation,
            groups=channels,
        ),
        conv(channels, channels, 1),
        norm(channels),
    ]


class Op(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.op = nn.Sequential(*layers)

    def forward(self, x):
        return self.op(x)


class Halve(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv_1 = conv(inputs, outputs // 2, 1, stride=2)
        self.conv_2 = conv(inputs, outputs // 2, 1, stride=2)
        self.bn = norm(outputs)

    def forward(self, x):
        x = torch.relu(x)
        return self.bn(torch.cat([self.conv_1(x), self.conv_2(x[:, :, 1:, 1:])], dim=1))


def operation(name, channels, stride):
    if name == "skip_connect":
        return nn.Identity() if stride == 1 else Halve(channels, channels)
    if name == "max_pool_3x3":
        return nn.MaxPool2d(3, stride, padding=1)
    if name == "avg_pool_3x3":
        return nn.AvgPool2d(3, stride, padding=1, count_include_pad=False)
    kind, size = name[:3], int(name[-1])
    if kind == "dil":
        return Op(*separable(channels, size, stride, 2))
    return Op(*separable(channels, size, stride, 1), *separable(channels, size, 1, 1))


class TwinCell(nn.Module):
    def __init__(self, edges, before, last, channels, reduces, after_reduction):
        super().__init__()
        if after_reduction:
            self.preprocess0 = Halve(before, channels)
        else:
            self.preprocess0 = Op(nn.ReLU(), conv(before, channels, 1), norm(channels))
        self.preprocess1 = Op(nn.ReLU(), conv(last, channels, 1), norm(channels))
        self._ops = nn.ModuleList()
        self.reads = [read for _, read in edges]
        for name, read in edges:
            self._ops.append(operation(name, channels, 2 if reduces and read <= 1 else 1))

    def forward(self, before, last):
        states = [self.preprocess0(before), self.preprocess1(last)]
        for node in range(len(self.reads) // 2):
            left, right = 2 * node, 2 * node + 1
            states.append(
                self._ops[left](states[self.reads[left]])
                + self._ops[right](states[self.reads[right]])
            )
        return torch.cat(states[2:], dim=1)


class TwinHead(nn.Module):
    def __init__(self, channels, classes):
        super().__init__()
        self.features = nn.Sequential(
            nn.ReLU(),
            nn.AvgPool2d(5, stride=3),
            conv(channels, 128, 1),
            norm(128),
            nn.ReLU(),
            conv(128, 768, 2),
            norm(768),
            nn.ReLU(),
        )
        self.classifier = nn.Linear(768, classes)

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


class TwinNetwork(nn.Module):
    def __init__(self, channels, cells, genotype, auxiliary, classes=10):
        super().__init__()
        width = 3 * channels
        self.stem = nn.Sequential(conv(3, width, 3, padding=1), norm(width))
        self.cells = nn.ModuleList()
        self.tap = 2 * cells // 3
        before, last, halved = width, width, False
        for i in range(cells):
            reduces = i == cells // 3 or i == 2 * cells // 3
            if reduces:
                channels = 2 * channels
            edges = genotype.reduce if reduces else genotype.normal
            self.cells.append(TwinCell(edges, before, last, channels, reduces, halved))
            before, last, halved = last, 4 * channels, reduces
            if i == self.tap:
                tapped = last
        if auxiliary:
            self.auxiliary_head = TwinHead(tapped, classes)
        self.auxiliary = auxiliary
        self.classifier = nn.Linear(last, classes)

    def forward(self, x):
        before = last = self.stem(x)
        other = None
        for i, cell in enumerate(self.cells):
            before, last = last, cell(before, last)
            if i == self.tap and self.auxiliary and self.training:
                other = self.auxiliary_head(last)
        return self.classifier(last.mean(dim=(2, 3))), other
