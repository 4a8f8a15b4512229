"""Train a model."""

from __future__ import annotations

import argparse
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from examples.cifar10.commands.numbers import natural, positive, real
from examples.cifar10.data.source import AUTO, DEFAULT_FOLDER, GENERATED, VARIABLE, load
from examples.cifar10.display import DownloadProgress, say
from examples.cifar10.errors import ExampleError
from examples.cifar10.preset_files import NAMES, choose_recipe
from examples.cifar10.presets import (
    FEW_IMAGES,
    MODELS,
    Recipe,
    for_few_images,
    for_fine_tuning,
)

MODEL_HELP = """\
softmax: one affine layer. two_layer: affine, ReLU, affine. mlp: three hidden layers with batch
norm. convnet: 32 filters of 5x5, ReLU, 2x2 max pool, affine. vgg: six 3x3 convolutions with batch
norm. airbench: airbench94 by Muon, on all training images. darts: 20 cells found by architecture
search; darts_small: 8 smaller ones.
"""
DATA_HELP = f"""\
the folder of CIFAR-10's batch files (binary or python version), its parent, or an archive as
downloaded; {AUTO!r} (the default): the place in the variable {VARIABLE}, else {DEFAULT_FOLDER}/,
else a download into it, else the generated data set; {GENERATED!r}: an embedded data set of drawn
patterns
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command's options."""
    train = commands.add_parser(
        "train",
        help="train a model and measure it on the test images",
        description="Train a model; the one of the best validation epoch (of airbench, which has "
        "no validation, the last) is saved and tested.",
        epilog="In the run folder: config.json, metrics.jsonl (a line per epoch), curves.png, "
        "weights.png (the first layer as images), model.npz (read by nn.load).",
        allow_abbrev=False,
    )
    train.set_defaults(command=run)
    train.add_argument("model", choices=MODELS, metavar="MODEL", help=MODEL_HELP)
    train.add_argument("--data", default=AUTO, metavar="DIR", help=DATA_HELP)
    train.add_argument("--mirror", metavar="URL", help="where --data auto downloads from")
    train.add_argument(
        "--preset",
        default=NAMES[0],
        metavar="NAME|FILE",
        help="tuned: our recipes; homework: the homework's (softmax, two_layer, convnet); "
        "searched: what `tune` found (two_layer, mlp); or a preset.json that `tune` wrote; "
        "default: %(default)s",
    )
    train.add_argument("--epochs", type=positive, metavar="N", help="default: the recipe's")
    train.add_argument("--batch-size", type=positive, metavar="B", help="default: the recipe's")
    train.add_argument(
        "--lr",
        type=real,
        metavar="X",
        help="learning rate (its peak under one_cycle); this, momentum and decay do not change "
        "those that a recipe gives to a group of parameters (airbench: all but the filters)",
    )
    train.add_argument("--momentum", type=real, metavar="X", help="default: the recipe's")
    train.add_argument("--weight-decay", type=real, metavar="X", help="default: the recipe's")
    train.add_argument(
        "--train-images",
        type=positive,
        metavar="N",
        help=f"use the first N training images; up to {FEW_IMAGES}, learn them by heart: "
        "batches of 10, 20 epochs, no augmentation",
    )
    train.add_argument(
        "--no-augmentation",
        dest="augmentation",
        action="store_false",
        help="no flips, shifts, cutout",
    )
    train.add_argument(
        "--from",
        dest="weights",
        type=Path,
        metavar="WEIGHTS",
        help="begin with the weights in a file (of a run, or of the network alone) or a run folder;"
        " by default for 1 epoch at a tenth of the recipe's learning rate",
    )
    train.add_argument(
        "--new-classifier",
        action="store_true",
        help="with --from: the last layer starts anew, whatever its size in WEIGHTS",
    )
    train.add_argument("--seed", type=natural, default=0, metavar="S", help="default: %(default)s")
    train.add_argument(
        "--out", type=Path, metavar="DIR", help="run folder; default: a new one in runs/"
    )
    train.add_argument("--overwrite", action="store_true", help="replace a run in --out")
    train.add_argument(
        "--no-figures", dest="figures", action="store_false", help="without Matplotlib's pictures"
    )
    train.add_argument(
        "--lint",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="look for mistakes in the first steps with nn.Linter (default: yes)",
    )
    train.add_argument("--quiet", action="store_true", help="no progress bar")


def run(options: argparse.Namespace) -> int:
    """Train, save and test."""
    from examples.cifar10.runs.folder import RunFolder
    from examples.cifar10.runs.running import Settings, train_run
    from examples.cifar10.training.evaluation import test_line

    if options.new_classifier and options.weights is None:
        raise ExampleError("--new-classifier needs --from WEIGHTS")
    recipe = _recipe(options)
    out = options.out
    if out is None:
        moment = datetime.now().strftime("%Y%m%d-%H%M%S")
        out = Path("runs") / f"{options.model}-{moment}-seed{options.seed}"
    settings = Settings(
        model=options.model,
        preset=options.preset,
        recipe=recipe,
        seed=options.seed,
        data=options.data,
        folder=RunFolder(out),
        train_images=options.train_images,
        figures=options.figures,
        quiet=options.quiet,
        overwrite=options.overwrite,
        lint=options.lint,
        weights=options.weights,
        new_classifier=options.new_classifier,
    )
    dataset = load(options.data, say, DownloadProgress(), options.mirror)
    for result in train_run(settings, dataset, say):
        say(test_line(result))
    return 0


def _recipe(options: argparse.Namespace) -> Recipe:
    recipe = choose_recipe(options.model, options.preset)
    if options.weights is not None:
        recipe = for_fine_tuning(recipe)
    if options.train_images is not None and options.train_images <= FEW_IMAGES:
        recipe = for_few_images(recipe)
    if not options.augmentation:
        recipe = replace(recipe, flips=None, shift=0, cutout=0)
    if options.epochs is not None:
        recipe = replace(recipe, max_steps=None)
    names = ("epochs", "batch_size", "lr", "momentum", "weight_decay")
    given = {name: getattr(options, name) for name in names}
    return replace(recipe, **{name: value for name, value in given.items() if value is not None})
