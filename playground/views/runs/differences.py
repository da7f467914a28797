"""What differs between runs: of their settings only those that are not the same, and all of their scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.cells import CELLS
from engine.config import Config, settings
from engine.training.optimizers import OPTIMIZERS
from playground.access.corpora import text_name
from playground.charts.units import convert
from playground.parts.setting_names import label
from playground.parts.text_facts import percent
from playground.runs.records import Run
from playground.text import duration, number, shorten, visible

NOTHING = "—"
_TEXT_LENGTH = 60

_SECTIONS: Mapping[str, str] = {"data": "text", "model": "model", "training": "training", "sampling": "sample"}


@dataclass(frozen=True)
class Line:
    """One line of a comparison: the name of a setting or score, and its value in each run."""

    name: str
    values: tuple[str, ...]


def differing_settings(configs: Sequence[Config]) -> list[Line]:
    """The settings that are not the same in all configs, named as on Train, in the order of the config."""
    names = [item.name for _, item in settings()]
    lines = []
    for section, item in settings():
        values = [getattr(getattr(config, section), item.name) for config in configs]
        if item.name == "vocabulary_limit":
            values = [
                value if config.data.level == "word" else None for value, config in zip(values, configs, strict=True)
            ]
        if all(value == values[0] for value in values):
            continue
        if isinstance(values[0], Mapping):
            lines += _switches(values)
            continue
        vague = section == "sampling" or names.count(item.name) > 1
        name = label(item.name) + (f" ({_SECTIONS[section]})" if vague else "")
        lines.append(Line(name, tuple(_shown(item.name, value) for value in values)))
    return lines


def _switches(options: Sequence[Mapping[str, Any]]) -> list[Line]:
    """The switches of the cells, where they differ; a cell that has no such switch shows a dash."""
    names = dict.fromkeys(name for given in options for name in given)
    return [
        Line(label(name), tuple(_shown(name, given[name]) if name in given else NOTHING for given in options))
        for name in names
        if any(given.get(name) != options[0].get(name) for given in options)
    ]


def _shown(name: str, value: Any) -> str:
    if value is None:  # it means nothing to this run
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name == "cell":
        return CELLS[value].title
    if name == "optimizer":
        return OPTIMIZERS[value].title
    if name == "corpus":
        return shorten(visible(text_name(value)), _TEXT_LENGTH)
    if name == "level":
        return {"char": "characters", "word": "words"}[value]
    if isinstance(value, int | float):
        return number(value)
    return str(value) or "empty"


def scores(runs: Sequence[Run]) -> list[Line]:
    """How good each run is and what it took, and what of its text it does not know or has seen."""
    tokens = {run.config.data.level for run in runs}
    what = {"char": "per character", "word": "per word"}[tokens.pop()] if len(tokens) == 1 else "per token"

    def each(text: Callable[[Run], str]) -> tuple[str, ...]:
        return tuple(text(run) for run in runs)

    return [
        Line("Status", each(lambda run: run.status)),
        Line("Best validation loss, bits per character", each(lambda run: _figure(run.bits(run.best_loss)))),
        Line(f"Perplexity {what} at that step", each(lambda run: _figure(_perplexity(run)))),
        Line("Reached at step", each(lambda run: NOTHING if run.best_step is None else f"{run.best_step:,}")),
        Line("Steps trained", each(lambda run: f"{run.step:,}")),
        Line("Training time", each(lambda run: duration(run.train_seconds) if run.train_seconds else NOTHING)),
        Line("Parameters", each(lambda run: number(run.parameters) if run.parameters else NOTHING)),
        Line("Unknown tokens in the validation part", each(lambda run: _share(run, "unknown_validation"))),
        Line("Validation text also in the training text", each(lambda run: _share(run, "seen"))),
    ]


def _share(run: Run, name: str) -> str:
    return NOTHING if run.text_facts is None else percent(getattr(run.text_facts, name))


def _perplexity(run: Run) -> float | None:
    return None if run.best_loss is None else float(convert(run.best_loss, "perplexity"))


def _figure(value: float | None) -> str:
    return NOTHING if value is None else number(value, digits=True)
