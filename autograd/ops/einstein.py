"""Einstein summation, normalised at entry to diagonals, sums and pairwise matrix products."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from autograd.dispatch import operations
from autograd.ops.axes import data_of
from autograd.registry import bad, register
from autograd.samples import call, real
from autograd.tensor import Tensor

__all__ = ["einsum"]

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


@lru_cache(maxsize=1 << 8)
def _parse(
    subscripts: str, shapes: tuple[tuple[int, ...], ...]
) -> tuple[list[str], str, dict[str, int]]:
    """Labels of every operand and of the output, with the ellipsis spelled out in letters, and the
    sizes of the labels. Not to be changed.
    """
    text = subscripts.replace(" ", "")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    plain = text.replace("->", "").replace("...", "").replace(",", "")
    if any(letter not in _LETTERS for letter in plain):
        raise ValueError(f"einsum subscripts {subscripts!r} may hold letters, ',', '...' and '->'")
    if len(terms) != len(shapes):
        raise ValueError(
            f"einsum subscripts {subscripts!r} name {len(terms)} operands, got {len(shapes)}"
        )
    free = [letter for letter in _LETTERS if letter not in text]
    spread = 0
    for term, shape in zip(terms, shapes, strict=True):
        named = len(term.replace("...", ""))
        extra = len(shape) - named
        if extra < 0 or (extra and "..." not in term):
            raise ValueError(
                f"einsum subscripts {term!r} name {named} axes, the operand has shape {shape}"
            )
        spread = max(spread, extra if "..." in term else 0)
    dots = "".join(free[:spread])
    inputs = []
    for term, shape in zip(terms, shapes, strict=True):
        extra = len(shape) - len(term.replace("...", ""))
        inputs.append(term.replace("...", dots[spread - extra :] if extra else ""))
    if arrow:
        output = right.replace("...", dots)
    else:
        once = sorted(
            label
            for label in set("".join(terms).replace(".", ""))
            if "".join(terms).count(label) == 1
        )
        output = dots + "".join(once)
    unknown = [label for label in output if not any(label in term for term in inputs)]
    if unknown or len(set(output)) != len(output):
        raise ValueError(
            f"einsum output {right!r} must name labels of the operands, each once; got "
            f"{subscripts!r}"
        )
    return inputs, output, _sizes(inputs, shapes, subscripts)


def _without_repeats(x: Any, labels: str) -> tuple[Any, str]:
    """'iij' as 'ji': a repeated label in one operand is its diagonal."""
    for label in labels:
        while labels.count(label) > 1:
            first = labels.index(label)
            second = labels.index(label, first + 1)
            x = operations.diagonal(x, 0, first, second)
            labels = labels[:first] + labels[first + 1 : second] + labels[second + 1 :] + label
    return x, labels


def _summed(x: Any, labels: str, kept: str) -> tuple[Any, str]:
    """`x` summed over the labels that nobody else needs."""
    axes = tuple(i for i, label in enumerate(labels) if label not in kept)
    if axes:
        x = operations.sum(x, axes)
        labels = "".join(label for label in labels if label in kept)
    return x, labels


def _ordered(x: Any, labels: str, order: str) -> Any:
    if labels == order:
        return x
    return operations.transpose(x, tuple(labels.index(label) for label in order))


def _shaped(x: Any, shape: tuple[int, ...]) -> Any:
    return x if x.shape == shape else operations.reshape(x, shape)


def _pair(
    x: Any, x_labels: str, y: Any, y_labels: str, kept: str, sizes: dict[str, int]
) -> tuple[Any, str]:
    """The contraction of two operands as one batched matrix product."""
    x, x_labels = _summed(x, x_labels, y_labels + kept)
    y, y_labels = _summed(y, y_labels, x_labels + kept)
    shared = [label for label in x_labels if label in y_labels]
    batch = "".join(label for label in shared if label in kept)
    inside = "".join(label for label in shared if label not in kept)
    rows = "".join(label for label in x_labels if label not in shared)
    columns = "".join(label for label in y_labels if label not in shared)

    def length(labels: str) -> int:
        return math.prod([sizes[label] for label in labels])

    def matrix(z: Any, z_labels: str, first: str, second: str) -> Any:
        z = _ordered(z, z_labels, batch + first + second)
        wanted = [sizes[label] for label in batch]
        return _shaped(z, (*wanted, length(first), length(second)))

    if not inside:
        # A product without a sum: each axis of its own, aligned by broadcasting.
        x = _shaped(
            _ordered(x, x_labels, batch + rows),
            tuple(sizes[label] for label in batch + rows) + (1,) * len(columns),
        )
        y = _shaped(
            _ordered(y, y_labels, batch + columns),
            tuple(sizes[label] for label in batch)
            + (1,) * len(rows)
            + tuple(sizes[label] for label in columns),
        )
        return operations.multiply(x, y), batch + rows + columns
    out = operations.matmul(matrix(x, x_labels, rows, inside), matrix(y, y_labels, inside, columns))
    labels = batch + rows + columns
    return _shaped(out, tuple(sizes[label] for label in labels)), labels


def _sizes(
    inputs: list[str], shapes: tuple[tuple[int, ...], ...], subscripts: str
) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for labels, shape in zip(inputs, shapes, strict=True):
        for label, size in zip(labels, shape, strict=True):
            known = sizes.get(label, 1)
            if known != size and 1 not in (known, size):
                raise ValueError(
                    f"einsum {subscripts!r}: a label has size {known} in one operand and {size} "
                    f"in another; shapes are {list(shapes)}"
                )
            sizes[label] = size if known == 1 else known
    return sizes


@register(
    [
        call("ij,jk->ik", real(2, 3), real(3, 4)),
        call("ij,jk", real(2, 3), real(3, 4)),
        call("ii->i", real(3, 3)),
        call("ii", real(3, 3)),
        call("iij->j", real(2, 2, 3)),
        call("iii", real(2, 2, 2)),
        call("jii->ij", real(2, 3, 3)),
        call("jiji->j", real(2, 3, 2, 3)),
        call("ij,ij->ij", real(1, 3), real(2, 3)),
        call("ij,ij->j", real(2, 1), real(2, 3)),
        call("ij->", real(2, 3)),
        call("ij->ji", real(2, 3)),
        call("i,j->ij", real(2), real(3)),
        call("...ij,...jk->...ik", real(2, 2, 3), real(3, 2)),
        call("...i,i->...", real(2, 3), real(3)),
        call("bij,bjk,bk->bi", real(2, 2, 3), real(2, 3, 2), real(2, 2)),
        call("ij,kl->i", real(2, 2), real(2, 3)),
        call("ii,ij->j", real(2, 2), real(2, 3)),
        call("i,i,i", real(3), real(3), real(3)),
        call(",i->i", real(), real(2)),
        call("ij,ij->ij", real(2, 3), real(2, 3)),
    ],
    numpy=(np.einsum,),
    bad=[
        bad(ValueError, "name 2 operands", "ij,jk->ik", np.ones((2, 2))),
        bad(ValueError, "size", "ij,jk->ik", np.ones((2, 3)), np.ones((2, 3))),
        bad(ValueError, "name 2 axes", "ij->i", np.ones(3)),
        bad(ValueError, "each once", "ij->ii", np.ones((2, 2))),
        bad(ValueError, "letters", "i1->i", np.ones((2, 2))),
        bad(TypeError, "string", np.ones(2), np.ones(2)),
    ],
)
def einsum(subscripts: str, *operands: Any) -> Any:
    """Sums of products of operands over labelled axes, as in `np.einsum`.

    Labels may repeat in an operand (its diagonal), be omitted from the output (a sum), and '...'
    stands for axes that broadcast. Operands are contracted in pairs, in the order that
    `np.einsum_path` finds cheapest.

    Raises ValueError for subscripts that do not fit the operands.

    >>> import autograd as ag
    >>> ag.einsum("ij,j->i", ag.Tensor([[1.0, 2.0], [3.0, 4.0]]), ag.Tensor([1.0, 10.0]))
    Tensor([21., 43.])
    """
    arrays = [x if isinstance(x, (Tensor, np.ndarray)) else np.asarray(x) for x in operands]
    if not isinstance(subscripts, str):
        raise TypeError(
            f"einsum takes the subscripts as a string such as 'ij,jk->ik', got "
            f"{type(subscripts).__name__}"
        )
    inputs, output, sizes = _parse(subscripts, tuple(x.shape for x in arrays))
    terms = []
    for x, labels in zip(arrays, inputs, strict=True):
        # An axis of size 1 that broadcasts against a longer one is dropped: it only multiplies.
        narrow = [i for i, label in enumerate(labels) if x.shape[i] == 1 and sizes[label] != 1]
        if narrow:
            x = operations.squeeze(x, tuple(narrow))
            labels = "".join(label for i, label in enumerate(labels) if i not in narrow)
        terms.append(_without_repeats(x, labels))
    if len(terms) > 2:
        standing = ",".join(labels for _, labels in terms) + "->" + output
        order = np.einsum_path(standing, *(data_of(x) for x, _ in terms), optimize="greedy")[0][1:]
    else:
        order = [(0, 1)] * (len(terms) - 1)
    for pair in order:
        chosen = [terms.pop(i) for i in sorted(pair, reverse=True)][::-1]
        while len(chosen) > 1:
            (x, x_labels), (y, y_labels) = chosen[:2]
            kept = output + "".join(labels for _, labels in (*terms, *chosen[2:]))
            chosen[:2] = [_pair(x, x_labels, y, y_labels, kept, sizes)]
        terms += chosen
    ((x, labels),) = terms
    x, labels = _summed(x, labels, output)
    return _ordered(x, labels, output)
