"""Bringing a text of one's own: paste it or upload it, in whatever encoding; what was done to it is said."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import PurePath

import streamlit as st

from engine.config import ConfigError, DataConfig
from engine.data import MAX_BYTES, Cleaned, Corpus, EncodingError, Offer, TextError, read, shuffled_lines, tidy
from playground.access import corpora
from playground.frame import services
from playground.parts.setting_names import in_labels
from playground.runs.records import StoreError
from playground.state import draft as drafts
from playground.text import escape_markdown
from playground.views.train.controls import batches

_STATE = "own.text"
_KEPT = 20_000
"""Characters up to which a pasted text that was refused stays in its field: what stands there goes to the server with
every event of the page."""

_MEGABYTES = MAX_BYTES // 1_000_000
"""The largest file; the field says so, and refuses what is larger."""


@dataclass(frozen=True)
class _Brought:
    """What became of the text that the visitor brought last.

    Attributes:
        turn: part of the keys of the fields: another one makes them anew, and empty.
        problem: why it was not taken in.
        name, raw, offers: of a file in another encoding, until one of those on offer is chosen.
        corpus, note: which text was taken in, and what was changed in it.
    """

    turn: int = 0
    problem: str = ""
    name: str = ""
    raw: bytes = b""
    offers: tuple[Offer, ...] = ()
    corpus: str = ""
    note: str = ""


def fields() -> None:
    """The fields to paste and to upload a text, and what is in the way of the one that was brought."""
    brought = _brought()
    with st.container():  # always there, so that what follows keeps its place
        _problem(brought)
    key = f"own.pasted.{brought.turn}"
    with st.form(f"own.form.{brought.turn}", border=False):  # what is pasted goes to the server once, with the button
        st.text_area("Paste your own text", height=68, key=key)
        st.form_submit_button(
            "Use the pasted text", icon=":material/content_paste:", width="stretch", on_click=_take_pasted, args=(key,)
        )
    key = f"own.upload.{brought.turn}"
    st.file_uploader("or upload a file", key=key, max_upload_size=_MEGABYTES, on_change=_take_uploaded, args=(key,))
    st.caption("Your text and your runs are stored on this server. Other visitors can see your runs.")


def _problem(brought: _Brought) -> None:
    """Why a text was not taken in, and the encodings that it may be in."""
    if brought.problem:
        st.error(escape_markdown(brought.problem))
    for offer in brought.offers:
        st.button(
            escape_markdown(f"Read as {offer.title}: {offer.words}"),
            key=f"own.offer.{brought.turn}.{offer.encoding}",
            width="stretch",
            on_click=_take_offered,
            args=(offer.encoding,),
        )


def notes(found: Corpus) -> None:
    """What was changed in the text that the draft reads, and whether its lines are sorted."""
    brought = _brought()
    if brought.corpus == found.name and brought.note:
        st.caption(escape_markdown(brought.note))
    if corpora.is_sorted(found):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(
                ":material/sort: The lines of this text appear to be sorted by kind, so its last tenth, the validation "
                "part, differs from the rest.",
                width="stretch",
            )
            st.button("Shuffle the lines", icon=":material/shuffle:", on_click=_shuffle, args=(found.name,))


def _brought() -> _Brought:
    return st.session_state.setdefault(_STATE, _Brought())


def _take_pasted(key: str) -> None:
    pasted = str(st.session_state.get(key, ""))
    _take(lambda: tidy(pasted), keep_field=len(pasted) <= _KEPT)


def _take_uploaded(key: str) -> None:
    upload = st.session_state.get(key)
    if upload is not None:
        _take(lambda: read(upload.getvalue()), upload.name, upload.getvalue())


def _take_offered(encoding: str) -> None:
    brought = _brought()
    _take(lambda: read(brought.raw, encoding=encoding), brought.name, brought.raw)


def _shuffle(corpus: str) -> None:
    digest = corpus.removeprefix("own:")

    def shuffled() -> Cleaned:
        return Cleaned(shuffled_lines(services.store().text(digest)))

    _take(shuffled, f"{corpora.text_name(corpus)}, shuffled")


def _take(read_it: Callable[[], Cleaned], name: str = "", raw: bytes = b"", keep_field: bool = False) -> None:
    """Put a text of the visitor's into the store and make it the draft's, with batches that fit it; or say why not.

    The fields are emptied, unless a short text that was refused may stay to be mended.
    """
    before, title = _brought(), _title(name)
    turn = before.turn
    try:
        found = read_it()
        corpus = f"own:{services.store().put_text(found.text, title)}"
        draft = drafts.current().edited("data", "corpus", corpus)
        corpora.corpus(replace(draft.config.data, streams=1, chunk=1))
    except EncodingError as error:
        refused = _Brought(turn + 1, str(error), name, raw if error.offers else b"", error.offers)
        st.session_state[_STATE] = replace(refused, corpus=before.corpus, note=before.note)  # that text stays chosen
        return
    except (TextError, ConfigError, StoreError) as error:
        refused = _Brought(turn + (not keep_field), in_labels(str(error)))
        st.session_state[_STATE] = replace(refused, corpus=before.corpus, note=before.note)
        return
    st.session_state[_STATE] = _Brought(turn + 1, corpus=corpus, note=found.note)
    with suppress(ConfigError):  # what the visitor gave does not fit, which the preview says
        draft = batches.fit(draft, wished=DataConfig())
    drafts.keep(draft.renewed())


def _title(name: str) -> str:
    """A file's name without what says that it is a text."""
    path = PurePath(name)
    return path.stem if path.suffix.lower() in (".txt", ".text", ".md", ".csv", ".tsv", ".log") else name
