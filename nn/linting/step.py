"""One training step as the rules see it: the model, the losses with their graph, the optimizers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.families import Affine, Multilinear
from autograd.markers import LEAF
from autograd.node import FREED, Node, ancestors
from autograd.sweep import reverse
from nn.module import Module

Model = Module | Mapping[str, Tensor]

# Operations that only rearrange their first operand.
_ARRANGING = frozenset(
    {"reshape", "transpose", "broadcast_to", "astype", "getitem", "copy", "output", "input"}
)


class Step:
    """What the rules read; nothing in it changes the model, its gradients or the graph."""

    def __init__(
        self, model: Model, losses: Sequence[Tensor], optimizers: list[Any] | None
    ) -> None:
        self.model = model if isinstance(model, Module) else None
        self.losses = losses
        self.optimizers = optimizers
        if isinstance(model, Module):
            self.parameters: dict[str, Tensor] = dict(model.named_parameters())
            self.modules = {id(module): path for path, module in model.named_modules()}
        else:
            self.parameters = dict(model)
            self.modules = {}
        self.nodes: list[Node] = ancestors([loss.node for loss in losses if loss.node is not None])

    @cached_property
    def trainable(self) -> dict[str, Tensor]:
        """The parameters that require gradients, by path."""
        return {path: p for path, p in self.parameters.items() if p.requires_grad}

    @cached_property
    def path_of_leaf(self) -> dict[Node, str]:
        """The paths of the parameters' leaves."""
        return {p.node: path for path, p in self.trainable.items() if p.node is not None}

    @cached_property
    def reached(self) -> frozenset[str]:
        """Paths of the parameters that a loss depends on."""
        return frozenset(
            self.path_of_leaf[node] for node in self.nodes if node in self.path_of_leaf
        )

    @cached_property
    def freed(self) -> bool:
        """Whether a backward has already freed the graph of a loss."""
        return any(loss.node is not None and loss.node.saved is FREED for loss in self.losses)

    @cached_property
    def torn(self) -> bool:
        """Whether the graph reaches parts that an earlier backward freed."""
        return not self.freed and any(node.saved is FREED for node in self.nodes)

    @cached_property
    def consumers(self) -> dict[Node, list[Node]]:
        """The nodes that read each node."""
        found: dict[Node, list[Node]] = {}
        for node in self.nodes:
            for source in dict.fromkeys(sources(node)):
                found.setdefault(source, []).append(node)
        return found

    @cached_property
    def gradients(self) -> dict[str, np.ndarray]:
        """The gradients of the parameters reached: what `backward` left, else by a sweep."""
        if self.freed:
            return {
                path: p.grad.data
                for path, p in self.trainable.items()
                if p.grad is not None and path in self.reached
            }
        leaves = [node for node in self.nodes if node in self.path_of_leaf]
        found = self.swept(leaves)
        return {
            self.path_of_leaf[node]: np.asarray(found.get(node, np.zeros(node.shape, node.dtype)))
            for node in leaves
        }

    def swept(self, wanted: Sequence[Node]) -> dict[Node, Any]:
        """The cotangents of nodes, by a sweep that frees nothing and fills no `grad`."""
        roots = [loss.node for loss in self.losses if loss.node is not None]
        _, found = reverse(roots, [np.ones(root.shape, root.dtype) for root in roots], wanted)
        return found

    def path_of(self, node: Node) -> str:
        """The path of the innermost module of the model that recorded a node."""
        call = node.scope
        while call is not None:
            path = self.modules.get(id(call.owner()))
            if path is not None:
                return path
            call = call.parent
        return ""

    def held(self) -> Iterable[tuple[int, int, dict[str, Any], Tensor]]:
        """Number of the optimizer, number of the group, group and parameter, of all held."""
        for number, optimizer in enumerate(self.optimizers or ()):
            for index, group in enumerate(optimizer.param_groups):
                for parameter in group["params"]:
                    yield number, index, group, parameter


def sources(node: Node) -> list[Node]:
    """The tracked operands of a node."""
    return [source for source in node.inputs if type(source) is Node]


def origin(node: Any) -> Any:
    """What a node rearranges, through reshapes and their like; itself if it computes."""
    while type(node) is Node and node.op is not LEAF and node.op.name in _ARRANGING:
        node = node.inputs[0]
    return node


def bias_of(node: Any) -> Node | None:
    """What a linear layer adds to its product: the node of its bias, or None for no such layer.

    A layer is one operation, or a product and a sum that the user wrote.
    """
    if type(node) is not Node:
        return None
    found = None
    if isinstance(node.op, Affine):
        found = node.inputs[2]
    elif node.op.name == "add":
        first, second = node.inputs
        for product, bias in ((first, second), (second, first)):
            if type(product) is Node and isinstance(product.op, Multilinear):
                found = origin(bias)
    return found if type(found) is Node else None


def is_linear_layer(node: Any) -> bool:
    """Whether a node is the output of a linear layer or convolution, with or without bias."""
    return type(node) is Node and (
        isinstance(node.op, Affine | Multilinear) or bias_of(node) is not None
    )


def is_zero(array: Any) -> bool:
    """Whether there are entries, all of them 0."""
    return array is not None and np.size(array) > 0 and not np.any(array)
