"""Peers' fastest settings, ratios, and what counts as a failure."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import comparison, memory
from benchmarks.comparison import compare, failed, failure
from benchmarks.workloads import Workload


def broken():
    raise OSError("no compiler")


def test_ratios_are_to_the_fastest_setting(clock):
    peers = {"torch": {"slow": clock(4.0), "fast": clock(2.0)}, "jax": {"": clock(8.0)}}
    result = compare(Workload("w", "", clock(1.0), peers), ["torch", "jax"], 5)
    assert result["peers"]["torch"] == {
        "setting": "fast",
        "side": "torch fast",
        "seconds": 2.0,
        "ratio": 0.5,
    }
    assert result["peers"]["jax"]["ratio"] == 0.125
    assert set(result["timings"]) == {"ours", "torch slow", "torch fast", "jax"}
    assert not failed(result)


def test_only_the_chosen_peers_and_references_run(clock):
    peers = {name: {"": clock(1.0, name)} for name in ("torch", "jax", "numpy", "dagrad")}
    result = compare(Workload("w", "", clock(1.0), peers), ["jax"], 1)
    assert list(result["peers"]) == ["jax", "numpy", "dagrad"]
    assert clock.indices("torch") == []


def test_a_peer_with_a_failing_setting_has_no_ratio(clock):
    nan = clock(1.0, result=float("nan"))
    peers = {"torch": {"NCHW": clock(1.0), "last": nan}, "jax": {"": clock(2.0)}}
    result = compare(Workload("w", "", clock(1.0), peers), ["torch", "jax"], 2)
    assert result["peers"]["torch"] == {
        "failure": "torch last: FloatingPointError: step 0 gave nan"
    }
    assert result["peers"]["jax"]["ratio"] == 0.5
    assert failed(result)


def test_a_compiled_setting_may_be_missing(clock):
    peers = {"torch": {"": clock(2.0), "compiled": broken}}
    result = compare(Workload("w", "", clock(1.0), peers), ["torch"], 2)
    assert result["peers"]["torch"]["ratio"] == 0.5
    assert result["unavailable"] == {"torch compiled": "OSError: no compiler"}
    assert not failed(result)


def test_a_peer_of_which_nothing_works_has_failed(clock):
    result = compare(Workload("w", "", clock(1.0), {"torch": {"compiled": broken}}), ["torch"], 2)
    assert "no setting works here: OSError: no compiler" in result["peers"]["torch"]["failure"]
    assert failed(result)


def test_without_ours_there_is_no_ratio(clock):
    result = compare(Workload("w", "", broken, {"torch": {"": clock(1.0)}}), ["torch"], 2)
    assert result["ours"] == {"failure": "OSError: no compiler"}
    assert "ratio" not in result["peers"]["torch"]
    assert failed(result)
    assert failed(failure(Workload("w", "", broken, {}), ValueError("all")))


def test_sides_that_do_not_agree_have_no_ratio(clock):
    peers = {"torch": {"": clock(1.0, result=1.5)}}
    result = compare(Workload("w", "", clock(1.0), peers), ["torch"], 2)
    assert "step 0 gave 1.5, ours 1.0" in result["peers"]["torch"]["failure"]
    free = compare(Workload("w", "", clock(1.0), peers, agreement=None), ["torch"], 2)
    assert free["peers"]["torch"]["ratio"] == 1.0


def test_memory_of_the_fastest_setting(clock, monkeypatch):
    asked = []

    def measured(command, workload, side, setting):
        asked.append((command[0], workload, side, setting))
        if side == "jax":
            raise RuntimeError("jax: killed")
        return {"above": 1}

    monkeypatch.setattr(memory, "measure", measured)
    peers = {"torch": {"slow": clock(4.0), "fast": clock(2.0)}, "jax": {"": clock(1.0)}}
    workload = Workload("w", "", clock(1.0), peers)
    result = compare(workload, ["torch", "jax"], 2, with_memory=True)
    assert asked == [
        (sys.executable, "w", "ours", ""),
        (sys.executable, "w", "torch", "fast"),
        (sys.executable, "w", "jax", ""),
    ]
    assert result["peers"]["torch"]["memory"] == {"above": 1}
    assert result["peers"]["jax"]["memory failure"] == "jax: killed"
    assert failed(result)


def test_hips_runs_in_its_environment(clock, monkeypatch):
    started = []

    def remote(*arguments):
        started.append(arguments)
        return clock(2.0)()

    monkeypatch.setattr(comparison, "Remote", remote)
    workload = Workload("w", "", clock(1.0), {"autograd": {"": broken}})
    result = compare(workload, ["autograd"], 2, hips_python=Path("there"))
    assert started == [(Path("there"), "w", "autograd", "")]
    assert result["peers"]["autograd"]["ratio"] == 0.5
    with pytest.raises(ValueError, match="environment of its own"):
        compare(workload, ["autograd"], 2)
