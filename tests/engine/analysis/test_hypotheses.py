"""What each hypothesis says of every token, by hand; and regular expressions that cannot be used."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.hypotheses import NAMES, check_varies, hypothesis, labels
from engine.config import ConfigError


def _labels(name: str, text: str | list[str]) -> list[float]:
    return labels(hypothesis(name), list(text)).tolist()


def _marked(name: str, text: str) -> str:
    """The text with its tokens where the hypothesis does not hold as dots."""
    return "".join(piece if held else "." for piece, held in zip(text, _labels(name, text), strict=True))


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ('He said "yes" to me', '"yes'),
        ("“Oh,” he “said”", "“Oh,“said"),
        ("« Oui », dit-il", "« Oui "),
        ('"never closed\n\nnext "one" x', '"never closed\n"one'),
        ('"kept\nover a line" end', '"kept\nover a line'),
        ('"a line\n  \nof spaces', '"a line\n  '),
    ],
)
def test_inside_quotation_marks(text: str, inside: str) -> None:
    assert "".join(piece for piece, held in zip(text, _labels("quotes", text), strict=True) if held) == inside


def test_of_words_the_marks_are_tokens() -> None:
    assert _labels("quotes", ["He", '"', "yes", '"', "."]) == [0, 1, 1, 0, 0]


def test_the_depth_of_brackets_counts_every_kind_and_never_falls_below_zero() -> None:
    assert _labels("brackets", ")a([b]){c}") == [0, 0, 1, 2, 2, 1, 0, 1, 1, 0]


def test_a_bracket_that_is_never_closed_is_given_up() -> None:
    found = _labels("brackets", "(" + "x" * 3_000)
    assert found[1_000] == 1
    assert found[-1] == 0


def test_the_position_in_the_line_begins_anew_after_a_line_end() -> None:
    assert _labels("line-position", "ab\nc\n\nd") == [1, 2, 0, 1, 0, 0, 1]


def test_after_a_capital() -> None:
    assert _marked("after-capital", "The Cat sat É") == "T...C.......É"
    assert _labels("after-capital", ["The", "cat", "1"]) == [1, 0, 0]


def test_a_word_boundary_is_what_follows_a_word() -> None:
    assert [at for at, held in enumerate(_labels("word-boundary", "it's, well (2) ok")) if held] == [4, 10, 13]


def test_word_boundaries_of_words_are_refused() -> None:
    with pytest.raises(ConfigError, match="read by characters"):
        _labels("word-boundary", ["two", "words"])


def test_vowels_with_and_without_an_accent() -> None:
    assert _marked("vowel", "Éa by ú") == "Éa....ú"
    assert _labels("vowel", ["Apple", "pear"]) == [1, 0]


def test_indentation_grows_while_it_is_read_and_stays_for_the_line() -> None:
    assert _labels("indentation", "a b\n  c d\n\te") == [0, 0, 0, 0, 1, 2, 2, 2, 2, 0, 4, 4]


def test_a_regular_expression_holds_at_every_character_of_its_matches() -> None:
    assert _marked("regex:[0-9]+", "in 1984 or 7") == "...1984....7"
    assert _marked(r"regex:(?<=a)b", "ab cb ab") == ".b.....b"


def test_a_regular_expression_over_words_holds_at_every_word_it_overlaps() -> None:
    assert _labels("regex:big red", ["a", "big", "red", "dog"]) == [0, 1, 1, 0]


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("[", "cannot be read"),
        ("(a", "cannot be read"),
        ("", "is empty"),
        ("a" * 201, "at most 200"),
        ("(?P<x>a)(?P=y)", "cannot be read"),
    ],
)
def test_a_regular_expression_that_cannot_be_used_is_refused(pattern: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        hypothesis(f"regex:{pattern}")


def test_a_regular_expression_that_explodes_is_refused() -> None:
    with pytest.raises(ConfigError, match="takes longer than"):
        _labels("regex:(a|a)+(a|aa)+$", "a" * 5_000 + "!")


def test_one_that_matches_only_nothing_never_holds() -> None:
    found = hypothesis("regex:x*")
    with pytest.raises(ConfigError, match="never holds"):
        check_varies(labels(found, list("abc")), found)


def test_what_always_holds_is_refused() -> None:
    found = hypothesis("regex:.")
    with pytest.raises(ConfigError, match="always holds"):
        check_varies(labels(found, list("abc")), found)


def test_a_number_that_never_changes_is_refused() -> None:
    found = hypothesis("brackets")
    with pytest.raises(ConfigError, match="always the same"):
        check_varies(labels(found, list("abc")), found)


def test_an_unknown_hypothesis_is_refused_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r"quotes, brackets, .*regex:PATTERN"):
        hypothesis("quote")


@given(st.text(alphabet='ab "\n“”([)] \tE', max_size=120))
def test_whatever_the_text_there_is_a_label_for_every_token(text: str) -> None:
    for name in NAMES:
        assert len(_labels(name, text)) == len(text)
    assert all(depth >= 0 for depth in _labels("brackets", text))
    after_blank_lines = [at for at in range(1, len(text)) if text[at - 1 : at + 1] == "\n\n"]
    assert all(_labels("quotes", text)[at] == 0 for at in after_blank_lines)


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_text_has_no_label(name: str) -> None:
    assert _labels(name, "") == []
