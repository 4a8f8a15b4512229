"""Sides in other processes, and the environment of HIPS autograd."""

from __future__ import annotations

import importlib.util
import json
import mmap
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import memory, processes
from benchmarks.measuring import interleaved
from benchmarks.processes import Remote, default_folder, hips_python, own_command

if importlib.util.find_spec("resource"):
    import resource

HERE = Path(sys.executable)


def test_steps_on_request():
    remote = Remote(HERE, "small_arrays", "numpy", "by hand")
    try:
        seconds, result = remote.sample(0, 2)
        assert seconds > 0
        assert remote.sample(1, 1)[1] == result
        remote.set_aside()
        assert remote.sample(1, 1)[1] == result
    finally:
        remote.close()
    assert remote._child.returncode is not None


COUNTING = """
import gc, sys
from benchmarks import steps
from benchmarks.workloads import Workload

steps.WORKLOADS["w"] = Workload("w", "", None, {"p": {"": lambda: lambda i: gc.get_freeze_count()}})
sys.argv = ["steps", "w", "p", ""]
steps.main()
"""


def test_what_is_there_is_set_aside_in_the_process_too(monkeypatch):
    monkeypatch.setattr(processes, "own_command", lambda python: [sys.executable, "-c", COUNTING])
    monkeypatch.chdir(processes.ROOT)
    remote = Remote(HERE, "w", "p", "")
    try:
        assert remote.sample(0, 1)[1] == 0
        remote.set_aside()
        assert remote.sample(1, 1)[1] > 0
    finally:
        remote.close()


def test_a_process_that_ends_is_a_failure():
    sides = {"gone": lambda: Remote(HERE, "small_arrays", "numpy", "unknown")}
    found = interleaved(sides, 1)
    assert "RuntimeError: the process ended (1): KeyError: 'unknown'" in found.failures["gone"]


def test_the_environment_is_made_once(tmp_path, monkeypatch, capsys):
    made, ran = [], []

    class Done:
        returncode, stderr = 0, ""

    def run(command, **_options):
        ran.append(command)
        return Done

    monkeypatch.setattr(
        processes.venv, "create", lambda home, with_pip: made.append(home) or home.mkdir()
    )
    monkeypatch.setattr(processes.subprocess, "run", run)
    Done.returncode, Done.stderr = 1, "no network"
    with pytest.raises(RuntimeError, match=r"(?s)pip install .*no network"):
        hips_python(tmp_path)
    Done.returncode = 0
    python = hips_python(tmp_path)
    assert python == hips_python(tmp_path)
    assert len(made) == len(ran) == 2
    assert python.is_relative_to(made[0])
    assert ran[0][0] == str(python)
    assert "making an environment" in capsys.readouterr().out


def test_the_caches_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "dagrad" / "benchmarks"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "me")
    assert default_folder() == tmp_path / "me" / ".cache" / "dagrad" / "benchmarks"


def test_packages_of_the_environment_come_before_this_folder(tmp_path):
    """As in the environment of HIPS autograd: `benchmarks` is ours, `autograd` is not."""
    other = tmp_path / "autograd"
    other.mkdir()
    (other / "__init__.py").write_text("print('another autograd')")
    command = own_command(tmp_path / "python")
    assert command[1] == "-I"
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {command[3]}"
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-c",
            code,
            command[4],
            "benchmarks.steps",
            "scalars",
            "autograd",
            "",
        ],
        input="",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == ""
    assert done.stderr.startswith("another autograd")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_above_the_level():
    found = memory.measure(own_command(HERE), "augmentation", "ours", "")
    # 500 images padded to 40x40 and the shifted ones, in bytes.
    assert 3e6 < found["above"] < 3e7
    assert found["peak"] == found["level"] + found["above"]
    assert found["built"] > 1e7


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_buffers_that_are_kept_count(monkeypatch):
    monkeypatch.setenv("DAGRAD_KERNELS", "numpy")  # nothing to compile
    found = memory.measure(own_command(HERE), "conv_forward", "ours", "")
    assert found["above"] > 100 * 25 * 16 * 16 * 4


ONCE_LARGE = """
import sys
import numpy as np
from benchmarks import memory
from benchmarks.workloads import Workload

def step(index):
    return float(np.ones((2 if index else 20) * 10**7, np.uint8)[0])

memory.WORKLOADS["w"] = Workload("w", "", lambda: step, {})
sys.argv = ["memory", "w", "ours", ""]
memory.main()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_first_steps_peak_does_not_count():
    done = subprocess.run(
        [sys.executable, "-c", ONCE_LARGE],
        capture_output=True,
        text=True,
        check=True,
        cwd=processes.ROOT,
    )
    assert 1.9e7 < json.loads(done.stdout)["above"] < 3e7


@pytest.mark.skipif(importlib.util.find_spec("resource") is None, reason="asks for its counts")
def test_fresh_memory_is_a_page_fault_for_each_page():
    pages, size = 4096, resource.getpagesize()
    fresh = mmap.mmap(-1, pages * size)
    if hasattr(mmap, "MADV_NOHUGEPAGE"):
        fresh.madvise(mmap.MADV_NOHUGEPAGE)
    touched = memoryview(fresh)

    def touch():
        touched[::size] = bytes(pages)

    first, again = memory.page_faults(touch), memory.page_faults(touch)
    touched.release()
    fresh.close()
    assert first >= pages
    assert again < pages / 10


def test_page_faults_where_the_system_does_not_tell(monkeypatch):
    monkeypatch.setattr(memory.importlib.util, "find_spec", lambda name: None)
    assert memory.page_faults(lambda: pytest.fail("there is nothing to measure")) is None


ALWAYS_FRESH = """
import mmap, sys
from benchmarks import memory
from benchmarks.workloads import Workload

def step(index):
    with mmap.mmap(-1, 256 * mmap.PAGESIZE) as fresh:
        fresh.write(b"1" * len(fresh) if index >= 5 else b"1")
    return 0.0

memory.WORKLOADS["w"] = Workload("w", "", lambda: step, {})
sys.argv = ["memory", "w", "ours", ""]
memory.main()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_page_faults_are_those_of_a_warm_step():
    done = subprocess.run(
        [sys.executable, "-c", ALWAYS_FRESH],
        capture_output=True,
        text=True,
        check=True,
        cwd=processes.ROOT,
    )
    assert 256 <= json.loads(done.stdout)["page_faults"] < 600


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_of_a_side_that_fails():
    with pytest.raises(RuntimeError, match="numpy: the memory measurement failed: KeyError"):
        memory.measure(own_command(HERE), "augmentation", "numpy", "")
