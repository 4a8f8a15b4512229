"""The command line: train, evaluate, draw, download."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from examples.cifar10.display import DownloadProgress
from examples.cifar10.download import ARCHIVES, HOME, fetch
from examples.cifar10.errors import ExampleError
from examples.cifar10.presets import (
    FEW_IMAGES,
    MODELS,
    PRESETS,
    Recipe,
    find_recipe,
    for_few_images,
    for_fine_tuning,
)
from examples.cifar10.source import AUTO, DEFAULT_FOLDER, GENERATED, VARIABLE, load, megabytes

DESCRIPTION = """\
Train image classifiers on CIFAR-10 with dagrad.

  python -m examples.cifar10 download
  python -m examples.cifar10 train convnet
  python -m examples.cifar10 train softmax --data DIR --out DIR
  python -m examples.cifar10 train convnet --train-images 50
  python -m examples.cifar10 train darts --from WEIGHTS --new-classifier
  python -m examples.cifar10 evaluate RUN_DIR
  python -m examples.cifar10 draw vgg --out vgg.svg
"""
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except ExampleError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


def _say(line: str) -> None:
    print(line, flush=True)


def _download(options: argparse.Namespace) -> int:
    archive = ARCHIVES[options.version]
    _say(f"{archive.name} ({megabytes(archive.size)}) into {options.out}")
    path = fetch(archive, options.out, options.mirror, DownloadProgress())
    _say(f"{path}: size, MD5 and SHA-256 are the official ones")
    return 0


def _train(options: argparse.Namespace) -> int:
    from examples.cifar10.evaluation import test_line
    from examples.cifar10.run_folder import RunFolder
    from examples.cifar10.runs import Settings, train_run

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
    dataset = load(options.data, _say, DownloadProgress(), options.mirror)
    for result in train_run(settings, dataset, _say):
        _say(test_line(result))
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    from examples.cifar10.evaluation import test_line
    from examples.cifar10.run_folder import RunFolder
    from examples.cifar10.runs import evaluate_run

    results = evaluate_run(
        RunFolder(options.run),
        lambda config: load(options.data or config.data_source, _say, DownloadProgress()),
        _say,
    )
    for result in results:
        _say(test_line(result))
    return 0


def _draw(options: argparse.Namespace) -> int:
    from examples.cifar10.networks import draw_network

    path = options.out or Path(f"{options.model}.svg")
    try:
        _say(f"picture: {draw_network(options.model, options.depth).save(path)}")
    except (OSError, RuntimeError, ValueError) as error:
        raise ExampleError(str(error)) from error
    return 0


def _recipe(options: argparse.Namespace) -> Recipe:
    recipe = find_recipe(options.model, options.preset)
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m examples.cifar10",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_train(commands)
    evaluate = commands.add_parser(
        "evaluate",
        help="measure a finished run's model on the test images again",
        allow_abbrev=False,
    )
    evaluate.set_defaults(command=_evaluate)
    evaluate.add_argument("run", type=Path, metavar="RUN_DIR", help="the folder that train made")
    evaluate.add_argument("--data", metavar="DIR", help="default: the data the run was made with")
    draw = commands.add_parser(
        "draw",
        help="draw a model's graph, folded by module",
        allow_abbrev=False,
    )
    draw.set_defaults(command=_draw)
    draw.add_argument("model", choices=MODELS, metavar="MODEL", help=", ".join(MODELS))
    draw.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="svg, png, pdf, html or gv by its suffix (default: MODEL.svg)",
    )
    draw.add_argument(
        "--depth",
        type=_natural,
        default=1,
        metavar="N",
        help="levels of modules to open (default: %(default)s, the layers)",
    )
    download = commands.add_parser(
        "download",
        help="fetch an official archive, resuming and verifying",
        allow_abbrev=False,
    )
    download.set_defaults(command=_download)
    download.add_argument(
        "--mirror", metavar="URL", help=f"folder of the archive, or the archive (default: {HOME})"
    )
    download.add_argument(
        "--out", type=Path, default=DEFAULT_FOLDER, metavar="DIR", help="default: %(default)s"
    )
    download.add_argument(
        "--version", choices=sorted(ARCHIVES), default="binary", help="default: %(default)s"
    )
    return parser


def _add_train(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    train = commands.add_parser(
        "train",
        help="train a model and measure it on the test images",
        description="Train a model; the one of the best validation epoch (of airbench, which has "
        "no validation, the last) is saved and tested.",
        epilog="In the run folder: config.json, metrics.jsonl (a line per epoch), curves.png, "
        "weights.png (the first layer as images), model.npz (read by nn.load).",
        allow_abbrev=False,
    )
    train.set_defaults(command=_train)
    train.add_argument("model", choices=MODELS, metavar="MODEL", help=MODEL_HELP)
    train.add_argument("--data", default=AUTO, metavar="DIR", help=DATA_HELP)
    train.add_argument("--mirror", metavar="URL", help="where --data auto downloads from")
    train.add_argument(
        "--preset",
        choices=PRESETS,
        default=PRESETS[0],
        help="our recipes, or the homework's (softmax, two_layer, convnet); default: %(default)s",
    )
    train.add_argument("--epochs", type=_positive, metavar="N", help="default: the recipe's")
    train.add_argument("--batch-size", type=_positive, metavar="B", help="default: the recipe's")
    train.add_argument(
        "--lr",
        type=_real,
        metavar="X",
        help="learning rate (its peak under one_cycle); this, momentum and decay do not change "
        "those that a recipe gives to a group of parameters (airbench: all but the filters)",
    )
    train.add_argument("--momentum", type=_real, metavar="X", help="default: the recipe's")
    train.add_argument("--weight-decay", type=_real, metavar="X", help="default: the recipe's")
    train.add_argument(
        "--train-images",
        type=_positive,
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
    train.add_argument("--seed", type=_natural, default=0, metavar="S", help="default: %(default)s")
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


def _natural(text: str) -> int:
    return _number(text, int, 0)


def _positive(text: str) -> int:
    return _number(text, int, 1)


def _real(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a finite number of at least 0, got {text}")
    return value


def _number(text: str, kind: type[int], least: int) -> int:
    value = kind(text)
    if value < least:
        raise argparse.ArgumentTypeError(f"must be at least {least}, got {text}")
    return value
