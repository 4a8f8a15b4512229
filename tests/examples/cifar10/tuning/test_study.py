"""The study's file: one search's, one process's, and as if never killed."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from examples.cifar10.errors import DataError, TrainingError
from examples.cifar10.tuning import search as searching
from examples.cifar10.tuning.log import Log, Search, best_of
from examples.cifar10.tuning.study import RunningTrial, open_study
from examples.cifar10.tuning.trials import TrialEpoch


def search_of(few, **changes):
    return replace(Search.of("softmax", 0, 4, few.train, few.train[:10], pruned_from=2), **changes)


def run(settings, few, said=None, pruned_from=2):
    """The trials of a search, without the training at its end."""
    search = Search.of(
        "two_layer", settings.seed, 4, few.train, few.train[:9], pruned_from=pruned_from
    )
    with open_study(settings.folder / "study.db", search) as study:
        searching.run_trials(
            settings, study, few.train, few.train[:9], (said if said is not None else []).append
        )
        return study.records()


def ended(records):
    return [
        (record.state, record.values, record.accuracies)
        for record in records
        if record.state != "interrupted"
    ]


@pytest.fixture(scope="module")
def whole(tmp_path_factory, few, by_formula):
    """A search that nothing interrupts: its settings, its trials and what it said."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(searching, "train_trial", by_formula)
        folder = tmp_path_factory.mktemp("whole")
        settings = searching.SearchSettings("two_layer", 12, 3, folder)
        said = []
        yield settings, run(settings, few, said), said


@pytest.fixture
def unbroken(whole):
    return ended(whole[1])


def test_trials_of_every_outcome_and_the_best_is_found(whole):
    settings, records, said = whole
    assert len(records) == len(said) == settings.trials
    assert {record.state for record in records} == {"finished", "pruned", "diverged"}
    lengths = {"finished": {4}, "pruned": {2, 3}, "diverged": {0}}
    for record in records:
        assert len(record.accuracies) in lengths[record.state]
        assert (record.values["lr"] > 0.1) == (record.state == "diverged")
    heights = [record.accuracy for record in records if record.state == "finished"]
    assert best_of(records).accuracy == max(heights)
    assert Log.read(settings.folder / "trials.jsonl").records == records


@pytest.mark.parametrize("pruned_from", [1, 3])
def test_a_trial_is_pruned_below_the_median_and_only_then(quick, few, pruned_from):
    records = run(quick, few, pruned_from=pruned_from)
    finished = []
    judged = 0
    for record in records:
        for epoch in range(1, len(record.accuracies) + 1):
            others = sorted(other[epoch - 1] for other in finished)
            if len(others) < 5 or epoch == 4:
                continue
            middle = (others[(len(others) - 1) // 2] + others[len(others) // 2]) / 2
            below = max(record.accuracies[:epoch]) < middle
            hopeless = below and epoch >= pruned_from
            assert hopeless == (record.state == "pruned" and epoch == len(record.accuracies))
            judged += 1
        if record.state == "finished":
            finished.append(record.accuracies)
    assert judged > 5
    assert any(record.state == "pruned" for record in records)


@pytest.mark.parametrize(("accuracy", "hopeless"), [(0.29, True), (0.3, False), (0.31, False)])
def test_the_median_is_that_of_five_finished_trials_or_more(tmp_path, few, accuracy, hopeless):
    with open_study(tmp_path / "study.db", search_of(few, pruned_from=1)) as study:
        for other in (0.5, 0.1, 0.3, 0.2, 0.4):
            trial = study.begin_trial()
            assert not trial.report(TrialEpoch(1, 1.0, 1.0, other, 1.0))
            trial.finish()
        trial = study.begin_trial()
        assert trial.report(TrialEpoch(1, 1.0, 1.0, accuracy, 1.0)) == hopeless


def test_without_pruning_every_trial_is_trained_to_its_end(quick, few):
    records = run(replace(quick, trials=9), few, pruned_from=None)
    assert {len(record.accuracies) for record in records if record.state != "diverged"} == {4}
    assert {record.state for record in records} == {"finished", "diverged"}


def test_the_seed_alone_decides(elsewhere, few, unbroken):
    assert unbroken == ended(run(elsewhere("a"), few))
    assert unbroken != ended(run(elsewhere("b", seed=4), few))


@pytest.mark.parametrize("moments", [(0, 20), (1, 5, 6)])
def test_a_search_that_is_stopped_goes_on_as_if_it_were_not(
    elsewhere, few, unbroken, monkeypatch, moments
):
    report = RunningTrial.report
    reports = 0

    def stopping(self, epoch):
        nonlocal reports
        reports += 1
        if reports - 1 in moments:
            raise KeyboardInterrupt
        return report(self, epoch)

    monkeypatch.setattr(RunningTrial, "report", stopping)
    settings = elsewhere("stopped")
    stops = 0
    while True:
        try:
            records = run(settings, few)
            break
        except KeyboardInterrupt:
            stops += 1
            kept = Log.read(settings.folder / "trials.jsonl").records
            assert [record.state for record in kept].count("interrupted") == stops
    assert stops == len(moments)
    assert [record.state for record in records].count("interrupted") == stops
    assert ended(records) == unbroken


KILLED = """
import os, signal, sys
from pathlib import Path
from examples.cifar10.tuning import search
from examples.cifar10.tuning.study import RunningTrial
sys.path.insert(0, {tests!r})
from conftest import formula, some_images
moment = int(sys.argv[2])
name = "finish" if moment % 2 else "report"
original = getattr(RunningTrial, name)
calls = 0
def killing(self, *arguments):
    global calls
    calls += 1
    if calls > moment:
        os.kill(os.getpid(), signal.SIGKILL)
    return original(self, *arguments)
setattr(RunningTrial, name, killing)
search.train_trial = formula
settings = search.SearchSettings("two_layer", 12, 3, Path(sys.argv[1]), epochs=4)
from examples.cifar10.tuning.log import Search
from examples.cifar10.tuning.study import open_study
train = some_images(60)
with open_study(settings.folder / "study.db",
                Search.of("two_layer", 3, 4, train, train[:9], pruned_from=2)) as study:
    search.run_trials(settings, study, train, train[:9], print)
"""


def test_a_search_that_is_killed_goes_on_as_if_it_were_not(elsewhere, few, unbroken):
    settings = elsewhere("killed")
    code = KILLED.format(tests=str(Path(__file__).parent))
    root = Path(__file__).parents[4]
    for moment in (2, 3):
        arguments = [sys.executable, "-c", code, str(settings.folder), str(moment)]
        killed = subprocess.run(arguments, cwd=root, timeout=120, capture_output=True)
        assert killed.returncode == -9, killed.stderr.decode()
    records = run(settings, few)
    assert [record.state for record in records].count("interrupted") == 2
    assert ended(records) == unbroken


def test_a_search_is_not_gone_on_with_by_other_means(tmp_path, few):
    path = tmp_path / "study.db"
    search = search_of(few)
    with open_study(path, search) as study:
        study.begin_trial().interrupt()
    for changes in ({"seed": 1}, {"trial_epochs": 5}, {"images": "0"}, {"pruned_from": None}):
        ((name, value),) = changes.items()
        with (
            pytest.raises(TrainingError, match=f"search with {name} .*, now {value}"),
            open_study(path, replace(search, **changes)),
        ):
            raise AssertionError
    with open_study(path, search) as study:
        assert len(study.records()) == 1


def test_two_processes_do_not_search_at_once(tmp_path, few):
    path = tmp_path / "study.db"
    with (
        open_study(path, search_of(few)),
        pytest.raises(TrainingError, match="another process"),
        open_study(path, search_of(few)),
    ):
        raise AssertionError


def test_a_file_that_is_no_study_is_named(tmp_path, few):
    path = tmp_path / "study.db"
    path.write_bytes(b"not a database at all" * 100)
    with (
        pytest.raises(DataError, match=r"study\.db: cannot be used as the file of a search"),
        open_study(path, search_of(few)),
    ):
        raise AssertionError
    assert path.read_bytes() == b"not a database at all" * 100


def test_a_file_that_cannot_be_written_any_more_is_named(tmp_path, few):
    path = tmp_path / "study.db"

    def lose():
        with open_study(path, search_of(few)) as study:
            path.unlink()
            study.begin_trial()

    with pytest.raises(DataError, match="cannot be used as the file of a search"):
        lose()


def test_a_folder_that_cannot_be_made_is_named(tmp_path, few):
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "study.db"
    with pytest.raises(TrainingError, match="cannot be written"), open_study(path, search_of(few)):
        raise AssertionError


@pytest.mark.parametrize(
    ("line", "content", "match"),
    [
        (0, "{}", "format"),
        (1, "[1, 2]", "not the log of a search"),
        (2, '{"trial": 0', "not the log of a search"),
        (None, "", "cannot be read"),
    ],
)
def test_a_damaged_log_is_named(quick, few, line, content, match):
    run(replace(quick, trials=2), few)
    path = quick.folder / "trials.jsonl"
    lines = path.read_text().splitlines()
    assert len(lines) == 3
    if line is None:
        path.unlink()
    else:
        lines[line] = content
        path.write_text("\n".join(lines))
    with pytest.raises(DataError, match=match) as raised:
        Log.read(path)
    assert str(path) in str(raised.value)
