"""Peak memory and page faults of a workload's steps in a process of its own (Linux).

`python -m benchmarks.memory WORKLOAD SIDE SETTING` prints bytes, and page faults. `above` is how
far the resident memory rises during steps over its level after the imports and the first step, with
everything given back that the first step left free: the allocator's memory, and our pool of buffers
(which so counts for the steps that use it). `level` is that level, `built` the one before the first
step, and `peak` the highest in all. `page_faults` are those of a step after these, in the mean: how
often it touched memory that the process did not have.
"""

from __future__ import annotations

import ctypes
import gc
import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.workloads import WORKLOADS, sampler_of
from benchmarks.workloads.workload import BATCHES


def measure(
    command: Sequence[str], workload: str, side: str, setting: str
) -> dict[str, int | float | None]:
    """Run the child process, by the start of a command that runs a module.

    Raises RuntimeError with what it said if it fails.
    """
    whole = [*command, "benchmarks.memory", workload, side, setting]
    done = subprocess.run(whole, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["it said nothing"]
        raise RuntimeError(f"{side}: the memory measurement failed: {lines[-1]}")
    found: dict[str, int | float | None] = json.loads(done.stdout.splitlines()[-1])
    return found


def _status(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/self/status has no {field}: peak memory is measured on Linux only")


def page_faults(task: Callable[[], object]) -> int | None:
    """How often the process touched memory that it did not have while the task ran, without reading
    from a disk; None where the system does not tell.
    """
    if importlib.util.find_spec("resource") is None:
        return None
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    task()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def _give_back() -> None:
    gc.collect()
    buffers = sys.modules.get("autograd.kernels.buffers")  # ours; HIPS's autograd has none
    if buffers is not None:
        buffers.release()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's
    if trim is not None:
        trim(0)


def main() -> None:
    """The child process."""
    name, side, setting = sys.argv[1:]
    workload = WORKLOADS[name]
    sampler = sampler_of((workload.ours if side == "ours" else workload.peers[side][setting])())
    built = _status("VmRSS")
    sampler.sample(0, 1)
    _give_back()
    level = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    sampler.sample(1, BATCHES)
    peak = _status("VmHWM")
    # The steps so far were the warm-up: they took back what was given back.
    faults = page_faults(lambda: sampler.sample(1 + BATCHES, BATCHES))
    found = {
        "above": max(0, peak - level),
        "level": level,
        "built": built,
        "peak": peak,
        "page_faults": None if faults is None else faults / BATCHES,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
