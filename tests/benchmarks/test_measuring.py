"""The harness: both sides in turn, failures that are failures, and counts checked by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks import __main__ as command
from benchmarks import report
from benchmarks.measuring import interleaved
from benchmarks.networks import NETWORKS, Network, ours
from benchmarks.workloads import WORKLOADS, Workload


@pytest.fixture
def clock(monkeypatch):
    """A clock that only steps move: `clock(seconds)` builds a side that takes so long."""
    now = [0.0]
    monkeypatch.setattr("benchmarks.measuring.time.perf_counter", lambda: now[0])
    seen = []

    def taking(seconds, name=""):
        def build():
            def step(index):
                seen.append((name, index))
                now[0] += seconds
                return 1.0

            return step

        return build

    taking.seen = seen
    return taking


def test_sides_take_turns_and_batches_rotate(clock):
    timings = interleaved({"a": clock(1.0, "a"), "b": clock(2.0, "b")}, samples=3, warmups=1)
    assert [timing.median for timing in timings.values()] == [1.0, 2.0]
    assert [name for name, _ in clock.seen] == ["a", "b"] * 4
    assert [index for name, index in clock.seen[2:] if name == "a"] == [0, 1, 2]


def test_short_steps_are_timed_several_at_a_time(clock):
    timings = interleaved({"a": clock(0.001, "a")}, samples=2, warmups=1)
    assert timings["a"].median == pytest.approx(0.001)
    assert len(clock.seen) == 1 + 2 * 20


def test_a_side_that_diverges_fails_its_row(monkeypatch, tmp_path, capsys):
    def diverging():
        return lambda index: float("nan")

    broken = Workload("broken", "", diverging, {}, 1.0)
    with pytest.raises(FloatingPointError, match="ours: step 0 gave nan"):
        report.measured(broken, [], 2, False)
    monkeypatch.setitem(WORKLOADS, "broken", broken)
    monkeypatch.setattr(command, "SLOWING", ())
    out = tmp_path / "found.json"
    arguments = ["broken", "scalars", "--peer", "numpy", "--samples", "2", "--out", str(out)]
    assert command.main(arguments) == 1
    assert "broken: FAILED: FloatingPointError" in capsys.readouterr().out
    failed, measured = json.loads(out.read_text())["results"]
    assert "failure" in failed
    assert measured["timings"]["ours"]["median"] > 0
    assert measured["best"] == {}


def test_ratios_are_to_the_best_setting_of_each_peer(clock):
    peers = {"numpy": {"slow": clock(4.0), "fast": clock(2.0)}}
    workload = Workload("w", "", clock(1.0), peers, 0.5, "numpy", flops=3e9)
    result = report.measured(workload, ["numpy"], 5, False)
    assert result["best"]["numpy"] == {"setting": "fast", "seconds": 2.0, "ratio": 0.5}
    line = report.row(result, 30.0)
    for part in ("1 s (1 s - 1 s)", "numpy fast 2 s", "0.50", "<= 0.5 ok", "3 10%"):
        assert part in line


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_take_their_inputs(name):
    network = NETWORKS[name]
    scores = ours(network).eval()(np.zeros((2, *network.shape), np.float32))
    assert scores.shape == (2, 10)


def test_flops_by_hand():
    layers = (("conv", 3, 8, 3, 1), ("pool", 2), ("flatten",), ("linear", 128, 10))
    network = Network(layers, (3, 8, 8), 5)
    convolution, affine = 2 * 27 * 8 * 64, 2 * 128 * 10
    assert network.training_flops == 5 * (2 * convolution + 3 * affine)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "no workload is called nothing"),
        (["--samples", "0"], "at least 1"),
        (["--peer", "caffe"], "invalid choice"),
    ],
)
def test_bad_arguments(arguments, message, capsys, monkeypatch):
    monkeypatch.setattr(command, "SLOWING", ())
    with pytest.raises(SystemExit):
        command.main(arguments)
    assert message in capsys.readouterr().err
