"""Corpora: what a model learns from, by name, split and turned into tokens."""

from __future__ import annotations

import hashlib
import platform
import re
import shlex
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from types import MappingProxyType

import torch
from torch import Tensor

from engine.config import ConfigError, DataConfig
from engine.data import downloads, python_text
from engine.data.batches import check_batches, fit_batches
from engine.data.downloads import Progress
from engine.data.text import MAX_BYTES, Cleaned, EncodingError, TextError, check_kept, decode, fingerprint, read
from engine.data.vocabulary import CharVocabulary, Vocabulary, WordVocabulary

TRAIN_SHARE = 0.9  # the rest, at the end, is for validation: as nanoGPT has it
LONGEST_HALF = 100  # characters of a word that may go over; scripts without spaces keep their cut

OwnText = Callable[[str], str]


@dataclass(frozen=True)
class Split:
    """The parts of a corpus as text.

    Attributes:
        title: its name for people.
        train, validation: the two parts every corpus has.
        test: a third, only where the corpus brings one.
        notes: what a reader of the numbers should know, in sentences.
        separated: whether its words are set apart by spaces already.
        levels: what its tokens may be.
    """

    title: str
    train: str
    validation: str
    test: str | None = None
    notes: tuple[str, ...] = ()
    separated: bool = False
    levels: tuple[str, ...] = ("char", "word")

    @property
    def text(self) -> str:
        """The whole text, each part once."""
        if self.validation == self.train:
            return self.train
        return self.train + self.validation + (self.test or "")


@dataclass(frozen=True)
class Source:
    """A corpus that has a name.

    Attributes:
        name: as in `config.data.corpus`.
        title, description: for people.
        licence: under what terms the text stands.
        origin: "built in" or "download".
        levels: what its tokens may be.
        size_bytes: about how large it is.
        load: makes its split; is given the progress callback of downloads.
    """

    name: str
    title: str
    description: str
    licence: str
    origin: str
    levels: tuple[str, ...]
    size_bytes: int
    load: Callable[[Progress | None], Split]


@dataclass(frozen=True, eq=False)
class Corpus:
    """A corpus ready to train on.

    Attributes:
        name, title: as in the config, and for people.
        level: "char" or "word".
        vocabulary: what the ids mean. Characters are those of the whole text, validation included, as nanoGPT has it;
            words are those of the training part, so that others are unknown.
        train, validation: token ids, (tokens), int64.
        test: the same, where the corpus brings such a part.
        train_text, validation_text: the two parts as text.
        sha256: of the parts and the vocabulary; a run resumes only on the corpus it began with.
        notes: what a reader of the numbers should know, in sentences.
        text_notes: those of them that are on the text itself, such as what was changed in it as it was read.
    """

    name: str
    title: str
    level: str
    vocabulary: Vocabulary
    train: Tensor
    validation: Tensor
    test: Tensor | None
    train_text: str
    validation_text: str
    sha256: str
    notes: tuple[str, ...]
    text_notes: tuple[str, ...] = ()


def load_split(corpus: str, own: OwnText | None = None, progress: Progress | None = None) -> Split:
    """The text of a corpus, in its parts.

    Args:
        corpus: a name in `SOURCES`, file:PATH, or own:HASH.
        own: gives the text of the user's that has a hash; a LookupError where there is none.
        progress: called with (bytes done, bytes in all) while a download runs.

    Raises:
        ConfigError: no corpus of that name.
        TextError: a text that cannot be used; DownloadError: one that cannot be had.
    """
    kind, colon, rest = corpus.partition(":")
    if colon and kind == "file":
        found = _read_file(Path(rest))
        return _split_own(Path(rest).name, found.text, *filter(None, [found.note]))
    if colon and kind == "own":
        return _split_own("Your text", _read_own(rest, own))
    if corpus not in SOURCES:
        raise ConfigError(
            f"There is no corpus named {corpus!r}: choose one of {', '.join(SOURCES)}, file:PATH or own:HASH."
        )
    return SOURCES[corpus].load(progress)


def prepare(
    data: DataConfig,
    own: OwnText | None = None,
    progress: Progress | None = None,
    vocabulary: Vocabulary | None = None,
) -> Corpus:
    """The corpus that a config names, as tokens: of its own vocabulary, or of a given one.

    Raises:
        ConfigError: no such corpus, a level it does not have, or streams and chunk that its training
            part is too short for.
        TextError: a text that cannot be used; DownloadError: one that cannot be had.
    """
    split = load_split(data.corpus, own, progress)
    if data.level not in split.levels:
        raise ConfigError(
            f"{split.title} cannot be read as {data.level}s: set data.level to {' or '.join(split.levels)}."
        )
    if data.level == "word":
        split = _cut_between_words(split)
    vocabulary = vocabulary or _vocabulary(split, data)
    train, validation = (torch.from_numpy(vocabulary.encode(part)) for part in (split.train, split.validation))
    test = None if split.test is None else torch.from_numpy(vocabulary.encode(split.test))
    _check_length(data, split, train, validation)
    return Corpus(
        name=data.corpus,
        title=split.title,
        level=data.level,
        vocabulary=vocabulary,
        train=train,
        validation=validation,
        test=test,
        train_text=split.train,
        validation_text=split.validation,
        sha256=_hash(split, vocabulary),
        notes=(*split.notes, _vocabulary_note(data.level, vocabulary)),
        text_notes=split.notes,
    )


def _vocabulary_note(level: str, vocabulary: Vocabulary) -> str:
    """What the vocabulary holds, in a sentence."""
    if level == "word":
        return "The vocabulary holds the words of the training part; all others are unknown (<unk>)."
    if vocabulary.unknown is None:
        return "The vocabulary holds the characters of the whole text, validation part included, as in nanoGPT."
    return "The vocabulary holds the most frequent characters of the whole text; all others are unknown (<unk>)."


def prepare_fitted(
    data: DataConfig, own: OwnText | None = None, progress: Progress | None = None, *, given: Collection[str] = ()
) -> tuple[DataConfig, Corpus]:
    """The corpus that a config names, and the config with streams and chunk as its training part allows them.

    Args:
        given: those of "streams" and "chunk" that somebody chose: they stay as they are

    Raises:
        ConfigError: what is given does not fit, and all that `prepare` refuses.
    """
    corpus = prepare(replace(data, streams=1, chunk=1), own, progress)
    streams, chunk = fit_batches(len(corpus.train), data.streams, data.chunk, given)
    return replace(data, streams=streams, chunk=chunk), corpus


def split_by_position(text: str) -> tuple[str, str]:
    """The first nine tenths of a text, and the rest."""
    cut = int(TRAIN_SHARE * len(text))
    return text[:cut], text[cut:]


def _cut_between_words(split: Split) -> Split:
    """The same split with no word cut in two: its second half goes over to the training part."""
    if split.train[-1:].isspace():
        return split
    half = re.match(rf"\S{{0,{LONGEST_HALF}}}(?=\s)", split.validation)
    moved = half.end() if half else 0
    return replace(split, train=split.train + split.validation[:moved], validation=split.validation[moved:])


def _vocabulary(split: Split, data: DataConfig) -> Vocabulary:
    if data.level == "word":
        return WordVocabulary.build(split.train, data.vocabulary_limit, split.separated)
    vocabulary = CharVocabulary.build(split.text, data.vocabulary_limit)
    if len(vocabulary) < 2:
        raise TextError(
            f"{split.title} repeats a single character ({vocabulary.display(0)}), so there is nothing to predict. "
            "Use a text with at least two different characters."
        )
    return vocabulary


def _check_length(data: DataConfig, split: Split, train: Tensor, validation: Tensor) -> None:
    unit = {"char": "character", "word": "word"}[data.level]
    for part, tokens in (("training", train), ("validation", validation)):
        if len(tokens) < 2:
            raise TextError(
                f"{split.title} is too short: its {part} part has {len(tokens)} {unit}{'s' * (len(tokens) != 1)}, "
                f"and at least 2 are needed (the last tenth of a text is the validation part). Use a longer text."
            )
    check_batches(len(train), data.streams, data.chunk)


def _hash(split: Split, vocabulary: Vocabulary) -> str:
    digest = hashlib.sha256()
    for part in (split.train, split.validation, split.test or "", vocabulary.to_json()):
        raw = part.encode("utf-8")
        digest.update(len(raw).to_bytes(8, "big"))  # so that moving the cut changes the hash
        digest.update(raw)
    return digest.hexdigest()


def _read_file(path: Path) -> Cleaned:
    try:
        if not path.is_file():
            problem = "is not a file" if path.exists() else "does not exist"
            raise TextError(f"The text file {str(path)!r} {problem}: give the path of a UTF-8 text file.")
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        size = path.stat().st_size
    except OSError as error:
        raise TextError(f"The text file {str(path)!r} cannot be read: {error.strerror}.") from None
    if size > MAX_BYTES:
        raise TextError(
            f"The text file {str(path)!r} is {size / 1e6:.1f} MB; the limit is {MAX_BYTES / 1e6:g} MB. Use part of it."
        )
    try:
        return read(raw)
    except EncodingError as error:
        ways = [f"iconv -f {offer.iconv} -t UTF-8 {shlex.quote(str(path))} > NEW.txt" for offer in error.offers]
        how = f" To convert it in a shell: {' or '.join(ways)}" if ways else ""
        raise TextError(f"{str(path)!r}: {error}{how}") from None
    except TextError as error:
        raise TextError(f"{str(path)!r}: {error}") from None


def _read_own(wanted: str, own: OwnText | None) -> str:
    if own is None:
        raise TextError("Your own texts are kept in the app's store, which is unavailable here: use file:PATH.")
    try:
        text = own(wanted)
    except LookupError:
        raise TextError(
            f"There is no stored text with the hash {wanted[:12]}: paste or upload the text again."
        ) from None
    if fingerprint(text) != wanted:
        raise TextError(f"The stored text {wanted[:12]} is damaged: paste or upload the text again.")
    return check_kept(text)


def _split_own(title: str, text: str, *notes: str) -> Split:
    train, validation = split_by_position(text)
    return Split(title, train, validation, notes=notes)


def _tales(_: Progress | None) -> Split:
    raw = resources.files("engine.data").joinpath("tales.txt").read_bytes()
    return Split("Tales", *split_by_position(decode(raw)))


def _python_docs(_: Progress | None) -> Split:
    note = f"This text comes from Python {platform.python_version()}, which runs Unrolled here."
    return Split("Python's documentation", *split_by_position(python_text.documentation()), notes=(note,))


def _python_source(_: Progress | None) -> Split:
    text, missing = python_text.source()
    notes = [f"This text comes from Python {platform.python_version()}, which runs Unrolled here."]
    if missing:
        notes.append(f"Missing from this Python: {', '.join(missing)}.")
    return Split("Python's source code", *split_by_position(text), notes=tuple(notes))


def _hello(_: Progress | None) -> Split:
    note = "This text is too short to split: the training part is also the validation part."
    return Split("hello", "hello", "hello", notes=(note,), levels=("char",))


def _tiny_shakespeare(progress: Progress | None) -> Split:
    text = decode(downloads.read(downloads.TINY_SHAKESPEARE, progress))
    return Split("Tiny Shakespeare", *split_by_position(text))


def _wikitext_2(progress: Progress | None) -> Split:
    # As published, byte-order marks included: others' numbers are counted over these very tokens.
    train, validation, test = (raw.decode("utf-8") for raw in downloads.read_all(downloads.WIKITEXT_2, progress))
    note = "Rare words are already replaced by <unk> in the published corpus, which lowers its bits per character."
    return Split("WikiText-2", train, validation, test, notes=(note,), separated=True)


def _names(progress: Progress | None) -> Split:
    text = decode(downloads.read(downloads.NAMES, progress))
    return Split("Names", *split_by_position(text), levels=("char",))


_BOTH = ("char", "word")
_PYTHON_LICENCE = "Python Software Foundation License; read from the installed Python, not shipped with Unrolled"

SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        source.name: source
        for source in (
            Source(
                "tales",
                "Tales",
                "Short original stories with a lot of dialogue, in lines of at most 64 characters.",
                "CC0 1.0",
                "built in",
                _BOTH,
                178_000,
                _tales,
            ),
            Source(
                "python-docs",
                "Python's documentation",
                "The language reference, by topic, as shown by help().",
                _PYTHON_LICENCE,
                "built in",
                _BOTH,
                470_000,
                _python_docs,
            ),
            Source(
                "python-source",
                "Python's source code",
                f"{len(python_text.SOURCE_FILES)} modules of the standard library.",
                _PYTHON_LICENCE,
                "built in",
                _BOTH,
                1_800_000,
                _python_source,
            ),
            Source(
                "hello",
                "hello",
                "One word with four different letters: the smallest example, with few enough numbers to show them all.",
                "CC0 1.0",
                "built in",
                ("char",),
                5,
                _hello,
            ),
            Source(
                "tinyshakespeare",
                "Tiny Shakespeare",
                "40,000 lines from Shakespeare's plays, as used by char-rnn and nanoGPT.",
                "public domain",
                "download",
                _BOTH,
                downloads.TINY_SHAKESPEARE.size,
                _tiny_shakespeare,
            ),
            Source(
                "wikitext-2",
                "WikiText-2",
                "Good and featured Wikipedia articles: two million words, with separate validation and test parts.",
                "CC BY-SA 3.0",
                "download",
                _BOTH,
                sum(file.size for file in downloads.WIKITEXT_2),
                _wikitext_2,
            ),
            Source(
                "names",
                "Names",
                "32,033 first names, one per line, as used by makemore.",
                "public domain (US government data)",
                "download",
                ("char",),
                downloads.NAMES.size,
                _names,
            ),
        )
    }
)
