"""Runs that are interrupted at chosen moments and gone on with, beside unbroken ones."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest

import nn
from examples.cifar10.cli import main
from examples.cifar10.commands import train
from examples.cifar10.data.dataset import Dataset
from examples.cifar10.data.images import LabelledImages
from examples.cifar10.runs import running
from examples.cifar10.runs.checkpointing import Checkpoints
from examples.cifar10.runs.folder import RunFolder
from examples.cifar10.training.trainer import Trainer

CLOCK = ("seconds", "waited_seconds", "images_per_second")
OPTIONS = ["--no-figures", "--no-lint", "--checkpoint-every", "2"]


class Crash(BaseException):
    """The process is gone: nothing of the program may catch it."""


class Moments:
    """Counts the moments at which something may happen, and lets it happen at the planned ones."""

    def __init__(self, plan):
        self.plan = plan
        self.count = 0
        self.seen = []

    def __call__(self, place, half=lambda: None):
        self.count += 1
        kind = self.plan.get(self.count)
        if kind is None:
            return
        self.seen.append((place, kind))
        # Without a handler SIGTERM would end the tests too.
        if kind == "crash" or signal.getsignal(kind) is signal.SIG_DFL:
            half()
            raise Crash
        signal.raise_signal(kind)

    def around(self, patch, owner, name, *, before=True, after=True):
        real = getattr(owner, name)

        def replacement(*arguments, **options):
            if before:
                self(f"before {name}")
            result = real(*arguments, **options)
            if after:
                self(f"after {name}")
            return result

        patch.setattr(owner, name, replacement)

    def watch(self, patch):
        """Every step, measurement and write is a moment, and so is the middle of a metrics line."""
        self.around(patch, Trainer, "train_on", before=False)
        self.around(patch, running, "measure")
        self.around(patch, running, "measure_test")
        self.around(patch, Checkpoints, "save")
        self.around(patch, RunFolder, "save_model")
        self.around(patch, os, "fsync", after=False)
        self.around(patch, os, "replace")
        real = RunFolder.add_metrics

        def add_metrics(folder, entry):
            def half():
                before = folder.metrics.read_text() if folder.metrics.exists() else ""
                folder.metrics.write_text(before + json.dumps(entry)[:20])

            self("add_metrics", half)
            real(folder, entry)
            self("after add_metrics")

        patch.setattr(RunFolder, "add_metrics", add_metrics)


def some_images(count, seed=0):
    rng = np.random.default_rng([count, seed])
    pixels = rng.integers(0, 256, (count, 3, 32, 32), dtype=np.uint8)
    return LabelledImages(pixels, rng.integers(0, 10, count))


def dataset(count=40, seed=0):
    names = tuple(f"class {i}" for i in range(10))
    return Dataset(some_images(count, seed), some_images(10, seed), names, "random")


@contextlib.contextmanager
def recipe_of(recipe, images=None):
    """Inside, `train` trains by this recipe on a few images."""
    images = images or dataset()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "choose_recipe", lambda *_: recipe)
        patch.setattr(train, "load", lambda *_: images)
        yield patch


def begin(folder, model, *more):
    return main(["train", model, *OPTIONS, *more, "--out", str(folder)])


def resume(folder, *more):
    return main(["train", *OPTIONS, *more, "--resume", str(folder)])


def go_to_the_end(folder, model, *more):
    """Begin or go on, again and again, until the run has ended; gives how often it stopped."""
    for attempt in range(1000):
        try:
            status = (
                resume(folder)
                if folder.joinpath("config.json").exists()
                else begin(folder, model, *more)
            )
        except Crash:
            continue
        if status == 0:
            return attempt
        assert status in (128 + signal.SIGINT, 128 + signal.SIGTERM)
    raise AssertionError("it never ended")


def metrics(folder):
    """The lines of metrics.jsonl without what a clock has measured."""
    text = Path(folder, "metrics.jsonl").read_text()
    assert text.endswith("\n")
    entries = [json.loads(line) for line in text.splitlines()]
    return [{k: v for k, v in entry.items() if k not in CLOCK} for entry in entries]


def assert_same_result(one, other):
    """The model that was kept, the metrics and the last state of all that trains, bit for bit."""
    assert metrics(one) == metrics(other)
    assert Path(one, "model.npz").read_bytes() == Path(other, "model.npz").read_bytes()
    first, second = (nn.load(Path(folder, "checkpoints")) for folder in (one, other))
    assert first.step == second.step
    clock = dict.fromkeys(CLOCK, 0)
    assert first.loader | clock == second.loader | clock
    assert first.scheduler == second.scheduler
    assert list(first) == list(second)
    for name in first:
        assert np.array_equal(first[name], second[name]), name
    assert same(first.optimizer, second.optimizer)


def same(one, other):
    """Equality of nested plain data with arrays."""
    if isinstance(one, np.ndarray):
        return isinstance(other, np.ndarray) and np.array_equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other
