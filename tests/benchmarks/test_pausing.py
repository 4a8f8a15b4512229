"""A clock that stands still while its process is suspended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

PROGRAM = """
import os, signal
from time import perf_counter
from benchmarks.pausing import PausingClock

clock = PausingClock()
clock.listen()
before, real = clock(), perf_counter()
os.kill(os.getpid(), signal.SIGTSTP)
print(clock.paused_seconds, clock() - before, perf_counter() - real)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGTSTP"), reason="no such signal here")
def test_a_suspended_clock_stands_still():
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True)
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    time.sleep(0.2)
    process.send_signal(signal.SIGCONT)
    paused, counted, real = map(float, process.communicate(timeout=60)[0].split())
    assert process.returncode == 0
    assert 0.1 < paused < real
    assert counted == pytest.approx(real - paused, abs=1e-3)
