"""What `import autograd` takes beyond NumPy's own import, in fresh processes."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.workloads.workload import Workload, catalogue

__all__ = ["IMPORTING"]

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys, time
sys.path.insert(0, sys.argv[1])
began = time.perf_counter()
import numpy
between = time.perf_counter()
import autograd
print(between - began, time.perf_counter() - between)
"""


@dataclass(frozen=True)
class _Import:
    """Samples that are measured inside the processes."""

    part: int
    """0 for NumPy, 1 for ours after it."""

    def sample(self, first: int, count: int) -> tuple[float, float]:
        seconds = 0.0
        for _ in range(count):
            done = subprocess.run(
                [sys.executable, "-I", "-c", PROGRAM, str(ROOT)],
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                raise RuntimeError(f"the import failed:\n{done.stderr}")
            seconds += float(done.stdout.split()[self.part])
        return seconds, 0.0


IMPORTING = catalogue(
    [
        Workload(
            "import",
            "`import autograd` after `import numpy`, in a fresh process",
            lambda: _Import(1),
            {"numpy": {"itself": lambda: _Import(0)}},
            against="numpy",
            limit=0.15,
            with_memory=False,
            agreement=None,
        )
    ]
)
