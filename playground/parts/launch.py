"""From a draft to queued runs: what stands in the way, and the names that they get."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Container, Sequence
from dataclasses import asdict, replace

import streamlit as st

from engine import PRESETS, validate
from engine.cells import CELLS
from engine.config import Config, ConfigError
from engine.data import TextError
from playground import state
from playground.access import corpora, estimates
from playground.frame import services
from playground.parts.setting_names import in_labels, spoken
from playground.runs.executor import ExecutorError
from playground.runs.limits import check_config, check_quota
from playground.runs.records import Run, StoreError
from playground.state import draft as drafts
from playground.state import link
from playground.state.draft import Draft
from playground.text import number, shorten
from playground.theme import RUN_LETTERS

PROBLEM = "launch.problem"
"""Where the session keeps what stood in the way of the last start, for the page that says it."""

_NAMES_READ = 1_000
"""Newest runs of a visitor whose names a new run does not repeat."""


def start() -> None:
    """Queue the draft's runs and look at them; what stands in the way is said instead."""
    draft = drafts.current()
    try:
        _check(draft)
        run = _create(draft)
        services.executor().submit([run])
    except (ConfigError, TextError, StoreError, ExecutorError) as error:
        st.session_state[PROBLEM] = in_labels(str(error))
        return
    with link.one_change():
        state.select(run=run)
        drafts.keep(replace(draft, parent=None))
        drafts.show(drafts.RUN)


def start_with(config: Config) -> None:
    """Queue one run of `config` and look at it."""
    drafts.load((config,))
    start()


def set_up_copy(runs: Sequence[Run], then: Callable[[], None] = lambda: None) -> None:
    """Set Train up with the settings of a run, or of all runs of a race, `then` go on; or say why that cannot be."""
    try:
        for run in runs:
            corpora.check_source(run.config.data)
    except ConfigError as error:
        state.note_problem(str(error))
        return
    drafts.load(tuple(run.config for run in runs), copied_from=runs[0].name)
    then()


def _create(draft: Draft) -> str:
    store, owner = services.store(), services.visitor()
    steps = 0 if draft.start_paused else None
    taken = {run.name for run in store.runs(owner=owner, limit=_NAMES_READ)} | {
        run.name for run in store.starters.runs()
    }
    if len(draft.configs) > 1:
        names = [unused_name(name, taken) for name in rival_names(draft.configs)]
        return store.create_race(draft.configs, names=names, owner=owner, steps=steps)[0]
    name = unused_name(_name(draft), taken)
    return store.create_run(draft.config, name=name, owner=owner, parent=draft.parent, steps=steps)


def _name(draft: Draft) -> str:
    """What a run is called: by where it comes from, else by what it is."""
    if draft.parent:
        run, step = draft.parent
        return f"{shorten(services.store().run(run).name, 60)}, branch at {step:,}"
    if draft.copied_from:
        return f"{shorten(draft.copied_from, 60)}, copy"
    return PRESETS[draft.preset].title if draft.preset else describe(draft.config)


def unused_name(name: str, taken: Container[str]) -> str:
    """The name, with a number behind it if the visitor has a run of that name already: "First words (2)"."""
    if name not in taken:
        return name
    return next(numbered for count in itertools.count(2) if (numbered := f"{name} ({count})") not in taken)


def _check(draft: Draft) -> None:
    """Refuse what cannot be trained, or not here, before anything is queued.

    Raises:
        ConfigError, TextError, LimitError: each says what to change
    """
    if draft.parent:
        _check_branch(draft.config, services.store().run(draft.parent[0]).config)
    for config in draft.configs:
        validate(config)
        takes = estimates.expected(config, corpora.corpus(config.data))
        check_config(services.settings(), config, takes.parameters, takes.memory_bytes)
    check_quota(services.settings(), services.store(), services.visitor(), len(draft.configs))


def _check_branch(config: Config, parent: Config) -> None:
    """Refuse a branch whose model cannot take the weights it starts from. Raises ConfigError."""
    for name in ("cell", "units", "layers", "embedding", "bias", "options"):
        wanted, there = getattr(config.model, name), getattr(parent.model, name)
        if wanted != there:
            raise ConfigError(
                f"This branch starts from weights with {spoken(name)} {there}, not {wanted}: keep the cell and its "
                "options, the units, layers, embedding and biases, or start a new run."
            )
    if corpora.corpus(config.data).vocabulary != corpora.corpus(parent.data).vocabulary:
        raise ConfigError(
            "This branch starts from weights for another vocabulary: keep the text, or choose one with the same "
            "vocabulary."
        )


def describe(config: Config) -> str:
    """A short name for a run: its cell, size and text."""
    text = corpora.text_name(config.data.corpus)
    layers = f"{config.model.layers} × " if config.model.layers > 1 else ""
    read = ", words" if config.data.level == "word" else ""
    return f"{shorten(f'{CELLS[config.model.cell].title} {layers}{config.model.units} on {text}', 60)}{read}"


def rival_names(configs: tuple[Config, ...]) -> list[str]:
    """Names that say what differs between the runs of a race."""
    cells = [CELLS[config.model.cell].title for config in configs]
    if len(set(cells)) == len(cells):
        return cells
    names = []
    for place, cell in enumerate(cells):
        different = [
            _SAID.get((name, value), f"{spoken(name)} {_short(value)}")
            for section in ("model", "training")
            for name, value in asdict(getattr(configs[place], section)).items()
            if name != "cell" and any(getattr(getattr(other, section), name) != value for other in configs)
        ]
        names.append(shorten(f"{cell} ({', '.join(different)})" if different else cell, 48))
    if len(set(names)) < len(names):
        names = [f"{name} ({letter})" for name, letter in zip(names, RUN_LETTERS, strict=False)]
    return names


_SAID = {("clip", "norm"): "clipped", ("clip", "value"): "clipped by value", ("clip", "off"): "unclipped"}
"""How a setting stands in the name of a run, where its value alone would say too little."""


def _short(value: object) -> str:
    return number(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
