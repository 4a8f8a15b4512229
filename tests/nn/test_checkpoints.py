"""A run saved and loaded goes on bit for bit; parts that do not fit change nothing."""

from __future__ import annotations

import inspect
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
import optim
from optim import lr_scheduler

OPTIMIZERS = {
    "SGD": [{}, {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}, {"momentum": 0.5}],
    "Adam": [{}, {"amsgrad": True, "weight_decay": 0.1, "maximize": True}],
    "AdamW": [{}, {"amsgrad": True}],
    "Adagrad": [{"lr": 0.1}],
    "RMSprop": [{}, {"centered": True, "momentum": 0.9}, {"eps_inside_sqrt": True}],
    "Muon": [{}, {"nesterov": False, "weight_decay": 0.1}],
}
SCHEDULERS = {
    "StepLR": lambda o: lr_scheduler.StepLR(o, 2, 0.5),
    "MultiStepLR": lambda o: lr_scheduler.MultiStepLR(o, [1, 3], 0.5),
    "ExponentialLR": lambda o: lr_scheduler.ExponentialLR(o, 0.9),
    "CosineAnnealingLR": lambda o: lr_scheduler.CosineAnnealingLR(o, 7),
    "LinearLR": lambda o: lr_scheduler.LinearLR(o, 0.3, total_iters=4),
    "LambdaLR": lambda o: lr_scheduler.LambdaLR(o, lambda t: 1 / (1 + t)),
    "OneCycleLR": lambda o: lr_scheduler.OneCycleLR(
        o, 0.1, 12, cycle_momentum="betas" in o.param_groups[0]
    ),
    "SequentialLR": lambda o: lr_scheduler.SequentialLR(
        o, [lr_scheduler.LinearLR(o, 0.5), lr_scheduler.ExponentialLR(o, 0.7)], [2]
    ),
    "ReduceLROnPlateau": lambda o: lr_scheduler.ReduceLROnPlateau(o, patience=1, factor=0.5),
}


class Net(nn.Module):
    """Statistics, masks from a generator of its own and from the default one, Fortran order."""

    def __init__(self):
        self.first = nn.Linear(3, 4, rng=np.random.default_rng(1))
        self.norm = nn.BatchNorm1d(4)
        self.own = nn.Dropout(0.3, rng=np.random.Generator(np.random.MT19937(5)))
        self.shared = nn.Dropout(0.3)
        self.last = nn.Parameter(np.asfortranarray(np.linspace(-1, 1, 8, dtype="f").reshape(4, 2)))
        self.scale = nn.Parameter(np.float32(1.5))

    def forward(self, x):
        hidden = self.shared(self.own(nn.functional.relu(self.norm(self.first(x)))))
        return hidden @ self.last * self.scale


class Run:
    """All of a training run, made anew from the same recipe."""

    def __init__(self, name, options, schedule):
        self.net = Net()
        kind = getattr(optim, name)
        if name == "Muon":
            matrices = [p for p in self.net.parameters() if p.ndim > 1]
            rest = [p for p in self.net.parameters() if p.ndim < 2]
            self.optimizer = [kind(matrices, **options), optim.SGD(rest, lr=0.1)]
        else:
            self.optimizer = [kind(self.net.parameters(), **options)]
        self.scheduler = {"lr": SCHEDULERS[schedule](self.optimizer[0])}
        self.position = nn.TrainingPosition(seed=3)
        nn.manual_seed(11)
        self.parts = (
            self.net,
            self.optimizer,
            self.scheduler,
            nn.default_rng(),
            self.position,
        )

    def train(self, steps):
        for _ in range(steps):
            rng = self.position.rng("data")
            images = rng.normal(size=(6, 3)).astype("f")
            loss = nn.functional.cross_entropy(self.net(images), rng.integers(0, 2, 6))
            self.net.zero_grad()
            loss.backward()
            for optimizer in self.optimizer:
                optimizer.step()
            plateau = isinstance(self.scheduler["lr"], lr_scheduler.ReduceLROnPlateau)
            self.scheduler["lr"].step(*([loss.item()] if plateau else []))
            self.position.advance(4)
        return self

    def bits(self):
        """Everything there is, as one value that compares by bits."""
        state = nn.checkpoints.captured(list(self.parts))
        return repr(bits_of(state))


def bits_of(value):
    if isinstance(value, np.ndarray | np.generic):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, dict):
        return {key: bits_of(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [bits_of(item) for item in value]
    return value


def test_every_optimizer_and_every_schedule_is_tried():
    kinds = {n for n in optim.__all__ if inspect.isclass(getattr(optim, n))} - {"Optimizer"}
    assert kinds == set(OPTIMIZERS)
    assert set(lr_scheduler.__all__) - {"LRScheduler"} == set(SCHEDULERS)


@settings(max_examples=1 + settings.default.max_examples // 25)
@pytest.mark.parametrize("schedule", SCHEDULERS)
@pytest.mark.parametrize(
    ("name", "options"), [(name, o) for name, tried in OPTIMIZERS.items() for o in tried]
)
@given(data=st.data())
def test_training_goes_on_bit_for_bit(tmp_path_factory, name, options, schedule, data):
    before, after = data.draw(st.integers(0, 5)), data.draw(st.integers(1, 5))
    folder = tmp_path_factory.mktemp("run")
    run = Run(name, options, schedule).train(before)
    nn.save(folder, *run.parts, step=before, keep=2)
    saved = run.bits()
    unbroken = run.train(after).bits()

    fresh = Run(name, options, schedule)
    assert nn.load(folder, *fresh.parts).step == before
    assert fresh.bits() == saved
    assert fresh.train(after).bits() == unbroken
    assert saved != unbroken


def test_a_learning_rate_set_by_hand_is_kept(tmp_path):
    run = Run("SGD", {"lr": 0.5}, "StepLR").train(3)
    run.optimizer[0].param_groups[0]["lr"] = 0.123
    path = nn.save(tmp_path / "a.safetensors", *run.parts)
    fresh = Run("SGD", {"lr": 0.5}, "StepLR")
    nn.load(path, *fresh.parts)
    assert fresh.optimizer[0].param_groups[0]["lr"] == 0.123
    assert fresh.bits() == run.bits()


def test_a_state_is_plain_data_and_weights_have_their_own_names(tmp_path):
    run = Run("Adam", {}, "StepLR").train(2)
    path = nn.save(tmp_path / "a.safetensors", *run.parts, 2, metadata={"accuracy": 0.5})
    checkpoint = nn.load(path)
    assert set(checkpoint) == set(run.net.state_dict())
    assert bits_of(checkpoint.optimizer) == bits_of([o.state_dict() for o in run.optimizer])
    assert checkpoint.loader == {"seed": 3, "epoch": 0, "step": 2}
    assert checkpoint.metadata == {"accuracy": 0.5}
    assert set(checkpoint.module_generators) == {"own.rng"}
    assert repr(path.name) in repr(checkpoint).replace(f"{tmp_path}{os.sep}", "")


def test_weights_alone_hold_nothing_else(tmp_path):
    library = pytest.importorskip("safetensors.numpy")
    net = nn.Linear(2, 3)
    path = nn.save(tmp_path / "a.safetensors", net)
    assert {n: a.tobytes() for n, a in library.load_file(path).items()} == {
        n: a.tobytes() for n, a in net.state_dict().items()
    }


MISFITS = {
    "another model": lambda run: (
        [nn.Linear(2, 2, rng=np.random.default_rng(0)), *run.parts[1:]],
        "model",
    ),
    "one optimizer": lambda run: ([*run.parts[:1], run.optimizer[0], *run.parts[2:]], "optimizer"),
    "another optimizer": lambda run: (
        [run.net, [optim.SGD([run.net.last])], *run.parts[2:]],
        r"optimizer\[0\]",
    ),
    "another generator": lambda run: (
        [*run.parts[:3], np.random.Generator(np.random.MT19937(1)), run.position],
        "rng",
    ),
    "a loader without states": lambda run: ([*run.parts[:4], 3], "loader"),
    "other names": lambda run: ([*run.parts[:2], {"x": run.scheduler["lr"]}], "scheduler"),
}


@pytest.mark.parametrize("kind", MISFITS)
def test_what_does_not_fit_changes_nothing(tmp_path, kind):
    path = nn.save(tmp_path / "a.safetensors", *Run("SGD", {}, "StepLR").train(3).parts)
    run = Run("SGD", {}, "StepLR")
    before = run.bits()
    parts, place = MISFITS[kind](run)
    with pytest.raises(nn.CheckpointError, match=rf"a\.safetensors: {place}.* nothing was"):
        nn.load(path, *parts)
    assert run.bits() == before


def test_a_part_that_was_not_saved_is_missed(tmp_path):
    net = nn.Linear(2, 2)
    path = nn.save(tmp_path / "a.safetensors", net, step=4)
    with pytest.raises(nn.CheckpointError, match=r"optimizer .*saved without.*holds \['step'\]"):
        nn.load(path, net, optim.SGD(net.parameters()))


def test_a_model_without_the_saved_generators_is_noticed_when_training_goes_on(tmp_path):
    net = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5, rng=np.random.default_rng(1)))
    path = nn.save(tmp_path / "a.safetensors", net, optim.SGD(net.parameters()))
    other = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5))
    nn.load(path, other)
    with pytest.raises(nn.CheckpointError, match="generators"):
        nn.load(path, other, optim.SGD(other.parameters()))


def test_the_newest_are_kept_whatever_their_steps(tmp_path):
    net = nn.Linear(1, 1)
    (tmp_path / ".checkpoint-000001.safetensors.0123.part").write_bytes(b"a writer was killed")
    (tmp_path / "notes.txt").write_text("mine")
    for step in (10, 20, 15):
        nn.save(tmp_path, net, step=step, keep=2)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "checkpoint-000002-step-20.safetensors",
        "checkpoint-000003-step-15.safetensors",
        "notes.txt",
    ]
    assert nn.load(tmp_path).step == 15


def test_wrong_arguments_are_explained(tmp_path):
    net = nn.Linear(1, 1)
    with pytest.raises(TypeError, match="path"):
        nn.save(3, net)
    with pytest.raises(ValueError, match="keep"):
        nn.save(tmp_path, net, keep=0)
    with pytest.raises(TypeError, match="step"):
        nn.save(tmp_path / "a", net, step=1.5)
    with pytest.raises(IsADirectoryError, match="keep=3"):
        nn.save(tmp_path, net)
    with pytest.raises(ValueError, match=r"optimizer.*\.safetensors"):
        nn.save(tmp_path / "a.npz", net, optim.SGD(net.parameters()))
    with pytest.raises(TypeError, match="state dict"):
        nn.save(tmp_path / "a", {"x": [1]}, step=1)
    with pytest.raises(FileNotFoundError, match="keep=K"):
        nn.load(tmp_path)
    with pytest.raises(nn.CheckpointError, match="nested data"):
        nn.load(nn.save(tmp_path / "b", {"x": [1]}), net)


def test_positions_draw_the_same_wherever_they_come_from():
    walked = nn.TrainingPosition(7)
    for _ in range(5):
        walked.advance(3)
    put = nn.TrainingPosition(0)
    put.load_state_dict(walked.state_dict())
    assert put == nn.TrainingPosition(7, 1, 2) == walked
    draws = {
        place.rng(stream).integers(2**62)
        for place in (walked, nn.TrainingPosition(7, 1, 1), nn.TrainingPosition(7, 2, 2))
        for stream in ("augment", "dropout")
    } | {walked.epoch_rng("augment").integers(2**62)}
    assert len(draws) == 7
    assert put.rng("augment").integers(2**62) == walked.rng("augment").integers(2**62)
    with pytest.raises(ValueError, match="epoch"):
        put.load_state_dict({"seed": 1})
    with pytest.raises(ValueError, match="step"):
        put.load_state_dict({"seed": 1, "epoch": 1, "step": -1})
    assert put == walked
