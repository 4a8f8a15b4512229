"""Rules on what the walk over a model's attributes does not see.

`Module` finds what its attributes hold, also in lists, tuples and dicts. What is held in other
ways is not trained, saved, cast or switched between training and evaluation.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Iterator
from types import FunctionType, MappingProxyType, MethodType, ModuleType, NoneType
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.markers import LEAF
from autograd.node import Node, describe_place
from nn.linting.findings import Finding, listed
from nn.linting.modes import depends_on_mode
from nn.linting.step import Step
from nn.module import Module
from nn.parameter import Parameter

_LEAVES = (str, bytes, int, float, complex, NoneType, np.dtype, np.generic, type, ModuleType)
_MOST_OBJECTS = 100_000


def hidden_parts(step: Step) -> Iterator[Finding]:
    """Modules and trained Tensors that the model holds in ways the walk does not see."""
    if step.model is None:
        return
    leaves = {node for node in step.nodes if node.op is LEAF}
    known = set(step.modules) | {id(p) for p in step.parameters.values()}
    held = {id(p) for _, _, _, p in step.held()}
    told: set[int] = set()
    explained: set[Node] = set()
    for path, value, container in _search(step):
        if id(value) in known or id(value) in told:
            continue
        told.add(id(value))
        if isinstance(value, Module):
            parts = list(value.modules())
            told.update(id(part) for part in parts)
            parameters = [p for p in value.parameters() if p.requires_grad]
            parameters = [p for p in parameters if id(p) not in known]
            told.update(id(p) for p in parameters)
            explained.update(p.node for p in parameters if p.node is not None)
            reached = any(p.node in leaves for p in parameters)
            modal = any(depends_on_mode(part) for part in parts)
            if reached or (container and (parameters or modal)):
                yield _hidden_module(path, value, len(parameters))
        elif value.node in leaves or (container and isinstance(value, Parameter)):
            if value.node is not None:
                explained.add(value.node)
            if id(value) not in held or isinstance(value, Parameter):
                yield _hidden_tensor(path, value)
    yield from _made_elsewhere(step, leaves - explained, held)


def _hidden_module(path: str, module: Module, parameters: int) -> Finding:
    return Finding(
        "hidden-module",
        path,
        f"holds a {type(module).__name__} where the model does not see it, so its {parameters} "
        "parameters are not in parameters() and the state dict, and train() and eval() pass it by",
        "keep it in an attribute, a list, a tuple, a dict or an nn.ModuleList",
    )


def _hidden_tensor(path: str, tensor: Tensor) -> Finding:
    kind = type(tensor).__name__
    return Finding(
        "hidden-tensor",
        path,
        f"holds a {kind} of shape {tensor.shape} that requires gradients but is not among the "
        "model's parameters",
        "make it an nn.Parameter in an attribute, a list, a tuple or a dict; or a constant with "
        ".detach()",
    )


def _search(step: Step) -> Iterator[tuple[str, Any, bool]]:
    """Path, value, and whether only containers hide it, of all modules and Tensors held."""
    stack: list[tuple[str, Any, bool]] = []
    assert step.model is not None
    for path, module in step.model.named_modules():
        stack += [(*item, True) for item in _attributes(path, module)]
    seen: set[int] = set(step.modules)
    keep: list[Any] = []
    while stack and len(seen) < _MOST_OBJECTS:
        path, value, container = stack.pop()
        if isinstance(value, _LEAVES) or id(value) in seen:
            continue
        seen.add(id(value))
        keep.append(value)
        if isinstance(value, Module):
            yield path, value, container
        elif isinstance(value, Tensor):
            if value.requires_grad and value.is_leaf:
                yield path, value, container
        else:
            stack += [
                (path + name, item, container and plain) for name, item, plain in _contents(value)
            ]


def _attributes(path: str, module: Module) -> list[tuple[str, Any]]:
    """A module's own attributes, its slots, and what its class holds."""
    lead = f"{path}." if path else ""
    found: dict[str, Any] = {}
    for kind in type(module).__mro__:
        if kind is Module or not issubclass(kind, Module):
            continue
        for name, value in vars(kind).items():
            if isinstance(value, Module | Tensor | list | tuple | dict):
                found.setdefault(name, value)
        slots = vars(kind).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name in vars(kind) and hasattr(module, name):
                found[name] = getattr(module, name)
    found.update(vars(module))
    return [(lead + name, value) for name, value in found.items()]


def _contents(value: Any) -> list[tuple[str, Any, bool]]:
    """What an object holds: name, item, and whether the object is a container of items.

    Only containers whose items are in memory are looked through, not any mapping or collection.
    """
    if isinstance(value, np.ndarray):
        items = enumerate(value.flat) if value.dtype == object else ()
        return [(f"[{index}]", item, True) for index, item in items]
    if isinstance(value, dict | MappingProxyType):
        found = [(f".{key}", item, True) for key, item in value.items() if _holds(item)]
        return found + [(".keys()", key, True) for key in value if _holds(key)]
    if isinstance(value, list | tuple):
        return [(f".{index}", item, True) for index, item in enumerate(value) if _holds(item)]
    if isinstance(value, set | frozenset | deque):
        return [(f" ({type(value).__name__})", item, True) for item in value if _holds(item)]
    if isinstance(value, functools.partial):
        parts = [value.func, *value.args, *value.keywords.values()]
        return [(" (partial)", item, False) for item in parts]
    if isinstance(value, MethodType):
        return [(f" (of its method {value.__name__})", value.__self__, False)]
    if isinstance(value, FunctionType):
        cells = [cell.cell_contents for cell in value.__closure__ or () if _filled(cell)]
        return [(" (closure)", item, False) for item in [*cells, *(value.__defaults__ or ())]]
    attributes = getattr(value, "__dict__", None)
    if not isinstance(attributes, dict):
        return []
    return [(f".{name}", item, False) for name, item in attributes.items() if _holds(item)]


def _holds(value: Any) -> bool:
    return not isinstance(value, _LEAVES)


def _filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


def _made_elsewhere(step: Step, leaves: set[Node], held: set[int]) -> Iterator[Finding]:
    """Layers called inside the model that no attribute holds: made in `forward`, or global."""
    found: dict[tuple[str, str], Node] = {}
    for node in step.nodes:
        if node not in leaves or node in step.path_of_leaf:
            continue
        leaf = None if node.leaf is None else node.leaf()
        if leaf is not None and (id(leaf) in held or not isinstance(leaf, Parameter)):
            continue
        for consumer in step.consumers.get(node, ()):
            call = consumer.scope
            owner = None if call is None else call.owner()
            if call is None or id(owner) in step.modules:
                continue
            if not isinstance(owner, Module | NoneType):
                # A sweep that `forward` recorded.
                continue
            above = call.parent
            while above is not None and id(above.owner()) not in step.modules:
                above = above.parent
            if above is not None:
                found.setdefault((step.modules[id(above.owner())], call.type_name), consumer)
    for (path, kind), node in found.items():
        yield Finding(
            "hidden-module",
            path,
            f"calls a {kind} that it does not hold, so it is not trained and saved with the model "
            f"({listed([kind])} made anew in `forward`, or global)",
            "make it once in __init__ and keep it in an attribute",
            describe_place(node.place),
        )
