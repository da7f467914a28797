"""Texts, vocabularies, corpora and batches."""

from engine.data.batches import (
    IGNORED,
    Batch,
    Streams,
    check_batches,
    evaluation_chunks,
    fit_batches,
    lead_in,
    most_streams,
)
from engine.data.corpora import SOURCES, Corpus, Source, Split, load_split, prepare, prepare_fitted
from engine.data.downloads import DownloadError
from engine.data.encodings import Offer
from engine.data.facts import PerCharacter, TextFacts
from engine.data.order import shuffled_lines, sorted_by_kind
from engine.data.text import (
    MAX_BYTES,
    Cleaned,
    EncodingError,
    TextError,
    clean,
    decode,
    fingerprint,
    first_words,
    read,
    tidy,
)
from engine.data.vocabulary import CharVocabulary, Vocabulary, WordVocabulary

__all__ = [
    "IGNORED",
    "MAX_BYTES",
    "SOURCES",
    "Batch",
    "CharVocabulary",
    "Cleaned",
    "Corpus",
    "DownloadError",
    "EncodingError",
    "Offer",
    "PerCharacter",
    "Source",
    "Split",
    "Streams",
    "TextError",
    "TextFacts",
    "Vocabulary",
    "WordVocabulary",
    "check_batches",
    "clean",
    "decode",
    "evaluation_chunks",
    "fingerprint",
    "first_words",
    "fit_batches",
    "lead_in",
    "load_split",
    "most_streams",
    "prepare",
    "prepare_fitted",
    "read",
    "shuffled_lines",
    "sorted_by_kind",
    "tidy",
]
