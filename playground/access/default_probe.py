"""A run's default probe: what is put through it as long as nobody has written anything."""

from __future__ import annotations

import re
from collections.abc import Iterator

import streamlit as st

from engine.config import ConfigError
from engine.data import SOURCES, TextError, Vocabulary, downloads, load_split
from engine.data.words import tokenise
from playground.access.probes import read_probe
from playground.frame import services
from playground.runs.reader import Snapshot

_CHARACTERS, _WORDS = 24, 8
"""About so long is a probe that can be taken in at a glance."""

_PASSAGE_CHARACTERS, _PASSAGE_WORDS = 200, 50
"""About so long is a passage in which something that lasts, as a quotation does, begins and ends."""

_QUOTATION = re.compile(r'[^"“”]*["“][^"“”]{8,}["”][^"“”]{8,}["“][^"“”]{8,}["”]')
"""Two quotations, each from beginning to end, in what a passage begins with."""

_SEARCHED = 4_000
"""Characters from the beginning of the validation text in which a good place is looked for."""

_PARAGRAPH = re.compile(r"\n\s*\n(?=\S)")

_FILES = {
    "tinyshakespeare": (downloads.TINY_SHAKESPEARE,),
    "wikitext-2": downloads.WIKITEXT_2,
    "names": (downloads.NAMES,),
}
"""What the downloaded corpora need on the disk; one that is not there is not fetched for this."""


def default_probe(run: Snapshot, vocabulary: Vocabulary, *, passage: bool = False) -> str:
    """A short text that this model can read.

    A stretch of its validation text where that is at hand without a download; else what its best sample says, its
    prompt, or the first symbols of its vocabulary.

    Args:
        passage: a few sentences instead of a few words: such as have quotations, where there are any
    """
    return next(text for text in _candidates(run, vocabulary, passage) if len(read_probe(text, vocabulary)))


def _candidates(run: Snapshot, vocabulary: Vocabulary, passage: bool) -> Iterator[str]:
    level, separated = vocabulary.level, bool(getattr(vocabulary, "separated", False))
    corpus = run.run.config.data.corpus
    if _at_hand(corpus):
        yield _known(_beginning(corpus), vocabulary, passage)
    samples = {sample.step: sample.text for sample in run.samples}
    newest = run.samples[-1].text if run.samples else ""
    yield stretch(samples.get(run.run.best_step or -1, newest), level, separated, passage=passage)
    yield run.run.config.sampling.prompt
    symbols = [symbol for symbol in vocabulary.symbols if not symbol.startswith("<")] or [*vocabulary.symbols]
    yield ("" if level == "char" else " ").join(symbols[:_WORDS])
    yield "\n"  # words: a line end is a token of every vocabulary


def _known(text: str, vocabulary: Vocabulary, passage: bool) -> str:
    """The first stretch of a text that holds no unknown token, or else the first; of passages, the first such one with
    quotations, if there is one."""
    how = vocabulary.level, bool(getattr(vocabulary, "separated", False))
    later = (stretch(text[place.start() :], *how, passage=passage) for place in _PARAGRAPH.finditer(text))
    first = ""
    for each in later:
        if not read_probe(each, vocabulary).unknown:
            first = first or each
            if not passage or _QUOTATION.match(each):
                return each
    return first or stretch(text, *how, passage=passage)


@st.cache_resource(max_entries=256, show_spinner=False)
def _beginning(corpus: str) -> str:
    """How the validation part of a corpus begins; empty where it cannot be read."""
    try:
        return load_split(corpus, services.own_text).validation[:_SEARCHED]
    except (TextError, ConfigError):
        return ""  # its text is gone, or damaged


def _at_hand(corpus: str) -> bool:
    """Whether a text can be read without a network. A file of the server is nobody's to read."""
    if corpus.startswith("own:"):
        return True
    if corpus not in SOURCES:
        return False
    return SOURCES[corpus].origin == "built in" or (
        corpus in _FILES and all(downloads.is_here(file) for file in _FILES[corpus])
    )


def stretch(text: str, level: str, separated: bool = False, *, passage: bool = False) -> str:
    """A short piece of a text: from the beginning of a paragraph, or at least of a line, to the end of a word."""
    characters, words = (_PASSAGE_CHARACTERS, _PASSAGE_WORDS) if passage else (_CHARACTERS, _WORDS)
    begins = _PARAGRAPH.search(text) or re.search(r"\n(?=\S)", text)
    rest = text[begins.end() :] if begins and len(text) - begins.end() >= characters else text.lstrip()
    if level == "char":
        end = re.compile(r"\b").search(rest, characters)
        return rest[: min(end.start(), characters + 6) if end else characters]
    return _first_words(rest, words, separated)


def _first_words(text: str, words: int, separated: bool) -> str:
    """The beginning of a text, as far as its first words and marks go; line ends are not among them."""
    line = " ".join(text[: 60 * words].split())
    end = 0
    for word in tokenise(line, separated)[:words]:
        end = line.index(word, end) + len(word)
    return line[:end]
