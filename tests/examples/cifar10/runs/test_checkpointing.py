"""When checkpoints are written, and what is refused."""

from __future__ import annotations

import re

import pytest

import nn
from examples.cifar10.cli import main
from examples.cifar10.runs import checkpointing
from tests.examples.cifar10.runs.interrupted import recipe_of
from tests.examples.cifar10.runs.test_interruptions import RECIPE


def steps_written(folder, patch, *every):
    """Steps of all checkpoints of a run."""
    written = []
    save = nn.save

    def noted(*arguments, **options):
        if options.get("keep"):
            written.append(options["step"])
        return save(*arguments, **options)

    patch.setattr(nn, "save", noted)
    options = ["--no-figures", "--out", str(folder), *every]
    assert main(["train", "softmax", *options]) == 0
    return written


def test_checkpoints_are_at_the_ends_of_epochs_and_every_so_many_steps(tmp_path):
    with recipe_of(RECIPE) as patch:
        assert steps_written(tmp_path / "a", patch) == [0, 4, 8, 12]
        kept = sorted(path.name for path in (tmp_path / "a" / "checkpoints").iterdir())
        assert [re.search(r"step-(\d+)", name)[1] for name in kept] == ["4", "8", "12"]
    with recipe_of(RECIPE) as patch:
        every = ("--checkpoint-every", "3")
        # 12 twice: after the step, and after the epoch is measured.
        assert steps_written(tmp_path / "b", patch, *every) == [0, 3, 4, 6, 8, 9, 12, 12]


def test_a_time_counts_from_the_checkpoint_before(tmp_path):
    with recipe_of(RECIPE) as patch:
        clock = iter(range(0, 10_000, 60))
        patch.setattr(checkpointing, "monotonic", lambda: float(next(clock)))
        # The clock moves a minute each time it is looked at: in every step and checkpoint.
        every = ("--checkpoint-every", "2.5min")
        assert steps_written(tmp_path, patch, *every) == [0, 3, 4, 7, 8, 11, 12]


@pytest.mark.parametrize("text", ["0", "-3", "1.5", "5 hours", "", "min", "nan"])
def test_other_intervals_are_refused(text, capsys):
    with pytest.raises(SystemExit):
        main(["train", "softmax", f"--checkpoint-every={text}"])
    assert "such as 200, 90s or 5min" in capsys.readouterr().err
