"""Vocabularies made to break out of the code: they are data, and the exported model reads and writes them."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.data import CharVocabulary, Vocabulary, WordVocabulary
from engine.data.words import tokenise
from engine.decoding.sampling import sample
from engine.export import script, weights

from .checkpoints import VOCABULARIES, make_checkpoint, model_of

NASTY = ['"""', "'''", "\\", '\\"""', "{bias?}", "$units", "#if", "%s", "{0}", "\x00", "\x7f", "\ufeff", "import_os"]
CHARACTERS = st.one_of(
    st.sampled_from("'\"\\\n\r\t\x00\x0b\x0c\x1a\x85\u2028\u2029\u202e\ufeff\ufffd{}$#%\U0001f600"),
    st.characters(exclude_categories=["Cs"]),
)
WORDS = st.one_of(st.sampled_from(NASTY), st.text(CHARACTERS, min_size=1, max_size=6)).filter(
    lambda word: word.split() == [word] and word not in ("<unk>", "<eos>")
)


def run(source: str, raw: bytes, folder: Path) -> ModuleType:
    """The exported file, compiled and run as Python would import it, with its weights beside it."""
    (folder / "model.safetensors").write_bytes(raw)
    module = ModuleType("model")
    module.__file__ = str(folder / "model.py")
    exec(compile(source, module.__file__, "exec"), module.__dict__)
    return module


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where exported models are run."""
    return tmp_path_factory.mktemp("hostile")


def check(vocabulary: Vocabulary, folder: Path) -> None:
    """The symbols leave the code as it is, and the model reads and writes them."""
    checkpoint = make_checkpoint(vocabulary, units=2, embedding=2)
    module = run(script(checkpoint), weights(checkpoint), folder)
    exported, symbols = module.load()
    assert tuple(symbols) == vocabulary.symbols
    ids = list(range(len(vocabulary)))
    text = vocabulary.decode(ids)
    assert module.decode(ids, symbols) == text
    assert module.encode(text, symbols) == vocabulary.encode(text).tolist()
    forbidden = () if vocabulary.unknown is None else (vocabulary.unknown,)
    wanted = sample(model_of(checkpoint), [0], length=5, seed=1, forbidden=forbidden)
    assert list(module.sample(exported, [0], 5, 1.0, 0, 1.0, 1)) == list(wanted)


@settings(max_examples=60)
@given(st.lists(CHARACTERS, min_size=1, max_size=30, unique=True), st.booleans())
@example(['"', "'", "\\", "\n"], False)
def test_characters(folder: Path, characters: list[str], unknown: bool) -> None:
    check(CharVocabulary(["<unk>", *characters] if unknown else characters), folder)


@settings(max_examples=60)
@given(st.lists(WORDS, max_size=12, unique=True), st.booleans())
@example(NASTY, False)
def test_words(folder: Path, words: list[str], separated: bool) -> None:
    check(WordVocabulary(["<unk>", "<eos>", *words], separated), folder)


@settings(max_examples=30)
@given(st.lists(CHARACTERS.filter(lambda character: character != "\n"), min_size=3, max_size=3, unique=True))
def test_no_symbol_is_in_the_code(characters: list[str]) -> None:
    assert script(make_checkpoint(CharVocabulary(characters))) == script(make_checkpoint(CharVocabulary("abc")))


@pytest.fixture(scope="module")
def by_words(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, ModuleType]:
    """The exported model of tokenised words, and that of separated ones."""
    made = {}
    for separated, name in ((False, "words"), (True, "separated words")):
        checkpoint = make_checkpoint(name)
        made[separated] = run(script(checkpoint), weights(checkpoint), tmp_path_factory.mktemp("words"))
    return made


@settings(max_examples=150)
@given(
    st.one_of(
        st.text(max_size=60),
        st.text(" \n\"'`.,;-–—0123456789abe\u0301ह\u093fन्🏽👩\u200d’-<>unkeos()!?£", max_size=60),
    ),
    st.booleans(),
)
@example("hi\udcff there", False)
@example("\"The cat,\" it said -- \n\n'well-fed' don't 3.14 <unk> <eos>", False)
def test_a_text_is_cut_into_words_as_the_engine_cuts_it(
    by_words: dict[bool, ModuleType], text: str, separated: bool
) -> None:
    vocabulary = VOCABULARIES["separated words" if separated else "words"]
    assert by_words[separated].encode(text, list(vocabulary.symbols)) == vocabulary.encode(text).tolist()
    # Whatever the words are: each token of the text is a word of its own here.
    known = Vocabulary.from_json(
        WordVocabulary(dict.fromkeys(["<unk>", "<eos>", *_tokens(text, separated)]), separated).to_json()
    )
    assert by_words[separated].encode(text, list(known.symbols)) == known.encode(text).tolist()


def _tokens(text: str, separated: bool) -> list[str]:
    return [token for token in tokenise(text, separated) if not any("\ud800" <= c <= "\udfff" for c in token)]


@settings(max_examples=150)
@given(st.data(), st.booleans())
def test_words_are_joined_as_the_engine_joins_them(
    by_words: dict[bool, ModuleType], data: st.DataObject, separated: bool
) -> None:
    vocabulary = VOCABULARIES["separated words" if separated else "words"]
    marks = WordVocabulary(["<unk>", "<eos>", *"\"'`.,;:!?)]}%”’»…([{“‘«¿¡$£€@", "a", "b"], separated)
    for known in (vocabulary, marks):
        ids = data.draw(st.lists(st.integers(0, len(known) - 1), max_size=20))
        assert by_words[separated].decode(ids, list(known.symbols)) == known.decode(ids)
