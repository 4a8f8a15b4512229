"""Tensor: a thin handle on an array and the node of the graph that made it."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from autograd import protocols
from autograd.conversions import Conversions
from autograd.dispatch import operations
from autograd.errors import TrackedTensorError
from autograd.gathering import ask_for_graph
from autograd.in_place import InPlaceMethods
from autograd.markers import LEAF
from autograd.methods import ArrayMethods
from autograd.node import Node, caller_place, is_cut, is_finished, make_node, small

NUMBERS = (float, int, np.generic)
FLOAT64 = np.dtype(np.float64)


class Tensor(InPlaceMethods, Conversions, ArrayMethods):
    """An array whose operations are recorded, so that both sweeps can differentiate them.

    `data` is an ndarray (wrapped without a copy), a Python number, or nested lists of numbers;
    dtypes are NumPy's booleans, integers and real floats. Only floats can require gradients.
    A 0-d Tensor is the scalar type.

    Raises TypeError for complex or non-numeric data and for `requires_grad` on integers.

    >>> import autograd as ag
    >>> x = ag.Tensor(3.0, requires_grad=True)
    >>> y = x * x + 2.0 * x
    >>> y.jvp({x: 1.0})
    Tensor(8.)
    >>> y.backward()
    >>> x.grad
    Tensor(8.)
    """

    __slots__ = ("__weakref__", "_grad", "_name", "_node", "_value")

    _value: Any
    _node: Node | None
    _grad: Tensor | None
    _name: str | None

    def __init__(
        self,
        data: Any,
        requires_grad: bool = False,
        dtype: DTypeLike | None = None,
        name: str | None = None,
    ) -> None:
        if isinstance(data, Tensor):
            if data._node is not None:
                raise TrackedTensorError(
                    "Tensor(data) got a tracked Tensor and would drop its derivative; "
                    "pass `data.detach()`, or use the tensor as it is"
                )
            data = data.data
        array = np.asarray(data, dtype=dtype)
        check_dtype(array.dtype, "Tensor(data)")
        self._value = array
        self._node = None
        self._grad = None
        self._name = name
        if requires_grad:
            self.requires_grad = True
            if array.dtype is FLOAT64 and isinstance(data, NUMBERS):
                self._be_number()

    def _be_number(self) -> None:
        """Have a number, with which operations are quicker, until the array is asked for."""
        array, node = self.data, self._node
        assert node is not None
        node.held = (array,)
        node.value = self._value = array[()]

    @property
    def data(self) -> np.ndarray:
        """The ndarray behind this Tensor. Writing to it by NumPy is not seen by the engine."""
        value = self._value
        if not isinstance(value, np.ndarray):
            node = self._node
            if node is not None and node.leaf is not None and node.leaf() is self:
                value = node.held[0]  # as it was made from a number
            else:
                value = np.asarray(value)
            self._value = value
        array: np.ndarray = value
        return array

    @data.setter
    def data(self, array: Any) -> None:
        if not self.is_leaf:
            raise RuntimeError(
                "data of a computed Tensor cannot be replaced: the graph would not know; "
                "compute a new Tensor, or `.detach()` this one first"
            )
        array = np.asarray(array.data if isinstance(array, Tensor) else array)
        if array.shape != self.shape or array.dtype != self.dtype:
            raise ValueError(
                f"data of shape {self.shape} and dtype {self.dtype} cannot be replaced by shape "
                f"{array.shape} and dtype {array.dtype}; make a new Tensor"
            )
        self._value = array
        node = self._node
        if node is not None and type(node.value) is np.ndarray:  # a number is what was recorded
            node.value = small(array)

    @property
    def node(self) -> Node | None:
        """The node that made this Tensor, or None if it is not tracked."""
        node = self._node
        if node is not None and is_cut(node) and node.op is not LEAF and not is_finished(node):
            ask_for_graph([node])
        return node

    @property
    def grad(self) -> Tensor | None:
        """What `backward` accumulated in this leaf."""
        try:
            return self._grad
        except AttributeError:
            return None

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                value = Tensor(value)
            if value.shape != self.shape:
                raise ValueError(f"grad must have shape {self.shape}, got shape {value.shape}")
        self._grad = value

    @property
    def requires_grad(self) -> bool:
        """Whether derivatives with respect to this Tensor, or through it, are recorded."""
        return self._node is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        node = self._node
        if value and node is None:
            dtype = self._value.dtype
            if dtype.kind != "f":
                raise TypeError(
                    f"only floats have derivatives: requires_grad=True needs a float dtype, got "
                    f"{dtype}; write 3.0 instead of 3, or pass dtype=float"
                )
            place, value = caller_place(2), small(self.data)
            node = make_node(LEAF, (), {}, (), self.shape, dtype, place, None, value)
            node.leaf = weakref.ref(self)
            node.name = self.name
            self._node = node
        elif not value and node is not None:
            if node.op is not LEAF:
                raise RuntimeError(
                    "requires_grad of a computed Tensor cannot be switched off; use `.detach()`"
                )
            self._value, self._node = self.data, None

    @property
    def is_leaf(self) -> bool:
        """True if no recorded operation made this Tensor."""
        return self._node is None or self._node.op is LEAF

    @property
    def name(self) -> str | None:
        """A label for pictures and messages."""
        try:
            return self._name
        except AttributeError:
            return None

    @name.setter
    def name(self, name: str | None) -> None:
        self._name = name
        if self._node is not None:
            self._node.name = name

    @property
    def shape(self) -> tuple[int, ...]:
        shape: tuple[int, ...] = self._value.shape
        return shape

    @property
    def ndim(self) -> int:
        ndim: int = self._value.ndim
        return ndim

    @property
    def size(self) -> int:
        size: int = self._value.size
        return size

    @property
    def dtype(self) -> np.dtype[Any]:
        dtype: np.dtype[Any] = self._value.dtype
        return dtype

    def numpy(self) -> np.ndarray:
        """The data as an ndarray, without a copy and without a derivative."""
        return self.data

    def item(self) -> Any:
        """The single element as a Python number, without a derivative."""
        return self._value.item()

    def tolist(self) -> Any:
        """The data as nested lists of Python numbers, without a derivative."""
        return self.data.tolist()

    def detach(self) -> Tensor:
        """A Tensor on the same data that is a constant."""
        return wrap(self.data, None)

    def zero_grad(self) -> None:
        """Forget the accumulated gradient."""
        self._grad = None

    def backward(
        self,
        cotangent: Any = None,
        *,
        create_graph: bool = False,
        retain_graph: bool | None = None,
    ) -> None:
        """Pull `cotangent` back through the graph and add the result to each leaf's `grad`.

        The reverse sweep: x.grad += J(x)^T cotangent for every tracked leaf x, in reverse
        topological order (Griewank & Walther, Evaluating Derivatives, 2008, section 3.2). A
        scalar needs no cotangent (1 is meant); any other shape needs one of its own shape.
        Afterwards the graph's saved values are freed unless `retain_graph` is True; None means
        `create_graph`. With `create_graph` the sweep records itself.

        Raises RuntimeError for an untracked Tensor or a freed graph, ValueError for a wrong shape.

        >>> import autograd as ag
        >>> x = ag.Tensor([1.0, 2.0], requires_grad=True)
        >>> (x * x).backward([1.0, 10.0])
        >>> x.grad
        Tensor([ 2., 40.])
        """
        operations.backward(self, cotangent, create_graph, retain_graph)

    def jvp(self, tangents: Mapping[Tensor, Any], *, create_graph: bool = False) -> Tensor:
        """Push tangents of `tangents`' keys forward through the recorded graph to this Tensor.

        The forward sweep: sum over x of J(x) dx, in topological order (Griewank & Walther, 2008,
        section 3.1). Tensors not named have tangent 0. With `create_graph` the sweep records
        itself.

        Raises RuntimeError for an untracked key, ValueError for a wrong shape.

        >>> import autograd as ag
        >>> x = ag.Tensor([1.0, 2.0], requires_grad=True)
        >>> (x * x).jvp({x: [1.0, 0.0]})
        Tensor([2., 0.])
        """
        if not isinstance(tangents, Mapping):
            raise TypeError(
                f"jvp takes a mapping {{tensor: tangent}}, got {type(tangents).__name__}; "
                "write y.jvp({x: dx})"
            )
        result: Tensor = operations.pushforward(
            self, list(tangents), list(tangents.values()), create_graph=create_graph
        )
        return result

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError(
            "t[i] = x would change a Tensor in place; write `t = t.at[i].set(x)`, "
            "or t.at[i].add(x) to add"
        )

    def __iter__(self) -> Iterator[Any]:
        if self.ndim == 0:
            raise TypeError("a 0-d Tensor has no first axis to iterate over; it is one number")
        return (self[i] for i in range(self.shape[0]))

    def __len__(self) -> int:
        if self.ndim == 0:
            raise TypeError("a 0-d Tensor has no length; it is one number")
        return self.shape[0]

    def __repr__(self) -> str:
        body = np.array2string(self.data, separator=", ", prefix="Tensor(")
        parts = [body]
        default = (np.float64, np.int64, np.bool_)
        if self.dtype.type not in default or self.size == 0:
            parts.append(f"dtype={self.dtype}")
        if self._node is not None:
            parts.append("requires_grad=True" if self.is_leaf else f"op={self._node.op.name}")
        if self.name is not None:
            parts.append(f"name={self.name!r}")
        return f"{type(self).__name__}({', '.join(parts)})"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """For notebooks: the value, and the text tree of the graph it was computed by."""
        from autograd.drawing.notebooks import mimebundle

        return mimebundle(self)

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec and self.size == 1 else format(repr(self), spec)

    def __bool__(self) -> bool:
        return bool(self._value)

    __hash__ = object.__hash__

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return protocols.call_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return protocols.call_function(function, args, kwargs)

    def __copy__(self) -> Tensor:
        return _rebuild(*self._leaf_parts("copy.copy"))

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        kind, data, requires_grad, name, grad, state = self._leaf_parts("copy.deepcopy")
        grad = None if grad is None else grad.copy()
        result = _rebuild(kind, data.copy(order="K"), requires_grad, name, grad, state)
        memo[id(self)] = result
        return result

    def __reduce_ex__(self, protocol: Any) -> Any:
        return _rebuild, self._leaf_parts("pickle")

    def _leaf_parts(self, what: str) -> tuple[Any, ...]:
        if not self.is_leaf:
            raise RuntimeError(
                f"{what} of a computed Tensor would drop or tear its graph; "
                "copy `t.detach()`, or recompute it from copied leaves"
            )
        grad = self.grad
        return (
            type(self),
            self.data,
            self.requires_grad,
            self.name,
            None if grad is None else grad.data,
            getattr(self, "__dict__", None),
        )


def _rebuild(
    kind: type[Tensor],
    data: np.ndarray,
    requires_grad: bool,
    name: str | None,
    grad: np.ndarray | None,
    state: dict[str, Any] | None,
) -> Tensor:
    tensor = kind.__new__(kind)
    Tensor.__init__(tensor, data, requires_grad, name=name)
    if grad is not None:
        tensor._grad = wrap(grad, None)
    if state:
        tensor.__dict__.update(state)
    return tensor


_new = object.__new__


def wrap(value: Any, node: Node | None) -> Tensor:
    """The handle of a computed value."""
    tensor = _new(Tensor)
    tensor._value = value
    tensor._node = node
    return tensor


def check_dtype(dtype: np.dtype[Any], where: str) -> None:
    """Raise TypeError unless a Tensor can hold `dtype`."""
    if dtype.kind not in "fiub":
        advice = (
            "complex arrays pass through operations as arrays"
            if dtype.kind == "c"
            else "pass numbers; join Tensors with ag.stack or ag.concatenate"
        )
        raise TypeError(
            f"{where} needs booleans, integers or real floats, got dtype {dtype}; {advice}"
        )
