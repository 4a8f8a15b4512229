"""A run folder has one process at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from examples.cifar10.errors import TrainingError
from examples.cifar10.runs.locking import locked
from tests.examples.cifar10.runs.interrupted import Moments, begin, recipe_of, resume
from tests.examples.cifar10.runs.test_interruptions import RECIPE

HOLD = """
import sys, pathlib
from examples.cifar10.runs.locking import locked
with locked(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_lock_dies_with_its_process(tmp_path, capsys):
    with recipe_of(RECIPE) as patch:
        Moments({9: signal.SIGINT}).watch(patch)
        assert begin(tmp_path, "softmax") == 130
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.getcwd()},
    )
    try:
        assert holder.stdout.readline() == "held\n"
        before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        with recipe_of(RECIPE):
            for attempt in (
                lambda: resume(tmp_path),
                lambda: begin(tmp_path, "softmax", "--overwrite"),
            ):
                assert attempt() == 1
                assert f"is in use by process {holder.pid};" in capsys.readouterr().err
        assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        holder.kill()
        holder.communicate()
        with recipe_of(RECIPE):
            assert resume(tmp_path) == 0
    finally:
        holder.kill()
        holder.communicate()


def test_a_lock_is_let_go_and_may_be_taken_again(tmp_path):
    for _ in range(2):
        with locked(tmp_path / "lock"):
            assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"
            with pytest.raises(TrainingError, match=f"in use by process {os.getpid()}"):
                locked(tmp_path / "lock").__enter__()
