"""What ends training early says why and how to go on, and keeps what was there."""

from __future__ import annotations

import errno
import os
import re
import resource
import signal
from dataclasses import replace

import numpy as np
import pytest

import nn
from examples.cifar10.presets import Recipe
from examples.cifar10.runs import running
from examples.cifar10.runs.folder import RunFolder
from examples.cifar10.training.trainer import Trainer
from tests.examples.cifar10.runs.interrupted import Moments, begin, metrics, recipe_of, resume

RECIPE = Recipe(epochs=3, batch_size=8, lr=0.01, validation_images=8)


@pytest.fixture
def patch():
    with recipe_of(RECIPE) as found:
        yield found


def steps_kept(folder):
    names = [path.name for path in (folder / "checkpoints").iterdir()]
    return sorted(int(re.search(r"step-(\d+)", name)[1]) for name in names)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_after_the_step_and_says_how_to_go_on(tmp_path, capfd, patch, number):
    handlers = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    moments = Moments({5: number})
    moments.around(patch, Trainer, "train_on", before=False)
    folder = tmp_path / "a run"
    assert begin(folder, "softmax") == 128 + number
    lines = capfd.readouterr().err.splitlines()
    assert "stopping after this step" in lines[-2]
    assert lines[-1] == (
        "stopped after step 5 of 12; to go on: python -m examples.cifar10 train --resume "
        f"'{folder}'"
    )
    assert steps_kept(folder)[-1] == 5
    assert handlers == [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]


def test_a_signal_in_a_measurement_ends_it_at_once(tmp_path, capfd, patch):
    measured = []

    def measure(*_):
        signal.raise_signal(signal.SIGINT)
        measured.append("went on")

    patch.setattr(running, "measure", measure)
    assert begin(tmp_path, "softmax") == 130
    assert measured == []
    assert nn.load(tmp_path / "checkpoints").loader["ended"]
    assert "stopping after" not in capfd.readouterr().err


def test_a_second_signal_does_not_wait_for_the_step(tmp_path, capfd, patch):
    real = Trainer.train_on
    reached = []

    def train_on(self, images, labels):
        if self.step == 5:
            signal.raise_signal(signal.SIGINT)
            reached.append("first")
            signal.raise_signal(signal.SIGINT)
            reached.append("second")
        return real(self, images, labels)

    patch.setattr(Trainer, "train_on", train_on)
    assert begin(tmp_path, "softmax") == 130
    assert reached == ["first"]
    assert capfd.readouterr().err.endswith("stopped\n")
    # The one of --checkpoint-every 2.
    assert steps_kept(tmp_path)[-1] == 4


@pytest.mark.parametrize("where", ["forward", "backward", "update"])
def test_a_nan_is_told_with_operation_and_layer_and_the_state_before_it_is_kept(
    tmp_path, capsys, patch, where
):
    real = Trainer.train_on

    def train_on(self, images, labels):
        layer = next(part for part in self.model if isinstance(part, nn.Linear))
        if self.step == 5 and where == "forward":
            layer.weight.data[...] = 3e38
        elif self.step == 5 and where == "backward":
            # Weights of 0 make fine scores, but of pixels near the largest number no gradient.
            layer.weight.data[...] = 0
            images = replace(images, pixels=np.full_like(images.pixels, 3e38))
        elif self.step == 5:
            self.optimizers[0].param_groups[0]["lr"] = 1e38
            self.optimizers[0].param_groups[0]["weight_decay"] = 1e30
        return real(self, images, labels)

    patch.setattr(Trainer, "train_on", train_on)
    with np.errstate(all="ignore"), recipe_of(replace(RECIPE, loss="sum")):
        assert begin(tmp_path, "softmax") == 1
    said = capsys.readouterr().err
    origin = {
        "forward": r"the loss is (nan|inf) in step 6, .*Origin: linear made .* the forward pass.*"
        r"Sequential\.2 \(Linear\)",
        "backward": r"a gradient is not finite in step 6, .*Origin: the rule of linear made .*"
        r"Sequential\.2 \(Linear\)",
        "update": r"after step 6 2\.weight is not finite, .*Origin: the update",
    }
    assert re.search(origin[where], said), said
    assert "keeps the state of step 4" in said
    found = nn.load(tmp_path / "checkpoints")
    assert found.step == 4
    assert all(np.isfinite(array).all() for array in found.values())
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert len(lines) == 1


def test_a_weight_that_overflowed_is_named_where_the_loss_shows_it(tmp_path, capsys, patch):
    real = Trainer.train_on

    def train_on(self, images, labels):
        if self.step == 5:
            next(iter(self.model.parameters())).data[0] = np.nan
        return real(self, images, labels)

    patch.setattr(Trainer, "train_on", train_on)
    assert begin(tmp_path, "softmax") == 1
    said = capsys.readouterr().err
    assert "Origin: the update of the step before it overflowed 2.weight" in said


def test_no_memory_says_what_to_lower(tmp_path, capsys, patch):
    real = Trainer.train_on

    def train_on(self, images, labels):
        if self.step == 5:
            np.empty((1 << 46,))
        return real(self, images, labels)

    patch.setattr(Trainer, "train_on", train_on)
    assert begin(tmp_path, "softmax") == 1
    said = capsys.readouterr().err
    assert "out of memory in step 6: lower --batch-size (now 8)" in said
    assert f"train --resume {tmp_path}" in said
    patch.setattr(Trainer, "train_on", real)
    assert resume(tmp_path) == 0


def test_no_memory_for_a_measurement_does_not_blame_the_batches(tmp_path, capsys, patch):
    patch.setattr(running, "measure", lambda *_: np.empty((1 << 46,)))
    assert begin(tmp_path, "softmax") == 1
    said = capsys.readouterr().err
    assert "out of memory outside the training steps" in said
    assert "batch" not in said


def test_a_full_disk_is_told_and_earlier_checkpoints_stay(tmp_path, capsys, patch):
    real = Trainer.train_on
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def train_on(self, images, labels):
        if self.step == 5:
            # The system refuses to write more than this into a file.
            resource.setrlimit(resource.RLIMIT_FSIZE, (5000, hard))
        return real(self, images, labels)

    patch.setattr(Trainer, "train_on", train_on)
    try:
        assert begin(tmp_path, "softmax") == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    said = capsys.readouterr().err
    assert "the checkpoint of step 6 cannot be written" in said
    assert "checkpoint-000005-step-6.safetensors" in said
    assert steps_kept(tmp_path) == [2, 4, 4]
    patch.setattr(Trainer, "train_on", real)
    assert resume(tmp_path) == 0
    assert len(metrics(tmp_path)) == 4


@pytest.mark.parametrize("method", ["add_metrics", "save_model"])
def test_other_files_that_cannot_be_written_are_told(tmp_path, capsys, patch, method):
    real = getattr(RunFolder, method)

    def refused(*_args, **_options):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(tmp_path / "it"))

    def without_a_disk(*arguments):
        with pytest.MonkeyPatch.context() as other:
            other.setattr("builtins.open", refused)
            real(*arguments)

    patch.setattr(RunFolder, method, without_a_disk)
    assert begin(tmp_path, "softmax") == 1
    assert re.search(
        r"error: .*cannot be written: .*Read-only file system", capsys.readouterr().err
    )
    assert steps_kept(tmp_path)[-1] == 4


def test_a_folder_that_cannot_be_made_is_told(tmp_path, capsys, patch):
    (tmp_path / "file").write_text("")
    assert begin(tmp_path / "file" / "run", "softmax") == 1
    assert "cannot be written: Not a directory" in capsys.readouterr().err
