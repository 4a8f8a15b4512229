"""The networks as pictures of the graphs that they record."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd as ag
import nn
from examples.cifar10.data.images import IMAGE_SHAPE
from examples.cifar10.models.building import build_model
from examples.cifar10.presets import PRESETS, ModelName, find_recipe


def draw_network(name: ModelName, depth: int = 1) -> Any:
    """The graph of a model's loss on one blank image, its layers folded to a box each."""
    recipe = find_recipe(name, PRESETS[0])
    model = build_model(name, recipe, np.random.default_rng(0))
    model.eval()
    scores = model(np.zeros((1, *IMAGE_SHAPE), np.uint8))
    loss = nn.CrossEntropyLoss()(scores, np.zeros(1, np.int64))
    drawing = ag.draw(loss, depth=depth, values=False)
    drawing.attr(ranksep="0.15", label=f"{name}: its loss on one image", labelloc="t")
    return drawing
