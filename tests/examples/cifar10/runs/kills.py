"""Training processes that are killed by SIGKILL at chosen moments, writing included.

`python -m tests.examples.cifar10.runs.kills` is such a process: it trains on a few random images,
and kills itself at the moment that the variable KILL_AT plans, such as `os.replace:3` (before the
third call) or `write:7`, in the middle of the seventh write to a file of the run.
"""

from __future__ import annotations

import io
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).parents[4]
WRITES = ("os.fsync", "os.replace", "os.unlink", "write")
_CODE = "from tests.examples.cifar10.runs.kills import main; main()"


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _kill_before(owner, name, number):
    real = getattr(owner, name)
    calls = 0

    def counted(*arguments, **options):
        nonlocal calls
        calls += 1
        if calls == number:
            die()
        return real(*arguments, **options)

    setattr(owner, name, counted)


def _kill_within_write(number):
    """Half of the bytes reach the file."""
    calls = 0

    class Raw(io.FileIO):
        def write(self, data):
            nonlocal calls
            calls += 1
            if calls == number:
                half = memoryview(data).cast("B")
                super().write(half[: len(half) // 2])
                die()
            return super().write(data)

    def opened(file, mode="r", *arguments, **options):
        if not set(mode) & set("wxa") or str(file).endswith("lock"):
            return real(file, mode, *arguments, **options)
        raw = Raw(file, mode.replace("b", ""))
        buffered = io.BufferedWriter(raw)
        return buffered if "b" in mode else io.TextIOWrapper(buffered, encoding="utf-8")

    import builtins

    real = builtins.open
    builtins.open = opened
    io.open = opened  # of pathlib


def main() -> None:
    """One session of the run in the folder RUN_DIR, begun or gone on with."""
    from examples.cifar10.cli import main as command
    from examples.cifar10.presets import find_recipe
    from tests.examples.cifar10.runs.interrupted import dataset, recipe_of

    plan = os.environ.get("KILL_AT", "")
    if plan:
        name, _, number = plan.partition(":")
        if name == "write":
            _kill_within_write(int(number))
        else:
            _kill_before(os, name.removeprefix("os."), int(number))
    folder = Path(os.environ["RUN_DIR"])
    model = os.environ["MODEL"]
    changes = {"epochs": 6, "batch_size": 8, "cutout": 8}
    if model == "mlp":
        changes["hidden"] = (32, 16)
    options = ["--no-figures", "--checkpoint-every", "2"]
    begun = folder.joinpath("config.json").exists()
    with recipe_of(replace(find_recipe(model, "tuned"), **changes), dataset(100)):
        place = ["--resume", str(folder)] if begun else [model, "--out", str(folder)]
        # The parent waits for this line: before it there is nothing that a kill could disturb.
        print("training", flush=True)
        sys.exit(command(["train", *options, *place]))


def session(folder: Path, model: str, kill_at: str = "") -> subprocess.Popen[str]:
    variables = {"RUN_DIR": str(folder), "MODEL": model, "KILL_AT": kill_at}
    return subprocess.Popen(
        [sys.executable, "-c", _CODE],
        cwd=ROOT,
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _await_partial_file(folder: Path, process: subprocess.Popen[str]) -> None:
    """Return when a file is being written, found by looking at the folder again and again."""
    places = (folder, folder / "checkpoints")
    while process.poll() is None:
        for place in places:
            try:
                if any(name.endswith(".part") for name in os.listdir(place)):
                    return
            except FileNotFoundError:
                continue


def disturb(folder: Path, model: str, rng: random.Random, seconds: float) -> tuple[str, bool]:
    """One session that is killed: how, and whether it was still running.

    A third of the moments are random in time, a third are when a file is seen to be written, a
    third planned at a system call of writing, or in the middle of the bytes.
    """
    how = rng.choice(("time", "watched", "planned"))
    plan = f"{rng.choice(WRITES)}:{rng.randint(1, 30)}" if how == "planned" else ""
    process = session(folder, model, plan)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        if how == "time":
            time.sleep(rng.uniform(0, seconds))
        elif how == "watched":
            time.sleep(rng.uniform(0, seconds))
            _await_partial_file(folder, process)
        else:
            process.communicate()
        process.kill()
        _, errors = process.communicate()
    finally:
        process.kill()
    if process.returncode not in (0, -signal.SIGKILL):
        raise AssertionError(f"{how} {plan}: exit status {process.returncode}\n{errors}")
    return plan.split(":")[0] or how, process.returncode == -signal.SIGKILL


def traces(folder: Path) -> list[str]:
    """What shows that a killed process was writing: partial files, a line without its end."""
    found = [str(path.name) for path in folder.rglob("*.part")]
    metrics = folder / "metrics.jsonl"
    if metrics.exists() and metrics.read_bytes()[-1:] not in (b"", b"\n"):
        found.append("metrics.jsonl")
    return found


def run_to_the_end(folder: Path, model: str) -> None:
    process = session(folder, model)
    said, errors = process.communicate()
    assert process.returncode == 0, said + errors


def kill_again_and_again(
    folder: Path, model: str, rng: random.Random, kills: int, seconds: float
) -> Counter[str]:
    """Kill sessions of a run, each going on with the one before, at most `kills` of them, and let
    it end; counts the kills, those of each kind, and those that hit a write.
    """
    counts: Counter[str] = Counter()
    for _ in range(kills):
        before = set(traces(folder))
        how, killed = disturb(folder, model, rng, seconds)
        counts[f"{how}, too late" if not killed else how] += 1
        if not killed:
            break
        counts["killed"] += 1
        # A process that was killed as it started has not cleared away what was left before it.
        counts["killed while writing"] += how in WRITES or not before.issuperset(traces(folder))
    run_to_the_end(folder, model)
    return counts
