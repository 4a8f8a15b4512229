"""Tables of vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from autograd import no_grad
from nn import functional as F
from nn import init
from nn.checks import as_indices, count
from nn.functional.maps import padding_index
from nn.layers.starts import zeros_parameter
from nn.module import Module, describe
from nn.parameter import Parameter


class Embedding(Module):
    """Rows of `weight` (num_embeddings, embedding_dim) by integers of any shape.

    The weight starts normal; the row `padding_idx`, if given, starts at 0 and gets no gradient.

    >>> import nn
    >>> nn.Embedding(10, 3)([[1, 2], [3, 4]]).shape
    (2, 2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        dtype: DTypeLike | None = None,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.num_embeddings = count(num_embeddings, "num_embeddings")
        self.embedding_dim = count(embedding_dim, "embedding_dim")
        if padding_idx is not None:
            padding_idx = padding_index(padding_idx, self.num_embeddings)
        self.padding_idx = padding_idx
        self.weight: Parameter = zeros_parameter((self.num_embeddings, self.embedding_dim), dtype)
        self.reset_parameters(rng)

    def reset_parameters(self, rng: np.random.Generator | None = None) -> None:
        """Draw the initial values again."""
        init.normal_(self.weight, rng=rng)
        if self.padding_idx is not None:
            values = self.weight.data.copy()
            values[self.padding_idx] = 0.0
            with no_grad():
                self.weight.copy_(values)

    def forward(self, input: Any) -> Any:
        """The rows; IndexError for a number outside the table, TypeError for floats."""
        indices = as_indices(input, "Embedding")
        if indices.size and not 0 <= indices.min() <= indices.max() < self.num_embeddings:
            raise IndexError(
                f"{describe(self)} takes numbers from 0 to {self.num_embeddings - 1}, got values "
                f"from {indices.min()} to {indices.max()}"
            )
        return F.embedding(indices, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        """The sizes."""
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"
