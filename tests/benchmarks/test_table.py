"""What the table shows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.comparison import compare
from benchmarks.table import _digits, _unit, lines, titles
from benchmarks.workloads import WORKLOADS, Workload


def shown(workload, peers=("torch",), peak=30.0, **memory):
    result = compare(workload, peers, 3)
    for side, above in memory.items():
        part = result["ours"] if side == "ours" else result["peers"][side]
        part["memory"] = {"above": above * 2**20}
    return lines(result, peak)


def test_a_row(clock):
    peers = {"torch": {"slow": clock(4.0), "fast": clock(2.0)}, "jax": {"": clock(0.5)}}
    workload = Workload("w", "", clock(1.0), peers, 0.5, memory_target=0.25, flops=3e9)
    first, second = shown(workload, ("torch", "jax"), ours=10, torch=20, jax=3).splitlines()
    expected = "w 1 s (1-1) torch fast 2 s (2-2) 0.50 ok <=0.5 3 10% 10 / 20 not <=0.25"
    assert " ".join(first.split()) == expected
    assert " ".join(second.split()) == "jax 500 ms (500-500) 2.00 10 / 3"


def test_page_faults_have_a_line(clock):
    peers = {"torch": {"": clock(2.0)}, "jax": {"": clock(2.0)}}
    result = compare(Workload("w", "", clock(1.0), peers), ["torch", "jax"], 3)
    result["ours"]["memory"] = {"above": 0, "page_faults": 0.25}
    result["peers"]["torch"]["memory"] = {"above": 0, "page_faults": 1234.0}
    result["peers"]["jax"]["memory"] = {"above": 0, "page_faults": None}
    last = lines(result, 30.0).splitlines()[-1]
    assert last == " " * 20 + "page faults of a step: ours 0, torch 1,234"


def test_a_target_that_is_missed(clock):
    workload = Workload("w", "", clock(1.0), {"torch": {"": clock(1.0)}}, 0.5)
    assert "1.00 not <=0.5" in shown(workload)


def test_times_are_per_operation(clock):
    workload = Workload("w", "", clock(1.0), {"torch": {"": clock(2.0)}}, operations=1000)
    assert "w                   1 ms (1-1)           torch                   2 ms" in shown(
        workload
    )


@pytest.mark.parametrize(("limit", "text"), [(0.15, "> 150 ms"), (2.0, "ok")])
def test_limits(clock, limit, text):
    assert shown(Workload("w", "", clock(1.0), {}, limit=limit)).endswith(f"1 s (1-1) {text}")


def test_failures_and_missing_settings(clock):
    def broken():
        raise OSError("no compiler " + "x" * 300)

    peers = {"torch": {"": clock(1.0), "compiled": broken}, "jax": {"": broken}}
    text = shown(Workload("w", "", clock(1.0), peers), ("torch", "jax")).splitlines()
    assert text[0].startswith("w   ")
    assert "jax FAILED: jax: OSError: no compiler" in text[1]
    assert "torch compiled is unavailable: OSError" in text[2]
    ours = shown(Workload("w", "", broken, peers), ("torch", "jax"))
    assert ours.startswith("w                   ours FAILED: OSError")
    assert "1 s" not in ours


def test_widths():
    rows = [*titles().splitlines()]
    result = {
        "workload": max(WORKLOADS, key=len),
        "operations": 1,
        "flops": 1e12,
        "target": 0.75,
        "against": "torch",
        "memory_target": 0.75,
        "limit": None,
        "unavailable": {"torch compiled": "x" * 500},
        "ours": {"seconds": 0.1, "memory": {"above": 2**30}, "memory failure": "x" * 500},
        "timings": {"ours": {"median": 0.1111, "low": 0.1111, "high": 0.1111}},
        "peers": {
            "torch": {"setting": "channels-last", "side": "ours", "seconds": 1.0, "ratio": 10.0}
        },
    }
    result["peers"]["torch"]["memory"] = {"above": 2**30}
    rows += lines(result, 100.0).splitlines()
    assert len(rows) == 5
    assert max(map(len, rows)) <= 140
    assert rows[2].endswith("1024 / 1024 not <=0.75")


@given(st.floats(1e-9, 1e3))
def test_times_keep_three_digits(seconds):
    unit, size = _unit(seconds)
    number = float(_digits(seconds / size))
    assert number * {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}[unit] == pytest.approx(
        seconds, rel=5.01e-3
    )
