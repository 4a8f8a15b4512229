"""Which nodes a sweep visits, and in which order.

Serial numbers grow with creation, so the order of the serial numbers is topological. Nothing here
recurses.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any, NoReturn

from autograd.errors import GraphNeeded
from autograd.markers import LEAF
from autograd.node import FREED, Node, Transform, describe_place, is_cut, is_finished

_serial = attrgetter("serial")


def reached(outputs: Iterable[Node], oldest: int) -> dict[Node, Any]:
    """The nodes that `outputs` reach, none older than serial `oldest`, each with None.

    Raises RuntimeError if one of them was freed.
    """
    found: dict[Node, Any] = {node: None for node in outputs if node.serial >= oldest}
    order = list(found)
    push = order.append
    whole = oldest <= 0
    for node in order:  # which grows meanwhile
        if node.held is FREED:
            _raise_freed(node)
        if node.quick is not None:  # one or two tracked operands: a loop takes twice as long
            x, y = node.first, node.second
            if x not in found and (whole or x.serial >= oldest):
                found[x] = None
                push(x)
            if type(y) is Node and y not in found and (whole or y.serial >= oldest):
                found[y] = None
                push(y)
            continue
        for source in node.operands or node.inputs:
            if type(source) is Node and source not in found and source.serial >= oldest:
                found[source] = None
                push(source)
    return found


def oldest_first(nodes: Iterable[Node]) -> list[Node]:
    """`nodes` in topological order."""
    order = list(nodes)
    order.sort(key=_serial)
    return order


def reaches_other(
    outputs: Sequence[Node],
    inputs: Sequence[Node],
    known: set[Node] | None = None,
    exempt: Transform | None = None,
) -> bool:
    """Whether the graph of `outputs` reaches a tracked node other than the leaves in `inputs`.

    An input that is a recorded identity of an outer Tensor counts: what depends on it depends on
    the outer one. Variables of transforms that have finished do not, nor those of the transform
    `exempt`. `known` are nodes that reach no other, for the same `inputs`; those found to be are
    added.
    """
    own = set(inputs)
    oldest = min((node.serial for node in inputs), default=0)
    seen: set[Node] = set() if known is None else known
    stack = [node for node in outputs if node not in seen]
    visited = list(stack)
    seen.update(stack)
    while stack:
        node = stack.pop()
        inputs = node.inputs
        if inputs:
            other = node.serial < oldest
        else:
            other = not is_finished(node) and (node not in own or node.op is not LEAF)
            other = other and (exempt is None or node.params is not exempt)
        if other:
            seen.difference_update(visited)
            return True
        for source in inputs:
            if type(source) is Node and source not in seen:
                seen.add(source)
                visited.append(source)
                stack.append(source)
    return False


def require_graph(outputs: Iterable[Node], inputs: Iterable[Node]) -> None:
    """Ask for the graph between `inputs` and `outputs` where a jvp that runs has let go of it.

    Raises GraphNeeded, at which the jvp starts again with its graph recorded, or RuntimeError
    where the jvp has finished.
    """
    asked = [node for node in inputs if is_cut(node)]
    if not asked:
        return
    oldest = min(node.serial for node in asked)
    for node in reached(outputs, oldest):
        if node.serial > oldest and is_cut(node) and node.op is not LEAF:
            ask_for_graph(asked)


def ask_for_graph(nodes: Iterable[Node]) -> NoReturn:
    """Raise for the outermost running jvp that one of these cut nodes depends on."""
    running = [node.params for node in nodes if not is_finished(node)]
    if not running:
        raise RuntimeError(
            "this graph was let go of while jvp ran, and jvp has finished; sweep it inside the "
            "function that jvp calls, or use ag.linearize, which records it"
        )
    transform: Any = min(running, key=attrgetter("level"))
    transform.needed = True
    raise GraphNeeded(transform)


def leading_to(order: list[Node], inputs: Iterable[Node]) -> set[Node]:
    """The nodes of `order` that depend on an input, inputs included."""
    leading = set(inputs)
    for node in order:
        if node not in leading:
            for source in node.inputs:
                if type(source) is Node and source in leading:
                    leading.add(node)
                    break
    return leading


def between(outputs: Iterable[Node], inputs: Iterable[Node]) -> list[Node]:
    """The nodes that depend on one of `inputs` and that `outputs` reach, oldest first."""
    inputs = list(inputs)
    order = oldest_first(reached(outputs, min((node.serial for node in inputs), default=0)))
    leading = leading_to(order, inputs)
    return [node for node in order if node in leading]


def _raise_freed(node: Node) -> NoReturn:
    raise RuntimeError(
        f"this graph was freed by an earlier backward() (node {node.op.name}, recorded at "
        f"{describe_place(node.place)}); pass retain_graph=True to the first backward() to sweep "
        "it again"
    )
