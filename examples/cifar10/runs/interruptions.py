"""What ends training before its time, each with how to go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from examples.cifar10.errors import TrainingError
from examples.cifar10.runs.checkpointing import Checkpoints
from examples.cifar10.runs.folder import RunFolder
from examples.cifar10.runs.stopping import Stopped, resume_command
from examples.cifar10.training.nonfinite import NonFiniteError


@contextmanager
def explained(checkpoints: Checkpoints, folder: RunFolder) -> Iterator[None]:
    """Inside, a signal ends training with a checkpoint, and every end says how to go on.

    Raises Stopped, NonFiniteError or TrainingError.
    """
    trainer = checkpoints.trainer
    going_on = resume_command(folder.path)
    try:
        yield
    except Stopped as stopped:
        checkpoints.save()
        raise Stopped(
            stopped.number,
            f"stopped after step {trainer.step} of {trainer.total_steps}; to go on: {going_on}",
        ) from None
    except NonFiniteError as error:
        raise NonFiniteError(
            f"{error}\n{checkpoints.folder} keeps the state of step {checkpoints.newest}; "
            f"train MODEL --from {checkpoints.folder} begins with its weights"
        ) from error
    except MemoryError as error:
        if trainer.progress.ended:
            mend = "outside the training steps: end other programs"
        else:
            mend = (
                f"in step {trainer.step + 1}: lower --batch-size (now "
                f"{trainer.batches.batch_size}) in a new run, or end other programs"
            )
        raise TrainingError(
            f"out of memory {mend}; the state of step {checkpoints.newest} is kept, to go on "
            f"with it: {going_on}"
        ) from error
