"""A training process killed by SIGKILL again and again ends with the bits of an undisturbed one.

Five kills by default; `KILLS=200 pytest -s tests/examples/cifar10/runs/test_kills.py` does more and
prints the counts.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter

import pytest

from tests.examples.cifar10.runs.interrupted import assert_same_result, metrics
from tests.examples.cifar10.runs.kills import (
    kill_again_and_again,
    run_to_the_end,
    session,
    traces,
)

KILLS = int(os.environ.get("KILLS", "5"))
# Of one run, so that kills meet each other's leavings, and then another run begins.
PER_RUN = 12


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unbroken")
    began = time.monotonic()
    run_to_the_end(folder / "mlp", "mlp")
    return folder / "mlp", time.monotonic() - began


def test_killed_anywhere_it_ends_as_if_it_had_not_been(tmp_path, unbroken):
    whole, seconds = unbroken
    seed = int(os.environ.get("KILLS_SEED", "0"))
    rng = random.Random(seed)
    total = Counter()
    while total["killed"] < KILLS:
        folder = tmp_path / f"run{total['runs']}"
        most = min(PER_RUN, KILLS - total["killed"])
        total += kill_again_and_again(folder, "mlp", rng, most, seconds / 4)
        total["runs"] += 1
        assert_same_result(whole, folder)
        assert traces(folder) == []
    print(f"\nkills: {dict(total)}, seed {seed}")


def test_a_kill_within_a_write_leaves_a_part_that_is_cleared_away(tmp_path):
    process = session(tmp_path, "mlp", "write:9")
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert traces(tmp_path)
    run_to_the_end(tmp_path, "mlp")
    assert traces(tmp_path) == []
    assert len(metrics(tmp_path)) == 7
