"""Search for a model's hyper-parameters."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from examples.cifar10.commands.numbers import natural, positive, real
from examples.cifar10.commands.output import add_output_options
from examples.cifar10.commands.train import DATA_HELP, MODEL_HELP
from examples.cifar10.data.source import AUTO, load
from examples.cifar10.display import DownloadProgress
from examples.cifar10.extras import check_extra
from examples.cifar10.presets import MODELS, Recipe


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command's options."""
    tune = commands.add_parser(
        "tune",
        help="search for a model's hyper-parameters on held-out training images",
        description="Train a model by many recipes for a few epochs each, compare them on training "
        "images held out from them, train the best one in full and measure it on the test images, "
        "which nothing looked at before. The same command goes on with a search that was stopped.",
        epilog="In the folder: study.db (Optuna's), trials.jsonl (about the search, then a line per"
        " trial), preset.json (the best so far, for train --preset), history.png, slices.png, "
        "parallel.png, importances.png, best/ (the run folder of the full training).",
        allow_abbrev=False,
    )
    tune.set_defaults(command=run)
    tune.add_argument("model", choices=MODELS, metavar="MODEL", help=MODEL_HELP)
    tune.add_argument(
        "--trials",
        type=positive,
        required=True,
        metavar="N",
        help="how many in all, those of an earlier call with the same --out included",
    )
    tune.add_argument("--data", default=AUTO, metavar="DIR", help=DATA_HELP)
    tune.add_argument("--mirror", metavar="URL", help="where --data auto downloads from")
    tune.add_argument(
        "--out", type=Path, metavar="DIR", help="default: runs/tune-MODEL-seedS, to go on with"
    )
    tune.add_argument("--seed", type=natural, default=0, metavar="S", help="default: %(default)s")
    tune.add_argument(
        "--epochs", type=positive, metavar="E", help="of a trial; default: the model's, a few"
    )
    tune.add_argument(
        "--final-epochs",
        type=positive,
        metavar="E",
        help="of the full training; default: the recipe's",
    )
    tune.add_argument(
        "--timeout",
        type=real,
        metavar="MIN",
        help="begin no trial after so many minutes; the same command goes on with the search",
    )
    tune.add_argument(
        "--train-images",
        type=positive,
        metavar="N",
        help="trials train on the first N training images; default: all that are not held out",
    )
    tune.add_argument(
        "--validation-images",
        type=positive,
        default=5000,
        metavar="N",
        help="held out to compare trials, at most a fifth; default: %(default)s, more than a run's",
    )
    tune.add_argument(
        "--prune-from",
        type=positive,
        metavar="E",
        help="give up a trial after epoch E or later if it is below the median of those before it; "
        "default: half of the trial's epochs",
    )
    tune.add_argument(
        "--no-pruning",
        dest="pruning",
        action="store_false",
        help="train every trial to its end",
    )
    tune.add_argument(
        "--no-figures", dest="figures", action="store_false", help="without Matplotlib's pictures"
    )
    add_output_options(tune)


def run(options: argparse.Namespace) -> int:
    """Search, and train what was found."""
    check_extra("optuna", "tune", extra="tune")
    if options.figures:
        check_extra("matplotlib", "drawing a search (--no-figures does without)", extra="tune")
    from examples.cifar10.reporting.choice import bar_possible, make_reporter
    from examples.cifar10.reporting.progress_bar import ProgressBar
    from examples.cifar10.runs.folder import RunFolder
    from examples.cifar10.runs.running import Settings, train_run
    from examples.cifar10.training.evaluation import Measurement
    from examples.cifar10.training.trainer import OnStep
    from examples.cifar10.tuning.search import SearchSettings, tune

    settings = SearchSettings(
        model=options.model,
        trials=options.trials,
        seed=options.seed,
        folder=options.out or Path("runs") / f"tune-{options.model}-seed{options.seed}",
        epochs=options.epochs,
        final_epochs=options.final_epochs,
        validation_images=options.validation_images,
        train_images=options.train_images,
        timeout=None if options.timeout is None else 60.0 * options.timeout,
        pruned_from=options.prune_from,
        pruning=options.pruning,
        figures=options.figures,
    )
    with make_reporter(quiet=options.quiet, json=options.json) as reporter:
        bar = ProgressBar() if bar_possible() and not options.quiet else None
        loading = DownloadProgress(options.quiet)
        dataset = load(options.data, reporter.note, loading, options.mirror, reporter.warn)

        def train_in_full(recipe: Recipe, preset: Path, folder: RunFolder) -> list[Measurement]:
            run = Settings(
                model=options.model,
                preset=str(preset),
                recipe=recipe,
                seed=options.seed,
                data=options.data,
                folder=folder,
                figures=options.figures,
                overwrite=True,
            )
            return train_run(run, dataset, reporter)

        @contextmanager
        def progress(title: str, images: int) -> Iterator[OnStep]:
            if bar is None:
                yield lambda _images, _loss, _accuracy: None
                return
            bar.begin(title, images)
            try:
                yield bar.step
            finally:
                bar.close()

        tune(settings, dataset.train, train_in_full, reporter.note, progress)
    return 0
