"""`python -m benchmarks`: options, the JSON, the exit code."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from autograd.kernels import workers
from benchmarks import __main__ as command
from benchmarks import choices, operations
from benchmarks.setting import _threads, differing
from benchmarks.workloads import WORKLOADS, Workload


@pytest.fixture(autouse=True)
def here(monkeypatch, tmp_path):
    """In this process, whatever the environment says, and back as it was afterwards."""
    monkeypatch.setattr(command, "SLOWING", ())
    monkeypatch.setenv("DAGRAD_KERNELS", "auto")
    monkeypatch.setattr("benchmarks.measuring.matrix_peak", lambda: 1e11)
    monkeypatch.chdir(tmp_path)


def run(*arguments):
    return command.main([*arguments, "--peer", "none", "--samples", "2", "--no-memory"])


def test_a_run(clock, monkeypatch, tmp_path, capsys):
    peers = {"numpy": {"by hand": clock(2.0)}}
    monkeypatch.setitem(WORKLOADS, "first", Workload("first", "", clock(1.0), peers))
    monkeypatch.setitem(WORKLOADS, "second", Workload("second", "", clock(1.0), {}))
    assert run("second", "first", "--kernels", "numpy") == 0
    text = capsys.readouterr().out
    for part in ("versions: dagrad", "threads: ours", "kernels: numpy", "GFLOP/s: 100.0", "0.50"):
        assert part in text
    assert os.environ["DAGRAD_KERNELS"] == "numpy"
    found = json.loads((tmp_path / "benchmarks.json").read_text())
    assert [result["workload"] for result in found["results"]] == ["second", "first"]
    assert found["results"][1]["peers"]["numpy"]["ratio"] == 0.5
    assert [path.name for path in tmp_path.iterdir()] == ["benchmarks.json"]


@pytest.mark.parametrize("count", [1, 3])
def test_threads_that_differ_are_told_above_and_below_the_table(clock, monkeypatch, capsys, count):
    peers = {"numpy": {"": clock(2.0)}}
    monkeypatch.setitem(WORKLOADS, "w", Workload("w", "", clock(1.0), peers, 1.0, "numpy"))
    monkeypatch.setattr("benchmarks.setting._threads", lambda peers: {"ours": count, "torch": 3})
    assert run("w") == 0
    text = capsys.readouterr().out.splitlines()
    said = "threads differ: ours 1, torch 3: ratios compare different machines"
    at = [number for number, line in enumerate(text) if line == said]
    table = [number for number, line in enumerate(text) if line.startswith(("workload ", "w "))]
    if count == 3:
        assert at == []
    else:
        assert at == [table[0] - 1, table[-1] + 1]
    differ = json.loads(Path("benchmarks.json").read_text())["setting"].get("threads differ")
    assert (differ is not None) == (count == 1)


def test_ours_are_counted_as_the_library_was_told():
    threads = workers.get_num_threads()
    try:
        workers.set_num_threads(threads + 1)
        assert _threads([]) == {"ours": threads + 1}
        assert differing({**_threads([]), "torch": threads}).startswith(
            f"ours {threads + 1}, torch"
        )
        assert differing({**_threads([]), "torch": threads + 1}) == ""
    finally:
        workers.set_num_threads(threads)


def test_a_failure_is_the_exit_code_and_the_others_go_on(clock, monkeypatch, tmp_path, capsys):
    nan = clock(1.0, result=float("nan"))
    monkeypatch.setitem(WORKLOADS, "broken", Workload("broken", "", nan, {}))
    monkeypatch.setitem(WORKLOADS, "fine", Workload("fine", "", clock(1.0), {}))
    assert run("broken", "fine", "--out", "found.json") == 1
    assert "ours FAILED: FloatingPointError: step 0 gave nan" in capsys.readouterr().out
    broken, fine = json.loads((tmp_path / "found.json").read_text())["results"]
    assert "failure" in broken["ours"]
    assert fine["timings"]["ours"]["median"] == 1.0


def test_a_comparison_that_cannot_be_made(clock, monkeypatch, capsys):
    twice = Workload("w", "", clock(1.0), {"autograd": {"": clock(1.0)}})
    monkeypatch.setitem(WORKLOADS, "w", twice)
    monkeypatch.setattr("benchmarks.processes.hips_python", lambda folder: None)
    monkeypatch.setattr("benchmarks.setting.installed_version", lambda python, package: "1")
    assert command.main(["w", "--peer", "autograd", "--no-memory"]) == 1
    assert "ours FAILED: ValueError" in capsys.readouterr().out


def test_no_environment_for_hips(monkeypatch, capsys):
    def failing(folder):
        raise RuntimeError("pip: no network")

    monkeypatch.setattr("benchmarks.processes.hips_python", failing)
    assert command.main(["scalars", "--peer", "autograd"]) == 1
    assert "no environment for HIPS autograd: pip: no network" in capsys.readouterr().err


def test_an_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "found.json"
    command.write_json(path, {"a": 1})
    with pytest.raises(TypeError):
        command.write_json(path, {"a": object()})
    monkeypatch.setattr(command.os, "replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        command.write_json(path, {"a": 2})
    assert json.loads(path.read_text()) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "no workload is called nothing"),
        (["--samples", "0"], "at least 1"),
        (["--peer", "caffe"], "invalid choice"),
        (["--kernels", "fortran"], "invalid choice: 'fortran'"),
        (["--out", "nowhere/found.json"], "there is no such folder"),
    ],
)
def test_bad_arguments(arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        command.main(arguments)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("variable", "given", "message"),
    [
        ("DAGRAD_KERNELS", "foo", "DAGRAD_KERNELS='foo': give one of auto, numpy, numba"),
        ("DAGRAD_NUM_THREADS", "x", "DAGRAD_NUM_THREADS='x': give a number from 1 to 1024"),
        ("DAGRAD_NUM_THREADS", "100000", "DAGRAD_NUM_THREADS='100000': give a number"),
        ("DAGRAD_WINOGRAD", "off", "DAGRAD_WINOGRAD='off': give 0 (off) or 1 (on)"),
        ("DAGRAD_MATRIX_UNITS", "2", "DAGRAD_MATRIX_UNITS='2': give 0 (off) or 1 (on)"),
    ],
)
def test_bad_variables(variable, given, message, capsys, monkeypatch):
    monkeypatch.setattr(workers, "_state", {"own": False, "wanted": None})  # as at the start
    monkeypatch.setenv(variable, given)
    for main, arguments in (
        (command.main, ["scalars"]),
        (operations.main, ["sin"]),
        (choices.main, []),
    ):
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert stop.value.code == 2
        written = capsys.readouterr()
        assert message in written.err and written.out == ""


@pytest.mark.parametrize(("given", "kernels"), [("", "auto"), ("foo", "numpy")])
def test_an_empty_variable_is_as_none_and_an_option_comes_before_one(
    given, kernels, clock, monkeypatch, capsys
):
    monkeypatch.setitem(WORKLOADS, "first", Workload("first", "", clock(1.0), {}))
    monkeypatch.setenv("DAGRAD_KERNELS", given)
    assert run("first", *(["--kernels", kernels] if given else [])) == 0
    assert f"kernels: {kernels}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--peer", "torch"], "torch is not installed: pip install 'dagrad[peers]'"),
        (["--kernels", "numba"], "pip install 'dagrad[fast]'"),
    ],
)
def test_what_is_not_installed(arguments, message, capsys, monkeypatch):
    monkeypatch.setattr(command.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit):
        command.main(arguments)
    assert message in capsys.readouterr().err
