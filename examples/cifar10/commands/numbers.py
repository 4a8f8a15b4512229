"""Numbers as the command line takes them."""

from __future__ import annotations

import argparse


def natural(text: str) -> int:
    return _number(text, int, 0)


def positive(text: str) -> int:
    return _number(text, int, 1)


def real(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a finite number of at least 0, got {text}")
    return value


def _number(text: str, kind: type[int], least: int) -> int:
    value = kind(text)
    if value < least:
        raise argparse.ArgumentTypeError(f"must be at least {least}, got {text}")
    return value
