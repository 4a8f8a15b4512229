"""`python -m benchmarks.airbench --data DIR`: the airbench recipe by dagrad and by PyTorch.

Both sides train on the same images with the same recipe, each run in a process of its own. Reported
are the training's seconds, without loading, a first step to warm up, and evaluation; and the test
accuracy, plain and averaged over six views. A run can be suspended (`kill -TSTP`) and continued
(`kill -CONT`): its clock stands still meanwhile, and its record says for how long.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.pausing import PausingClock
from benchmarks.setting import processor

SLOWING = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
SIDES = ("ours", "torch")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one side here, or both in turn in processes of their own; 1 if one failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.airbench", description=__doc__)
    parser.add_argument("--side", choices=(*SIDES, "both"), default="both")
    parser.add_argument("--data", required=True, metavar="DIR", help="CIFAR-10, or 'generated'")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], metavar="S")
    parser.add_argument("--epochs", type=int, default=8, metavar="N")
    parser.add_argument("--train-images", type=int, metavar="N", help="the first N only")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="of PyTorch")
    parser.add_argument("--compile", action="store_true", help="PyTorch's model by torch.compile")
    parser.add_argument("--out", type=Path, default=Path("airbench.json"), metavar="FILE")
    options = parser.parse_args(arguments)
    if options.epochs < 1:
        parser.error(f"--epochs must be at least 1, got {options.epochs}")
    if options.side != "both" and len(options.seeds) == 1:
        _write(options.out, [_run(options, options.side, options.seeds[0])])
        return 0
    sides = SIDES if options.side == "both" else (options.side,)
    return _alternate(options, sides)


def _alternate(options: argparse.Namespace, sides: Sequence[str]) -> int:
    runs: list[dict[str, Any]] = []
    environment = {key: value for key, value in os.environ.items() if key not in SLOWING}
    failed = False
    for seed in options.seeds:
        for side in sides:
            with tempfile.TemporaryDirectory() as folder:
                out = Path(folder) / "run.json"
                command = [sys.executable, "-m", "benchmarks.airbench", "--side", side]
                command += ["--data", options.data, "--seeds", str(seed), "--out", str(out)]
                command += ["--epochs", str(options.epochs), "--threads", str(options.threads)]
                if options.train_images is not None:
                    command += ["--train-images", str(options.train_images)]
                if options.compile:
                    command.append("--compile")
                status = subprocess.run(command, env=environment, check=False).returncode
                if status:
                    failed = True
                    runs.append({"side": side, "seed": seed, "failure": f"exit status {status}"})
                else:
                    runs += json.loads(out.read_text())
            _write(options.out, runs)
    print(summary(runs))
    print(f"written to {options.out}")
    return int(failed)


def summary(runs: Sequence[dict[str, Any]]) -> str:
    """A line per run, the sides' means, and the ratio of their times."""
    lines = [f"{'side':<6} {'seed':>4} {'training, s':>12} {'accuracy':>9} {'averaged':>9}"]
    means = {}
    for side in SIDES:
        own = [run for run in runs if run["side"] == side]
        for run in own:
            if "failure" in run:
                lines.append(f"{side:<6} {run['seed']:>4} {run['failure']}")
            else:
                lines.append(_line(side, str(run["seed"]), *_figures(run)))
        done = [_figures(run) for run in own if "failure" not in run]
        if done:
            means[side] = [mean(column) for column in zip(*done, strict=True)]
            lines.append(_line(side, "mean", *means[side]))
    if len(means) == len(SIDES):
        ours, peer = means["ours"], means["torch"]
        lines.append(
            f"time ours / torch: {ours[0] / peer[0]:.3f}; averaged accuracy ours - torch: "
            f"{100 * (ours[2] - peer[2]):+.2f} points"
        )
    return "\n".join(lines)


def _figures(run: dict[str, Any]) -> tuple[float, float, float]:
    return run["training_seconds"], run["test_accuracy"], run["averaged_test_accuracy"]


def _line(side: str, seed: str, seconds: float, plain: float, averaged: float) -> str:
    return f"{side:<6} {seed:>4} {seconds:>12.1f} {plain:>9.4f} {averaged:>9.4f}"


def _run(options: argparse.Namespace, side: str, seed: int) -> dict[str, Any]:
    from examples.cifar10.data.source import fingerprint, load

    dataset = load(options.data, print)
    training = dataset.train[: options.train_images]
    clock = PausingClock()
    clock.listen()
    setting: dict[str, Any] = {
        "side": side,
        "seed": seed,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{processor()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        "python": platform.python_version(),
        "data": {"source": dataset.source, "test images": fingerprint(dataset)},
        "train_images": len(training),
    }
    if side == "ours":
        setting["versions"] = _versions("numpy", "numba")
        result = _train_ours(training, dataset.test, seed, options.epochs, clock)
    else:
        import torch

        from benchmarks import airbench_torch

        torch.set_num_threads(options.threads)
        setting["versions"] = _versions("torch")
        setting["threads"] = torch.get_num_threads()
        setting["compiled"] = options.compile
        result = airbench_torch.train(
            training.images,
            training.labels,
            dataset.test.images,
            dataset.test.labels,
            seed,
            options.epochs,
            lambda record: _say(side, seed, record),
            options.compile,
            clock,
        )
    result = {**setting, **result, "paused_seconds": clock.paused_seconds}
    per_step = result["training_seconds"] / result["steps"]
    print(
        f"{side}, seed {seed}: {result['training_seconds']:.1f} s of training, {per_step:.3f} s a "
        f"step (warm-up {result['warm_up_seconds']:.1f} s); test accuracy "
        f"{result['test_accuracy']:.4f}, averaged over 6 views "
        f"{result['averaged_test_accuracy']:.4f}",
        flush=True,
    )
    return result


def _train_ours(
    training: Any, test: Any, seed: int, epochs: int, clock: PausingClock
) -> dict[str, Any]:
    from dataclasses import replace

    import numpy as np

    from examples.cifar10.data.batches import Batches
    from examples.cifar10.models.building import build_model, fit_to_images
    from examples.cifar10.presets import find_recipe
    from examples.cifar10.training.evaluation import measure_test
    from examples.cifar10.training.trainer import Trainer

    recipe = replace(find_recipe("airbench", "tuned"), epochs=epochs)
    batches = Batches(
        training, recipe.batch_size, seed, flips=recipe.flips, shift_reach=recipe.shift
    )

    def trainer() -> Trainer:
        model = build_model("airbench", recipe, np.random.default_rng(seed))
        fit_to_images(model, recipe, training.images)
        return Trainer(model, recipe, batches)

    began = clock()
    trainer().train_on(*next(batches.epoch(1)))
    warm_up = clock() - began
    run = trainer()
    records = []
    for epoch in range(1, epochs + 1):
        paused = clock.paused_seconds
        result = run.run_epoch(epoch)
        record = {
            "epoch": epoch,
            "loss": result.loss,
            "accuracy": result.accuracy,
            "seconds": result.seconds - (clock.paused_seconds - paused),
        }
        records.append(record)
        _say("ours", seed, record)
    plain, averaged = measure_test(run.model, test, recipe.test_views)
    return {
        "epochs": records,
        "steps": run.step,
        "warm_up_seconds": warm_up,
        "training_seconds": sum(record["seconds"] for record in records),
        "test_accuracy": plain.accuracy,
        "averaged_test_accuracy": averaged.accuracy,
    }


def _say(side: str, seed: int, record: dict[str, Any]) -> None:
    print(
        f"{side}, seed {seed}, epoch {record['epoch']}: loss {record['loss']:.4f}, accuracy "
        f"{record['accuracy']:.4f}, {record['seconds']:.1f} s",
        flush=True,
    )


def _versions(*packages: str) -> dict[str, str]:
    found = {}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "missing"
    return found


def _write(path: Path, runs: Sequence[dict[str, Any]]) -> None:
    partial = path.with_name(path.name + ".part")
    partial.write_text(json.dumps(list(runs), indent=1) + "\n")
    os.replace(partial, path)


if __name__ == "__main__":
    sys.exit(main())
