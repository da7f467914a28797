"""What the token strip is given: pieces, marks, surprise in hundredths of a bit."""

from __future__ import annotations

import math

import pytest

from playground.views.generate.pieces import PROMPT_SHOWN, hundredths, marked, prompt_tail, shown


def test_spaces_and_line_ends_are_left_to_the_strip_and_all_else_is_made_visible() -> None:
    assert [shown(piece) for piece in (" ", "\n", "a", " word", "\t", "\u200b", "\x07")] == [
        " ",
        "\n",
        "a",
        " word",
        "⇥",
        "⟨U+200B⟩",
        "⟨U+0007⟩",
    ]


def test_stretches_of_characters_become_the_tokens_within_them() -> None:
    words = ["The", " cat", " sat", ".", "\n", "He"]
    assert marked([(3, 11)], words) == [(1, 3)]
    assert marked([(0, len("".join(words)))], words) == [(0, 6)]
    assert marked([(4, 6)], words) == [], "a stretch within one word marks no word"
    assert marked([(2, 5), (7, 13)], list("abcdefghijklmnop")) == [(2, 5), (7, 13)]


def test_a_long_prompt_is_shown_by_its_end() -> None:
    assert prompt_tail("abc") == "abc"
    tail = prompt_tail("x" * 10_000 + "end")
    assert tail.startswith("…")
    assert tail.endswith("end")
    assert len(tail) == PROMPT_SHOWN + 1


@pytest.mark.parametrize(
    ("bits", "shown_as"), [(0.0, 0), (1.256, 126), (-1e-9, 0), (math.inf, 9_990), (math.nan, 9_990), (500.0, 9_990)]
)
def test_surprise_comes_in_hundredths_and_never_without_bound(bits: float, shown_as: int) -> None:
    assert hundredths([bits]) == [shown_as]
