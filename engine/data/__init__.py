"""Texts, vocabularies, corpora and batches."""

from engine.data.batches import IGNORED, Batch, Streams, evaluation_chunks, lead_in, most_streams
from engine.data.corpora import SOURCES, Corpus, Source, Split, load_split, prepare
from engine.data.downloads import DownloadError
from engine.data.facts import PerCharacter, TextFacts
from engine.data.text import MAX_BYTES, TextError, clean, decode, fingerprint
from engine.data.vocabulary import CharVocabulary, Vocabulary, WordVocabulary

__all__ = [
    "IGNORED",
    "MAX_BYTES",
    "SOURCES",
    "Batch",
    "CharVocabulary",
    "Corpus",
    "DownloadError",
    "PerCharacter",
    "Source",
    "Split",
    "Streams",
    "TextError",
    "TextFacts",
    "Vocabulary",
    "WordVocabulary",
    "clean",
    "decode",
    "evaluation_chunks",
    "fingerprint",
    "lead_in",
    "load_split",
    "most_streams",
    "prepare",
]
