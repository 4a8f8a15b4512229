"""The recipe of `examples.cifar10 train airbench` in PyTorch alone, as the yardstick.

Written from the recipe's description, with none of dagrad's code, so that a mistake on one side
shows as a difference (`tests/peers/test_torch_airbench.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any, cast

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

MEAN = (0.4914, 0.4822, 0.4465)
DEVIATION = (0.2470, 0.2435, 0.2616)
BATCH = 2000
BIAS_LR, HEAD_LR, FILTER_LR = 0.053, 0.67, 0.24
SGD_MOMENTUM, FILTER_MOMENTUM = 0.85, 0.6
DECAY = 0.004
BIAS_EPOCHS = 3
REACH = 2


class Head(nn.Linear):
    """Logits divided by the number of features."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Scores (N, 10)."""
        scores: torch.Tensor = super().forward(input)
        return scores / self.in_features


class Muon:
    """Nesterov momentum, orthogonalised by three Newton-Schulz steps, on weights rescaled to the
    Frobenius norm sqrt(rows).
    """

    def __init__(self, params: list[Any], lr: float, momentum: float) -> None:
        self.param_groups: list[dict[str, Any]] = [{"params": params, "lr": lr}]
        self.momentum = momentum
        self.velocities = [torch.zeros_like(p) for p in params]

    def step(self) -> None:
        """Change the parameters in place."""
        (group,) = self.param_groups
        with torch.no_grad():
            for p, velocity in zip(group["params"], self.velocities, strict=True):
                velocity.mul_(self.momentum).add_(p.grad)
                update = p.grad.add(velocity, alpha=self.momentum)
                p.mul_(len(p) ** 0.5 / p.norm())
                change = orthogonalise(update.reshape(len(p), -1)).view(p.shape)
                p.add_(change, alpha=-group["lr"])


def orthogonalise(matrix: torch.Tensor, steps: int = 3) -> torch.Tensor:
    """Quintic Newton-Schulz iteration; of matrices that are not taller than wide."""
    assert matrix.shape[0] <= matrix.shape[1]
    x = matrix / (matrix.norm() + 1e-7)
    for _ in range(steps):
        gram = x @ x.T
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    result: torch.Tensor = x
    return result


def network() -> nn.Sequential:
    """airbench94 with its initial values but for the whitening filters, channels-last."""
    whitening = nn.Conv2d(3, 24, 2)
    whitening.weight.requires_grad = False
    layers: list[nn.Module] = [whitening, nn.GELU()]
    channels = 24
    for width in (64, 256, 256):
        layers.append(
            nn.Sequential(
                _convolution(channels, width),
                nn.MaxPool2d(2),
                _norm(width),
                nn.GELU(),
                _convolution(width, width),
                _norm(width),
                nn.GELU(),
            )
        )
        channels = width
    head = Head(channels, 10, bias=False)
    with torch.no_grad():
        head.weight /= head.weight.std()
    model: Any = nn.Sequential(*layers, nn.MaxPool2d(3), nn.Flatten(), head)
    return cast("nn.Sequential", model.to(memory_format=torch.channels_last))


def _convolution(inputs: int, width: int) -> nn.Conv2d:
    layer = nn.Conv2d(inputs, width, 3, padding=1, bias=False)
    nn.init.dirac_(layer.weight.data[:inputs])
    return layer


def _norm(width: int) -> nn.BatchNorm2d:
    layer = nn.BatchNorm2d(width, eps=1e-12, momentum=0.4)
    layer.weight.requires_grad = False
    return layer


def normalised(images: np.ndarray) -> torch.Tensor:
    """uint8 images (N, 3, H, W) as standardised floats, channels-last."""
    mean = torch.tensor(MEAN).view(1, 3, 1, 1)
    deviation = torch.tensor(DEVIATION).view(1, 3, 1, 1)
    last = torch.from_numpy(images).contiguous(memory_format=torch.channels_last)
    return last.float().div_(255).sub_(mean).div_(deviation)


def whitening_filters(images: torch.Tensor) -> torch.Tensor:
    """The 24 filters from floats (N, 3, H, W)."""
    patches = F.unfold(images.double(), 2).transpose(1, 2).reshape(-1, 12)
    values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
    filters = (vectors / torch.sqrt(values + 5e-4)).T.reshape(12, 3, 2, 2)
    return torch.cat([filters, -filters])


class Trainer:
    """The network's optimizers and schedules; the number of the step decides the rates."""

    def __init__(self, model: nn.Sequential, steps_per_epoch: int, epochs: int) -> None:
        self.model = model
        self.forward: Callable[[torch.Tensor], torch.Tensor] = model
        self.total = steps_per_epoch * epochs
        self.bias_steps = steps_per_epoch * BIAS_EPOCHS
        self.number = 0
        trained = [p for p in model.parameters() if p.requires_grad]
        self.whitening_bias = trained[0]
        groups = [
            {"params": [self.whitening_bias], "lr": BIAS_LR, "weight_decay": DECAY / BIAS_LR},
            {
                "params": [p for p in trained[1:] if p.ndim == 1],
                "lr": BIAS_LR,
                "weight_decay": DECAY / BIAS_LR,
            },
            {
                "params": [p for p in trained if p.ndim == 2],
                "lr": HEAD_LR,
                "weight_decay": DECAY / HEAD_LR,
            },
        ]
        self.sgd = torch.optim.SGD(groups, momentum=SGD_MOMENTUM, nesterov=True, fused=True)
        self.muon = Muon([p for p in trained if p.ndim == 4], FILTER_LR, FILTER_MOMENTUM)
        self.groups = [*self.sgd.param_groups, *self.muon.param_groups]
        self.initial = [group["lr"] for group in self.groups]

    def step(self, images: torch.Tensor, labels: torch.Tensor) -> tuple[float, torch.Tensor]:
        """One step on a batch: its loss per example and its scores, from before the step."""
        if self.number == self.bias_steps:
            self.whitening_bias.requires_grad = False
            self.whitening_bias.grad = None
        scores = self.forward(images)
        loss: Any = F.cross_entropy(scores, labels, label_smoothing=0.2, reduction="sum")
        loss.backward()
        for index, (group, initial) in enumerate(zip(self.groups, self.initial, strict=True)):
            span = self.total if index else self.bias_steps
            group["lr"] = initial * max(0.0, 1 - self.number / span)
        self.sgd.step()
        self.muon.step()
        self.model.zero_grad(set_to_none=True)
        self.number += 1
        return loss.item() / len(labels), scores.detach()


def cropped(padded: torch.Tensor, reach: int, size: int = 32) -> torch.Tensor:
    """From each padded image one of its (2 reach + 1)^2 crops, all equally likely."""
    down, right = torch.randint(0, 2 * reach + 1, (2, len(padded)))
    shape = (len(padded), 3, size, size)
    out = torch.empty(shape, memory_format=torch.channels_last)
    for i in range(2 * reach + 1):
        for j in range(2 * reach + 1):
            chosen = (down == i) & (right == j)
            out[chosen] = padded[chosen, :, i : i + size, j : j + size]
    return out


def averaged(model: Callable[[torch.Tensor], torch.Tensor], images: torch.Tensor) -> torch.Tensor:
    """Scores averaged over six views: as it is, moved by a pixel both ways, and mirrored."""
    padded = F.pad(images, (1, 1, 1, 1), mode="reflect")

    def with_mirror(view: torch.Tensor) -> torch.Tensor:
        return 0.5 * model(view) + 0.5 * model(view.flip(-1))

    moved = [with_mirror(padded[:, :, i : i + 32, i : i + 32]) for i in (0, 2)]
    return 0.5 * with_mirror(images) + 0.25 * moved[0] + 0.25 * moved[1]


def accuracy(
    model: nn.Sequential,
    images: torch.Tensor,
    labels: torch.Tensor,
    scores_of: Callable[[nn.Sequential, torch.Tensor], torch.Tensor],
) -> float:
    """Of the model in evaluation mode, in batches of 500."""
    model.eval()
    correct = 0
    with torch.inference_mode():
        for start in range(0, len(labels), 500):
            part = slice(start, start + 500)
            correct += int((scores_of(model, images[part]).argmax(1) == labels[part]).sum())
    return correct / len(labels)


def train(
    train_images: np.ndarray,
    train_labels: np.ndarray,
    test_images: np.ndarray,
    test_labels: np.ndarray,
    seed: int,
    epochs: int,
    say: Callable[[dict[str, Any]], object],
    compiled: bool = False,
    clock: Callable[[], float] = perf_counter,
) -> dict[str, Any]:
    """Train, with `torch.compile` if `compiled`, and test; `say` gets each epoch's record.

    Times are in seconds, by `clock`.
    """
    torch.manual_seed(seed)
    images, labels = normalised(train_images), torch.from_numpy(train_labels)
    batch = min(BATCH, len(labels))
    steps = len(labels) // batch
    model = network()
    with torch.no_grad():
        next(model.parameters()).copy_(whitening_filters(images[:5000]))
    trainer = Trainer(model, steps, epochs)
    began = clock()
    spare = Trainer(network(), steps, epochs)
    for one in (spare, trainer):
        if compiled:
            one.forward = torch.compile(one.model)
    spare.step(images[:batch], labels[:batch])
    del spare
    warm_up = clock() - began
    records = []
    mirrored = torch.rand(len(images)) < 0.5
    began = clock()
    images = torch.where(mirrored.view(-1, 1, 1, 1), images.flip(-1), images)
    padded = F.pad(images, (REACH,) * 4, mode="reflect")
    preparing = clock() - began
    for epoch in range(epochs):
        model.train()
        began = clock()
        if epoch:
            padded = padded.flip(-1)
        order = torch.randperm(len(labels))
        loss, correct = 0.0, 0
        for number in range(steps):
            rows = order[number * batch : (number + 1) * batch]
            value, scores = trainer.step(cropped(padded[rows], REACH), labels[rows])
            loss += value / steps
            correct += int((scores.argmax(1) == labels[rows]).sum())
        records.append(
            {
                "epoch": epoch + 1,
                "loss": loss,
                "accuracy": correct / (steps * batch),
                "seconds": clock() - began + (0.0 if epoch else preparing),
            }
        )
        say(records[-1])
    tests, expected = normalised(test_images), torch.from_numpy(test_labels)
    return {
        "epochs": records,
        "steps": trainer.number,
        "warm_up_seconds": warm_up,
        "training_seconds": sum(record["seconds"] for record in records),
        "test_accuracy": accuracy(model, tests, expected, lambda net, part: net(part)),
        "averaged_test_accuracy": accuracy(model, tests, expected, averaged),
    }
