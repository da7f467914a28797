"""Named units go along in a run file, and are checked like all else in it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from run_files import refusal, with_json

from engine.config import Config
from playground.runs.archive import pack, unpack
from playground.runs.archive.importing import import_run
from playground.runs.archive.layout import RUN
from playground.runs.records import Finding
from playground.runs.settings import AppSettings
from playground.runs.store import Store


def test_named_units_come_back_equal_and_belong_to_who_imports(
    make_store: Callable[[], Store], other: Store, small: Config
) -> None:
    store = make_store()
    run_id = store.create_run(small, owner="ada", start=False)
    named = [
        Finding(0, 0, "hidden", "=1+1 🙂", "inside *quotes*", 0.1 + 0.2, None, 3, 12.5),
        Finding(0, 2, "cell", "vowels", score=-1e-300, baseline=0.5, created=7.0),
    ]
    for finding in named:
        store.name_unit(run_id, finding, by="ada")
    arrived = import_run(other, unpack(pack(store, run_id), AppSettings()), owner="me")
    assert other.findings(arrived) == store.findings(run_id) == named
    other.name_unit(arrived, Finding(0, 2, "cell", ""), by="me")
    assert other.findings(arrived) == named[:1]


def test_a_file_of_an_older_unrolled_has_none(packed: bytes) -> None:
    assert len(unpack(packed, AppSettings()).findings) == 2
    older = with_json(packed, RUN, lambda run: {name: value for name, value in run.items() if name != "findings"})
    assert unpack(older, AppSettings()).findings == ()


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"layer": 1}, "a named unit's layer, but a whole number from 0 to 0"),
    ({"unit": 3}, "a named unit's unit, but a whole number from 0 to 2"),
    ({"unit": -1}, "a whole number"),
    ({"unit": True}, "a whole number"),
    ({"unit": 0}, "one of them twice"),
    ({"quantity": "Hidden state"}, "the name of a quantity"),
    ({"name": "x" * 61}, "a text of at most 60 characters"),
    ({"name": "a\nb"}, "without control characters"),
    ({"name": "  "}, "but a name is expected"),
    ({"name": None}, "a text of at most 60"),
    ({"hypothesis": "x" * 201}, "a text of at most 200 characters"),
    ({"score": "high"}, "a number"),
    ({"score": 10**400}, "a number"),
    ({"baseline": [1]}, "a number"),
    ({"step": 41}, "a whole number from 0 to 40"),
    ({"created": -1}, "a number from 0"),
]


@pytest.mark.parametrize(("changed", "said"), WRONG)
def test_a_named_unit_that_cannot_be_is_refused_by_what_is_wrong(packed: bytes, changed: dict, said: str) -> None:
    message = refusal(with_json(packed, RUN, lambda run: run["findings"][1].update(changed)))
    assert "run.json" in message
    assert said in message


@pytest.mark.parametrize("findings", [{}, "two", [7], [None], [{}] * 501])
def test_what_is_no_list_of_named_units_is_refused(packed: bytes, findings: Any) -> None:
    assert "run.json" in refusal(with_json(packed, RUN, lambda run: run.update(findings=findings)))


def test_a_score_that_is_no_number_is_no_json(packed: bytes) -> None:
    assert "NaN" in refusal(with_json(packed, RUN, lambda run: run["findings"][0].update(score=math.nan)))
