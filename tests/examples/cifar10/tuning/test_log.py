"""A log is read as it was written, and the best trial is one that was finished."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from examples.cifar10.tuning.log import STATES, Log, Search, TrialRecord, best_of

ACCURACIES = st.lists(st.sampled_from([0.1, 0.25, 0.5, 1 / 3]), max_size=3).map(tuple)
VALUES = st.dictionaries(st.sampled_from(["lr", "hidden"]), st.floats(0, 1) | st.integers(1, 9))


@st.composite
def records(draw):
    made = []
    for trial in range(draw(st.integers(0, 6))):
        state = draw(st.sampled_from(STATES))
        accuracies = draw(ACCURACIES.filter(bool) if state == "finished" else ACCURACIES)
        made.append(TrialRecord(trial, state, draw(VALUES), accuracies, draw(st.floats(0, 9))))
    return tuple(made)


@given(records(), st.none() | st.just({"trial": 3}), st.none() | st.integers(1, 5))
def test_what_is_written_is_read_again(tmp_path_factory, trials, final, pruned_from):
    search = Search("mlp", 0, 4, 100, 20, "0badcafe", pruned_from, {"lr": "Real(0, 1)"})
    log = Log(search, {"machine": "some"}, trials, final)
    path = tmp_path_factory.mktemp("log") / "trials.jsonl"
    log.write(path)
    assert Log.read(path) == log
    assert len(path.read_text().splitlines()) == 1 + len(trials)
    assert list(path.parent.iterdir()) == [path]


@given(records())
def test_no_finished_trial_is_better_than_the_best_and_none_before_as_good(trials):
    best = best_of(trials)
    finished = [record for record in trials if record.state == "finished"]
    if not finished:
        assert best is None
        return
    assert best in finished
    assert all(max(record.accuracies) <= max(best.accuracies) for record in finished)
    earlier = [record for record in finished if record.trial < best.trial]
    assert all(max(record.accuracies) < max(best.accuracies) for record in earlier)
