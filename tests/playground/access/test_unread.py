"""Sentences on what of a text a model has no symbol for."""

from __future__ import annotations

import pytest

from engine.data import CharVocabulary, WordVocabulary
from playground.access.unread import not_read, unknown_tokens
from playground.parts.setting_names import in_labels

LETTERS = CharVocabulary.build("abc '", 10)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("abc", ""),
        ("a’b", "Not in the model's vocabulary: “’”, read as “'”."),
        ("☃a", "Not in the model's vocabulary: “☃”, left out."),
        ("Á☃", "Not in the model's vocabulary: “Á”, read as “a”; “☃”, left out."),
    ],
)
def test_what_is_read_instead_or_left_out_is_named(text: str, sentence: str) -> None:
    assert not_read(text, LETTERS) == sentence


def test_words_that_are_not_known_are_read_as_unk() -> None:
    words = WordVocabulary.build("the cat", 10)
    assert not_read("the dog", words) == "Not in the model's vocabulary: “dog”, read as <unk>."


def test_many_are_counted() -> None:
    assert unknown_tokens("defghijklm", LETTERS) == list("defghijklm")
    assert "“k” and 2 more, left out" in not_read("defghijklm", LETTERS)


def test_a_message_names_settings_as_their_widgets_do_and_leaves_other_words_alone() -> None:
    said = in_labels("set data.vocabulary_limit or model.units, not data.nothing or the model. It is training.")
    assert said == "set “Max vocabulary size” or “Units”, not data.nothing or the model. It is training."
