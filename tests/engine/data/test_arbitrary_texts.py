"""Whatever comes in as a text: a corpus that can be trained on, or a TextError (ConfigError for its batches)."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.config import ConfigError, DataConfig
from engine.data import Corpus, TextError, Vocabulary, clean, decode, fingerprint, prepare

ODD = st.text(
    st.sampled_from("ab \n\t\r\0\x07\x1b\x85\xa0\u2028\u200b\u202e\ufeff\ufffd\u0301\ud800\U0001f642<unk>&*$:[]`'\""),
    max_size=200,
)
TEXTS = st.one_of(st.text(max_size=200), ODD, st.text(max_size=12).map(lambda part: part * 40))

DATA = st.builds(
    DataConfig,
    corpus=st.just("own:"),
    level=st.sampled_from(["char", "word"]),
    vocabulary_limit=st.integers(2, 40),
    streams=st.integers(1, 4),
    chunk=st.integers(1, 8),
)


def prepared(text: str, data: DataConfig) -> Corpus | None:
    """The corpus of a text that a visitor brought, by the way it takes through the app; None where it is refused."""
    try:
        cleaned = clean(text)
        named = DataConfig(
            corpus=f"own:{fingerprint(cleaned)}",
            level=data.level,
            vocabulary_limit=data.vocabulary_limit,
            streams=data.streams,
            chunk=data.chunk,
        )
        return prepare(named, lambda _: cleaned)
    except (TextError, ConfigError) as error:
        said = str(error)
    assert said.endswith(".")
    said.encode("utf-8")  # it can be printed and sent
    return None


@settings(max_examples=200)
@given(TEXTS, DATA)
@example("<unk> <eos> <unk>\n" * 20, DataConfig(level="word", streams=1, chunk=2))
@example("\u2028" * 100, DataConfig(level="word", streams=1, chunk=2))
def test_any_text_is_prepared_or_refused(text: str, data: DataConfig) -> None:
    corpus = prepared(text, data)
    if corpus is None:
        return
    size = len(corpus.vocabulary)
    assert 2 <= size <= data.vocabulary_limit or data.level == "word"
    for part in (corpus.train, corpus.validation):
        assert len(part) >= 2
        assert 0 <= int(part.min()) <= int(part.max()) < size
    assert len(corpus.train) > data.streams * data.chunk
    assert Vocabulary.from_json(corpus.vocabulary.to_json()) == corpus.vocabulary
    if data.level == "char" and corpus.vocabulary.unknown is None:
        assert corpus.vocabulary.decode(corpus.train) == corpus.train_text
    for token in range(size):
        assert corpus.vocabulary.display(token)


@settings(max_examples=120)
@given(st.binary(max_size=200) | TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass")))
@example(b"\xff\xfea\0b\0")
@example(b"\x80\x04\x95")
def test_any_bytes_are_a_clean_text_or_refused(raw: bytes) -> None:
    try:
        text = decode(raw)
    except TextError:
        return
    assert clean(text) == text


@settings(max_examples=80)
@given(TEXTS, TEXTS.filter(str.strip))
def test_any_prompt_is_read_or_refused(prompt: str, text: str) -> None:
    corpus = prepared(text * 30, DataConfig(corpus="own:", streams=1, chunk=2))
    if corpus is None:
        return
    nearest = corpus.vocabulary.encode(prompt, unknown="nearest")
    try:
        tokens = corpus.vocabulary.encode(prompt)
    except TextError:
        assert corpus.vocabulary.unknown is None
        assert not set(prompt) <= set(corpus.vocabulary.symbols)
        assert set(corpus.vocabulary.read_instead(prompt)).isdisjoint(corpus.vocabulary.symbols)
    else:
        assert corpus.vocabulary.read_instead(prompt) or list(tokens) == list(nearest)
