"""Module: a part of a model with parameters, buffers and other modules as plain attributes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from autograd import Tensor
from autograd.modes import current_modes, set_modes
from autograd.storage import mark_changed
from nn.parameter import replace_array
from nn.state import IncompatibleKeys, collect_state, restore_state
from nn.traversal import ModuleTree


class Module(ModuleTree):
    """The base of layers and models: define `forward`, call the object.

    Parameters, modules and (registered) buffers are found by walking the attributes, also inside
    lists, tuples and dicts, so nothing has to be called before attributes are assigned.

    >>> import nn
    >>> class Scale(nn.Module):
    ...     def __init__(self):
    ...         self.factors = [nn.Parameter([2.0]), nn.Parameter([3.0])]
    ...     def forward(self, x):
    ...         return x * self.factors[0] * self.factors[1]
    >>> Scale()(1.0)
    Tensor([6.], dtype=float32, op=multiply)
    >>> list(Scale().state_dict())
    ['factors.0', 'factors.1']
    """

    training: bool = True

    def __init__(self) -> None:
        """Nothing is needed here; subclasses may call it or not."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; subclasses define it."""
        raise RuntimeError(
            f"{type(self).__name__} has no forward: define `def forward(self, input): ...`"
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run `forward`; the nodes it records know this module as their scope."""
        modes = current_modes()
        set_modes(modes.inside(self))
        try:
            return self.forward(*args, **kwargs)
        finally:
            set_modes(modes)

    def register_buffer(self, name: str, array: Any, persistent: bool = True) -> None:
        """Make the attribute `name` a buffer: an array that is state but is not trained.

        The array is copied. None declares a buffer that is absent for now. Buffers that are not
        `persistent` stay out of the state dict.

        Raises ValueError for a name that is no identifier or is taken by something else,
        TypeError for an array that does not hold numbers.

        >>> import nn, numpy as np
        >>> net = nn.Module()
        >>> net.register_buffer("mean", np.zeros(2))
        >>> net.state_dict()
        {'mean': array([0., 0.])}
        """
        if not isinstance(name, str) or not name.isidentifier():
            raise ValueError(f"a buffer's name must be an identifier, got {name!r}")
        if name not in self._buffer_names and hasattr(self, name):
            raise ValueError(f"{type(self).__name__} already has an attribute {name!r}")
        if array is not None:
            source = array.detach().data if isinstance(array, Tensor) else array
            array = np.array(source)
            if array.dtype.kind not in "fiubc":
                raise TypeError(f"buffer {name!r} must hold numbers, got dtype {array.dtype}")
        self._buffer_names = {**self._buffer_names, name: persistent}
        setattr(self, name, array)

    def train(self, mode: bool = True) -> Self:
        """Switch this module and all below to training (or evaluation) behaviour."""
        if not isinstance(mode, bool):
            raise TypeError(f"train takes True or False, got {mode!r}")
        self.training = mode
        for child in self.children():
            child.train(mode)
        return self

    def eval(self) -> Self:
        """Switch to evaluation: no dropout, batch norm by its running statistics."""
        return self.train(False)

    def apply(self, function: Callable[[Module], Any]) -> Self:
        """Call `function` with every module of the tree, children first, each once.

        >>> import nn
        >>> net = nn.Sequential(nn.ReLU(), nn.Tanh())
        >>> _ = net.apply(lambda module: print(type(module).__name__))
        ReLU
        Tanh
        Sequential
        """
        self._apply(function, set())
        return self

    def _apply(self, function: Callable[[Module], Any], seen: set[int]) -> None:
        seen.add(id(self))
        for child in self.children():
            if id(child) not in seen:
                child._apply(function, seen)
        function(self)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Freeze (False) or thaw (True) all parameters."""
        for parameter in self.parameters():
            parameter.requires_grad = requires_grad
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the parameters' gradients, or fill them with zeros in place."""
        for parameter in self.parameters():
            gradient = parameter.grad
            if set_to_none or gradient is None:
                parameter.grad = None
            else:
                gradient.data.fill(0)
                mark_changed(gradient.data)

    def to(self, dtype: DTypeLike) -> Self:
        """Cast floating-point parameters and buffers to another float dtype, in this object.

        Optimizers keep their parameters; the state they gathered keeps its dtype.

        >>> import nn
        >>> nn.Linear(2, 3).to("float64").weight.dtype
        dtype('float64')
        """
        wanted = np.dtype(dtype)
        if wanted.kind != "f":
            raise TypeError(f"a module's parameters must be floats, got dtype {wanted}")
        for parameter in self.parameters():
            replace_array(parameter, parameter.data.astype(wanted))
        for module in self.modules():
            for name, buffer in module._own_buffers():
                if buffer.dtype.kind == "f":
                    setattr(module, name, buffer.astype(wanted))
        return self

    def double(self) -> Self:
        """Cast to float64, for checks."""
        return self.to(np.float64)

    def float(self) -> Self:
        """Cast to float32."""
        return self.to(np.float32)

    def state_dict(self, prefix: str = "") -> dict[str, np.ndarray]:
        """Copies of all parameters and persistent buffers by path (PyTorch's names).

        The arrays are copies: training on does not change a state dict taken before. Something
        shared appears under each of its paths.

        >>> import nn
        >>> {name: array.shape for name, array in nn.Linear(3, 2).state_dict().items()}
        {'weight': (2, 3), 'bias': (2,)}
        """
        return collect_state(self, prefix)

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True
    ) -> IncompatibleKeys:
        """Copy a state dict's arrays (anything `np.asarray` takes) into this module in place.

        All names, shapes and dtypes are checked before anything changes. With `strict=False`
        missing and unexpected names are returned instead of raised.

        Raises StateDictError, both a RuntimeError (as in PyTorch) and a ValueError, that lists
        every problem: missing and unexpected names (with close ones), shapes and dtypes.

        >>> import nn
        >>> net = nn.Linear(3, 2)
        >>> net.load_state_dict(nn.Linear(3, 2).state_dict())
        IncompatibleKeys(missing_keys=[], unexpected_keys=[])
        """
        return restore_state(self, state_dict, strict)

    def extra_repr(self) -> str:
        """What `repr` shows between the parentheses, before the children."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.splitlines()
        for name, child in self.named_children():
            lines.append(f"({name}): " + repr(child).replace("\n", "\n  "))
        title = type(self).__name__
        if lines == [extra] or not lines:
            return f"{title}({extra})"
        return f"{title}(\n  " + "\n  ".join(lines) + "\n)"


def describe(module: Module) -> str:
    """A module with its path in the model being called, for error messages.

    >>> import nn
    >>> describe(nn.Linear(3, 2))
    'Linear(in_features=3, out_features=2, bias=True)'
    """
    root = module
    call = current_modes().scope
    while call is not None:
        owner = call.owner()
        if isinstance(owner, Module):
            root = owner
        call = call.parent
    for path, part in root.named_modules():
        if part is module and path:
            return f"layer {path!r} of {type(root).__name__}, {module!r},"
    return repr(module)
