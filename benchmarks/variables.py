"""The environment's variables that the library reads, checked before anything is measured."""

from __future__ import annotations

import argparse
import os

from autograd.kernels.backend import explain_winograd
from autograd.kernels.matrix_units import explain_matrix_units
from autograd.kernels.workers import get_num_threads

KERNELS = ("auto", "numpy", "numba")


def check_variables(parser: argparse.ArgumentParser, kernels: str | None = None) -> None:
    """End the program with a message where one is not understood; `kernels` are those chosen."""
    chosen = kernels or os.environ.get("DAGRAD_KERNELS") or KERNELS[0]
    if chosen not in KERNELS:  # argparse takes a default as it is
        parser.error(f"DAGRAD_KERNELS={chosen!r}: give one of {', '.join(KERNELS)}")
    for ask in (get_num_threads, explain_winograd, explain_matrix_units):
        try:
            ask()
        except ValueError as error:
            parser.error(str(error))
