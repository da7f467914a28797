"""Named units: one name for each, for all who see the run; in a starter run for one visitor alone."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from engine.config import Config
from playground.runs.reader import RunReader
from playground.runs.records import Finding, RunNotFoundError, RunRefusedError
from playground.runs.store import Store
from playground.runs.store import findings as findings_module

QUOTES = Finding(0, 2, "hidden", "inside quotes", "inside a quotation", 0.91, 0.5, 40)


@pytest.fixture
def run_id(store: Store, tiny: Config) -> str:
    return store.create_run(tiny, owner="ada")


@pytest.fixture
def starters(store: Store) -> Store:
    """The same store with the starter runs."""
    return Store(store.url)


def named(store: Store, run_id: str) -> list[tuple[int, str]]:
    return [(finding.unit, finding.name) for finding in store.findings(run_id)]


def test_a_named_unit_is_kept_with_all_that_is_known_of_it(store: Store, run_id: str) -> None:
    store.name_unit(run_id, QUOTES, by="ada")
    (kept,) = store.findings(run_id)
    assert kept.created > 1e9
    assert replace(kept, created=0.0) == QUOTES


def test_a_unit_has_one_name_and_an_empty_one_removes_it(store: Store, run_id: str) -> None:
    store.name_unit(run_id, QUOTES)
    store.name_unit(run_id, replace(QUOTES, unit=0, name="line ends"))
    store.name_unit(run_id, replace(QUOTES, quantity="cell", name="speech"))
    assert named(store, run_id) == [(0, "line ends"), (2, "speech")]
    store.name_unit(run_id, replace(QUOTES, name="  "))
    assert named(store, run_id) == [(0, "line ends")]


def test_a_reader_sees_each_change_and_each_removal(store: Store, run_id: str) -> None:
    reader = RunReader(store, 0.0)
    assert reader.snapshot(run_id).findings == []
    store.name_unit(run_id, QUOTES)
    assert [finding.name for finding in reader.snapshot(run_id).findings] == ["inside quotes"]
    store.rename(run_id, "another name")
    before = reader.snapshot(run_id)
    assert [finding.name for finding in before.findings] == ["inside quotes"]
    assert reader.snapshot(run_id) is before
    store.name_unit(run_id, replace(QUOTES, name=""))
    assert reader.snapshot(run_id).findings == []


def test_only_the_owner_of_a_run_names_its_units_and_anyone_where_there_is_none(
    store: Store, run_id: str, tiny: Config
) -> None:
    with pytest.raises(RunRefusedError, match="another visitor"):
        store.name_unit(run_id, QUOTES, by="bob")
    nobodys = store.create_run(tiny)
    store.name_unit(nobodys, QUOTES, by="bob")
    store.name_unit(nobodys, replace(QUOTES, name="hers"), by="ada")
    assert named(store, nobodys) == [(2, "hers")]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": "x" * 61}, "may have 60 characters; this one has 61"),
        ({"hypothesis": "x" * 201}, "may have 200 characters"),
        ({"layer": 1}, "no unit 2 in layer 1"),
        ({"unit": 3}, "1 layer of 3 units"),
        ({"unit": -1}, "no unit -1"),
        ({"quantity": "Hidden state"}, "quantity"),
        ({"step": -1}, "training step"),
    ],
)
def test_what_cannot_be_named_is_refused_in_a_sentence(store: Store, run_id: str, changed: dict, said: str) -> None:
    with pytest.raises(RunRefusedError, match=said):
        store.name_unit(run_id, replace(QUOTES, **changed))
    assert store.findings(run_id) == []


def test_a_name_is_one_line_of_what_can_be_seen_and_a_score_a_number(store: Store, run_id: str) -> None:
    store.name_unit(run_id, replace(QUOTES, name=" a\n\tb\x00c\u200bd ", score=math.nan, baseline=math.inf))
    (kept,) = store.findings(run_id)
    assert (kept.name, kept.score, kept.baseline) == ("a bcd", None, None)


def test_a_run_has_only_so_many_names_but_each_can_be_changed(
    store: Store, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(findings_module, "MAX_FINDINGS", 2)
    for unit in (0, 1):
        store.name_unit(run_id, replace(QUOTES, unit=unit))
    store.name_unit(run_id, replace(QUOTES, unit=1, name="other"))
    with pytest.raises(RunRefusedError, match="2 named units"):
        store.name_unit(run_id, QUOTES)
    assert named(store, run_id) == [(0, "inside quotes"), (1, "other")]


def test_a_branch_begins_without_names_and_a_removed_run_leaves_none(store: Store, run_id: str, tiny: Config) -> None:
    store.name_unit(run_id, QUOTES)
    branch = store.create_run(tiny, parent=(run_id, 10))
    assert store.findings(branch) == []
    store.delete_run(run_id)
    with pytest.raises(RunNotFoundError):
        store.name_unit(run_id, QUOTES)
    store.purge(older_than=0)
    with store.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM findings").scalar() == 0


def test_what_a_visitor_names_in_a_starter_run_is_seen_by_them_alone(starters: Store) -> None:
    mine = replace(QUOTES, name="mine")
    starters.name_unit("hello-rnn", mine, by="ada")
    starters.name_unit("hello-rnn", replace(QUOTES, name="theirs"), by="bob")
    assert [finding.name for finding in starters.own_findings("hello-rnn", "ada")] == ["mine"]
    assert [finding.name for finding in starters.own_findings("hello-rnn", "bob")] == ["theirs"]
    assert starters.findings("hello-rnn") == list(starters.starters["hello-rnn"].rows(Finding))
    assert starters.delta("hello-rnn").findings == starters.findings("hello-rnn")
    starters.name_unit("hello-rnn", replace(mine, name=""), by="ada")
    assert starters.own_findings("hello-rnn", "ada") == []
    assert len(starters.own_findings("hello-rnn", "bob")) == 1
    with pytest.raises(RunRefusedError, match="read-only"):
        starters.name_unit("hello-rnn", QUOTES)


def test_the_oldest_names_in_starter_runs_go_beyond_a_number(starters: Store, tiny: Config) -> None:
    run_id = starters.create_run(tiny)
    starters.name_unit(run_id, replace(QUOTES, created=1.0))
    for number in range(5):
        starters.name_unit("hello-rnn", replace(QUOTES, name=f"{number}", created=10.0 + number), by=f"{number}")
    starters._purge_findings(kept=5)
    assert starters.own_findings("hello-rnn", "0")
    starters._purge_findings(kept=3)
    left = [finding.name for number in range(5) for finding in starters.own_findings("hello-rnn", f"{number}")]
    assert left == ["2", "3", "4"]
    assert len(starters.findings(run_id)) == 1
