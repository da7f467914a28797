"""The run that is being set up: up to four configs that would race, kept for the session and in the link.

A draft is data; the widgets that edit it are in `playground.views.train.controls`. Changing what rivals share (text,
batches, length, seed, sample) changes it for all of them. In the link stands an experiment by its name, or else what
differs from the defaults, as JSON: `setup={"model":{"units":33}}`, a list of such for a race.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from engine import PRESETS, validate
from engine.cells import with_cell
from engine.config import Config, ConfigError, OptionValue
from playground.state import settings
from playground.state.fields import Kind, choice, index, name, quoted, setting
from playground.state.settings import PageSettings

MOST_RIVALS = 4

LONGEST_IN_LINK = 4_000
"""Characters of a set-up that stands in the link, as an address writes them; a longer one does not (a prompt can be
that long)."""

_SHARED_TRAINING = frozenset({"seed", "steps", "seconds", "evaluations", "until_loss"})
_generations = itertools.count(1)


@dataclass(frozen=True)
class Draft:
    """Configs being set up; `chosen` is the one the controls show.

    `generation` is another whenever values change other than by their own widget, so that the widgets are made anew.
    Neither makes one set-up different from another.
    """

    configs: tuple[Config, ...] = field(default_factory=lambda: (Config(),))
    chosen: int = field(default=0, compare=False)
    generation: int = field(default_factory=lambda: next(_generations), compare=False)
    preset: str = ""
    parent: tuple[str, int] | None = None
    """run and step whose weights the run starts from"""
    copied_from: str = field(default="", compare=False)
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
        return replace(self, generation=next(_generations))

    def _with_cell(self, cell: str, options: Mapping[str, OptionValue]) -> Draft:
        """This draft with another cell or other switches, and with the settings that it needs to train."""
        config = with_cell(self.config, cell, options)
        configs = (*self.configs[: self.chosen], config, *self.configs[self.chosen + 1 :])
        changed = replace(self, configs=configs, preset="", copied_from="")
        elsewhere = config.training != self.config.training  # these widgets have to show the new values
        return changed.renewed() if elsewhere else changed

    def showing(self, place: int) -> Draft:
        """The draft with another of its configs in the controls."""
        return replace(self, chosen=place, generation=next(_generations))

    def with_rival(self) -> Draft:
        """One more config to race against, as a copy of the chosen one; races run by steps."""
        if len(self.configs) >= MOST_RIVALS:
            raise ConfigError(f"At most {MOST_RIVALS} models can be compared.")
        by_steps = tuple(config.with_values(seconds=0.0) for config in (*self.configs, self.config))
        return replace(
            self,
            configs=by_steps,
            chosen=len(self.configs),
            generation=next(_generations),
            preset="",
            copied_from="",
            parent=None,
        )

    def without_chosen(self) -> Draft:
        """The draft without the config that the controls show."""
        configs = self.configs[: self.chosen] + self.configs[self.chosen + 1 :]
        return replace(
            self,
            configs=configs,
            chosen=max(0, self.chosen - 1),
            generation=next(_generations),
            preset="",
            copied_from="",
        )


def from_preset(name: str) -> Draft:
    """A draft of a preset's configs.

    Raises:
        ConfigError: there is no such preset
    """
    if name not in PRESETS:
        raise ConfigError(f"There is no experiment {quoted(name)}; choose one of {', '.join(PRESETS)}.")
    return Draft(PRESETS[name].configs, preset=name, start_paused=PRESETS[name].start_paused)


def in_link(draft: Draft) -> str | None:
    """A draft as it stands in the link: the name of an experiment, or as JSON what differs from the defaults; None
    where that is too long."""
    if draft.preset and draft == from_preset(draft.preset):
        return draft.preset
    differences = [_differences(config) for config in draft.configs]
    if draft.start_paused:
        differences[0]["start_paused"] = True
    if draft.parent:
        run, step = draft.parent
        differences[0]["parent"] = f"{run}:{step}"
    found = differences[0] if len(differences) == 1 else differences
    text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    return text if len(quote(text)) <= LONGEST_IN_LINK else None


def from_link_text(text: str) -> Draft:
    """The draft that stands in a link, as `in_link` writes it.

    Raises:
        ValueError: says what cannot be
    """
    try:
        return _from_json(json.loads(text)) if text.startswith(("{", "[")) else from_preset(text)
    except (json.JSONDecodeError, RecursionError):
        raise ValueError(f"{quoted(text)} is neither the name of an experiment nor JSON") from None
    except ValueError as error:  # a ConfigError, or a part that has a nearest value, which is none of the whole
        raise ValueError(str(error).rstrip(".")) from None


def _from_json(plain: Any) -> Draft:
    parts = plain if isinstance(plain, list) else [plain]
    if not 1 <= len(parts) <= MOST_RIVALS:
        raise ValueError(f"it has {len(parts):,} runs; 1 to {MOST_RIVALS} can be set up")
    parent = None
    start_paused = False
    if isinstance(parts[0], dict):
        first = dict(parts[0])
        start_paused = first.pop("start_paused", False) is True
        if len(parts) == 1 and "parent" in first:
            run, _, step = str(first.pop("parent")).partition(":")
            parent = name("run id").parse(run), index("training step").parse(step)
        parts = [first, *parts[1:]]
    configs = tuple(validate(Config.from_dict(part)) for part in parts)
    return Draft(configs, parent=parent, start_paused=start_paused)


def _differences(config: Config) -> dict[str, Any]:
    """What of a config is not at its default, by section."""
    default = Config().to_dict()
    sections = {
        section: {key: value for key, value in values.items() if value != default[section].get(key)}
        for section, values in config.to_dict().items()
        if isinstance(values, dict)
    }
    return {section: values for section, values in sections.items() if values}


RUN, SETUP = "run", "setup"

_FIRST = from_preset("first-words")


@dataclass(frozen=True)
class SetUp:
    """What the page Train has beside the selection. Field names are the keys in the link."""

    setup: Draft = setting(_FIRST, Kind(from_link_text, in_link), "settings of the next run", "First words")
    show: str = setting(RUN, choice(RUN, SETUP), "view", "the current run")
    """the chosen run, or what is set up"""


SETTINGS = PageSettings("draft", SetUp())


def current() -> Draft:
    """The session's draft; at first the one that a new visitor can start at once."""
    return SETTINGS.current().setup


def outdated(key: str) -> bool:
    """Whether `key` is of a widget of an earlier draft; see `settings.outdated`."""
    return settings.outdated(key, current().key(""))


def keep(draft: Draft) -> None:
    """Make this the session's draft."""
    SETTINGS.change(renew=False, setup=draft)


def load(configs: tuple[Config, ...], *, parent: tuple[str, int] | None = None, copied_from: str = "") -> None:
    """Replace the whole draft."""
    keep(Draft(configs, parent=parent, copied_from=copied_from))


def show(what: str) -> None:
    """Have the page Train show the chosen run (`RUN`) or what is set up (`SETUP`)."""
    SETTINGS.change(renew=False, show=what)
