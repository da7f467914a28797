"""The shared list of runs: read once for everybody, and never a metric."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event

from engine.config import Config
from engine.data import TextFacts
from playground.access.run_list import MINE, OTHERS, STARTER, RunList, own_first, whose
from playground.runs.records import Evaluation, Metric, Run
from playground.runs.store import Store
from playground.runs.store.starter_files import ORDER
from playground.views.runs.rows import row, row_for_visitor


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path / 'store.db'}")


def _run_list(store: Store) -> RunList:
    return RunList(store, lambda run: row(run, "Tales"), row_for_visitor)


def _metric(step: int, loss: float) -> Metric:
    return Metric(step, loss, 1.0, 1.0, 1e-2, 1.0, 1e5, step / 10, step / 10)


def test_no_metric_is_read_for_the_table(store: Store) -> None:
    run = store.create_run(Config(), owner="me", start=False)
    store.record(run, [_metric(step, 3.0 - step / 100) for step in range(100)])
    asked: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    found = _run_list(store).listing("me")
    assert found.rows[0]["spark"].count(",") > 2
    assert not any("metrics" in statement for statement in asked)
    assert sum("FROM runs" in statement for statement in asked) <= 4


def test_a_look_that_nobody_asked_for_takes_what_was_just_read_and_a_fresh_one_asks(store: Store) -> None:
    runs = _run_list(store)
    assert len(runs.listing("me").runs) == len(ORDER)
    run = store.create_run(Config(), owner="me", start=False)
    assert len(runs.listing("you", fresh=True).runs) == len(ORDER) + 1
    store.rename(run, "Renamed")
    assert runs.listing("me", fresh=True).rows[0]["name"] == "Renamed"


def test_a_row_is_made_anew_only_when_its_run_has_changed(store: Store) -> None:
    kept, changed = (store.create_run(Config(), owner="me", start=False) for _ in range(2))
    runs = _run_list(store)
    before = {row["id"]: row["spark"] for row in runs.listing("me").rows}
    known = {run: row for run, (_, row) in runs._rows.items()}
    store.record(changed, [_metric(1, 3.0), _metric(9, 2.0)], step=9)
    after = {row["id"]: row["spark"] for row in runs.listing("me", fresh=True).rows}
    assert before[changed] != after[changed]
    assert runs._rows[kept][1] is known[kept]


def test_what_others_keep_private_is_not_in_ones_table(store: Store) -> None:
    run = store.create_run(Config(), owner="you", visibility="private", start=False)
    runs = _run_list(store)
    assert run not in runs.listing("me").by_id
    assert run in runs.listing("you").by_id


def test_a_queued_run_has_its_place_and_a_deleted_one_no_row(store: Store) -> None:
    first, second = (store.create_run(Config(), owner="me") for _ in range(2))
    runs = _run_list(store)
    places = {row["id"]: row["place"] for row in runs.listing("me").rows}
    assert (places[first], places[second]) == (1, 2)
    store.delete_run(first)
    found = runs.listing("me", fresh=True)
    assert first not in found.by_id
    assert {row["id"]: row["place"] for row in found.rows}[second] == 1


def test_bits_of_a_word_model_pay_for_spelling_and_spacing_and_are_left_out_where_those_are_not_known(
    store: Store,
) -> None:
    run = store.create_run(Config().with_values(level="word"), owner="me", start=False)
    evaluation = Evaluation(10, 4.0, 1.3, 4.0, True, False, 1.0, 1.0)
    store.record(run, [evaluation], best_loss=4.0, best_step=10)
    assert _run_list(store).listing("me").rows[0]["bits"] is None
    facts = TextFacts(4_000, 5.0, 0.3, 0.1, 0.05, 0.1, 0.0)
    store.record(run, text_facts=facts)
    assert store.run(run).text_facts == facts
    assert _run_list(store).listing("me").rows[0]["bits"] == pytest.approx(4.0 / math.log(2) / 5.0 + 0.4)


def test_the_starter_word_model_has_the_bits_that_were_measured(store: Store) -> None:
    row = next(row for row in _run_list(store).listing("me").rows if row["id"] == "tales-words")
    lowest = min(evaluation.bits_per_character for evaluation in store.evaluations("tales-words"))
    assert row["bits"] == pytest.approx(lowest, rel=1e-3)


OWN = Run("one", "First", "finished", Config(), owner="me")


def test_a_run_is_ones_own_or_nobodys_or_somebodys_or_a_starter_run() -> None:
    assert whose(OWN, "me") == whose(replace(OWN, owner=""), "me") == MINE
    assert whose(OWN, "you") == OTHERS
    assert whose(replace(OWN, starter=True, owner=""), "me") == STARTER


def test_ones_own_runs_come_first_and_otherwise_keep_their_order() -> None:
    runs = [
        replace(OWN, id="a", owner="you"),
        replace(OWN, id="b", starter=True),
        replace(OWN, id="c"),
        replace(OWN, id="d", owner="you"),
        replace(OWN, id="e"),
    ]
    assert [run.id for run in own_first(runs, "me")] == ["c", "e", "a", "d", "b"]
