"""The widget of any setting: label, range and help come from the setting itself (`engine.config.settings`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import Field
from typing import Any

import streamlit as st

from engine.config import ConfigError, settings
from engine.numbers import number
from playground.parts.setting_names import in_labels, label
from playground.state import draft as drafts
from playground.state.draft import Draft

_FIELDS: dict[tuple[str, str], Field] = {(section, item.name): item for section, item in settings()}


def meaning(section: str, name: str) -> str:
    """What a setting means and what values it takes, for the help beside its widget."""
    about = _FIELDS[section, name].metadata
    text = sentence(about["meaning"])
    if about.get("low") is not None:
        text += f" Range: {number(about['low'])} to {number(about['high'])} {about['unit']}".rstrip() + "."
    return text


def sentence(meaning: str) -> str:
    """What a setting or a cell's option means, as a sentence."""
    return f"{meaning[0].upper()}{meaning[1:]}."


def widget_key(draft: Draft, section: str, name: str) -> str:
    """Key of a setting's widget: another one whenever the draft changes other than by its own widgets."""
    return draft.key(f"{section}.{name}")


def edit(section: str, name: str, key: str, convert: Callable[[Any], Any] = lambda value: value) -> None:
    """Take a widget's new value into the draft; an invalid one is refused with its reason."""
    if drafts.outdated(key):
        return
    try:
        drafts.keep(drafts.current().edited(section, name, convert(st.session_state[key])))
        st.session_state.pop("draft.problem", None)
    except ConfigError as error:
        st.session_state["draft.problem"] = in_labels(str(error))


def setting(draft: Draft, section: str, name: str, **widget: Any) -> None:
    """The widget of one setting: a switch, a choice, a number or a text, as its type and range say."""
    item = _FIELDS[section, name]
    about = item.metadata
    value = getattr(getattr(draft.config, section), name)
    key = widget_key(draft, section, name)
    common: dict[str, Any] = {
        "key": key,
        "help": meaning(section, name),
        "on_change": widget.pop("on_change", edit),
        "args": (section, name, key),
    }
    caption = label(name)
    if isinstance(value, bool):
        st.toggle(caption, value, **common, **widget)
    elif about["choices"]:
        choices = list(about["choices"])
        st.selectbox(caption, choices, choices.index(value), **common, **widget)
    elif isinstance(value, int):
        st.number_input(caption, int(about["low"]), int(about["high"]), value, **common, **widget)
    elif isinstance(value, float):
        step = widget.pop("step", None) or max(value / 10, 10**-6)
        st.number_input(
            caption, float(about["low"]), float(about["high"]), value, step=step, format="%g", **common, **widget
        )
    else:
        st.text_input(caption, value, max_chars=500, **common, **widget)


def pick(
    draft: Draft,
    section: str,
    name: str,
    label: str,
    titles: dict[str, str],
    on_change: Callable[[str, str, str], None] = edit,
) -> None:
    """A choice among names from a registry, shown by their titles."""
    value = getattr(getattr(draft.config, section), name)
    names = list(titles) if value in titles else [value, *titles]
    key = widget_key(draft, section, name)
    st.selectbox(
        label,
        names,
        names.index(value),
        format_func=lambda entry: titles.get(entry, entry),
        key=key,
        help=meaning(section, name),
        on_change=on_change,
        args=(section, name, key),
    )
