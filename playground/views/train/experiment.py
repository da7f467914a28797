"""Choosing an experiment, what it will take on this machine, and the button that starts it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from engine import PRESETS, validate
from engine.config import Config, ConfigError
from engine.data import TextError
from engine.training.estimate import Estimate
from playground import state
from playground.access import corpora, estimates
from playground.frame import services
from playground.parts import launch
from playground.runs.limits import LimitUsage, check_config, limit_usage
from playground.runs.records import LimitError
from playground.state import draft as drafts
from playground.state import link
from playground.state.draft import Draft
from playground.text import duration, escape_markdown, number, size
from playground.views.train.run_controls import start_paused

CUSTOM = "custom settings"

_BESIDE = "train.beside"
"""Where the session keeps the run that was chosen when what is set up was shown in its place."""


def from_link() -> None:
    """Set the draft up from the link.

    Links may also name an experiment by `preset=NAME` or give a config by `config=JSON`; each is taken once, and then
    stands in the link as every set-up does.
    """
    drafts.SETTINGS.from_link()
    for key in ("preset", "config"):
        given = state.given(key, key)
        if given is None:
            continue
        del st.query_params[key]
        try:
            if key == "preset":
                found = drafts.from_preset(given)
            else:
                found = Draft((validate(Config.from_json(given)),))
                corpora.check_source(found.config.data)
        except ConfigError as error:
            state.note_problem(f"The {key} in the link cannot be used: {error}")
        else:
            look_at(found, anew=not state.current().run)
    _refuse_files()


def _refuse_files() -> None:
    """No link makes the page read a file of its server."""
    try:
        for config in drafts.current().configs:
            corpora.check_source(config.data)
    except ConfigError as error:
        state.note_problem(f"The settings in the link cannot be used: {error}")
        drafts.SETTINGS.change(setup=drafts.SETTINGS.default.setup)


def look_at(draft: Draft, *, anew: bool = True) -> None:
    """Set a draft up and show it: the run that the visitor has trained of it, or else what it will be.

    Args:
        draft: what is set up
        anew: whether the run that is shown now may go
    """
    with link.one_change():
        drafts.keep(draft)
        if not anew:
            return
        trained = _trained(draft)
        if trained:
            state.select(run=trained)
        _show(drafts.RUN if trained else drafts.SETUP)


def _trained(draft: Draft) -> str:
    """The visitor's newest run of exactly this, or a starter run; "" for none."""
    runs = [run for run in services.listed_runs().values() if run.starter or run.owner == services.visitor()]
    for run in runs:
        if run.config != draft.configs[0] or draft.parent:
            continue
        rivals = services.store().runs(race=run.race, starters=False) if run.race else [run]
        if tuple(rival.config for rival in rivals) == draft.configs:
            return run.id
    return ""


def _show(what: str) -> None:
    st.session_state[_BESIDE] = state.current().run
    drafts.show(what)


def shows_setup() -> bool:
    """Whether what is set up is shown, and not the chosen run. Choosing a run, on any page, shows that."""
    if drafts.SETTINGS.current().show == drafts.RUN:
        return False
    if st.session_state.setdefault(_BESIDE, state.current().run) == state.current().run:
        return True
    drafts.show(drafts.RUN)
    return False


def bar(draft: Draft) -> None:
    """Choose a preset, see what the run will take, and start it."""
    with st.container(border=True, key="train-new-run"):
        experiment, button, words = st.columns([0.3, 0.16, 0.54], gap="medium", vertical_alignment="bottom")
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
        label = "Train" if len(draft.configs) == 1 else f"Train {len(draft.configs)}"
        st.button(
            label, type="primary", icon=":material/play_arrow:", width="stretch", key="train", on_click=launch.start
        )
    with words:
        start_paused(draft)
        limits = limit_usage(services.settings(), services.store(), services.visitor())
        expected = _expected(draft)
        st.caption(_expectation(draft, expected, limits), help=f"{_cost(expected, exact=True)} {limits.details()}")
    with st.container(key="train-problems"):  # always there, so that what follows keeps its place
        for sentence in (st.session_state.get("draft.problem"), st.session_state.pop(launch.PROBLEM, None)):
            if sentence:
                st.error(escape_markdown(sentence), icon=":material/error:")


def _preset_key(draft: Draft) -> str:
    return draft.key(f"preset.{draft.preset}")


def _load_preset(key: str) -> None:
    name = st.session_state[key]
    if name and key == _preset_key(drafts.current()):  # not one that has gone, and calls back once more
        look_at(drafts.from_preset(name))


def _expectation(draft: Draft, expected: Sequence[Estimate], limits: LimitUsage) -> str:
    """What the run will show and take before it is started; of the limits those that it is near or beyond."""
    parts = []
    if draft.preset:
        parts.append(f"{PRESETS[draft.preset].shows[0].upper()}{PRESETS[draft.preset].shows[1:]}.")
    if draft.copied_from:
        parts.append(f"Settings copied from “{escape_markdown(draft.copied_from)}”. Training has not started.")
    if draft.parent:
        run, step = draft.parent
        name = f"“{services.store().run(run).name}”"
        parts.append(f"Starts from the weights of {escape_markdown(name)} at step {step:,} with a new optimiser state.")
    cost = _cost(expected) or ":material/warning: This cannot be trained yet: see the tab **Text**."
    return " ".join(filter(None, (*parts, cost, limits.summary(), _too_much(draft, expected))))


def _expected(draft: Draft) -> list[Estimate]:
    """What each of the runs will take; nothing where the text cannot be read, which its own panel says."""
    try:
        corpus = corpora.corpus(draft.config.data)
        return [estimates.expected(config, corpus) for config in draft.configs]
    except (TextError, ConfigError):
        return []


def _cost(expected: Sequence[Estimate], *, exact: bool = False) -> str:
    """Parameters and time; if `exact`, speed and memory too."""
    if not expected:
        return ""
    parameters = " + ".join(number(entry.parameters) for entry in expected)
    words = f"{parameters} parameters, about {duration(sum(entry.seconds for entry in expected))}"
    if exact:
        words += (
            f" at {number(1 / sum(1 / entry.steps_per_second for entry in expected))} steps a second, "
            f"{size(sum(entry.memory_bytes for entry in expected))} of memory"
        )
    return f"{words}."


def _too_much(draft: Draft, expected: Sequence[Estimate]) -> str:
    """Why the run would be refused here; "" where it would not."""
    try:
        for config, takes in zip(draft.configs, expected, strict=False):
            check_config(services.settings(), config, takes.parameters, takes.memory_bytes)
    except LimitError as error:
        return f":material/warning: {escape_markdown(str(error))}"
    return ""
