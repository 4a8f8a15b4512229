"""Train a model."""

from __future__ import annotations

import argparse
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from examples.cifar10.commands.numbers import natural, positive, real
from examples.cifar10.commands.output import add_output_options
from examples.cifar10.commands.resuming import check_options
from examples.cifar10.data.source import AUTO, DEFAULT_FOLDER, GENERATED, VARIABLE, load
from examples.cifar10.display import DownloadProgress
from examples.cifar10.errors import ExampleError
from examples.cifar10.preset_files import NAMES, choose_recipe
from examples.cifar10.presets import (
    FEW_IMAGES,
    MODELS,
    PIXEL_SCALES,
    Recipe,
    for_few_images,
    for_fine_tuning,
)

if TYPE_CHECKING:
    from examples.cifar10.reporting.reporter import Reporter
    from examples.cifar10.runs.checkpointing import Interval
    from examples.cifar10.runs.running import Settings

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
        "weights.png (the first layer as images), confusion.png, mistakes.png (the worst on the "
        "test images), model.npz (read by nn.load).",
        allow_abbrev=False,
    )
    train.set_defaults(command=run)
    # None is "not given": `--resume` has to know.
    train.add_argument("model", nargs="?", choices=MODELS, metavar="MODEL", help=MODEL_HELP)
    train.add_argument(
        "--resume",
        type=Path,
        metavar="RUN_DIR",
        help="go on with the run in this folder from its newest checkpoint, bit for bit as if it "
        "had not stopped; MODEL and all that decides the result are read from it",
    )
    train.add_argument("--data", metavar="DIR", help=DATA_HELP)
    train.add_argument("--mirror", metavar="URL", help="where --data auto downloads from")
    train.add_argument(
        "--preset",
        metavar="NAME|FILE",
        help="tuned: our recipes; homework: the homework's (softmax, two_layer, convnet); "
        "searched: what `tune` found (two_layer, mlp); or a preset.json that `tune` wrote; "
        f"default: {NAMES[0]}",
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
        "--pixels",
        choices=PIXEL_SCALES,
        help="what is made of pixels 0..255: standardised by the training images' channels or by "
        "published figures, whitened for each image and channel, or only centred; default: the "
        "recipe's",
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
    train.add_argument("--seed", type=natural, metavar="S", help="default: 0")
    train.add_argument(
        "--out", type=Path, metavar="DIR", help="run folder; default: a new one in runs/"
    )
    train.add_argument("--overwrite", action="store_true", help="replace a run in --out")
    train.add_argument(
        "--checkpoint-every",
        type=_interval,
        metavar="EVERY",
        help="a checkpoint within an epoch every so many steps (200) or after a time (90s, 5min), "
        "beside the one at its end; the last 3 are kept; default: 5min",
    )
    train.add_argument(
        "--no-figures", dest="figures", action="store_false", help="without Matplotlib's pictures"
    )
    train.add_argument(
        "--lint",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="look for mistakes in the first steps with nn.Linter (default: yes)",
    )
    train.add_argument(
        "--tensorboard",
        action="store_true",
        help="write event files into RUN_DIR/tensorboard (pip install 'dagrad[tensorboard]')",
    )
    add_output_options(train)


def run(options: argparse.Namespace) -> int:
    """Train, save and test."""
    from examples.cifar10.reporting.choice import make_reporter
    from examples.cifar10.runs.running import train_run

    with make_reporter(
        quiet=options.quiet, json=options.json, tensorboard=options.tensorboard
    ) as reporter:
        settings = _new_run(options) if options.resume is None else _resumed_run(options, reporter)
        if settings is not None:
            progress = DownloadProgress(options.quiet)
            dataset = load(settings.data, reporter.note, progress, options.mirror, reporter.warn)
            train_run(settings, dataset, reporter)
    return 0


def _new_run(options: argparse.Namespace) -> Settings:
    if options.model is None:
        raise ExampleError(f"train needs a MODEL ({', '.join(MODELS)}) or --resume RUN_DIR")
    if options.new_classifier and options.weights is None:
        raise ExampleError("--new-classifier needs --from WEIGHTS")
    preset = options.preset or NAMES[0]
    seed = options.seed or 0
    recipe = choose_recipe(options.model, preset)
    if options.weights is not None:
        recipe = for_fine_tuning(recipe)
    if options.train_images is not None and options.train_images <= FEW_IMAGES:
        recipe = for_few_images(recipe)
    out = options.out
    if out is None:
        moment = datetime.now().strftime("%Y%m%d-%H%M%S")
        out = Path("runs") / f"{options.model}-{moment}-seed{seed}"
    return _settings(
        options,
        out,
        model=options.model,
        preset=preset,
        recipe=_adjusted(recipe, options),
        seed=seed,
        data=options.data or AUTO,
        train_images=options.train_images,
        overwrite=options.overwrite,
        weights=options.weights,
        new_classifier=options.new_classifier,
    )


def _resumed_run(options: argparse.Namespace, reporter: Reporter) -> Settings | None:
    """The run in a folder; None, after saying so, if it has ended."""
    from examples.cifar10.runs.folder import RunFolder

    folder = RunFolder(options.resume)
    config = folder.read_config()
    check_options(options, config, _adjusted(config.recipe, options))
    tested = folder.test_metrics()
    if tested is not None:
        reporter.note(
            f"{folder.path} has ended, with test accuracy {tested['test_accuracy']:.4f}; there is "
            "nothing to go on with"
        )
        return None
    return _settings(
        options,
        folder.path,
        model=config.model,
        preset=config.preset,
        recipe=config.recipe,
        seed=config.seed,
        data=options.data or config.data_source,
        train_images=config.train_images,
        resumed=config,
    )


def _settings(options: argparse.Namespace, folder: Path, **decided: Any) -> Settings:
    """With the options that change nothing in the result."""
    from examples.cifar10.runs.checkpointing import DEFAULT_INTERVAL
    from examples.cifar10.runs.folder import RunFolder
    from examples.cifar10.runs.running import Settings

    return Settings(
        folder=RunFolder(folder),
        figures=options.figures,
        lint=options.lint,
        checkpoint_every=options.checkpoint_every or DEFAULT_INTERVAL,
        **decided,
    )


def _adjusted(recipe: Recipe, options: argparse.Namespace) -> Recipe:
    """The recipe with what the options give."""
    if not options.augmentation:
        recipe = replace(recipe, flips=None, shift=0, cutout=0)
    if options.epochs is not None:
        recipe = replace(recipe, max_steps=None)
    names = ("epochs", "batch_size", "lr", "momentum", "weight_decay", "pixels")
    given = {name: getattr(options, name) for name in names}
    return replace(recipe, **{name: value for name, value in given.items() if value is not None})


def _interval(text: str) -> Interval:
    from examples.cifar10.runs.checkpointing import Interval

    try:
        return Interval.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
