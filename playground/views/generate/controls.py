"""What to write: the prompt and its buttons above the text, and beside it how the next token is chosen."""

from __future__ import annotations

import streamlit as st

from playground import state
from playground.access import models
from playground.access.runs import snapshot_of
from playground.frame import around, services
from playground.runs.reader import Snapshot
from playground.runs.records import Run, StoreError
from playground.state import outdated
from playground.text import escape_markdown, visible
from playground.views.generate import session, words
from playground.views.generate.session import Writer
from playground.views.generate.settings import (
    HOTTEST,
    MOST_LENGTH,
    MOST_PROMPT,
    MOST_SEED,
    MOST_TOP_K,
    WritingSettings,
    settings,
)


def bar(writers: list[Writer], *, active: bool) -> None:
    """The prompt, and the buttons that generate a text and, while one is `active`, stop it."""
    wanted, first = settings.current(), writers[0]
    given = first.job.request.prompt
    key = settings.key(f"prompt.{first.loaded.run.id}")  # where none was given, each run begins with its own
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_area(
            f"Prompt (up to {MOST_PROMPT:,} characters)",
            given,
            height=68,
            key=key,
            on_change=_take_prompt,
            args=(key,),
            width=520,
            help="The text that the model reads before it generates.",
        )
        with st.container(horizontal=True, width="content", vertical_alignment="bottom"):
            st.button(
                "Generate", type="primary", icon=":material/edit:", key="generate.write", on_click=session.begin_again
            )
            st.button("Stop", icon=":material/stop:", key="generate.stop", disabled=not active, on_click=session.stop)
            st.button(
                "New sample",
                icon=":material/casino:",
                key="generate.another",
                help="Generates with the next seed.",
                on_click=session.begin_another,
            )
    note = words.on_prompt(given, first.job)
    with st.container():  # always there, so that what follows keeps its place
        if note:
            st.caption(f":material/info: {escape_markdown(note)}")
        _forced(wanted, first)


def _forced(wanted: WritingSettings, writer: Writer) -> None:
    """The tokens that were replaced, each with a button that undoes it."""
    tokens = dict(writer.job.request.forced)
    if not tokens:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Replaced by you:", width="content")
        for place, token in tokens.items():
            name = visible(writer.loaded.vocabulary.display(token), spaces=True)
            st.button(
                f"{escape_markdown(name)} at position {place + 1:,}",
                icon=":material/undo:",
                key=f"generate.taken.{place}",
                help="Undoes this replacement and those after it.",
                on_click=session.take_back,
                args=(place,),
            )


def _take_prompt(key: str) -> None:
    """Take what was typed or pasted as the prompt; of one that is too long the beginning."""
    if outdated(key, settings.key("prompt")):
        return
    given = str(st.session_state[key])
    if len(given) > MOST_PROMPT:
        state.note_problem(f"The prompt has {len(given):,} characters: only its first {MOST_PROMPT:,} are used.")
        settings.change(prompt=given[:MOST_PROMPT])  # by another widget, so that the browser lets go of the long text
        return
    settings.take("prompt", given)


def side(writers: list[Writer]) -> None:
    """The training step whose weights are used, how tokens are sampled, and what to compare with."""
    selection, wanted, first = state.current(), settings.current(), writers[0]
    _step(selection, snapshot_of(selection.run))
    st.slider(
        "Temperature",
        0.0,
        HOTTEST,
        wanted.temperature,
        0.05,
        **settings.widget("temperature"),
        help="The logits are divided by it before the softmax. Below 1 sharpens the distribution, above 1 flattens it; "
        f"0 always takes the most likely token (greedy). Up to {HOTTEST:g}.",
    )
    left, right = st.columns(2)
    with left:
        st.number_input(
            "Top-k (0: off)",
            0,
            MOST_TOP_K,
            wanted.top_k,
            **settings.widget("top_k"),
            help="Samples from the k most likely tokens only.",
        )
        st.number_input(
            "Seed",
            0,
            MOST_SEED,
            wanted.seed,
            **settings.widget("seed"),
            help="The same seed gives the same random draws, one for each position.",
        )
    with right:
        st.number_input(
            "Top-p (1: off)",
            0.01,
            1.0,
            wanted.top_p,
            0.05,
            **settings.widget("top_p"),
            help="Nucleus sampling: samples from the smallest set of tokens whose probabilities add up to p.",
        )
        st.number_input(
            f"Length ({first.loaded.tokens})",
            1,
            MOST_LENGTH,
            wanted.length,
            step=100,
            **settings.widget("length"),
            help=f"How much to generate: up to {MOST_LENGTH:,}.",
        )
    if first.loaded.vocabulary.end is not None:
        st.toggle(
            "Continue past <eos>",
            wanted.past_end,
            **settings.widget("past_end"),
            help="<eos> marks the end of a line. When off, the first one ends the text.",
        )
    st.caption(escape_markdown(_limits(wanted, first)))
    _beside(wanted, first)


def _limits(wanted: WritingSettings, writer: Writer) -> str:
    """What the settings come to: what has no effect, and what is never generated."""
    size, tokens = len(writer.loaded.vocabulary), writer.loaded.tokens
    parts = []
    if wanted.temperature == 0:
        parts.append("Temperature 0 is greedy: always the most likely token, whatever the seed.")
    if wanted.top_k >= size:
        parts.append(f"Top-k {wanted.top_k:,} has no effect: the vocabulary has {size:,} {tokens}.")
    if writer.loaded.vocabulary.unknown is not None:
        parts.append("<unk> is never generated.")
    if writer.loaded.vocabulary.end is not None and not wanted.past_end:
        parts.append("<eos> ends the text.")
    return " ".join(parts)


def _step(selection: state.Selection, run: Snapshot) -> None:
    """The training step whose weights generate."""
    kept = models.kept_steps(run)
    if len(kept) < 2:
        return
    options = [*(kept if run.run.active else kept[:-1]), state.NEWEST]
    newest = "newest" if run.run.active else f"{kept[-1]:,}"
    shown = selection.step if selection.step in options else state.NEWEST
    key = state.labelled(f"generate.step.{run.run.id}.{shown}", newest)
    st.select_slider(
        "Training step",
        options,
        shown,
        format_func=lambda step: newest if step == state.NEWEST else f"{step:,}",
        key=key,
        on_change=state.choose,
        args=("step", key, shown),
        help="A step at which the run saved its weights. It is part of the link.",
    )


def _beside(wanted: WritingSettings, writer: Writer) -> None:
    """What to compare with: nothing, the same run at another step, or another run."""
    chosen = writer.loaded.run
    runs = services.listed_runs()
    run_id, step = wanted.beside
    options = ["", chosen.id, *(other for other in runs if other != chosen.id)]
    if run_id and run_id not in options:
        options.append(run_id)
    key = state.labelled(settings.key(f"beside.{run_id}.{chosen.id}"), _in_list(run_id, chosen, runs))
    st.selectbox(
        "Compare with",
        options,
        options.index(run_id),
        format_func=lambda other: _in_list(other, chosen, runs),
        key=key,
        on_change=_choose_beside,
        args=(key, chosen.id),
        help="Another model that generates from the same prompt and seed.",
    )
    if run_id:
        _beside_step(run_id, step)


def _in_list(run_id: str, chosen: Run, runs: dict[str, Run]) -> str:
    """What to compare with. Streamlit knows an option by its label: no two may be the same."""
    if not run_id:
        return "none"
    if run_id == chosen.id:
        return "this run at another step"
    return around.in_list(runs[run_id]) if run_id in runs else run_id


def _choose_beside(key: str, chosen: str) -> None:
    run_id = st.session_state[key]
    if state.outdated(key, settings.key("beside.")):
        return
    step = state.NEWEST
    if run_id == chosen:  # the newest of the same run would write the same text twice
        kept = models.kept_steps(snapshot_of(run_id))
        step = kept[len(kept) // 3] if kept else step
    settings.change(beside=(run_id, step))


def _beside_step(run_id: str, step: int) -> None:
    try:
        kept = models.kept_steps(snapshot_of(run_id))
    except StoreError:
        return  # said where its text would be
    if len(kept) < 2:
        return
    shown = kept[-1] if step == state.NEWEST else models.nearest_step(step, kept)
    key = settings.key(f"beside_step.{run_id}.{shown}")
    st.select_slider(
        "Training step to compare",
        kept,
        shown,
        format_func=lambda other: f"{other:,}",
        key=key,
        on_change=_choose_beside_step,
        args=(key, run_id, shown),
    )


def _choose_beside_step(key: str, run_id: str, shown: int) -> None:
    step = st.session_state[key]
    if step != shown:
        settings.change(beside=(run_id, step))
