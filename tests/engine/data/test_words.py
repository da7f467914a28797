"""Words and marks: how a text is cut, and how it is put together again."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.data.words import join, tokenise


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Don't stop.", ["Don't", "stop", "."]),
        ("a well-known fact", ["a", "well-known", "fact"]),
        ("3.14, 10,000 and 7.", ["3.14", ",", "10,000", "and", "7", "."]),
        ("one\ntwo\n", ["one", "<eos>", "two", "<eos>"]),
        ("wait -- what...", ["wait", "--", "what", ".", ".", "."]),
        ("snake_case2 = (x)", ["snake_case2", "=", "(", "x", ")"]),
        ('"Yes," he said', ['"', "Yes", ",", '"', "he", "said"]),
        ("a <unk> b", ["a", "<unk>", "b"]),
        ("<script>", ["<", "script", ">"]),
        ("e\u0301te\u0301", ["e\u0301te\u0301"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("שלום עולם!", ["שלום", "עולם", "!"]),
        ("ok 👩‍👩‍👧‍👦👍🏽", ["ok", "👩‍👩‍👧‍👦", "👍🏽"]),
        ("", []),
    ],
)
def test_tokens_of(text, tokens):
    assert tokenise(text) == tokens


def test_a_separated_text_is_only_split_at_its_spaces():
    assert tokenise(" = Title = \n a @-@ b", separated=True) == ["=", "Title", "=", "<eos>", "a", "@-@", "b"]


@pytest.mark.parametrize(
    "text",
    [
        "Don't stop (now), please!",
        '"Yes," he said; "why not?"\n\n"No."',
        "She paid $10,000 for 'it'.\n",
        "“Well,” said he, “well-known?”",
        '"A speech that runs on\n\n"into the next paragraph," he said.',
    ],
)
def test_ordinary_prose_survives_the_way_to_tokens_and_back(text):
    assert join(tokenise(text)) == text


def test_a_separated_text_keeps_its_tokens_apart():
    assert join(["a", ",", "<eos>", "b"], separated=True) == "a ,\nb"


def test_very_long_words_are_cut():
    tokens = tokenise("x" * 100_000)
    assert max(map(len, tokens)) <= 200
    assert "".join(tokens) == "x" * 100_000


LIKELY_TROUBLE = st.text(alphabet=st.sampled_from("aZé9_ \n\t.,;:!?'\"’“”()[]{}<>$-#@%…`\u0301\u200d\ufe0f👍🏽א|~"))


@example("\u200d :", False)
@given(st.one_of(LIKELY_TROUBLE, st.text()), st.booleans())
def test_joined_tokens_are_found_again(text, separated):
    tokens = tokenise(text, separated)
    assert tokenise(join(tokens, separated), separated) == tokens
