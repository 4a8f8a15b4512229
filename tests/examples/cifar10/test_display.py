"""The progress bar says when an epoch waits for the compiler."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from autograd.kernels.warm_up import compilation_began, compilation_ended
from examples.cifar10 import display
from examples.cifar10.display import epoch_bar


class Bar:
    """What the trainer uses of tqdm's bar."""

    def __init__(self, **settings: Any) -> None:
        self.n = 0
        self.shown: list[str] = []

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def set_postfix_str(self, text: str, refresh: bool = True) -> None:
        self.shown.append(text if refresh else f"{text} at the next update")

    def update(self, count: int) -> None:
        self.n += count


def test_a_compilation_is_shown_at_once_and_then_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bars: list[Bar] = []

    def make(**settings: Any) -> Bar:
        bars.append(Bar(**settings))
        return bars[-1]

    monkeypatch.setattr(display, "load_extra", lambda *_: SimpleNamespace(tqdm=make))
    with epoch_bar("epoch 1", 100, quiet=False) as bar:
        compilation_began("pool_rows")
        compilation_ended("pool_rows")
        bar.show(50, 1.25, 0.5)
    compilation_began("later")
    compilation_ended("later")
    assert bars[0].shown == [
        "compiling kernels: pool_rows",
        "",
        "loss 1.2500, accuracy 0.5000 at the next update",
    ]
    assert bars[0].n == 50


def test_a_quiet_run_says_nothing() -> None:
    with epoch_bar("epoch 1", 100, quiet=True) as bar:
        compilation_began("pool_rows")
        compilation_ended("pool_rows")
        bar.compiling("pool_rows")
        bar.show(50, 1.25, 0.5)
