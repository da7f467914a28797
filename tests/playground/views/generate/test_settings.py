"""Settings in a link: whatever stands there is a value in its range or refused, and a value comes back as it was."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.views.generate import settings
from playground.views.generate.settings import Settings

BY_NAME = {item.name: item.metadata for item in fields(Settings)}


@given(name=st.sampled_from(sorted(BY_NAME)), text=st.text(max_size=60))
def test_any_text_is_a_value_or_refused(name: str, text: str) -> None:
    try:
        value = BY_NAME[name]["parse"](text)
    except ValueError:
        return
    shown = settings._in_link(replace(Settings(), **{name: value}), name)
    if shown is not None:
        assert BY_NAME[name]["parse"](shown) == value


@given(
    st.builds(
        Settings,
        prompt=st.text(max_size=500),
        temperature=st.sampled_from([0.0, 0.05, 0.7, 3.0]),
        top_k=st.integers(0, settings.MOST_TOP_K),
        top_p=st.sampled_from([0.01, 0.5, 0.95, 1.0]),
        seed=st.integers(0, settings.MOST_SEED),
        length=st.integers(1, settings.MOST_LENGTH),
        past_end=st.booleans(),
        beside=st.tuples(st.sampled_from(["tales-gru", "abc_1"]), st.integers(-1, 10**6)),
        forced=st.dictionaries(st.integers(0, 4_999), st.integers(0, 50_000), max_size=20).map(
            lambda pairs: tuple(sorted(pairs.items()))
        ),
        place=st.integers(-1, 4_999),
        look=st.sampled_from(sorted(settings.LOOKS)),
    )
)
def test_what_stands_in_the_link_gives_the_settings_back(wanted: Settings) -> None:
    found = Settings()
    for name, about in BY_NAME.items():
        text = settings._in_link(wanted, name)
        if text is not None:
            found = replace(found, **{name: about["parse"](text)})
    assert found == wanted


def test_a_long_prompt_stays_out_of_the_link() -> None:
    assert settings._in_link(Settings(prompt="x" * 501), "prompt") is None


@pytest.mark.parametrize(
    ("name", "text"),
    [("temperature", "nan"), ("temperature", "inf"), ("top_p", "0"), ("seed", "-1"), ("length", "0"), ("place", "-2"),
     ("beside", "a b"), ("beside", "a:-2"), ("forced", "1:1," * 21 + "2:2"), ("look", ""), ("seed", "٣")],
)  # fmt: skip
def test_what_is_out_of_range_is_refused(name: str, text: str) -> None:
    assert _refused(name, text)


def _refused(name: str, text: str) -> bool:
    try:
        BY_NAME[name]["parse"](text)
    except ValueError:
        return True
    return False
