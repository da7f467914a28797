"""Controls of the model: its cell, with equations and switches, its size and its weights at the start."""

from __future__ import annotations

import streamlit as st

from engine.cells import CELLS, Cell
from engine.config import Config, ModelConfig
from playground import notation
from playground.access.training_text import lines_to_beat_on
from playground.charts.units import uniform
from playground.state import draft as drafts
from playground.state.draft import Draft
from playground.text import number
from playground.views.train.controls.settings import pick, setting, widget_key


def model_controls(draft: Draft, names: str) -> None:
    """Choose the cell and its size. `names` is the notation its equations are written in."""
    pick(draft, "model", "cell", "Cell", {name: cell.title for name, cell in CELLS.items()})
    model = draft.config.model
    cell = CELLS[model.cell]
    _cell_options(draft, cell)
    _equations(draft.config.model, names)
    left, right = st.columns(2)
    with left:
        setting(draft, "model", "units")
        setting(draft, "model", "embedding")
        setting(draft, "model", "dropout", step=0.05)
        setting(draft, "model", "initialisation")
    with right:
        setting(draft, "model", "layers")
        setting(draft, "model", "bias")
        setting(draft, "model", "input_dropout", step=0.05)
        setting(draft, "model", "gain", step=0.1)
    with left:
        setting(draft, "model", "output_bias", disabled=not model.bias)
    _first_loss(draft.config)
    if "forget" in cell(1, model.options).blocks:
        with right:
            setting(draft, "model", "forget_bias", step=0.5)


def _first_loss(config: Config) -> None:
    """Why the loss starts where it does, beside the switch that changes it."""
    beat = lines_to_beat_on(config.data)
    if not beat:
        return
    what = "character" if config.data.level == "char" else "word"
    guess = f"a uniform guess, {uniform(beat['uniform'], beat['uniform'], 'nats')} nats per token"
    counted = f"a 1-gram model, {number(beat['1-gram'], digits=True)} nats per token"
    if config.model.bias and config.model.output_bias == "frequencies":
        st.caption(
            f"The loss starts near that of {counted}, rather than at {guess}: the output bias is initialised to the "
            f"log frequency of each {what}. With a random output bias the loss starts at the uniform guess."
        )
    else:
        st.caption(
            f"The loss starts near that of {guess}. With the output bias initialised to the log frequency of each "
            f"{what}, it starts near that of {counted}."
        )


def _equations(model: ModelConfig, names: str) -> None:
    """The cell's equations in the chosen notation."""
    cell = CELLS[model.cell](1, model.options)
    lines = notation.formulas(cell, names, bias=model.bias)
    st.markdown("  \n".join(f"${line.latex}$" for line in lines))  # inline, since displayed formulas do not wrap
    if cell.remark:
        st.caption(cell.remark)


def _cell_options(draft: Draft, cell: type[Cell]) -> None:
    chosen = cell.check_options(draft.config.model.options)
    for name, option in cell.options.items():
        key = widget_key(draft, "option", name)
        arguments = (name, key)
        label = name.replace("_", " ").capitalize()
        if isinstance(option.default, bool):
            st.toggle(label, bool(chosen[name]), key=key, help=option.meaning, on_change=_edit_option, args=arguments)
        else:
            choices = list(option.choices)
            st.segmented_control(
                label,
                choices,
                default=chosen[name],
                required=True,
                key=key,
                help=option.meaning,
                on_change=_edit_option,
                args=arguments,
            )


def _edit_option(name: str, key: str) -> None:
    if drafts.outdated(key):
        return
    draft = drafts.current()
    options = dict(draft.config.model.options) | {name: st.session_state[key]}
    drafts.keep(draft.edited("model", "options", options))
