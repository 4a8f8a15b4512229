"""Rules on the recorded graph: its precision, and how long it lives."""

from __future__ import annotations

import gc
import weakref
from collections import Counter
from collections.abc import Iterator

import numpy as np

from autograd.markers import LEAF
from autograd.node import FREED, Node, describe_place
from autograd.storage import change_after
from nn.linting.findings import Finding
from nn.linting.step import Step, sources


def double_precision(step: Step) -> Iterator[Finding]:
    """Where float64 enters the graph of a model of float32."""
    sizes = Counter(p.dtype.itemsize for p in step.parameters.values())
    if not sizes or sizes.most_common(1)[0][0] >= 8:
        return
    for node in step.nodes:
        if node.dtype != np.float64 or node.op.name in ("astype", "output"):
            continue
        if any(source.dtype == np.float64 for source in sources(node)):
            continue
        path = step.path_of_leaf.get(node)
        if path is not None:
            what = f"is float64 in a model of {_usual(step)}, and makes what it meets float64"
        elif node.op is LEAF:
            what = f"a float64 Tensor of shape {node.shape} enters a model of {_usual(step)}"
        else:
            what = f"{node.op.name} met a float64 operand and went on in float64"
        yield Finding(
            "float64",
            step.path_of(node) if path is None else path,
            what,
            "convert arrays where they are made with .astype(np.float32), also targets, buffers "
            "and NumPy scalars (float(x) keeps float32); for all in float64 use model.double()",
            describe_place(node.place),
            paths=() if path is None else (path,),
        )


def _usual(step: Step) -> str:
    return str(Counter(p.dtype for p in step.parameters.values()).most_common(1)[0][0])


class KeptGraphs:
    """What the losses of earlier steps left alive."""

    def __init__(self) -> None:
        self._before: list[list[weakref.ref[Node]]] = []
        self._newest = 0

    def findings(self, step: Step) -> Iterator[Finding]:
        """Nodes of earlier steps that this step's loss reaches, or losses that never die."""
        boundary = self._boundary(step)
        joint = _joint(step, boundary)
        if joint is not None:
            yield Finding(
                "kept-graph",
                step.path_of(joint),
                f"{joint.op.name} joins this step's graph to one of an earlier step, which "
                "grows with every step and cannot be swept again",
                "add numbers (total += loss.item()), or .detach() what is carried over",
                describe_place(joint.place),
            )
            return
        recent = self._before[-2:]
        alive = [[node for ref in refs if (node := ref()) is not None] for refs in recent]
        if len(alive) == 2 and all(
            any(node.saved is FREED or node.serial <= boundary for node in nodes) for nodes in alive
        ):
            yield _kept(alive[-1][0])

    def remember(self, step: Step) -> None:
        """Keep this step's losses in mind, weakly."""
        roots = [loss.node for loss in step.losses if loss.node is not None]
        self._before.append([weakref.ref(root) for root in roots])
        self._newest = max((root.serial for root in roots), default=0)

    def _boundary(self, step: Step) -> int:
        """The serial up to which nodes are an earlier step's: parameters have changed since."""
        newest = self._newest
        if newest and any(change_after(p.data, newest)[0] for p in step.parameters.values()):
            return newest
        return 0


def _joint(step: Step, boundary: int) -> Node | None:
    """The operation of this step that reads a node of an earlier one."""
    if step.freed and not boundary:
        return None
    for node in reversed(step.nodes):
        if node.serial <= boundary or (node.saved is FREED and not step.freed):
            continue
        for source in sources(node):
            old = source.serial <= boundary or (source.saved is FREED and not step.freed)
            if old and source.op is not LEAF:
                return node
    return None


def _kept(node: Node) -> Finding:
    """The finding, with the line that made a node of a kept loss if there is one."""
    holder = None
    for owner in gc.get_referrers(node):
        if type(owner) is Node:
            holder = owner
        elif type(owner) is tuple:
            holder = next((n for n in gc.get_referrers(owner) if type(n) is Node), holder)
    by = "" if holder is None else f": {holder.op.name} reads them"
    return Finding(
        "kept-graph",
        "",
        f"the losses of earlier steps are still alive, each with its graph{by}",
        "keep numbers: total += loss.item(), losses.append(loss.item())",
        None if holder is None else describe_place(holder.place),
    )
