"""A probe: what of a text a model reads, token by token."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data import CharVocabulary, WordVocabulary
from engine.trace import LONGEST_PROBE, UNKNOWN
from playground.access.probes import read_probe

pytestmark = pytest.mark.usefixtures("own_recordings")

CHARACTERS = CharVocabulary("\n abcdehlo")
LIMITED = CharVocabulary(["<unk>", *"abc"])
WORDS = WordVocabulary(["<unk>", "<eos>", "the", "cat", "sat", "."])
SEPARATED = WordVocabulary(["<unk>", "<eos>", "the", "cat", "@-@"], separated=True)


def test_every_character_is_a_token_with_a_name_that_can_be_seen() -> None:
    probe = read_probe("a b\n", CHARACTERS)
    assert probe.tokens.tolist() == CHARACTERS.encode("a b\n").tolist()
    assert probe.names == ("a", "␣", "b", "↵")
    assert (probe.text, probe.unknown, probe.cut) == ("a b\n", (), 0)


def test_what_a_vocabulary_lacks_is_unknown_and_keeps_its_place() -> None:
    probe = read_probe("aжb☃\t", CHARACTERS)
    assert probe.tokens.tolist() == [CHARACTERS.encode("a")[0], UNKNOWN, CHARACTERS.encode("b")[0], UNKNOWN, UNKNOWN]
    assert probe.names == ("a", "ж", "b", "☃", "⇥")
    assert probe.unknown == (1, 3, 4)
    assert probe.text == "aжb☃\t"


@pytest.mark.parametrize("text", ["aéb", "ae\u0301b"])
def test_what_has_a_near_symbol_is_read_as_that(text: str) -> None:
    probe = read_probe(text, CHARACTERS)
    assert probe.tokens.tolist() == CHARACTERS.encode("aeb").tolist()
    assert (probe.names, probe.unknown) == (("a", "e", "b"), ())


def test_what_is_read_as_several_symbols_takes_as_many_timesteps_and_none_beyond_the_limit() -> None:
    dots = CharVocabulary("ab.")
    assert read_probe("a…b", dots).tokens.tolist() == dots.encode("a...b").tolist()
    probe = read_probe("a…b", dots, limit=3)
    assert (probe.tokens.tolist(), probe.text, probe.cut) == (dots.encode("a").tolist(), "a", 2)


def test_a_word_with_another_apostrophe_is_read_as_the_one_that_is_known() -> None:
    words = WordVocabulary(["<unk>", "<eos>", "don't", "go"])
    probe = read_probe("don’t go", words)
    assert (probe.tokens.tolist(), probe.names, probe.unknown) == ([2, 3], ("don't", "go"), ())


def test_where_a_vocabulary_has_a_symbol_for_the_unknown_that_is_read() -> None:
    probe = read_probe("axb", LIMITED)
    assert probe.tokens.tolist() == LIMITED.encode("axb").tolist()
    assert probe.unknown == (1,)
    assert probe.names[1] == "x", "it is shown as it stands in the text"


def test_words_and_marks_are_tokens_and_a_line_end_too() -> None:
    probe = read_probe("the dog sat.\n", WORDS)
    assert probe.names == ("the", "dog", "sat", ".", "<eos>")
    assert probe.unknown == (1,)


def test_every_kind_of_line_end_is_a_line_feed() -> None:
    assert read_probe("a\r\nb\rc", CHARACTERS).text == "a\nb\nc"
    assert read_probe("a\r\nb\rc", CHARACTERS).unknown == ()


def test_a_text_too_long_is_cut_and_what_is_left_out_is_counted() -> None:
    probe = read_probe("a" * 10_000, CHARACTERS)
    assert len(probe) == LONGEST_PROBE == len(probe.text)
    assert probe.cut == 10_000 - LONGEST_PROBE


@pytest.mark.parametrize(("vocabulary", "text"), [(WORDS, "the cat sat. "), (SEPARATED, "the cat @-@ cat\n")])
def test_words_too_many_are_cut_between_words(vocabulary: WordVocabulary, text: str) -> None:
    probe = read_probe(text * 10, vocabulary, limit=7)
    assert len(probe) == 7
    assert probe.tokens.tolist() == vocabulary.encode(text * 10)[:7].tolist()
    assert len(probe.text) + probe.cut == len(text * 10)


@pytest.mark.parametrize(("text", "vocabulary"), [("", CHARACTERS), ("", WORDS), ("   ", WORDS)])
def test_a_text_without_a_token_gives_an_empty_probe(text: str, vocabulary: CharVocabulary | WordVocabulary) -> None:
    probe = read_probe(text, vocabulary)
    assert len(probe) == 0
    assert probe.names == ()


@given(st.text(max_size=40), st.integers(1, 20))
def test_any_text_gives_a_name_for_each_token_and_no_more_than_are_allowed(text: str, limit: int) -> None:
    for vocabulary in (CHARACTERS, LIMITED, WORDS, SEPARATED):
        probe = read_probe(text, vocabulary, limit)
        assert len(probe.names) == len(probe) <= limit
        assert all(probe.names)
        strange = np.flatnonzero((probe.tokens == UNKNOWN) | (probe.tokens == vocabulary.unknown))
        assert probe.unknown == tuple(strange)


def test_probes_that_read_alike_have_one_key() -> None:
    assert read_probe("aжb", CHARACTERS).key == read_probe("a☃b", CHARACTERS).key != read_probe("ab", CHARACTERS).key
