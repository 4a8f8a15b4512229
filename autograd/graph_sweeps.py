"""The two sweeps over a graph already recorded: backward, pullback and pushforward."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd import sweep
from autograd.dispatch import operations
from autograd.gathering import reached, reaches_other, require_graph
from autograd.markers import LEAF
from autograd.modes import current_modes
from autograd.node import Node, is_finished
from autograd.results import exclusive, seed_array
from autograd.tensor import Tensor, wrap


def backward(
    output: Tensor,
    cotangent: Any = None,
    create_graph: bool = False,
    retain_graph: bool | None = None,
) -> None:
    """See `Tensor.backward`."""
    node = output._node
    if node is None:
        raise RuntimeError(
            f"backward() of a Tensor of shape {output.shape} that is not tracked: nothing it was "
            "computed from has requires_grad=True, or it was made under no_grad()"
        )
    seed = _cotangent(output, cotangent, "the cotangent of backward()")
    record = create_graph or _inside_transform(node)
    if isinstance(seed, Tensor) and not record:
        seed = seed._value
    retain = record if retain_graph is None else retain_graph
    free = not (record or retain)
    order, found = sweep.reverse([node], [seed], None, record=record, free=free)
    leaves = [leaf_node for leaf_node in order if leaf_node.op is LEAF]
    deposits = []
    for leaf_node in leaves:
        leaf = leaf_node.leaf() if leaf_node.leaf is not None else None
        if leaf is not None:
            value = found.pop(leaf_node, None)
            if value is None:
                value = np.zeros(leaf_node.shape, leaf_node.dtype)
            deposits.append((leaf, _accumulated(leaf._grad, value)))
            value = None
    for leaf, total in deposits:
        leaf._grad = total
    if not retain:
        sweep.free(order)


def _accumulated(previous: Tensor | None, value: Any) -> Tensor:
    if isinstance(value, Tensor):
        return value if previous is None else previous + value
    if previous is None:
        return wrap(exclusive(value, variables=2), None)  # here and in `backward`
    if previous._node is not None:
        total: Tensor = previous + value
        return total
    return wrap(np.asarray(previous._value + value), None)


def _inside_transform(node: Node) -> bool:
    """Whether a sweep from `node` reaches a variable of a transform that is running."""
    modes = current_modes()
    if modes.level == 0 or not modes.recording:
        return False
    return any(not n.inputs and n.leaf is None and not is_finished(n) for n in reached([node], 0))


def pullback(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    cotangents: Any = None,
    *,
    create_graph: bool = False,
) -> Any:
    """J^T cotangents by the reverse sweep, returned instead of accumulated.

    One Tensor for one input, a tuple for a sequence. Inputs may be intermediate; an input that
    no output depends on gets zeros. `cotangents` has one entry per output, of its shape; scalar
    outputs need none. Nothing is freed. With `create_graph` the sweep records itself.

    Raises RuntimeError for an untracked input or a freed graph, ValueError for a wrong shape or
    number of cotangents.

    >>> import autograd as ag
    >>> x = ag.Tensor(3.0, requires_grad=True)
    >>> y = x * x
    >>> ag.pullback(ag.exp(y), y) == ag.exp(y)
    np.True_
    """
    outs = _tensors(outputs, "outputs")
    ins = _tracked(inputs, "inputs")
    seeds = _per_tensor(cotangents, outputs, outs, "cotangents")
    checked = [
        _cotangent(out, seed, f"cotangents[{i}]")
        for i, (out, seed) in enumerate(zip(outs, seeds, strict=True))
    ]
    record = _records(outs, ins, checked, create_graph)
    pairs = [(o._node, _value(s, record)) for o, s in zip(outs, checked, strict=True)]
    tracked = [(node, seed) for node, seed in pairs if node is not None]
    nodes = [t._node for t in ins]
    require_graph([node for node, _ in tracked], nodes)
    _, found = sweep.reverse([n for n, _ in tracked], [s for _, s in tracked], nodes, record=record)
    results = tuple(_result(found.get(node), node) for node in nodes)
    return results[0] if isinstance(inputs, Tensor) else results


def pushforward(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    tangents: Any,
    *,
    create_graph: bool = False,
) -> Any:
    """J tangents by the forward sweep over the graph already recorded.

    One Tensor for one output, a tuple for a sequence. `tangents` has one entry per input, of its
    shape. An intermediate input's tangent adds to what arrives there from other inputs. With
    `create_graph` the sweep records itself.

    Raises RuntimeError for an untracked input or a freed graph, ValueError for a wrong shape or
    number of tangents.

    >>> import autograd as ag
    >>> x = ag.Tensor(3.0, requires_grad=True)
    >>> ag.pushforward(x * x, x, 1.0)
    Tensor(6.)
    """
    outs = _tensors(outputs, "outputs")
    ins = _tracked(inputs, "inputs")
    if tangents is None:
        raise TypeError("pushforward needs tangents, one per input")
    seeds = [
        seed_array(seed, t.shape, t.dtype, f"tangents[{i}]")
        for i, (t, seed) in enumerate(
            zip(ins, _per_tensor(tangents, inputs, ins, "tangents"), strict=True)
        )
    ]
    record = _records(outs, ins, seeds, create_graph)
    nodes = [out._node for out in outs if out._node is not None]
    sources = [t._node for t in ins]
    require_graph(nodes, sources)
    found = sweep.forward(nodes, sources, [_value(s, record) for s in seeds], record=record)
    results = tuple(
        _result(None if out._node is None else found.get(out._node), out) for out in outs
    )
    return results[0] if isinstance(outputs, Tensor) else results


def _value(seed: Any, record: bool) -> Any:
    return seed._value if isinstance(seed, Tensor) and not record else seed


def _result(value: Any, like: Any) -> Tensor:
    if isinstance(value, Tensor):
        return value
    if value is None:
        dtype = like.dtype if like.dtype.kind == "f" else np.dtype(float)
        return wrap(np.zeros(like.shape, dtype), None)
    return wrap(np.array(value), None)


def _records(
    outs: Sequence[Tensor], ins: Sequence[Any], seeds: Sequence[Any], create_graph: bool
) -> bool:
    if create_graph:
        return True
    modes = current_modes()
    if not modes.recording:
        return False
    if any(isinstance(seed, Tensor) and seed._node is not None for seed in seeds):
        return True
    tracked = [out._node for out in outs if out._node is not None]
    return modes.level > 0 and reaches_other(tracked, [t._node for t in ins])


def _cotangent(output: Tensor, cotangent: Any, what: str) -> Any:
    if output.dtype.kind != "f" and output._node is not None:
        raise TypeError(f"an output of dtype {output.dtype} has no derivative")
    if cotangent is None:
        if output.size != 1:
            raise ValueError(
                f"{what} is needed: only a scalar output has a default, this one has shape "
                f"{output.shape}; pass an array of that shape, or sum the output"
            )
        return np.ones(output.shape, output.dtype) if output.ndim else output.dtype.type(1)
    return seed_array(cotangent, output.shape, output.dtype, what)


def _tensors(given: Any, what: str) -> list[Tensor]:
    found = [given] if isinstance(given, Tensor) else given
    if not isinstance(found, (list, tuple)) or not all(isinstance(t, Tensor) for t in found):
        kinds = (
            [type(t).__name__ for t in found] if isinstance(found, (list, tuple)) else type(given)
        )
        raise TypeError(f"{what} must be a Tensor or a sequence of Tensors, got {kinds}")
    return list(found)


def _tracked(given: Any, what: str) -> list[Any]:
    found = _tensors(given, what)
    for index, t in enumerate(found):
        if t._node is None:
            name = f" named {t.name!r}" if t.name is not None else ""
            raise RuntimeError(
                f"{what}[{index}]{name} (shape {t.shape}) is not tracked, so the graph cannot "
                "depend on it; make it with requires_grad=True before computing the outputs"
            )
    return found


def _per_tensor(seeds: Any, given: Any, tensors: Sequence[Tensor], what: str) -> list[Any]:
    if seeds is None:
        return [None] * len(tensors)
    if isinstance(given, Tensor):
        return [seeds]
    if not isinstance(seeds, (list, tuple)):
        raise TypeError(f"{what} must be a sequence, one entry per Tensor, got {type(seeds)}")
    if len(seeds) != len(tensors):
        raise ValueError(f"got {len(seeds)} {what} for {len(tensors)} Tensors; pass one each")
    return list(seeds)


operations.backward = backward
operations.pushforward = pushforward
