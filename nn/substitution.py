"""Calling a module with other parameters, so that transforms apply to a model."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd import Tensor
from nn.module import Module
from nn.traversal import stand_ins


def functional_call(module: Module, params: Mapping[str, Any], /, *args: Any, **kwargs: Any) -> Any:
    """`module(*args, **kwargs)` with the parameters and buffers named in `params` replaced.

    `params` maps paths of `named_parameters()` (and `named_buffers()`) to Tensors or arrays of the
    same shape; what it leaves out keeps its value. A shared parameter is replaced wherever it is
    held. The module is as before afterwards, also after an exception; meanwhile it is changed, so
    two threads need two copies of it. A replaced buffer that the forward pass updates (running
    statistics) is updated in the array given.

    Raises ValueError for a name the module does not have, a wrong shape, or two values for one
    shared parameter; TypeError if `params` is no mapping.

    >>> import autograd as ag, nn, numpy as np
    >>> net = nn.Linear(2, 1)
    >>> loss = lambda params: ag.sum(nn.functional_call(net, params, np.ones((1, 2))) ** 2)
    >>> params = {"weight": np.array([[1.0, 2.0]]), "bias": np.array([0.5])}
    >>> float(loss(params))
    12.25
    >>> ag.hvp(loss, params, {"weight": np.array([[1.0, 0.0]]), "bias": np.zeros(1)})
    {'weight': array([[2., 2.]]), 'bias': array([2.])}
    """
    replacements, trained = _replacements(module, params)
    if not replacements:
        return module(*args, **kwargs)
    saved: list[tuple[dict[str, Any], str, Any]] = []
    token = stand_ins.set(stand_ins.get() | trained)
    try:
        for part in list(module.modules()):
            attributes = vars(part)
            for name, value in list(attributes.items()):
                changed = _substituted(value, replacements, ())
                if changed is not value:
                    saved.append((attributes, name, value))
                    attributes[name] = changed
        return module(*args, **kwargs)
    finally:
        for attributes, name, value in saved:
            attributes[name] = value
        stand_ins.reset(token)


def _replacements(
    module: Module, params: Mapping[str, Any]
) -> tuple[dict[int, Any], frozenset[int]]:
    """New values by the identity of what they replace; identities of those for parameters."""
    if not isinstance(params, Mapping):
        raise TypeError(
            "functional_call takes a mapping of names to Tensors or arrays, got "
            f"{type(params).__name__}; pass dict(module.named_parameters())"
        )
    parameters = dict(module.named_parameters(remove_duplicate=False))
    buffers = dict(module.named_buffers(remove_duplicate=False))
    unknown = [name for name in params if name not in parameters and name not in buffers]
    if unknown:
        raise ValueError(
            f"{type(module).__name__} has no parameter or buffer named {unknown}; "
            f"it has {[*parameters, *buffers]}"
        )
    replacements: dict[int, Any] = {}
    for name, given in params.items():
        old = parameters[name] if name in parameters else buffers[name]
        new = given if isinstance(given, Tensor) else np.asarray(given)
        if name in buffers and isinstance(new, Tensor) and not new.requires_grad:
            new = new.data
        if new.shape != old.shape:
            raise ValueError(
                f"functional_call: {name!r} has shape {old.shape}, got a value of shape {new.shape}"
            )
        if replacements.setdefault(id(old), new) is not new:
            raise ValueError(
                f"functional_call: {name!r} is shared under several names, which got different "
                "values; pass it under one of them"
            )
    trained = frozenset(
        id(replacements[id(old)]) for old in parameters.values() if id(old) in replacements
    )
    return replacements, trained


def _substituted(value: Any, replacements: dict[int, Any], inside: tuple[int, ...]) -> Any:
    """The value with replacements made in it: itself if there are none, else a changed copy."""
    if id(value) in replacements:
        return replacements[id(value)]
    if not isinstance(value, (list, tuple, dict)) or id(value) in inside:
        return value
    inside = (*inside, id(value))
    items = value.items() if isinstance(value, dict) else enumerate(value)
    changed = {}
    for key, item in items:
        new = _substituted(item, replacements, inside)
        if new is not item:
            changed[key] = new
    if not changed:
        return value
    if isinstance(value, tuple):
        parts = [changed.get(index, item) for index, item in enumerate(value)]
        make = getattr(type(value), "_make", type(value))
        return make(parts)
    result = copy.copy(value)
    for key, new in changed.items():
        result[key] = new
    return result
