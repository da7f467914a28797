"""Choosing an experiment, what it will take on this machine, and the button that starts it."""

from __future__ import annotations

import streamlit as st

from engine import PRESETS, validate
from engine.config import Config, ConfigError
from engine.data import TextError
from playground import state
from playground.access import corpora, estimates
from playground.frame import services
from playground.parts import launch
from playground.runs.limits import LimitUsage, limit_usage
from playground.state import draft as drafts
from playground.state.draft import Draft
from playground.text import duration, escape_markdown, number, size, visible
from playground.views.train.run_controls import start_paused

CUSTOM = "your own settings"


def from_link() -> None:
    """Set the draft up from a link's `preset=NAME` or `config=JSON`; each is taken once and then leaves the URL."""
    for key in ("preset", "config"):
        given = state.given(key, key)
        if given is None:
            continue
        del st.query_params[key]
        try:
            if key == "preset":
                drafts.load(drafts.from_preset(given).configs, preset=given)
            else:
                config = validate(Config.from_json(given))
                corpora.check_source(config.data)
                drafts.load((config,))
        except ConfigError as error:
            state.note_problem(f"The link's {key} was not taken: {error}")


def bar(draft: Draft) -> None:
    """Choose a preset, see what the run will take, and start it."""
    experiment, button, words = st.columns([0.26, 0.16, 0.58], gap="medium", vertical_alignment="bottom")
    with experiment:
        names = [*PRESETS, ""]
        key = _preset_key(draft)
        st.selectbox(
            "Experiment",
            names,
            names.index(draft.preset),
            format_func=lambda name: PRESETS[name].title if name else CUSTOM,
            key=key,
            on_change=_load_preset,
            args=(key,),
        )
    with button:
        label = "Train" if len(draft.configs) == 1 else f"Race {len(draft.configs)}"
        st.button(
            label, type="primary", icon=":material/play_arrow:", width="stretch", key="train", on_click=launch.start
        )
        start_paused(draft)
    with words:
        limits = limit_usage(services.settings(), services.store(), services.visitor())
        st.caption(_expectation(draft, limits), help=limits.details())
    with st.container():  # always there, so that what follows keeps its place
        for sentence in (st.session_state.get("draft.problem"), st.session_state.pop(launch.PROBLEM, None)):
            if sentence:
                st.error(escape_markdown(sentence), icon=":material/error:")


def _preset_key(draft: Draft) -> str:
    return draft.key(f"preset.{draft.preset}")


def _load_preset(key: str) -> None:
    name = st.session_state[key]
    if name and key == _preset_key(drafts.current()):  # not one that has gone, and calls back once more
        drafts.load(drafts.from_preset(name).configs, preset=name)


def _expectation(draft: Draft, limits: LimitUsage) -> str:
    """What the run will show and take, and the limits it must keep to, before it is started."""
    parts = []
    if draft.preset:
        parts.append(f"{PRESETS[draft.preset].shows[0].upper()}{PRESETS[draft.preset].shows[1:]}.")
    if draft.copied_from:
        parts.append(f"A copy of the settings of “{escape_markdown(visible(draft.copied_from))}”: nothing runs yet.")
    if draft.parent:
        run, step = draft.parent
        parts.append(
            f"Starts from the weights of {escape_markdown(run)} at step {step:,}; the optimiser starts afresh."
        )
    try:
        corpus = corpora.corpus(draft.config.data)
        expected = [estimates.expected(config, corpus) for config in draft.configs]
        parameters = " + ".join(number(entry.parameters) for entry in expected)
        parts.append(
            f"{parameters} parameters, about {duration(sum(entry.seconds for entry in expected))} at "
            f"{number(1 / sum(1 / entry.steps_per_second for entry in expected))} steps a second, "
            f"{size(sum(entry.memory_bytes for entry in expected))} of memory."
        )
    except (TextError, ConfigError):
        pass  # the text's own panel says what is wrong with it
    parts.append(limits.summary())
    return " ".join(parts)
