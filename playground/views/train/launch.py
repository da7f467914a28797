"""From a draft to queued runs: names, limits, and the button that starts them."""

from __future__ import annotations

from dataclasses import asdict, replace

import streamlit as st

from engine import PRESETS, validate
from engine.cells import CELLS
from engine.config import Config, ConfigError
from engine.data import SOURCES, TextError
from playground import state
from playground.access import lens
from playground.frame import services
from playground.runs.executor import ExecutorError
from playground.runs.limits import Standing, check_config, check_room, standing
from playground.runs.records import StoreError
from playground.state import draft as drafts
from playground.state.draft import Draft
from playground.text import duration, escape_markdown, number, shorten, size
from playground.theme import RUN_LETTERS
from playground.views.train import controls

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
                lens.check_source(config.data)
                drafts.load((config,))
        except ConfigError as error:
            state.problem(f"The link's {key} was not taken: {error}")


def bar(draft: Draft) -> None:
    """Choose a preset, see what the run will take, and start it."""
    experiment, button, words = st.columns([0.26, 0.14, 0.6], gap="medium", vertical_alignment="bottom")
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
        st.button(label, type="primary", icon=":material/play_arrow:", width="stretch", key="train", on_click=start)
    with words:
        limits = standing(services.settings(), services.store(), services.visitor())
        st.caption(_expectation(draft, limits), help=limits.all_in_words())
    with st.container():  # always there, so that what follows keeps its place
        for sentence in (st.session_state.get("draft.problem"), st.session_state.pop("launch.problem", None)):
            if sentence:
                st.error(escape_markdown(sentence), icon=":material/error:")


def _preset_key(draft: Draft) -> str:
    return draft.key(f"preset.{draft.preset}")


def _load_preset(key: str) -> None:
    name = st.session_state[key]
    if name and key == _preset_key(drafts.current()):  # not one that has gone, and is heard of once more
        drafts.load(drafts.from_preset(name).configs, preset=name)


def _expectation(draft: Draft, limits: Standing) -> str:
    """What the run will show and take, and the limits it must keep to, before it is started."""
    parts = []
    if draft.preset:
        parts.append(f"{PRESETS[draft.preset].shows[0].upper()}{PRESETS[draft.preset].shows[1:]}.")
    if draft.parent:
        run, step = draft.parent
        parts.append(
            f"Starts from the weights of {escape_markdown(run)} at step {step:,}; the optimiser starts afresh."
        )
    try:
        vocabulary = len(lens.corpus(draft.config.data).vocabulary)
        expected = [lens.expected(config, vocabulary) for config in draft.configs]
        parameters = " + ".join(number(entry.parameters) for entry in expected)
        parts.append(
            f"{parameters} parameters, about {duration(sum(entry.seconds for entry in expected))} at "
            f"{number(1 / sum(1 / entry.steps_per_second for entry in expected))} steps a second, "
            f"{size(sum(entry.memory_bytes for entry in expected))} of memory."
        )
    except (TextError, ConfigError):
        pass  # the text's own panel says what is wrong with it
    parts.append(limits.in_words())
    return " ".join(parts)


def start() -> None:
    """Queue the draft's runs and look at them; what stands in the way is said instead."""
    draft = drafts.current()
    try:
        _check(draft)
        run = _create(draft)
        services.executor().submit([run])
    except (ConfigError, TextError, StoreError, ExecutorError) as error:
        st.session_state["launch.problem"] = str(error)
        return
    state.select(run=run)
    drafts.keep(replace(draft, parent=None))


def start_with(config: Config) -> None:
    """Queue one run of `config` and look at it."""
    drafts.load((config,))
    start()


def _create(draft: Draft) -> str:
    store, owner = services.store(), services.visitor()
    if len(draft.configs) == 1:
        name = PRESETS[draft.preset].title if draft.preset else describe(draft.config)
        return store.create_run(draft.config, name=name, owner=owner, parent=draft.parent)
    return store.create_race(draft.configs, names=rival_names(draft.configs), owner=owner)[0]


def _check(draft: Draft) -> None:
    """Refuse what cannot be trained, or not here, before anything is queued.

    Raises:
        ConfigError, TextError, LimitError: each says what to change
    """
    if draft.parent:
        _check_branch(draft.config, services.store().run(draft.parent[0]).config)
    for config in draft.configs:
        validate(config)
        takes = lens.expected(config, len(lens.corpus(config.data).vocabulary))
        check_config(services.settings(), config, takes.parameters, takes.memory_bytes)
    check_room(services.settings(), services.store(), services.visitor(), len(draft.configs))


def _check_branch(config: Config, parent: Config) -> None:
    """Refuse a branch whose model cannot take the weights it starts from. Raises ConfigError."""
    for name in ("cell", "units", "layers", "embedding", "bias", "options"):
        wanted, there = getattr(config.model, name), getattr(parent.model, name)
        if wanted != there:
            raise ConfigError(
                f"This branch starts from weights with {controls.spoken(name)} {there}, not {wanted}: keep the cell, "
                "units, layers, embedding, biases and switches as they were, or start a new run."
            )
    if lens.corpus(config.data).vocabulary != lens.corpus(parent.data).vocabulary:
        raise ConfigError(
            "This branch starts from weights for another vocabulary: keep the text, or take one with the same symbols."
        )


def describe(config: Config) -> str:
    """A short name for a run: its cell, size and text."""
    corpus = config.data.corpus
    text = SOURCES[corpus].title if corpus in SOURCES else "own text"
    layers = f" x {config.model.layers}" if config.model.layers > 1 else ""
    return shorten(f"{CELLS[config.model.cell].title} {config.model.units}{layers} on {text}", 60)


def rival_names(configs: tuple[Config, ...]) -> list[str]:
    """Names that say what differs between the runs of a race."""
    cells = [CELLS[config.model.cell].title for config in configs]
    if len(set(cells)) == len(cells):
        return cells
    names = []
    for place, cell in enumerate(cells):
        different = [
            f"{controls.spoken(name)} {_short(value)}"
            for section in ("model", "training")
            for name, value in asdict(getattr(configs[place], section)).items()
            if name != "cell" and any(getattr(getattr(other, section), name) != value for other in configs)
        ]
        names.append(shorten(", ".join([cell, *different]), 48))
    if len(set(names)) < len(names):
        names = [f"{name} ({letter})" for name, letter in zip(names, RUN_LETTERS, strict=False)]
    return names


def _short(value: object) -> str:
    return number(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
