"""Settings of the unrolled network in a link: a value in its range or refused, and what is put in comes back."""

from __future__ import annotations

import re
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.trace import LONGEST_PROBE, Change
from playground.views.unrolled.drill_downs import DRILL_DOWNS
from playground.views.unrolled.settings import (
    MEASURES,
    MOST_CHANGES,
    MOST_VALUE,
    WEIGHTS,
    UnrolledSettings,
    place_of,
    put,
    rounded,
    settings,
)

KINDS = {item.name: item.metadata["kind"] for item in fields(UnrolledSettings)}
NAMES = st.sampled_from(["", "forget", "update", "hidden", "keep"])
TIMES = st.integers(0, LONGEST_PROBE - 1)
VALUES = st.floats(-MOST_VALUE, MOST_VALUE).map(rounded)
CHANGES = st.lists(
    st.builds(Change, NAMES.filter(bool), st.integers(0, 100), TIMES, st.integers(0, 100_000), VALUES),
    max_size=MOST_CHANGES,
    unique_by=place_of,
).map(tuple)


@given(name=st.sampled_from(sorted(KINDS)), text=st.text(max_size=60))
def test_any_text_is_a_value_or_refused(name: str, text: str) -> None:
    try:
        value = KINDS[name].parse(text)
    except ValueError:
        return
    shown = settings.in_link(replace(UnrolledSettings(), **{name: value}), name)
    if shown is not None:
        assert KINDS[name].parse(shown) == value


@given(
    st.builds(
        UnrolledSettings,
        of=st.just("sum") | TIMES,
        folded=st.booleans(),
        look=st.sampled_from([found.name for found in DRILL_DOWNS]),
        block=NAMES,
        weight=st.sampled_from(WEIGHTS),
        element=st.none() | st.tuples(st.integers(0, 1_000), st.integers(0, 1_000)),
        measure=st.sampled_from(sorted(MEASURES)),
        quantity=NAMES,
        changes=CHANGES,
        tokens=st.dictionaries(TIMES, st.integers(0, 50_000), max_size=MOST_CHANGES).map(
            lambda pairs: tuple(sorted(pairs.items()))
        ),
    )
)
def test_what_stands_in_the_link_gives_the_settings_back(wanted: UnrolledSettings) -> None:
    found = UnrolledSettings()
    for name, kind in KINDS.items():
        text = settings.in_link(wanted, name)
        if text is not None:
            found = replace(found, **{name: kind.parse(text)})
    assert found == wanted


def test_a_page_as_it_opens_has_nothing_in_its_link() -> None:
    assert [settings.in_link(UnrolledSettings(), name) for name in KINDS] == [None] * len(KINDS)


@pytest.mark.parametrize(
    ("name", "text"),
    [("of", "-1"), ("of", "500"), ("of", "all"), ("folded", "yes"), ("look", ""), ("block", "<b>"), ("weight", "head"),
     ("element", "1"), ("element", "1:2,3:4"), ("measure", "x"), ("quantity", "a b"), ("changes", "forget:0:0:0:nan"),
     ("changes", "forget:0:0:0:1e7"), ("changes", "forget:0:500:0:1"), ("changes", "forget:0:0:1"), ("changes", ""),
     ("changes", ",".join(f"forget:0:{t}:0:1" for t in range(9))), ("tokens", "3"), ("tokens", "-1:2"),
     ("tokens", "٣:1")],
)  # fmt: skip
def test_what_is_out_of_range_is_refused(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"\bis n|it has 9"):
        KINDS[name].parse(text)


@pytest.mark.parametrize(
    ("name", "text", "wrong"),
    [("of", "last", "'last' is not a timestep from 0 to 499"),
     ("of", "500", "'500' is not a timestep from 0 to 499"),
     ("look", "in side", "'in side' is not a valid name of a drill-down"),
     ("element", "3:x", "'x' is not a column from 0 to 1,000,000, in '3:x'"),
     ("tokens", "3:17,40", "'40' is not timestep:token"),
     ("tokens", "3:17,x:2", "'x' is not a timestep from 0 to 499, in 'x:2'"),
     ("changes", "forget:0:1:2:0,forget:0:1:two:0", "'two' is not a unit from 0 to 100,000, in 'forget:0:1:two:0'"),
     ("changes", "forget:0:1:2:0,forget:0:1:2", "'forget:0:1:2' is not quantity:layer:timestep:unit:value"),
     ("changes", "forget:0:1:2:much", "'much' is not a value from -1,000,000 to 1,000,000, in 'forget:0:1:2:much'"),
     ("changes", "<b>:0:1:2:0", "'<b>' is not a valid name of a gate or state ("),
     ("changes", ",".join(f"forget:0:{t}:0:1" for t in range(9)), "it has 9 values; at most 8 are allowed")],
)  # fmt: skip
def test_the_part_that_is_wrong_is_quoted(name: str, text: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(wrong)}"):
        KINDS[name].parse(text)


def test_a_change_at_the_same_place_takes_the_old_ones_place() -> None:
    first, other = Change("forget", 0, 3, 1, 0.25), Change("forget", 0, 4, 1, 1.0)
    again = replace(first, value=1 / 3)
    assert put(put((first,), other), again) == (other, replace(first, value=0.333333))


def test_of_one_place_in_a_link_the_last_value_counts() -> None:
    assert KINDS["changes"].parse("cell:0:1:2:1,cell:0:1:2:-0.5") == (Change("cell", 0, 1, 2, -0.5),)
