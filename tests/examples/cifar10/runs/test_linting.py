"""The linter finds nothing in the examples, and is heard where something is planted."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import nn
from examples.cifar10.cli import main
from examples.cifar10.commands import train
from examples.cifar10.data.batches import Batches
from examples.cifar10.data.dataset import Dataset
from examples.cifar10.data.images import LabelledImages
from examples.cifar10.presets import MODELS, PRESETS, find_recipe
from examples.cifar10.runs import running as runs
from examples.cifar10.training.trainer import Trainer
from examples.homework import toy_net

QUICK = ["--epochs", "1", "--batch-size", "6", "--quiet", "--no-figures"]
RECIPES = [
    (model, preset)
    for preset in PRESETS
    for model in MODELS
    # darts_small is the same network as darts, in seconds.
    if (preset == "tuned" and model != "darts") or model in ("softmax", "two_layer", "convnet")
]


def some_images(count):
    rng = np.random.default_rng(count)
    pixels = rng.integers(0, 256, (count, 3, 32, 32), dtype=np.uint8)
    return LabelledImages(pixels, rng.integers(0, 10, count))


@pytest.fixture(autouse=True)
def _few_images(monkeypatch):
    names = tuple(f"class {i}" for i in range(10))
    few = Dataset(some_images(40), some_images(10), names, "random")
    monkeypatch.setattr(train, "load", lambda *_: few)


@pytest.mark.parametrize(("model", "preset"), RECIPES)
def test_every_recipe_trains_without_a_finding(tmp_path, capsys, monkeypatch, model, preset):
    made = []
    start = Trainer.lint
    monkeypatch.setattr(Trainer, "lint", lambda self, say: (start(self, say), made.append(self)))
    arguments = [*QUICK, "--preset", preset, "--out", str(tmp_path / "run")]
    assert main(["train", model, *arguments]) == 0
    (trainer,) = made
    assert trainer.linter.finished
    assert trainer.linter.findings == []
    assert "Mend" not in capsys.readouterr().err


def test_a_planted_mistake_is_said_unless_told_not_to(tmp_path, capsys, monkeypatch):
    def build(*arguments):
        model = runs_build(*arguments)
        return nn.Sequential(*model, nn.Softmax(dim=1))

    runs_build = runs.build_model
    monkeypatch.setattr(runs, "build_model", build)
    said = {}
    for option in ("--lint", "--no-lint"):
        assert main(["train", "softmax", *QUICK, option, "--out", str(tmp_path / option)]) == 0
        said[option] = capsys.readouterr()
    assert said["--lint"].err.count("[softmax-input]") == 1
    assert "[softmax-input]" not in said["--no-lint"].err
    assert said["--lint"].out == said["--no-lint"].out


def test_linting_changes_no_bit_of_what_is_trained(tmp_path, capsys):
    weights = []
    for option in ("--lint", "--no-lint"):
        folder = tmp_path / option
        assert main(["train", "convnet", *QUICK, option, "--out", str(folder)]) == 0
        weights.append((folder / "model.npz").read_bytes())
    assert weights[0] == weights[1]
    capsys.readouterr()


@pytest.mark.parametrize("name", sorted(toy_net.REFERENCE_LOSSES))
def test_the_homeworks_net_is_right(name):
    parameters = toy_net.initial_parameters()
    optimizer = toy_net.make_optimizer(name, parameters)
    linter = nn.Linter(parameters, optimizer)
    for _ in range(4):
        loss = toy_net.loss(parameters)
        assert linter.check(loss) == []
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def test_the_readmes_training_is_right():
    text = (Path(__file__).parents[4] / "README.md").read_text()
    (code,) = [
        b for b in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "import optim" in b
    ]
    line = "    loss.backward()\n"
    assert line in code
    linted = code.replace(line, "    findings += linter.check(loss)\n" + line).replace(
        "for _ in", "linter, findings = nn.Linter(model, optimizer), []\nfor _ in", 1
    )
    names = {}
    exec("import numpy as np\nimport autograd as ag\n" + linted, names)
    assert names["linter"].finished
    assert names["findings"] == []


def test_the_trainers_batches_are_linted_from_the_first():
    recipe = find_recipe("softmax", "tuned")
    model = nn.Sequential(nn.Flatten(), nn.Linear(3072, 10))
    told = []
    trainer = Trainer(model, recipe, Batches(some_images(40), 10, seed=0))
    trainer.lint(told.append)
    model[0].forward = lambda images: images.reshape(len(images), -1) / np.float64(255)
    trainer.run_epoch(1)
    assert len(told) == 1
    assert "[float64]" in told[0]
