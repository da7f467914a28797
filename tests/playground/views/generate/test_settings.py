"""Settings in a link: whatever stands there is a value in its range or refused, and a value comes back as it was."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.views.generate.drill_downs import DRILL_DOWNS
from playground.views.generate.settings import MOST_LENGTH, MOST_SEED, MOST_TOP_K, WritingSettings, settings

KINDS = {item.name: item.metadata["kind"] for item in fields(WritingSettings)}


@given(name=st.sampled_from(sorted(KINDS)), text=st.text(max_size=60))
def test_any_text_is_a_value_or_refused(name: str, text: str) -> None:
    try:
        value = KINDS[name].parse(text)
    except ValueError:
        return
    shown = settings.in_link(replace(WritingSettings(), **{name: value}), name)
    if shown is not None:
        assert KINDS[name].parse(shown) == value


@given(
    st.builds(
        WritingSettings,
        prompt=st.text(max_size=500),
        temperature=st.sampled_from([0.0, 0.05, 0.7, 3.0]),
        top_k=st.integers(0, MOST_TOP_K),
        top_p=st.sampled_from([0.01, 0.5, 0.95, 1.0]),
        seed=st.integers(0, MOST_SEED),
        length=st.integers(1, MOST_LENGTH),
        past_end=st.booleans(),
        beside=st.tuples(st.sampled_from(["tales-gru", "abc_1"]), st.integers(-1, 10**6)),
        forced=st.dictionaries(st.integers(0, 4_999), st.integers(0, 50_000), max_size=20).map(
            lambda pairs: tuple(sorted(pairs.items()))
        ),
        place=st.integers(-1, 4_999),
        look=st.sampled_from([found.name for found in DRILL_DOWNS]),
    )
)
def test_what_stands_in_the_link_gives_the_settings_back(wanted: WritingSettings) -> None:
    found = WritingSettings()
    for name, kind in KINDS.items():
        text = settings.in_link(wanted, name)
        if text is not None:
            found = replace(found, **{name: kind.parse(text)})
    assert found == wanted


def test_a_long_prompt_stays_out_of_the_link() -> None:
    assert settings.in_link(WritingSettings(prompt="x" * 501), "prompt") is None


@pytest.mark.parametrize(
    ("name", "text"),
    [("temperature", "nan"), ("temperature", "inf"), ("top_p", "0"), ("seed", "-1"), ("length", "0"), ("place", "-2"),
     ("beside", "a b"), ("beside", "a:-2"), ("forced", "1:1," * 20 + "2:2"), ("look", ""), ("seed", "٣")],
)  # fmt: skip
def test_what_is_out_of_range_is_refused(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"\bis n|it has 21"):
        KINDS[name].parse(text)
