"""What is read in the place of a character or word that a vocabulary lacks."""

from __future__ import annotations

import pytest

from engine.data import CharVocabulary, WordVocabulary

LETTERS = CharVocabulary.build("abcdefghijklmnopqrstuvwxyz ABC'\"-.é", 100)


@pytest.mark.parametrize(
    ("given", "read", "instead"),
    [
        ("it’s", "it's", {"’": "'"}),
        ("“so”", '"so"', {"“": '"', "”": '"'}),
        ("a – b — c", "a - b - c", {"–": "-", "—": "-"}),
        ("wait…", "wait...", {"…": "..."}),
        ("cafe\u0301", "café", {}),
        ("caf\u00e9", "café", {}),
        ("naïve", "naive", {"ï": "i"}),
        ("Émile", "émile", {"É": "é"}),
        ("Zoë", "zoe", {"Z": "z", "ë": "e"}),
        ("straße", "strasse", {"ß": "ss"}),
        ("ﬁne", "fine", {"ﬁ": "fi"}),
        ("a\u00a0b", "a b", {"\u00a0": " "}),
        ("漢 a", " a", {"漢": ""}),
        ("abc", "abc", {}),
    ],
)
def test_the_nearest_symbol_is_read_and_told(given: str, read: str, instead: dict[str, str]) -> None:
    assert LETTERS.decode(LETTERS.encode(given, unknown="nearest")) == read
    assert LETTERS.read_instead(given) == instead


def test_a_model_of_curly_marks_reads_them_for_straight_ones() -> None:
    curly = CharVocabulary.build("it’s “so” – or not", 100)
    assert curly.decode(curly.encode('it\'s "so" - or not', unknown="nearest")) == "it’s “so“ – or not"


def test_a_model_of_accents_apart_reads_composed_letters() -> None:
    apart = CharVocabulary.build("cafe\u0301", 100)
    assert apart.decode(apart.encode("caf\u00e9", unknown="nearest")) == "cafe\u0301"
    assert apart.read_instead("caf\u00e9") == {}


def test_what_has_no_near_symbol_becomes_unk_where_there_is_one() -> None:
    rare = CharVocabulary.build("aaaabbbb''''’c", 4)
    assert rare.unknown is not None
    assert rare.encode("’a漢", unknown="nearest").tolist() == [rare.symbols.index("'"), rare.symbols.index("a"), 0]
    assert rare.read_instead("’a漢") == {"’": "'", "漢": "<unk>"}


def test_words_are_read_with_their_marks_in_another_shape_and_never_as_another_word() -> None:
    words = WordVocabulary.build("don't say café, he said", 100)
    text = "don’t say cafe\u0301 He"
    assert words.read_instead(text) == {"don’t": "don't", "He": "<unk>"}
    known = [words.symbols[token] for token in words.encode(text, unknown="nearest")]
    assert known == ["don't", "say", "café", "<unk>"]
