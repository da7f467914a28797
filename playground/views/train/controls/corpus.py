"""Controls of the text: which one, read by characters or words, and how it is cut into batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from engine.config import Config, ConfigError, DataConfig
from engine.data import SOURCES, TextError, TextFacts, clean, decode
from playground.access import corpora
from playground.frame import services
from playground.parts import text_facts
from playground.runs.records import StoreError
from playground.state import draft as drafts
from playground.state.draft import Draft
from playground.text import escape_markdown, number, shorten, size
from playground.views.train.controls.settings import edit, meaning, pick, setting, widget_key

_SHORT_BATCH = DataConfig().streams * DataConfig().chunk


def text_controls(draft: Draft) -> None:
    """Choose the text, what a token is, and how it is cut into batches; see what the model will read."""
    titles = {name: source.title for name, source in SOURCES.items()}
    data = draft.config.data
    if data.corpus.startswith("own:"):
        titles[data.corpus] = "Your text"
    pick(draft, "data", "corpus", "Text", titles)
    source = SOURCES.get(data.corpus)
    if source:
        st.caption(escape_markdown(f"{source.description} {_origin(source)}"))
    with st.popover("Paste or upload a text", icon=":material/upload_file:", width="stretch"):
        _own_text()
    left, right = st.columns(2)
    with left:
        _level(draft)
        setting(draft, "data", "streams")
    with right:
        setting(draft, "data", "vocabulary_limit", disabled=data.level == "char" and not data.corpus.startswith("own:"))
        setting(draft, "data", "chunk")
    _preview(draft.config)


def _level(draft: Draft) -> None:
    """Characters or words, as far as the text offers both."""
    source = SOURCES.get(draft.config.data.corpus)
    key = widget_key(draft, "data", "level")
    levels = source.levels if source else ("char", "word")
    chosen = draft.config.data.level
    shown = list(dict.fromkeys((chosen, *levels)))
    st.selectbox(
        "Read by",
        shown,
        shown.index(chosen),
        format_func=lambda level: {"char": "characters", "word": "words"}[level],
        key=key,
        help=meaning("data", "level"),
        on_change=edit,
        args=("data", "level", key),
    )


def _origin(source: Any) -> str:
    where = "Built in" if source.origin == "built in" else "Downloaded once"
    return f"{where}, {size(source.size_bytes)}. {source.licence}"


def _own_text() -> None:
    st.caption("UTF-8 text, up to 5 MB. It stays on this server, in the store of runs.")
    pasted = st.text_area("Paste a text", height=160, key="own.pasted", max_chars=5_000_000)
    if st.button("Use the pasted text", disabled=not pasted, width="stretch"):
        _take_text(lambda: clean(pasted))
    upload = st.file_uploader("or upload a file", key="own.upload", max_upload_size=6)
    if upload is not None and st.button("Use the uploaded file", width="stretch"):
        _take_text(lambda: decode(upload.getvalue()))
    problem = st.session_state.get("own.problem")
    if problem:
        st.error(escape_markdown(problem))


def _take_text(read: Callable[[], str]) -> None:
    """Put a text of the user's into the store and make it the draft's corpus, with batches that fit it."""
    draft = drafts.current()
    try:
        corpus = f"own:{services.store().put_text(read())}"
        fresh = DataConfig()
        whole = draft.edited("data", "streams", fresh.streams).edited("data", "chunk", fresh.chunk)
        changed = _fitted(whole.edited("data", "corpus", corpus))
    except (TextError, ConfigError, StoreError) as error:
        st.session_state["own.problem"] = str(error)  # stays said until the next text, whatever else runs the page
        return
    st.session_state.pop("own.problem", None)
    drafts.load(changed.configs)
    st.rerun()


def _fitted(draft: Draft) -> Draft:
    """The draft with fewer streams, and if need be shorter chunks, where the text is too short for its batches."""
    data = draft.config.data
    length = len(services.store().text(data.corpus.removeprefix("own:"))) * 9 // 10
    streams, chunk = data.streams, data.chunk
    while streams > 1 and streams * chunk > length:
        streams //= 2
    while chunk > 4 and streams * chunk >= length:
        chunk //= 2
    return draft.edited("data", "streams", streams).edited("data", "chunk", chunk)


def _preview(config: Config) -> None:
    """What the model will read: the beginning of the text, its tokens, its vocabulary and its split."""
    try:
        corpus = corpora.corpus(config.data, _shown_progress())
    except (TextError, ConfigError) as error:
        st.error(escape_markdown(str(error)))
        return
    what = "characters" if corpus.level == "char" else "words"
    st.markdown(
        f"**{number(len(corpus.train))}** {what} to learn from, **{number(len(corpus.validation))}** to be judged by, "
        f"**{number(len(corpus.vocabulary))}** different ones."
    )
    if config.data.streams * config.data.chunk < _SHORT_BATCH and config.data.corpus.startswith("own:"):
        st.caption("Streams and chunk were cut down to fit this short text.")
    _facts(corpora.facts(config.data))
    for note in corpus.notes:
        st.caption(escape_markdown(note))
    with st.popover("Look at the text and its vocabulary", icon=":material/visibility:", width="stretch"):
        st.caption("The beginning of the training part")
        st.code(shorten(corpus.train_text[:700], 600), language=None, wrap_lines=True)
        shown = min(len(corpus.vocabulary), 400)
        st.caption(f"Vocabulary, {number(shown)} of {number(len(corpus.vocabulary))}")
        symbols = "  ".join(corpus.vocabulary.display(token) for token in range(shown))
        st.code(symbols, language=None, wrap_lines=True)


def _facts(facts: TextFacts) -> None:
    """What of the text the model will not know, how its bits are counted, and what of it is not unseen."""
    for said in (text_facts.unknown_tokens(facts), text_facts.how_bits_are_counted(facts)):
        if said:
            st.caption(escape_markdown(said))
    seen = escape_markdown(text_facts.seen(facts))
    if facts.seen >= text_facts.MUCH:
        st.markdown(f":material/warning: {seen}")
    else:
        st.caption(seen)


def _shown_progress() -> Callable[[int, int], None]:
    """A bar that appears once a download reports how far it is."""
    place = st.empty()

    def show(done: int, total: int) -> None:
        place.progress(min(1.0, done / max(1, total)), text=f"Downloading: {size(done)} of {size(total)}")
        if done >= total:
            place.empty()

    return show
