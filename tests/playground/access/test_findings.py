"""Named units as a visitor sees them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from playground.access.findings import may_name, name_unit, named_units
from playground.access.runs import snapshot_of
from playground.frame import services
from playground.runs.records import Finding, RunRefusedError, StoreError
from playground.runs.store import Store

pytestmark = pytest.mark.usefixtures("idle_trainer")

UNIT = Finding(0, 1, "hidden", "vowels", step=500)


@pytest.fixture
def visitor(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Look on as another visitor."""
    return lambda name: monkeypatch.setattr(services, "visitor", lambda: name)


def test_in_a_starter_run_each_visitor_sees_their_own_names(visitor: Callable[[str], None]) -> None:
    run = snapshot_of("hello-rnn").run
    visitor("ada")
    assert may_name(run)
    name_unit(run, UNIT)
    assert named_units(snapshot_of("hello-rnn"))[0, 1].name == "vowels"
    visitor("bob")
    assert (0, 1) not in named_units(snapshot_of("hello-rnn"))


def test_the_names_of_a_run_are_seen_by_all_and_given_by_its_owner(visitor: Callable[[str], None]) -> None:
    store = services.store()
    run_id = store.create_run(store.run("hello-rnn").config, owner="ada")
    visitor("ada")
    name_unit(store.run(run_id), UNIT)
    visitor("bob")
    assert named_units(snapshot_of(run_id))[0, 1].name == "vowels"
    assert not may_name(store.run(run_id))
    with pytest.raises(RunRefusedError):
        name_unit(store.run(run_id), UNIT)


def test_a_starter_run_is_seen_without_own_names_where_the_store_is_out_of_reach(
    visitor: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor("ada")
    shipped = named_units(snapshot_of("hello-rnn"))
    name_unit(snapshot_of("hello-rnn").run, UNIT)

    def fails(*_: object) -> list:
        raise StoreError("The store is busy.")

    monkeypatch.setattr(Store, "own_findings", fails)
    assert named_units(snapshot_of("hello-rnn")) == shipped
