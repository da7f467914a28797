"""The run that is being set up: up to four configs that would race, kept for the session.

A draft is data; the widgets that edit it are in `playground.views.train.controls`. Changing what rivals share (text,
batches, length, seed, sample) changes it for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import streamlit as st

from engine import PRESETS
from engine.cells import with_cell
from engine.config import Config, ConfigError, OptionValue
from playground.state import settings

MOST_RIVALS = 4

_SHARED_TRAINING = frozenset({"seed", "steps", "seconds", "evaluations", "until_loss"})
_STATE = "draft"


@dataclass(frozen=True)
class Draft:
    """Configs being set up; `chosen` is the one the controls show.

    `generation` grows whenever values change other than by their own widget, so that the widgets are made anew.
    """

    configs: tuple[Config, ...] = field(default_factory=lambda: (Config(),))
    chosen: int = 0
    generation: int = 0
    preset: str = ""
    parent: tuple[str, int] | None = None
    """run and step whose weights the run starts from"""
    copied_from: str = ""
    """the name of the run whose settings these are, as long as they are"""
    start_paused: bool = False
    """whether the run waits at step 0 for Step or Resume"""

    @property
    def config(self) -> Config:
        """The config that the controls show."""
        return self.configs[self.chosen]

    def key(self, name: str) -> str:
        """Key of the widget that shows a part of this draft: another one whenever the draft changes otherwise."""
        return f"draft.{self.generation}.{self.chosen}.{name}"

    def edited(self, section: str, name: str, value: Any) -> Draft:
        """This draft with one setting changed.

        Raises:
            ConfigError: the value is invalid
        """
        if getattr(getattr(self.config, section), name) == value:
            return self
        if (section, name) == ("model", "cell"):
            return self._with_cell(value, {})  # switches of the old cell mean nothing to the new one
        if (section, name) == ("model", "options"):
            return self._with_cell(self.config.model.cell, value)
        shared = section in ("data", "sampling") or (section == "training" and name in _SHARED_TRAINING)
        configs = tuple(
            config.with_values(**{f"{section}__{name}": value}) if shared or place == self.chosen else config
            for place, config in enumerate(self.configs)
        )
        return replace(self, configs=configs, preset="", copied_from="")

    def renewed(self) -> Draft:
        """The same values, in widgets made anew: for values that change other than by their own widgets."""
        return replace(self, generation=self.generation + 1)

    def _with_cell(self, cell: str, options: Mapping[str, OptionValue]) -> Draft:
        """This draft with another cell or other switches, and with the settings that it needs to train."""
        config = with_cell(self.config, cell, options)
        configs = (*self.configs[: self.chosen], config, *self.configs[self.chosen + 1 :])
        elsewhere = config.training != self.config.training  # these widgets have to show the new values
        return replace(self, configs=configs, preset="", generation=self.generation + elsewhere)

    def with_rival(self) -> Draft:
        """One more config to race against, as a copy of the chosen one; races run by steps."""
        if len(self.configs) >= MOST_RIVALS:
            raise ConfigError(f"A race has at most {MOST_RIVALS} runs.")
        by_steps = tuple(config.with_values(seconds=0.0) for config in (*self.configs, self.config))
        return replace(
            self,
            configs=by_steps,
            chosen=len(self.configs),
            generation=self.generation + 1,
            preset="",
            copied_from="",
            parent=None,
        )

    def without_chosen(self) -> Draft:
        """The draft without the config that the controls show."""
        configs = self.configs[: self.chosen] + self.configs[self.chosen + 1 :]
        return replace(self, configs=configs, chosen=max(0, self.chosen - 1), generation=self.generation + 1, preset="")


def current() -> Draft:
    """The session's draft; at first the one that a new visitor can start at once."""
    if _STATE not in st.session_state:
        st.session_state[_STATE] = from_preset("first-words")
    return st.session_state[_STATE]


def outdated(key: str) -> bool:
    """Whether `key` is of a widget of an earlier draft; see `settings.outdated`."""
    return settings.outdated(key, current().key(""))


def keep(draft: Draft) -> None:
    """Make this the session's draft."""
    st.session_state[_STATE] = draft


def load(
    configs: tuple[Config, ...], *, preset: str = "", parent: tuple[str, int] | None = None, copied_from: str = ""
) -> None:
    """Replace the whole draft."""
    generation = st.session_state[_STATE].generation + 1 if _STATE in st.session_state else 0
    keep(
        Draft(
            configs,
            generation=generation,
            preset=preset,
            parent=parent,
            copied_from=copied_from,
            start_paused=bool(preset) and PRESETS[preset].start_paused,
        )
    )


def from_preset(name: str) -> Draft:
    """A draft of a preset's configs.

    Raises:
        ConfigError: there is no such preset
    """
    if name not in PRESETS:
        raise ConfigError(f"There is no preset {name[:40]!r}; choose one of {', '.join(PRESETS)}.")
    return Draft(PRESETS[name].configs, preset=name, start_paused=PRESETS[name].start_paused)
