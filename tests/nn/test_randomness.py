"""One seed makes models, masks and initial values reproducible."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

import nn


def build():
    net = nn.Sequential(nn.Linear(3, 4), nn.Dropout(), nn.Embedding(2, 2), nn.Conv2d(1, 2, 3))
    return [*net.state_dict().values(), net[1](np.ones(20))]


def test_a_seed_repeats_everything():
    nn.manual_seed(7)
    first = build()
    nn.manual_seed(7)
    second = build()
    third = build()
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(first, third, strict=True))


def test_the_default_generator_is_one_object():
    assert nn.manual_seed(np.int64(3)) is nn.default_rng()
    expected = np.random.Generator(np.random.PCG64(3)).normal(size=3)
    np.testing.assert_array_equal(nn.default_rng().normal(size=3), expected)


def test_a_generator_given_leaves_the_default_alone():
    nn.manual_seed(0)
    before = nn.default_rng().bit_generator.state
    nn.Linear(3, 2, rng=np.random.default_rng(1))
    nn.Dropout(rng=np.random.default_rng(1))(np.ones(5))
    assert nn.default_rng().bit_generator.state == before


def test_copies_of_dropout_draw_the_same_masks():
    layer = nn.Dropout(rng=np.random.default_rng(2))
    layer(np.ones(9))
    others = [copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))]
    masks = [part(np.ones(40)).tolist() for part in (layer, *others)]
    assert masks[0] == masks[1] == masks[2]


@pytest.mark.parametrize(
    ("layer", "fan_in"),
    [
        (lambda rng: nn.Linear(50, 400, rng=rng), 50),
        (lambda rng: nn.Conv1d(6, 400, 7, groups=2, rng=rng), 21),
        (lambda rng: nn.Conv2d(6, 300, (3, 5), rng=rng), 90),
        (lambda rng: nn.ConvTranspose2d(30, 8, 5, groups=2, rng=rng), 100),
    ],
)
def test_layers_start_uniform_by_their_fan_in(layer, fan_in):
    made = layer(np.random.default_rng(0))
    bound = fan_in**-0.5
    for p in (made.weight, made.bias):
        assert np.abs(p.data).max() <= bound * (1 + 1e-6)
    assert made.weight.data.std() == pytest.approx(bound / 3**0.5, rel=0.05)
    assert abs(made.weight.data.mean()) < 0.05 * bound


def test_embeddings_start_normal():
    weight = nn.Embedding(500, 40, rng=np.random.default_rng(0)).weight.data
    assert (weight.mean(), weight.std()) == (pytest.approx(0, abs=0.03), pytest.approx(1, rel=0.03))


@pytest.mark.parametrize(
    ("seed", "error"), [(-1, ValueError), (1.0, TypeError), (True, TypeError), (None, TypeError)]
)
def test_bad_seeds(seed, error):
    with pytest.raises(error, match="manual_seed"):
        nn.manual_seed(seed)


FORKING = """
import os
import signal
import threading

import numpy as np

import nn

ended = threading.Event()


def draw():
    while not ended.is_set():
        nn.default_rng().normal(size=20000)


def forked(task):
    child = os.fork()
    if child == 0:
        signal.alarm(30)  # ends a child that waits
        status = 1
        try:
            status = 0 if task() else 2
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def seeded():
    return nn.manual_seed(3).normal() == np.random.default_rng(3).normal()


threads = [threading.Thread(target=draw) for _ in range(2)]
for thread in threads:
    thread.start()
statuses = {forked(task) for _ in range(10) for task in (lambda: nn.Linear(3, 2), seeded)}
ended.set()
for thread in threads:
    thread.join()
statuses.add(forked(lambda: nn.Linear(3, 2)))  # nobody holds the lock now
print(statuses, nn.manual_seed(3).normal() == np.random.default_rng(3).normal())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_forked_processes_draw_although_a_thread_was_drawing():
    """Where one waited for the thread, it would be ended after a while."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKING],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == "{0} True\n"
    assert done.stderr == ""
