"""Corpora by name: their parts, their tokens, and a sentence for each that cannot be used."""

from dataclasses import replace

import pytest
import torch

from engine.config import ConfigError, DataConfig
from engine.data import SOURCES, TextError, WordVocabulary, fingerprint, load_split, prepare
from engine.data.corpora import split_by_position

SMALL = DataConfig(corpus="own:", streams=2, chunk=4)


def prepare_own(text: str, **settings):
    """The corpus of a text of the user's, as the app prepares it."""
    name = fingerprint(text)
    return prepare(replace(SMALL, corpus=f"own:{name}", **settings), own={name: text}.__getitem__)


def no_texts(hash_: str) -> str:
    """A store that holds nothing."""
    raise KeyError(hash_)


class TestBuiltIn:
    def test_the_registry_names_every_corpus(self):
        assert set(SOURCES) == {
            "tales",
            "python-docs",
            "python-source",
            "hello",
            "tinyshakespeare",
            "wikitext-2",
            "names",
        }
        assert all(name == source.name for name, source in SOURCES.items())

    def test_hello_has_four_letters_and_validates_on_itself_and_says_so(self):
        corpus = prepare(DataConfig(corpus="hello", streams=1, chunk=4))
        assert corpus.vocabulary.symbols == ("e", "h", "l", "o")
        assert corpus.train.tolist() == corpus.validation.tolist() == [1, 0, 2, 2, 3]
        assert any("the training part is also the validation part" in note for note in corpus.notes)

    @pytest.mark.parametrize("name", ["tales", "python-docs", "python-source"])
    @pytest.mark.parametrize("level", ["char", "word"])
    def test_a_corpus_that_is_built_in_is_there_in_characters_and_words(self, name, level):
        corpus = prepare(DataConfig(corpus=name, level=level))
        assert corpus.train.dtype == corpus.validation.dtype == torch.int64
        assert len(corpus.train) > 8 * len(corpus.validation) > 20_000 / (1 if level == "char" else 6)
        assert corpus.test is None
        assert corpus.vocabulary.level == corpus.level == level
        assert corpus.train_text.startswith(corpus.vocabulary.decode(corpus.train[:3].tolist()))

    @pytest.mark.parametrize("name", ["tales", "python-docs", "python-source"])
    def test_a_size_in_the_registry_is_about_right(self, name):
        assert len(load_split(name).text) == pytest.approx(SOURCES[name].size_bytes, rel=0.3)

    def test_the_python_corpora_name_their_version(self):
        assert "Python 3." in load_split("python-docs").notes[0]
        assert "Python 3." in load_split("python-source").notes[0]


class TestDownloaded:
    def test_tiny_shakespeare_is_split_as_nanogpt_splits_it(self, shared_data):
        corpus = prepare(DataConfig(corpus="tinyshakespeare"))
        assert len(corpus.vocabulary) == 65
        assert (len(corpus.train), len(corpus.validation)) == (1_003_854, 111_540)
        assert corpus.vocabulary.decode(corpus.train) == corpus.train_text

    def test_wikitext_brings_its_own_split_and_unknown_words(self, shared_data):
        corpus = prepare(DataConfig(corpus="wikitext-2", level="word", vocabulary_limit=50_000))
        assert (len(corpus.train), len(corpus.validation)) == (2_088_628, 217_646)  # the published counts of tokens
        assert corpus.test is not None
        assert len(corpus.test) == 245_569
        assert len(corpus.vocabulary) == 33_278
        assert corpus.vocabulary.decode(corpus.train[:9]).startswith("\n= Valkyria Chronicles III =\n")

    def test_names_stand_one_a_line_and_have_no_words(self, shared_data):
        corpus = prepare(DataConfig(corpus="names"))
        assert corpus.train_text.startswith("emma\nolivia\n")
        assert len(corpus.vocabulary) == 27
        with pytest.raises(ConfigError, match=r"Names cannot be read as words: set data.level to char"):
            prepare(DataConfig(corpus="names", level="word"))


class TestOwnTexts:
    def test_the_last_tenth_is_for_validation(self):
        assert split_by_position("abcdefghij" * 10) == ("abcdefghij" * 9, "abcdefghij")

    def test_a_text_of_the_users_is_found_by_its_hash(self):
        corpus = prepare_own("to be or not to be, that is the question. " * 5)
        assert corpus.title == "Your text"
        assert corpus.train_text.startswith("to be or not")

    @pytest.mark.parametrize(
        "text",
        [
            "שלום עולם, זה טקסט מימין לשמאל. " * 10,
            "👩‍👩‍👧‍👦🏳️‍🌈👍🏽 e\u0301\u200f " * 20,
            "<script>alert('no')</script>\n" * 10,
        ],
    )
    @pytest.mark.parametrize("level", ["char", "word"])
    def test_any_script_emoji_and_markup_work(self, text, level):
        corpus = prepare_own(text, level=level, streams=1)
        assert corpus.vocabulary.encode(corpus.train_text).tolist() == corpus.train.tolist()

    def test_a_hash_that_is_not_stored_is_said(self):
        with pytest.raises(TextError, match="no stored text with the hash abc: paste or upload"):
            prepare(replace(SMALL, corpus="own:abc"), own=no_texts)

    def test_a_stored_text_that_changed_is_refused(self):
        with pytest.raises(TextError, match=r"The stored text .* is damaged"):
            prepare(replace(SMALL, corpus="own:abc"), own=lambda _: "another text")

    def test_without_a_store_a_text_of_the_users_is_refused(self):
        with pytest.raises(TextError, match="use file:PATH"):
            prepare(replace(SMALL, corpus="own:abc"))

    def test_a_file_is_read(self, tmp_path):
        path = tmp_path / "poem.txt"
        path.write_bytes(b"roses are red\r\n" * 20)
        corpus = prepare(replace(SMALL, corpus=f"file:{path}"))
        assert corpus.title == "poem.txt"
        assert corpus.train_text.startswith("roses are red\nroses")

    def test_a_file_that_cannot_be_read_is_refused_with_its_path(self, tmp_path):
        with pytest.raises(TextError, match=r"gone\.txt' does not exist"):
            load_split(f"file:{tmp_path / 'gone.txt'}")
        with pytest.raises(TextError, match="is not a file"):
            load_split(f"file:{tmp_path}")
        with pytest.raises(TextError, match=r"'' |'.' is not a file"):
            load_split("file:")
        with pytest.raises(TextError, match=r"cannot be read|does not exist"):
            load_split(f"file:{tmp_path / ('x' * 1_000)}")

    def test_a_file_over_the_limit_is_refused_with_its_size(self, tmp_path):
        path = tmp_path / "long.txt"
        path.write_bytes(b"a" * 5_100_000)
        with pytest.raises(TextError, match=r"5\.1 MB; the limit is 5 MB"):
            load_split(f"file:{path}")

    def test_no_word_is_cut_in_two(self):
        text = "seven letter strings " * 11  # the last tenth begins inside a word
        corpus = prepare_own(text, level="word")
        assert corpus.vocabulary.unknown not in [*corpus.train, *corpus.validation]
        assert corpus.train_text.endswith("strings")
        assert prepare_own(text).train_text == text[:207]

    def test_a_script_without_spaces_keeps_its_cut(self):
        corpus = prepare_own("これは長い文章です。" * 50, level="word")
        assert len(corpus.train_text) == 450


class TestRefusals:
    def test_an_unknown_name_is_refused_with_the_known_ones(self):
        with pytest.raises(ConfigError, match=r"no corpus named 'shakespear': choose one of tales, .* file:PATH"):
            prepare(DataConfig(corpus="shakespear"))

    @pytest.mark.parametrize(("text", "sentence"), [("a", "training part has 0 characters"), ("ab", "1 character,")])
    def test_a_text_too_short_to_split_is_refused(self, text, sentence):
        with pytest.raises(TextError, match=f"{sentence}.*|repeats a single character"):
            prepare_own(text)

    def test_a_text_whose_validation_part_is_too_short_is_refused(self):
        with pytest.raises(TextError, match=r"validation part has 1 character,.*Use a longer text"):
            prepare_own("abcdefghij")

    def test_a_text_too_short_for_the_streams_says_how_many_fit(self):
        with pytest.raises(
            ConfigError, match=r"900 tokens.*32 x 64 = 2,048 predictions: set data.streams to at most 14"
        ):
            prepare_own("abcdefghij" * 100, streams=32, chunk=64)

    def test_a_text_too_short_for_one_chunk_says_which_chunk_fits(self):
        with pytest.raises(ConfigError, match=r"set data.streams to 1 and data.chunk to at most 26"):
            prepare_own("abcdefghij" * 3, streams=32, chunk=64)

    def test_one_character_over_and_over_is_refused(self):
        with pytest.raises(TextError, match=r"repeats a single character \(a\)"):
            prepare_own("a" * 1_000)


class TestNumbers:
    def test_the_hash_tells_corpora_apart(self):
        text = "the cat sat on the mat and the dog sat on the cat. " * 4
        hashes = {
            prepare_own(text).sha256,
            prepare_own(text, level="word").sha256,
            prepare_own(text, vocabulary_limit=5).sha256,
            prepare_own(text + "x").sha256,
        }
        assert len(hashes) == 4
        assert prepare_own(text).sha256 == prepare_own(text, streams=1).sha256

    def test_the_words_of_a_vocabulary_are_those_of_the_training_part(self):
        text = "red owl " * 90 + "red yak " * 10
        corpus = prepare_own(text, level="word")
        assert corpus.vocabulary.symbols == ("<unk>", "<eos>", "owl", "red")
        assert corpus.vocabulary.decode(corpus.validation) == ("red <unk> " * 10).strip()
        assert any("vocabulary holds the words of the training part" in note for note in corpus.notes)

    def test_a_text_can_be_read_with_a_vocabulary_that_was_made_before(self):
        text = "red owl " * 90 + "red yak " * 10
        before = WordVocabulary.build(text, 10)
        corpus = prepare(
            replace(SMALL, corpus=f"own:{fingerprint(text)}", level="word"), lambda _: text, vocabulary=before
        )
        assert corpus.vocabulary == before
        assert corpus.vocabulary.decode(corpus.validation) == ("red yak " * 10).strip()
        assert corpus.sha256 != prepare_own(text, level="word").sha256
