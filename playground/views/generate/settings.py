"""What is to be written: kept for the session and in the link, so that copying the link copies the text.

Texts are functions of these settings and of the weights. As with the selection, a value that cannot be is never quietly
replaced: it gets a sentence.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any

import streamlit as st

from playground import state
from playground.state import link

MOST_PROMPT = 100_000
MOST_LENGTH = 5_000
MOST_SEED = 2**31 - 1
MOST_TOP_K = 50_000
HOTTEST = 3.0
MOST_FORCED = 20
_LINK_PROMPT = 500
"""characters of a prompt that stands in the link; a longer one does not"""

_STATE, _GENERATION = "generate.settings", "generate.generation"

LOOKS = {
    "steps": "Through training",
    "along": "Surprise along the text",
    "likely": "How likely is a text?",
    "sentences": "Two sentences",
}
"""The drill-downs, by their name in the link."""


def _number(low: float, high: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        value = float(text) if text.isascii() and len(text) <= 20 else math.nan
        if not low <= value <= high:
            raise ValueError
        return value

    return parse


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        value = int(text) if text.isascii() and len(text) <= 12 else low - 1
        if not low <= value <= high:
            raise ValueError
        return value

    return parse


def _prompt(text: str) -> str:
    if len(text) > MOST_PROMPT:
        raise ValueError
    return text


def _forced(text: str) -> tuple[tuple[int, int], ...]:
    """(place, token) pairs from "3:17,40:2"."""
    parts = [part.split(":") for part in text.split(",")]
    if not 0 < len(parts) <= MOST_FORCED or any(len(part) != 2 for part in parts):
        raise ValueError
    place, token = _whole(0, MOST_LENGTH - 1), _whole(0, MOST_TOP_K)
    return tuple(sorted({place(pair[0]): token(pair[1]) for pair in parts}.items()))


def _flag(text: str) -> bool:
    if text not in ("True", "False"):
        raise ValueError
    return text == "True"


def _beside(text: str) -> tuple[str, int]:
    """A run and a step from "tales-gru" or "tales-gru:640"."""
    run, colon, step = text.partition(":")
    if not 0 < len(run) <= 64 or not all(character.isalnum() or character in "-_" for character in run):
        raise ValueError
    return run, _whole(state.NEWEST, 10**9)(step) if colon else state.NEWEST


def _look(text: str) -> str:
    if text not in LOOKS:
        raise ValueError
    return text


def _setting(default: Any, parse: Callable[[str], Any], name: str, limits: str) -> Any:
    return field(default=default, metadata={"parse": parse, "name": name, "limits": limits})


@dataclass(frozen=True)
class Settings:
    """What to write, and what of it is looked at. Field names are keys in the URL; defaults are left out of it."""

    prompt: str | None = _setting(None, _prompt, "prompt", f"at most {MOST_PROMPT:,} characters")
    """None for one that the model can read"""
    temperature: float = _setting(0.8, _number(0, HOTTEST), "temperature", f"a number from 0 to {HOTTEST:g}")
    top_k: int = _setting(0, _whole(0, MOST_TOP_K), "top_k", f"a whole number from 0 (off) to {MOST_TOP_K:,}")
    top_p: float = _setting(1.0, _number(0.01, 1), "top_p", "a number from 0.01 to 1 (off)")
    seed: int = _setting(1, _whole(0, MOST_SEED), "seed", f"a whole number from 0 to {MOST_SEED:,}")
    length: int = _setting(500, _whole(1, MOST_LENGTH), "length", f"a whole number from 1 to {MOST_LENGTH:,}")
    past_end: bool = _setting(False, _flag, "past_end", "True or False")
    beside: tuple[str, int] = _setting(("", state.NEWEST), _beside, "run beside", "a run, or a run and a step: id:step")
    forced: tuple[tuple[int, int], ...] = _setting(
        (), _forced, "forced tokens", f"at most {MOST_FORCED} pairs place:token with commas between"
    )
    place: int = _setting(-1, _whole(-1, MOST_LENGTH - 1), "place", f"a place from 0 to {MOST_LENGTH - 1:,}")
    """the token that is looked at; -1 for none"""
    look: str = _setting("steps", _look, "drill-down", f"one of {', '.join(LOOKS)}")


def current() -> Settings:
    """The settings: from the URL where it says something, else as they were."""
    settings: Settings = st.session_state.get(_STATE, Settings())
    for item in fields(Settings):
        text = state.given(item.name, item.metadata["name"])
        if text is None or text == _in_link(settings, item.name):
            continue
        try:
            settings = replace(settings, **{item.name: item.metadata["parse"](text)})
            _renew()
        except ValueError:
            about = item.metadata
            state.problem(f"The link's {about['name']} {text[:40]!r} cannot be used: give {about['limits']}.")
            del st.query_params[item.name]
    keep(settings)
    return settings


def keep(settings: Settings) -> None:
    """Make these the session's settings, in the link too."""
    st.session_state[_STATE] = settings
    link.put({item.name: _in_link(settings, item.name) for item in fields(Settings)})


def change(*, renew: bool = True, **values: Any) -> None:
    """Change settings other than by their own widgets, which are then made anew."""
    keep(replace(st.session_state.get(_STATE, Settings()), **values))
    if renew:
        _renew()


def key(name: str) -> str:
    """Key of the widget that shows a setting: another one whenever settings change other than by their widgets."""
    return f"generate.{st.session_state.get(_GENERATION, 0)}.{name}"


def edit(name: str, widget: str) -> None:
    """Take a widget's new value into the settings; one that has gone and is heard of once more is nobody's choice."""
    if widget == key(name):
        # Tokens were put into one text of one vocabulary: into the text after another prompt they do not belong.
        started_over = {"forced": (), "place": -1} if name == "prompt" else {}
        change(renew=False, **{name: st.session_state[widget]}, **started_over)


def _renew() -> None:
    st.session_state[_GENERATION] = st.session_state.get(_GENERATION, 0) + 1


def _in_link(settings: Settings, name: str) -> str | None:
    """A setting as it stands in the link; None if it does not."""
    value = getattr(settings, name)
    if value == getattr(Settings(), name) or (name == "prompt" and len(value) > _LINK_PROMPT):
        return None
    if name == "forced":
        return ",".join(f"{place}:{token}" for place, token in value)
    if name == "beside":
        return value[0] if value[1] == state.NEWEST else f"{value[0]}:{value[1]}"
    return f"{value:g}" if isinstance(value, float) else str(value)
