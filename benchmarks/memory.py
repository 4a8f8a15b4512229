"""Peak memory of a workload's steps in a process of its own (Linux).

`python -m benchmarks.memory WORKLOAD SIDE SETTING` prints bytes: how far the resident memory rises
during steps above its level after the imports and the first step, and the peak in all.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.workloads import WORKLOADS

STEPS = 3


def measure(workload: str, side: str, setting: str) -> dict[str, int]:
    """Run the child process; raises RuntimeError with what it said if it fails."""
    command = [sys.executable, "-m", "benchmarks.memory", workload, side, setting]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{workload}, {side}: the memory measurement failed:\n{done.stderr}")
    found: dict[str, int] = json.loads(done.stdout)
    return found


def _status(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/self/status has no {field}: peak memory is measured on Linux only")


def main() -> None:
    """The child process."""
    name, side, setting = sys.argv[1:]
    workload = WORKLOADS[name]
    build = workload.ours if side == "ours" else workload.peers[side][setting]
    step = build()
    step(0)
    level = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    for index in range(STEPS):
        step(index + 1)
    peak = _status("VmHWM")
    print(json.dumps({"above": max(0, peak - level), "peak": peak}))


if __name__ == "__main__":
    main()
