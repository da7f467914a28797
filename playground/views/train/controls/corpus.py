"""Controls of the text: which one, read by characters or words, and how it is cut into batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from engine.config import Config, ConfigError
from engine.data import SOURCES, TextError, TextFacts
from playground.access import corpora
from playground.parts import text_facts
from playground.parts.setting_names import in_labels, label
from playground.state import draft as drafts
from playground.state.draft import Draft
from playground.text import escape_markdown, number, shorten, size
from playground.views.train.controls import batches, own_text
from playground.views.train.controls.settings import edit, meaning, pick, setting, widget_key


def text_controls(draft: Draft) -> None:
    """Choose the text, what a token is, and how it is cut into batches; see what the model will read."""
    titles = {name: source.title for name, source in SOURCES.items()}
    data = draft.config.data
    if data.corpus.startswith("own:"):
        titles[data.corpus] = corpora.text_name(data.corpus)
    pick(draft, "data", "corpus", "Text", titles, on_change=_edit_text)
    source = SOURCES.get(data.corpus)
    if source:
        st.caption(escape_markdown(f"{source.description} {_origin(source)}"))
    own_text.fields()
    left, right = st.columns(2, vertical_alignment="bottom")
    with left:
        _level(draft)
    with right:
        setting(draft, "data", "vocabulary_limit", disabled=data.level == "char" and not data.corpus.startswith("own:"))
    left, right = st.columns(2, vertical_alignment="bottom")
    with left:
        setting(draft, "data", "streams", on_change=_edit_batches)
    with right:
        setting(draft, "data", "chunk", on_change=_edit_batches)
    _preview(draft.config)


def _level(draft: Draft) -> None:
    """Characters or words, as far as the text offers both."""
    source = SOURCES.get(draft.config.data.corpus)
    key = widget_key(draft, "data", "level")
    levels = source.levels if source else ("char", "word")
    chosen = draft.config.data.level
    shown = list(dict.fromkeys((chosen, *levels)))
    st.selectbox(
        label("level"),
        shown,
        shown.index(chosen),
        format_func=lambda level: {"char": "characters", "word": "words"}[level],
        key=key,
        help=meaning("data", "level"),
        on_change=_edit_text,
        args=("data", "level", key),
    )


def _edit_text(section: str, name: str, key: str) -> None:
    """Another text, or another kind of token: streams and chunk that the visitor did not give are fitted to it."""
    edit(section, name, key)
    draft = drafts.current()
    try:
        fitted = batches.fit(draft)
    except ConfigError:
        return  # what was given does not fit: the preview says so
    if fitted is not draft:
        drafts.keep(fitted.renewed())


def _edit_batches(section: str, name: str, key: str) -> None:
    if not drafts.outdated(key):
        edit(section, name, key)
        batches.keep_given(name)


def _origin(source: Any) -> str:
    where = "Built in" if source.origin == "built in" else "Downloaded once"
    return f"{where}, {size(source.size_bytes)}. {source.licence}"


def _preview(config: Config) -> None:
    """What the model will read: the beginning of the text, its tokens, its vocabulary and its split."""
    try:
        corpus = corpora.corpus(config.data, _shown_progress())
    except (TextError, ConfigError) as error:
        st.error(escape_markdown(in_labels(str(error))))
        return
    what = "characters" if corpus.level == "char" else "words"
    st.markdown(
        f"Training **{number(len(corpus.train))}** {what}, validation **{number(len(corpus.validation))}**, "
        f"vocabulary **{number(len(corpus.vocabulary))}**."
    )
    fitted = batches.said(config.data)
    if fitted:
        st.caption(fitted)
    _facts(corpora.facts(config.data))
    own_text.notes(corpus)
    for note in corpus.notes:
        st.caption(escape_markdown(note))
    with st.popover("Show the text and its vocabulary", icon=":material/visibility:", width="stretch"):
        st.caption("Beginning of the training part")
        st.code(shorten(corpus.train_text[:700], 600), language=None, wrap_lines=True)
        shown = min(len(corpus.vocabulary), 400)
        st.caption(f"Vocabulary: {number(shown)} of {number(len(corpus.vocabulary))} symbols")
        symbols = "  ".join(corpus.vocabulary.display(token) for token in range(shown))
        st.code(symbols, language=None, wrap_lines=True)


def _facts(facts: TextFacts) -> None:
    """What of the text the model will not know, how its bits are counted, and what of it is not unseen."""
    for said in (text_facts.unknown_tokens(facts), text_facts.how_bits_are_counted(facts)):
        if said:
            st.caption(escape_markdown(said))
    seen = escape_markdown(text_facts.seen(facts))
    if seen and facts.seen >= text_facts.MUCH:
        st.markdown(f":material/warning: {seen}")
    elif seen:
        st.caption(seen)


def _shown_progress() -> Callable[[int, int], None]:
    """A bar that appears once a download reports how far it is."""
    place = st.empty()

    def show(done: int, total: int) -> None:
        place.progress(min(1.0, done / max(1, total)), text=f"Downloading: {size(done)} of {size(total)}")
        if done >= total:
            place.empty()

    return show
