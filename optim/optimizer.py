"""Optimizer: parameter groups, their state, and one step over all of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from math import isfinite
from typing import Any, ClassVar

import numpy as np

from autograd import Tensor
from autograd.anomaly import check_update
from autograd.kernels.updates import Places, together
from autograd.modes import current_modes
from autograd.profiling import measured_update
from autograd.storage import mark_changed

Array = np.ndarray[Any, Any]
State = dict[str, Any]
Group = dict[str, Any]


class Optimizer:
    """What all optimizers share; a subclass gives `defaults` and `_update` for one parameter.

    Parameters come as an iterable of leaf Tensors, of (name, Tensor) pairs, or of groups:
    dicts with "params" and options that differ from the defaults. `step` changes the parameters'
    arrays in place, marks them as changed (so that a sweep over a graph recorded before says so),
    and allocates nothing large after the first.

    Raises TypeError for parameters that are no float leaf Tensors, ValueError for none at all, for
    one given twice, and for options out of range.
    """

    ranges: ClassVar[Mapping[str, tuple[float, float]]] = {"lr": (0.0, float("inf"))}
    """Numeric options with their least and largest values."""

    def __init__(self, params: Any, defaults: Mapping[str, Any]) -> None:
        self.defaults: Group = dict(defaults)
        self.param_groups: list[Group] = []
        self.state: dict[Tensor, State] = {}
        self._names: dict[Tensor, str] = {}
        self._warned: set[Tensor] = set()
        self._scratch: dict[tuple[Any, int, int], Array] = {}
        self._places: Places = {}
        self._shared: dict[Any, tuple[float, ...]] = {}  # what updates of one step have in common
        if isinstance(params, (Tensor, np.ndarray)):
            raise TypeError(
                f"{type(self).__name__} takes an iterable of parameters, got one "
                f"{type(params).__name__}; write [p]"
            )
        items = list(params)
        if not items:
            raise ValueError(
                f"{type(self).__name__} got no parameters; model.parameters() is exhausted after "
                "one use, so call it again"
            )
        groups = items if isinstance(items[0], Mapping) else [{"params": items}]
        for group in groups:
            self.add_param_group(group)

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Add parameters with options of their own; all is checked before anything changes.

        >>> import nn, optim
        >>> body, head = nn.Linear(3, 3), nn.Linear(3, 1)
        >>> optimizer = optim.SGD(body.parameters(), lr=0.1)
        >>> optimizer.add_param_group({"params": head.parameters(), "lr": 0.01})
        >>> [group["lr"] for group in optimizer.param_groups]
        [0.1, 0.01]
        """
        if not isinstance(group, Mapping) or "params" not in group:
            raise TypeError(f"a parameter group is a dict with the key 'params', got {group!r}")
        unknown = set(group) - set(self.defaults) - {"params"}
        if unknown:
            raise ValueError(
                f"{type(self).__name__} has no option {sorted(unknown)}; it has "
                f"{sorted(self.defaults)}"
            )
        options = {**self.defaults, **group}
        self._check_options(options)
        given = options.pop("params")
        items = [given] if isinstance(given, Tensor) else list(given)
        names, parameters = self._read_parameters(items)
        for parameter in parameters:
            self._check_parameter(parameter, options)
        self._names.update(names)
        self.param_groups.append({"params": parameters, **options})

    def _read_parameters(self, items: Iterable[Any]) -> tuple[dict[Tensor, str], list[Tensor]]:
        names: dict[Tensor, str] = {}
        found: list[Tensor] = []
        known = {p for group in self.param_groups for p in group["params"]}
        for item in items:
            name = None
            if isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str):
                name, item = item
            if not isinstance(item, Tensor) or item.dtype.kind != "f":
                kind = f"dtype {item.dtype}" if isinstance(item, Tensor) else type(item).__name__
                raise TypeError(
                    f"{type(self).__name__} optimizes leaf Tensors of floats, got {kind}"
                )
            if not item.is_leaf:
                raise TypeError(
                    f"{type(self).__name__} got a computed Tensor of shape {item.shape}; only "
                    "leaves can be changed in place, pass the parameters it was computed from"
                )
            if item in known:
                raise ValueError(
                    f"{type(self).__name__} got a parameter of shape {item.shape} twice; a shared "
                    "parameter is passed once"
                )
            known.add(item)
            found.append(item)
            if name is not None:
                names[item] = name
        return names, found

    def _check_options(self, options: Mapping[str, Any]) -> None:
        """Numbers within their ranges; subclasses add what goes together."""
        for name, (low, high) in self.ranges.items():
            value = options[name]
            for number in value if isinstance(value, (tuple, list)) else (value,):
                if isinstance(number, bool) or not isinstance(
                    number, int | float | np.integer | np.floating
                ):
                    raise TypeError(
                        f"{type(self).__name__}: {name} must be a number, got {value!r}"
                    )
                if not (isfinite(number) and low <= number <= high):
                    bound = (
                        f"at least {low:g}" if high == float("inf") else f"in [{low:g}, {high:g}]"
                    )
                    raise ValueError(
                        f"{type(self).__name__}: {name} must be {bound}, got {value!r}"
                    )

    def _check_parameter(self, parameter: Tensor, options: Mapping[str, Any]) -> None:
        """Whether this optimizer can train the parameter; subclasses refuse some shapes."""

    def describe(self, parameter: Tensor) -> str:
        """A parameter's name, or its place and shape, for messages."""
        name = self._names.get(parameter) or parameter.name
        if name:
            return f"parameter {name!r} of shape {parameter.shape}"
        for number, group in enumerate(self.param_groups):
            for index, other in enumerate(group["params"]):
                if other is parameter:
                    return f"parameter {index} of group {number}, of shape {parameter.shape}"
        return f"a parameter of shape {parameter.shape}"

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the parameters' gradients, or fill them with zeros in place."""
        for group in self.param_groups:
            for parameter in group["params"]:
                gradient = parameter.grad
                if set_to_none or gradient is None:
                    parameter.grad = None
                else:
                    gradient.data.fill(0)
                    mark_changed(gradient.data)

    def step(self) -> None:
        """Change every parameter that has a gradient by the optimizer's rule, in place.

        A parameter that requires gradients but has none, while others have, is warned of once.
        Raises ValueError for a gradient of another shape before anything changes, and under
        `ag.detect_anomaly()` AnomalyError naming the parameter whose update is not finite.
        """
        if current_modes().profile is None:
            self._step()
        else:
            with measured_update(type(self).__name__, self._bytes_to_write):
                self._step()

    def _bytes_to_write(self) -> int:
        parameters = (p for group in self.param_groups for p in group["params"])
        return sum(p.data.nbytes for p in parameters if p.grad is not None)

    def _step(self) -> None:
        untrained: list[Tensor] = []
        trained: list[tuple[Tensor, Array, Array, Group]] = []
        for group in self.param_groups:
            for parameter in group["params"]:
                gradient = parameter.grad
                if gradient is None:
                    if parameter.requires_grad and parameter not in self.state:
                        untrained.append(parameter)
                    continue
                array, data = parameter.data, gradient.data
                if data.shape != array.shape:
                    raise ValueError(
                        f"the gradient of {self.describe(parameter)} has shape {data.shape}"
                    )
                if data.dtype != array.dtype:
                    data = data.astype(array.dtype)
                trained.append((parameter, array, data, group))
        if not trained:
            return
        self._warn_untrained(untrained)
        changed = [array for _, array, _, _ in trained]
        for parameter, array, _, _ in trained:
            if not array.flags.writeable:
                raise ValueError(
                    f"{self.describe(parameter)} is read-only and cannot be changed in place; "
                    "make it of a copy"
                )
        try:
            self._shared.clear()
            with together(sum([array.size for array in changed]), self._places):
                for parameter, array, data, group in trained:
                    state = self.state.get(parameter)
                    if state is None:
                        state = self.state[parameter] = {}
                    self._update(array, data, state, group)
        finally:
            mark_changed(*changed)
        if current_modes().anomaly is not None:
            for parameter, *_ in trained:
                check_update(parameter.data, self.describe(parameter))

    def __getstate__(self) -> dict[str, Any]:
        """Without scratch memory, and without addresses, which are others elsewhere."""
        return {**self.__dict__, "_scratch": {}, "_places": {}, "_shared": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update({"_shared": {}, "_places": {}, "_scratch": {}, **state})

    def _warn_untrained(self, parameters: list[Tensor]) -> None:
        new = [parameter for parameter in parameters if parameter not in self._warned]
        if new:
            self._warned.update(new)
            warnings.warn(
                f"{type(self).__name__}.step: never got a gradient, so not trained: "
                f"{'; '.join(map(self.describe, new))}. Use it in the loss, or set "
                "requires_grad=False",
                stacklevel=4,
            )

    def _update(self, parameter: Array, gradient: Array, state: State, group: Group) -> None:
        """Change `parameter` in place; `gradient` may not be written to."""
        raise AssertionError(f"{type(self).__name__} defines no update")

    def _common(self, key: Any, make: Callable[[], tuple[float, ...]]) -> tuple[float, ...]:
        """The constants of a step's updates with this key, made for the first of them."""
        constants = self._shared.get(key)
        if constants is None:
            constants = self._shared[key] = make()
        return constants

    def _buffer(self, like: Array, number: int = 0) -> Array:
        """Scratch memory in the shape and memory order of `like`, shared between parameters."""
        key = (like.dtype, like.size, number)
        flat = self._scratch.get(key)
        if flat is None:
            flat = self._scratch[key] = np.empty(like.size, like.dtype)
        if like.flags.f_contiguous and not like.flags.c_contiguous:
            return flat.reshape(like.shape[::-1]).T
        return flat.reshape(like.shape)

    def _decayed(self, parameter: Array, gradient: Array, group: Group) -> Array:
        """The gradient plus weight_decay times the parameter, in scratch memory if it differs."""
        decay = float(group["weight_decay"])
        maximize = bool(group.get("maximize", False))
        if not decay and not maximize:
            return gradient
        buffer = self._buffer(parameter)
        if decay:
            np.multiply(parameter, decay, out=buffer)
            (np.subtract if maximize else np.add)(buffer, gradient, out=buffer)
        else:
            np.negative(gradient, out=buffer)
        return buffer

    def state_dict(self) -> dict[str, Any]:
        """Copies of the state and the options as plain data, parameters named by their numbers.

        >>> import nn, optim
        >>> optimizer = optim.SGD(nn.Linear(2, 1).parameters(), lr=0.1)
        >>> optimizer.state_dict()["param_groups"][0]["params"]
        [0, 1]
        """
        numbers: dict[Tensor, int] = {}
        groups = []
        for group in self.param_groups:
            for parameter in group["params"]:
                numbers[parameter] = len(numbers)
            options = {key: deepcopy(value) for key, value in group.items() if key != "params"}
            groups.append({**options, "params": [numbers[p] for p in group["params"]]})
        state = {
            numbers[parameter]: {key: deepcopy(value) for key, value in entries.items()}
            for parameter, entries in self.state.items()
        }
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave, for parameters in the same order.

        Raises ValueError, before anything changes, unless groups and shapes fit.
        """
        groups, state = state_dict["param_groups"], state_dict["state"]
        sizes = [len(group["params"]) for group in self.param_groups]
        given = [len(group["params"]) for group in groups]
        if sizes != given:
            raise ValueError(
                f"load_state_dict: groups of {given} parameters do not fit this optimizer's {sizes}"
            )
        parameters = [p for group in self.param_groups for p in group["params"]]
        loaded: dict[Tensor, State] = {}
        for key, entries in state.items():
            parameter = parameters[int(key)]
            for name, value in entries.items():
                shape = np.shape(value)
                if isinstance(value, np.ndarray) and value.ndim and shape != parameter.shape:
                    raise ValueError(
                        f"load_state_dict: {name} of {self.describe(parameter)} has shape {shape}"
                    )
            loaded[parameter] = {
                name: np.array(value, dtype=parameter.dtype)
                if isinstance(value, np.ndarray) and value.ndim
                else deepcopy(value)
                for name, value in entries.items()
            }
        for group in groups:
            self._check_options({**self.defaults, **group})
        for own, other in zip(self.param_groups, groups, strict=True):
            own.update({key: deepcopy(value) for key, value in other.items() if key != "params"})
        self.state = loaded

    def __repr__(self) -> str:
        lines = []
        for number, group in enumerate(self.param_groups):
            options = ", ".join(f"{k}={v}" for k, v in group.items() if k != "params")
            lines.append(f"  group {number}: {len(group['params'])} parameters, {options}")
        return f"{type(self).__name__}(\n" + "\n".join(lines) + "\n)"


def accumulate(average: Array, value: Array, decay: float, buffer: Array) -> None:
    """average <- decay average + (1 - decay) value, in place."""
    average *= decay
    np.multiply(value, 1.0 - decay, out=buffer)
    average += buffer
