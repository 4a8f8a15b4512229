"""Embedding: a trained table of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from nn import functional, init
from nn.checks import count
from nn.functional.maps import padding_index
from nn.module import Module
from nn.parameter import DEFAULT_DTYPE, Parameter


class Embedding(Module):
    """Rows of `weight` (num_embeddings, embedding_dim) by integer indices.

    The rows start normal; the row `padding_idx` starts at zero and gets no gradient. Raises
    IndexError for an index outside the rows.

    >>> import nn
    >>> nn.Embedding(5, 3)([1, 4]).shape
    (2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        rng: np.random.Generator | None = None,
        dtype: DTypeLike = None,
    ) -> None:
        self.num_embeddings = count(num_embeddings, "num_embeddings")
        self.embedding_dim = count(embedding_dim, "embedding_dim")
        self.padding_idx = (
            None if padding_idx is None else padding_index(padding_idx, self.num_embeddings)
        )
        shape = (self.num_embeddings, self.embedding_dim)
        self.weight = Parameter(np.empty(shape, dtype or DEFAULT_DTYPE))
        init.normal_(self.weight, rng=rng)
        if self.padding_idx is not None:
            self.weight.data[self.padding_idx] = 0

    def forward(self, input: Any) -> Any:
        """Integers of any shape to that shape + (embedding_dim,)."""
        return functional.embedding(input, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        parts = [f"{self.num_embeddings}, {self.embedding_dim}"]
        if self.padding_idx is not None:
            parts.append(f"padding_idx={self.padding_idx}")
        return ", ".join(parts)
