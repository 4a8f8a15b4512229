"""Random networks that are right, with their data, loss and optimizer, to plant mistakes in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

import autograd as ag
import nn
import optim

WIDTH = 12
CLASSES = 4
BATCH = 16
CONTAINERS = {
    "list": list,
    "tuple": tuple,
    "dict": lambda parts: {f"part{i}": part for i, part in enumerate(parts)},
    "ModuleList": nn.ModuleList,
    "nested": lambda parts: [tuple(parts[:1]), {"rest": list(parts[1:])}],
}


class Residual(nn.Module):
    def __init__(self, inner):
        self.inner = inner

    def forward(self, x):
        return x + self.inner(x)


class Network(nn.Module):
    def __init__(self, stem, blocks, head, container):
        self.stem = stem
        self.blocks = CONTAINERS[container](blocks)
        self.head = head

    def order(self):
        """The blocks, whatever holds them."""
        found, stack = [], [self.blocks]
        while stack:
            at = stack.pop()
            if isinstance(at, nn.Module) and not isinstance(at, nn.ModuleList):
                found.append(at)
            else:
                stack += list(at.values() if isinstance(at, dict) else at)[::-1]
        return found

    def forward(self, x):
        x = self.stem(x)
        for block in self.order():
            x = block(x)
        return self.head(x)


def vector_block(kind, rng):
    linear = nn.Linear(WIDTH, WIDTH, rng=rng)
    return {
        "relu": lambda: nn.Sequential(linear, nn.ReLU()),
        "tanh": lambda: nn.Sequential(linear, nn.Tanh()),
        "batch": lambda: nn.Sequential(
            nn.Linear(WIDTH, WIDTH, bias=False, rng=rng), nn.BatchNorm1d(WIDTH), nn.GELU()
        ),
        "layer": lambda: Residual(nn.Sequential(nn.LayerNorm(WIDTH), linear, nn.SiLU())),
        "dropout": lambda: nn.Sequential(linear, nn.Sigmoid(), nn.Dropout(0.2, rng=rng)),
        "residual": lambda: Residual(nn.Sequential(linear, nn.LeakyReLU())),
    }[kind]()


def image_block(kind, rng):
    def conv(bias=True):
        return nn.Conv2d(WIDTH, WIDTH, 3, padding=1, bias=bias, rng=rng)

    return {
        "relu": lambda: nn.Sequential(conv(), nn.ReLU()),
        "tanh": lambda: nn.Sequential(conv(), nn.Tanh()),
        "batch": lambda: nn.Sequential(conv(bias=False), nn.BatchNorm2d(WIDTH), nn.ReLU()),
        "layer": lambda: nn.Sequential(conv(), nn.GroupNorm(3, WIDTH), nn.ELU()),
        "dropout": lambda: nn.Sequential(conv(), nn.ReLU(), nn.Dropout(0.2, rng=rng)),
        "residual": lambda: Residual(
            nn.Sequential(conv(bias=False), nn.BatchNorm2d(WIDTH), nn.ReLU(), conv())
        ),
    }[kind]()


BLOCKS = ("relu", "tanh", "batch", "layer", "dropout", "residual")
TASKS = ("classes", "smoothed", "weighted", "probabilities", "log", "hinge", "squares", "binary")
MODAL = ("batch", "dropout")


@dataclass
class Problem:
    """A model, and all that a training loop around it needs; mistakes change its parts."""

    network: Network
    inputs: np.ndarray = field(repr=False)
    target: Any = field(repr=False)
    loss: Any
    task: str
    adam: bool

    def make_optimizer(self, parameters=None):
        given = [p for p in self.network.parameters() if p.requires_grad]
        given = given if parameters is None else list(parameters)
        weights = [p for p in given if p.ndim > 1]
        others = [p for p in given if p.ndim <= 1]
        groups = [{"params": part} for part in (weights, others) if part]
        kind = optim.Adam if self.adam else optim.SGD
        return kind(groups, lr=0.01)

    def compute(self):
        return self.loss(self.network(self.inputs), self.target)


def losses(task, rng):
    F = nn.functional
    labels = rng.integers(0, CLASSES, BATCH)
    hot = np.eye(CLASSES, dtype=np.float32)[labels]
    weights = rng.uniform(0.5, 2.0, CLASSES)
    return {
        "classes": (F.cross_entropy, labels),
        "smoothed": (nn.CrossEntropyLoss(label_smoothing=0.1), labels),
        "weighted": (nn.CrossEntropyLoss(weight=weights), hot),
        "probabilities": (F.cross_entropy, hot * 0.8 + 0.2 / CLASSES),
        "log": (lambda s, t: nn.NLLLoss()(ag.log_softmax(s, 1), t), labels),
        "hinge": (F.multiclass_hinge, labels),
        "squares": (nn.MSELoss(), rng.normal(size=hot.shape).astype(np.float32)),
        "binary": (nn.BCEWithLogitsLoss(), hot),
    }[task]


@st.composite
def problems(draw, *, at_least=None, tasks=TASKS):
    """Right ones. `at_least` is a kind of block that must be there."""
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    kinds = draw(st.lists(st.sampled_from(BLOCKS), min_size=1, max_size=3))
    if at_least is not None:
        kinds.insert(draw(st.integers(0, len(kinds))), draw(st.sampled_from(at_least)))
    image = draw(st.booleans())
    block = image_block if image else vector_block
    blocks = [block(kind, rng) for kind in kinds]
    if image:
        stem = nn.Conv2d(3, WIDTH, 3, rng=rng)
        head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(WIDTH, CLASSES))
        inputs = rng.normal(size=(BATCH, 3, 6, 6)).astype(np.float32)
    else:
        stem = nn.Linear(5, WIDTH, rng=rng)
        head = nn.Linear(WIDTH, CLASSES, rng=rng)
        inputs = rng.normal(size=(BATCH, 5)).astype(np.float32)
    network = Network(stem, blocks, head, draw(st.sampled_from(sorted(CONTAINERS))))
    if draw(st.booleans()):
        # As fine-tuning does.
        stem.requires_grad_(False)
    if draw(st.booleans()):
        nn.init.zeros_((head if isinstance(head, nn.Linear) else head[2]).weight)
    task = draw(st.sampled_from(tasks))
    loss, target = losses(task, rng)
    return Problem(network, inputs, target, loss, task, draw(st.booleans()))
