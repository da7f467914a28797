import math
import re
import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.text import date, duration, escape_markdown, number, rate, shorten, size, visible

texts = st.text(st.characters(codec="utf-8"), max_size=60)


def test_what_cannot_be_seen_is_written_out() -> None:
    assert visible("a b\n\t", spaces=True) == "a␣b⏎⇥"
    assert visible("a b") == "a b"
    assert visible("\x00\u200b\u202e\ufe0f") == "⟨U+0000⟩⟨U+200B⟩⟨U+202E⟩⟨U+FE0F⟩"


@given(texts)
def test_visible_text_has_no_control_or_format_character_left(text: str) -> None:
    shown = visible(text, spaces=True)
    assert not any(unicodedata.category(c)[0] == "C" or c.isspace() for c in shown)


@given(texts, st.integers(1, 40))
def test_shortened_text_keeps_its_limit_and_shows_the_cut(text: str, limit: int) -> None:
    short = shorten(text, limit)
    assert len(short) <= limit
    assert short == text or short.endswith("…")


def test_text_cut_to_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        shorten("abc", 0)


@given(texts)
def test_no_sign_of_markdown_is_left_without_a_backslash(text: str) -> None:
    escaped = escape_markdown(text)
    left = re.sub(r"\\[!-/:-@\[-`{-~]", "", escaped)
    assert not re.search(r"[!-/:-@\[-`{-~]", left)
    assert "\n" not in escaped
    assert not escaped.startswith((" ", "\t"))


@given(texts)
def test_escaping_loses_no_character(text: str) -> None:
    plain = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", escape_markdown(text)).replace("\u2060", "").replace("\u00a0", " ")
    assert plain == visible(text)


@pytest.mark.parametrize(
    "text", [":smile:", ":material/home:", ":red[x]", "a -> b", "http://x.org", "www.x.org", "a@b.org"]
)
def test_what_is_found_in_finished_text_is_kept_apart(text: str) -> None:
    assert "\u2060" in escape_markdown(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (4, "4"),
        (9_999, "9,999"),
        (12_345, "12.3 k"),
        (172_000, "172 k"),
        (999_999, "1 M"),
        (1_234_567, "1.23 M"),
        (1e16, "1e16"),
        (1.888, "1.89"),
        (-3.14159, "−3.14"),
        (999.6, "1,000"),
        (0.00123, "0.00123"),
        (0.00095, "9.5e−4"),
        (42_300, "42.3 k"),
        (0.00099996, "0.001"),
        (2.125, "2.13"),
        (-0.0, "0"),
        (1.5e-7, "1.5e−7"),
        (math.nan, "NaN"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
    ],
)
def test_numbers_have_at_most_three_digits(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(("value", "text"), [(1.6, "1.60"), (9.999, "10.0"), (12.0, "12.0"), (0.00123, "0.00123")])
def test_a_measurement_keeps_its_three_digits(value: float, text: str) -> None:
    assert number(value, digits=True) == text


@given(st.floats(-1e300, 1e300) | st.sampled_from([math.nan, math.inf, -math.inf]))
def test_every_number_is_short_and_close_to_itself(value: float) -> None:
    shown = number(value)
    assert 0 < len(shown) <= 11
    if math.isfinite(value):
        factor = {"T": 1e12, "G": 1e9, "M": 1e6, "k": 1e3}.get(shown[-1], 1.0)
        read = float(shown.rstrip("TGMk ").replace(",", "").replace("−", "-")) * factor
        assert read == pytest.approx(value, rel=6e-3, abs=1e-320)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0012, "1.2 ms"),
        (0.25, "250 ms"),
        (1.23, "1.2 s"),
        (59.6, "1 min"),
        (75, "1 min 15 s"),
        (3_725, "1 h 2 min"),
        (90_000, "1 d 1 h"),
        (math.inf, "unknown"),
        (-75, "−1 min 15 s"),
    ],
)
def test_durations_are_in_two_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_units_are_always_there() -> None:
    assert rate(172_000, "tokens/s") == "172 k tokens/s"
    assert size(5_100_000) == "5.1 MB"
    assert size(300) == "300 bytes"


def test_dates_are_in_utc_to_the_minute() -> None:
    assert date(datetime(2026, 5, 3, 14, 5, tzinfo=UTC)) == "3 May 2026, 14:05 UTC"
    assert date(0.0) == "1 Jan 1970, 00:00 UTC"
