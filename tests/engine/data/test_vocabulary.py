"""Vocabularies: from text to ids and back, for any text at all."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.text import TextError
from engine.data.vocabulary import MOST_SYMBOLS, CharVocabulary, Vocabulary, WordVocabulary

SOME_TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1)
AWKWARD = [
    "👩‍👩‍👧‍👦 🏳️‍🌈",
    "שלום\u200f عالم",
    "e\u0301 é \u0301",
    "<script>alert('&amp;')</script>",
    "\ufffd<unk>",
    "a\u2028b\u00a0c",
]


class TestCharacters:
    def test_symbols_are_all_characters_by_code_point(self):
        assert CharVocabulary.build("hello\n", 10).symbols == ("\n", "e", "h", "l", "o")

    def test_ids_are_int64(self):
        ids = CharVocabulary.build("hello", 10).encode("hello")
        assert ids.dtype == np.int64
        assert ids.tolist() == [1, 0, 2, 2, 3]

    @given(SOME_TEXT)
    def test_any_text_comes_back_as_it_was(self, text):
        vocabulary = CharVocabulary.build(text, MOST_SYMBOLS)
        assert vocabulary.decode(vocabulary.encode(text)) == text

    @pytest.mark.parametrize("text", AWKWARD)
    def test_awkward_text_comes_back_as_it_was(self, text):
        vocabulary = CharVocabulary.build(text, MOST_SYMBOLS)
        assert vocabulary.decode(vocabulary.encode(text)) == text

    def test_there_is_no_unknown_while_all_characters_fit(self):
        vocabulary = CharVocabulary.build("abc", 3)
        assert vocabulary.unknown is None
        assert len(vocabulary) == 3

    def test_beyond_the_limit_the_rarest_characters_become_unknown(self):
        vocabulary = CharVocabulary.build("aaabbcd", 3)
        assert vocabulary.symbols == ("<unk>", "a", "b")
        assert vocabulary.encode("adz😀b").tolist() == [1, 0, 0, 0, 2]
        assert vocabulary.decode([1, 0, 2]) == "a\ufffdb"

    @given(SOME_TEXT, st.integers(2, 6))
    def test_a_limit_is_never_exceeded(self, text, limit):
        vocabulary = CharVocabulary.build(text, limit)
        assert len(vocabulary) <= limit
        assert len(vocabulary.encode(text)) == len(text)

    @pytest.mark.parametrize("unknown", ["z", "A", "é", "😀", "\ud800"])
    def test_an_unknown_token_is_refused_by_name(self, unknown):
        with pytest.raises(TextError, match=f"U\\+{ord(unknown):04X}.* is not in the vocabulary"):
            CharVocabulary.build("abc", 10).encode("ab" + unknown)

    def test_many_unknown_characters_are_counted(self):
        with pytest.raises(TextError, match="and 3 more are not"):
            CharVocabulary.build("abc", 10).encode("stuvwxyz")

    def test_unknown_characters_can_be_left_out(self):
        assert CharVocabulary.build("abc", 10).encode("a-b-😀c", unknown="nearest").tolist() == [0, 1, 2]

    def test_an_empty_text_has_no_ids_and_no_vocabulary(self):
        assert CharVocabulary.build("abc", 10).encode("").tolist() == []
        assert CharVocabulary.build("abc", 10).decode([]) == ""
        with pytest.raises(TextError, match="empty"):
            CharVocabulary.build("", 10)

    @pytest.mark.parametrize("ids", [[3], [-1], [0, 1, 99]])
    def test_ids_outside_are_refused(self, ids):
        with pytest.raises(TextError, match="not in this vocabulary of 3"):
            CharVocabulary.build("abc", 10).decode(ids)

    def test_whatever_cannot_be_seen_is_displayed_by_a_sign(self):
        vocabulary = CharVocabulary.build(" \n\tx\u0301\u200f\u00a0", 10)
        shown = {symbol: vocabulary.display(number) for number, symbol in enumerate(vocabulary.symbols)}
        assert shown == {
            " ": "␣",
            "\n": "↵",
            "\t": "⇥",
            "x": "x",
            "\u0301": "◌\u0301",
            "\u200f": "U+200F",
            "\u00a0": "U+00A0",
        }


class TestWords:
    def test_the_most_frequent_come_first_after_the_two_special_ones(self):
        vocabulary = WordVocabulary.build("b a b\nc b a", 10)
        assert vocabulary.symbols == ("<unk>", "<eos>", "b", "a", "c")
        assert (vocabulary.unknown, vocabulary.end) == (0, 1)

    def test_rarer_words_become_unknown(self):
        vocabulary = WordVocabulary.build("b a b\nc b a", 4)
        assert vocabulary.encode("a b c d\n").tolist() == [3, 2, 0, 0, 1]
        assert vocabulary.decode([3, 0, 1]) == "a <unk>\n"

    def test_a_separated_text_maps_its_own_unknown(self):
        vocabulary = WordVocabulary.build("the <unk> @-@ cat , sat", 10, separated=True)
        assert vocabulary.encode("the <unk> ,").tolist() == [vocabulary.symbols.index("the"), 0, 2]
        assert vocabulary.symbols.count("<unk>") == 1

    @given(st.lists(SOME_TEXT, min_size=1).map("\n".join), st.integers(2, 30), st.booleans())
    def test_ids_survive_the_way_to_text_and_back(self, text, limit, separated):
        try:
            vocabulary = WordVocabulary.build(text, limit, separated)
        except TextError:
            assert not text.replace("<unk>", "").strip()
            return
        ids = vocabulary.encode(text)
        assert len(vocabulary) <= limit
        assert vocabulary.encode(vocabulary.decode(ids)).tolist() == ids.tolist()
        assert vocabulary.encode(text).tolist() == ids.tolist()

    def test_a_text_without_words_has_no_vocabulary(self):
        with pytest.raises(TextError, match="no words"):
            WordVocabulary.build(" \n \n", 10)


class TestIncrementalDecoders:
    @pytest.mark.parametrize("separated", [False, True])
    @given(text=st.text(alphabet="ab ,.\n\"'([)]<>-", min_size=1))
    def test_words_come_one_by_one_as_they_come_together(self, separated, text):
        vocabulary = WordVocabulary.build("a " + text, 12, separated)
        ids = vocabulary.encode(text)
        add, whole = vocabulary.incremental_decoder(), ""
        for count, number in enumerate(ids, 1):
            whole += add(int(number))
            assert whole == vocabulary.decode(ids[:count])

    @given(SOME_TEXT, st.integers(2, 6))
    def test_characters_do_too(self, text, limit):
        vocabulary = CharVocabulary.build(text, limit)
        ids = vocabulary.encode(text)
        assert "".join(map(vocabulary.incremental_decoder(), ids)) == vocabulary.decode(ids)

    def test_each_has_its_own_memory(self):
        vocabulary = WordVocabulary.build("a b", 10)
        a, b = vocabulary.encode("a b").tolist()
        first, second = vocabulary.incremental_decoder(), vocabulary.incremental_decoder()
        assert [first(a), second(b), first(b)] == ["a", "b", " b"]

    @pytest.mark.parametrize("vocabulary", [CharVocabulary("ab"), WordVocabulary.build("a b", 10)])
    @pytest.mark.parametrize("number", [-1, 4])
    def test_an_unknown_token_is_refused(self, vocabulary, number):
        with pytest.raises(TextError, match="not in this vocabulary"):
            vocabulary.incremental_decoder()(number)


class TestJson:
    @given(SOME_TEXT, st.integers(2, 50))
    def test_characters_come_back_equal(self, text, limit):
        vocabulary = CharVocabulary.build(text, limit)
        back = Vocabulary.from_json(vocabulary.to_json())
        assert back == vocabulary
        assert hash(back) == hash(vocabulary)
        assert back.encode(text).tolist() == vocabulary.encode(text).tolist()

    @pytest.mark.parametrize("separated", [False, True])
    def test_words_come_back_equal(self, separated):
        vocabulary = WordVocabulary.build("the cat, the 👍🏽 dog.\n", 10, separated)
        back = Vocabulary.from_json(vocabulary.to_json())
        assert back == vocabulary
        assert isinstance(back, WordVocabulary)
        assert back.separated is separated

    def test_words_and_characters_are_not_equal(self):
        symbols = ("<unk>", "<eos>", "a")
        assert WordVocabulary(symbols) != WordVocabulary(symbols, separated=True)
        assert CharVocabulary("ab") != CharVocabulary("ba")

    @pytest.mark.parametrize(
        ("plain", "sentence"),
        [
            ([], "JSON object"),
            ({"level": "byte", "symbols": ["a"]}, '"char" or "word"'),
            ({"level": ["char"], "symbols": ["a"]}, '"char" or "word"'),
            ({"level": "char"}, "no key 'symbols'"),
            ({"level": "char", "symbols": ["a"], "colour": 1}, "unknown key 'colour'"),
            ({"level": "char", "symbols": "abc"}, "list of strings"),
            ({"level": "char", "symbols": ["a", 1]}, "list of strings"),
            ({"level": "char", "symbols": []}, "must have 1 to 50,000 symbols"),
            ({"level": "char", "symbols": ["a", "a"]}, "'a' occurs twice"),
            ({"level": "char", "symbols": ["a", "bc"]}, "not a single character"),
            ({"level": "char", "symbols": ["a", ""]}, "cannot be in a vocabulary"),
            ({"level": "char", "symbols": ["a", "\ud800"]}, "cannot be in a vocabulary"),
            ({"level": "word", "symbols": ["<unk>", "<eos>", "a"]}, "no key 'separated'"),
            ({"level": "word", "symbols": ["<unk>", "<eos>", "a"], "separated": 1}, "true or false"),
            ({"level": "word", "symbols": ["<unk>", "a"], "separated": False}, "needs the symbols"),
            ({"level": "word", "symbols": ["<unk>", "<eos>", "a b"], "separated": False}, "contains white space"),
            ({"level": "char", "symbols": [chr(n) for n in range(0x3400, 0x3400 + MOST_SYMBOLS + 1)]}, "50,001"),
        ],
    )
    def test_a_malformed_vocabulary_is_refused(self, plain, sentence):
        with pytest.raises(TextError, match=sentence):
            Vocabulary.from_json(json.dumps(plain))

    @pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "1e999999", '{"level": NaN}'])
    def test_what_is_not_json_is_refused(self, text):
        with pytest.raises(TextError):
            Vocabulary.from_json(text)
