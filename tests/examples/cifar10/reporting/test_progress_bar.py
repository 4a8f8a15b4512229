"""The progress bar says where an epoch is, and when it waits for the compiler."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from autograd.kernels.warm_up import compilation_began, compilation_ended
from examples.cifar10.reporting import progress_bar
from examples.cifar10.reporting.progress_bar import ProgressBar


class Bar:
    """What is used of tqdm's bar."""

    def __init__(self, **settings: Any) -> None:
        self.n = 0
        self.open = True
        self.shown: list[str] = []

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self.open = False

    def set_postfix_str(self, text: str, refresh: bool = True) -> None:
        self.shown.append(text if refresh else f"{text} at the next update")

    def update(self, count: int) -> None:
        self.n += count


@pytest.fixture
def bars(monkeypatch: pytest.MonkeyPatch) -> list[Bar]:
    made: list[Bar] = []

    def make(**settings: Any) -> Bar:
        made.append(Bar(**settings))
        return made[-1]

    monkeypatch.setattr(progress_bar, "load_extra", lambda *_: SimpleNamespace(tqdm=make))
    return made


def test_a_compilation_is_shown_at_once_and_then_forgotten(bars):
    reporter = ProgressBar()
    reporter.begin_epoch(1, 3, 100, 0)
    compilation_began("pool_rows")
    compilation_ended("pool_rows")
    reporter.step(50, 1.25, 0.5)
    reporter.end_epoch({})
    compilation_began("later")
    compilation_ended("later")
    (bar,) = bars
    assert bar.shown == [
        "compiling kernels: pool_rows",
        "",
        "loss 1.2500, accuracy 0.5000 at the next update",
    ]
    assert bar.n == 50


def test_an_error_leaves_no_bar(bars):
    def train(reporter):
        with reporter:
            reporter.begin_epoch(1, 3, 100, 0)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        train(ProgressBar())
    assert not bars[0].open
