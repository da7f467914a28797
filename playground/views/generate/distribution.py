"""A token that was chosen: what else could have come there, and how to put another one in its place."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
import streamlit as st

from engine.config import ConfigError
from engine.data import Vocabulary
from engine.decoding.distribution import next_distribution
from engine.decoding.scores import logits_after
from engine.models.language_model import LanguageModel
from playground import theme
from playground.access.models import Loaded
from playground.access.writing import Request, WritingJob
from playground.charts.next_token import next_token_frame, next_token_spec, percent
from playground.frame.charts import draw_chart
from playground.text import escape_markdown, number, visible
from playground.views.generate import session
from playground.views.generate.session import Writer
from playground.views.generate.settings import settings

_OFFERED = 8


@dataclass(frozen=True, eq=False)
class Place:
    """The next-token distribution at one place of a text, (vocabulary) each."""

    before: np.ndarray
    after: np.ndarray
    token: int


def chosen_place(writer: Writer, place: int) -> None:
    """The chart of one place, and what can be done there."""
    loaded, job = writer.loaded, writer.job
    if not 0 <= place < job.written:
        return
    try:
        found = at(loaded, job, place)
    except ConfigError as error:
        st.error(escape_markdown(str(error)), icon=":material/error:")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{escape_markdown(_headline(found, job, place))}**")
        _walk(job, place)
    family = theme.family(loaded.run.config.model.cell)
    draw_chart(
        frame_of(found, loaded.vocabulary), next_token_spec(theme.FAMILIES[family]), key=f"generate.next.{family}"
    )
    _offer(found, loaded, job, place)


def at(loaded: Loaded, job: WritingJob, place: int) -> Place:
    """What could come at a place of a text, before and after temperature and truncation. Raises ConfigError."""
    forced = tuple(pair for pair in job.request.forced if pair[0] <= place)
    context = [*job.start, *job.tokens[:place]]
    before, after = _distributions(job.request, forced, place, context, loaded.model, loaded.vocabulary)
    return Place(before, after, job.tokens[place])


@st.cache_resource(max_entries=256, show_spinner=False)
def _distributions(
    request: Request, forced: tuple, place: int, _context: list[int], _model: LanguageModel, _vocabulary: Vocabulary
) -> tuple[np.ndarray, np.ndarray]:
    logits = logits_after(_model, _context)
    after = next_distribution(
        logits,
        temperature=request.temperature,
        top_k=request.top_k,
        top_p=request.top_p,
        forbidden=() if _vocabulary.unknown is None else (_vocabulary.unknown,),
    )
    return logits.softmax(0).numpy(), after.numpy()


def frame_of(found: Place, vocabulary: Vocabulary) -> pd.DataFrame:
    """The rows of the chart of a place."""
    return next_token_frame(before=found.before, after=found.after, names=_names(vocabulary), written=found.token)


@lru_cache(maxsize=16)
def _names(vocabulary: Vocabulary) -> list[str]:
    return [visible(vocabulary.display(token), spaces=True) for token in range(len(vocabulary))]


def _headline(found: Place, job: WritingJob, place: int) -> str:
    name = _names(job.vocabulary)[found.token]
    if any(at == place for at, _ in job.request.forced):
        how = f"replaced by you (sampling probability {percent(float(found.after[found.token]))})"
    else:
        how = f"sampling probability {percent(float(found.after[found.token]))}"
    probability = float(found.before[found.token])
    bits = number(-np.log2(probability)) if probability > 0 else "∞"
    return f"Position {place + 1:,}: {name} · model probability {percent(probability)} ({bits} bits), {how}"


def _walk(job: WritingJob, place: int) -> None:
    with st.container(horizontal=True, width="content"):
        for name, icon, help_, to, disabled in (
            ("before", ":material/chevron_left:", "Previous token", place - 1, place == 0),
            ("after", ":material/chevron_right:", "Next token", place + 1, place + 1 >= job.written),
            ("close", ":material/close:", "Close", -1, False),
        ):
            st.button(
                "", icon=icon, help=help_, key=f"generate.{name}", disabled=disabled, on_click=look_at, args=(to,)
            )


def look_at(place: int) -> None:
    """Look at another place; at none for -1."""
    settings.change(renew=False, place=place)


def _offer(found: Place, loaded: Loaded, job: WritingJob, place: int) -> None:
    """Other tokens to put in here, the likeliest first, or any other by name."""
    names, vocabulary = _names(loaded.vocabulary), loaded.vocabulary
    order = np.argsort(-found.before, kind="stable")[: _OFFERED + 2]
    offered = [int(token) for token in order if token not in (found.token, vocabulary.unknown)][:_OFFERED]
    one = "character" if vocabulary.level == "char" else "word"
    labels = {token: f"{escape_markdown(names[token])} {percent(float(found.before[token]))}" for token in offered}
    left, right = st.columns([0.72, 0.28], vertical_alignment="bottom")
    with left:
        key = f"generate.offer.{id(job)}.{place}"
        st.pills(
            f"Replace with another {one}: the text continues from there with the same random draws",
            offered,
            format_func=lambda token: labels[token],
            wrap=True,
            key=key,
            on_change=_force_offered,
            args=(key, place),
        )
    with right:
        key = f"generate.other.{id(job)}.{place}"
        st.text_input(
            f"Or type any {one}, then Enter",
            key=key,
            max_chars=64,
            on_change=_force_typed,
            args=(key, place, vocabulary),
        )
    refused = st.session_state.pop("generate.refused", "")
    if refused:
        st.warning(escape_markdown(refused), icon=":material/block:")
    if any(at == place for at, _ in job.request.forced):
        st.button("Undo", icon=":material/undo:", key="generate.back", on_click=session.take_back, args=(place,))


def _force_offered(key: str, place: int) -> None:
    token = st.session_state[key]
    if token is not None:
        session.force(place, token)


def _force_typed(key: str, place: int, vocabulary: Vocabulary) -> None:
    typed = st.session_state[key]
    if not typed:
        return
    wanted = typed if vocabulary.level == "char" else typed.strip()
    token = next((number for number, symbol in enumerate(vocabulary.symbols) if symbol == wanted), None)
    if token is None or token == vocabulary.unknown:
        st.session_state["generate.refused"] = f"“{visible(typed, spaces=True)}” is not in this model's vocabulary."
        return
    session.force(place, token)
