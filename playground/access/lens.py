"""Where pages get their numbers: from a selection to rows, frames, baselines and sentences, computed once.

What several visitors look at is computed for all of them together; every cache here has a bound.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
import streamlit as st

from engine.cells import CELLS
from engine.config import Config, ConfigError, DataConfig
from engine.data import Corpus, TextError, prepare
from engine.models.ngram import baselines
from engine.training.estimate import Estimate, MachineSpeed, estimate, measure_machine
from playground.charts import frames
from playground.charts.frames import LiveRun
from playground.charts.units import UNITS, convert
from playground.frame import services
from playground.runs.reader import Snapshot
from playground.runs.records import Run, RunChange, RunNotFoundError
from playground.text import number

Progress = Callable[[int, int], None]

DEFAULT_RUN = "tales-lstm"

_MACHINE_SECONDS = 300.0
"""A machine that was busy when its speed was measured may be idle by now."""

_LEVEL = 0.01
"""Bits per character by which one run must be before another to lead."""

_SURE = 1.1
"""A perplexity below this is called all but sure."""


# ---------------------------------------------------------------------- runs


def watched(run_id: str) -> list[Snapshot]:
    """What is known of a run now, and of those it races against, in the order of the race."""
    first = services.reader().snapshot(run_id or DEFAULT_RUN)
    if first.run.race is None:
        return [first]
    if first.run.id not in _racers(first.run.race):  # deleted when the race was first looked at, and back now
        _racers.clear()
    found = []
    for racer in _racers(first.run.race):
        with suppress(RunNotFoundError):  # deleted: the others go on without it
            found.append(first if racer == first.run.id else services.reader().snapshot(racer))
    return found


@st.cache_resource(max_entries=256, show_spinner=False)
def _racers(race: str) -> list[str]:
    """Ids of a race's runs, in its order; they are made together and stay the same."""
    return [run.id for run in services.store().runs(race=race, starters=False)]


def any_active(snapshots: Sequence[Snapshot]) -> bool:
    """Whether a run still trains, so that the page must keep looking."""
    return any(snapshot.run.active for snapshot in snapshots)


# ---------------------------------------------------------------------- corpora


@st.cache_resource(max_entries=4, show_spinner=False)
def _corpus(data_json: str, _progress: Progress | None) -> Corpus:
    config = Config.from_json(data_json)
    return prepare(config.data, services.own_text, _progress)


def check_source(data: DataConfig) -> None:
    """Refuse a text that no visitor may see: `file:` names any file of the server.

    Raises:
        ConfigError: says what to do instead
    """
    if data.corpus.startswith("file:"):
        raise ConfigError("A page does not read files of its server: upload or paste the text instead.")


def corpus(data: DataConfig, progress: Progress | None = None) -> Corpus:
    """The prepared text that `data` names; the last four stay in memory. `progress` hears of (done, total) bytes.

    Raises:
        TextError, ConfigError: says why it cannot be used
    """
    check_source(data)
    # Streams and chunk do not change the text, but they are checked against its length.
    return _corpus(Config(data=data).to_json(), progress)


def characters_per_token(run: Run) -> float:
    """Mean characters of the validation text that one token stands for; 1 for characters."""
    if run.config.data.level == "char":
        return 1.0
    try:
        found = corpus(run.config.data)
    except (TextError, ConfigError):
        return math.nan  # its text is gone: bits per character cannot be said
    return found.validation_characters / max(1, len(found.validation))


class _Background:
    """Values that take a while, computed one at a time behind the page; None until they are there."""

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._values: dict[str, dict[str, float] | None] = {}
        self._lock = threading.Lock()
        self._turn = threading.Lock()

    def get(self, key: str, data: DataConfig) -> dict[str, float] | None:
        with self._lock:
            if key in self._values:
                return self._values[key]
            while len(self._values) >= self._bound:
                self._values.pop(next(iter(self._values)))
            self._values[key] = None
        threading.Thread(target=self._compute, args=(key, data), daemon=True).start()
        return None

    def _compute(self, key: str, data: DataConfig) -> None:
        with self._turn:
            try:
                found = prepare(data, services.own_text)
                value = baselines(found.train, found.validation, len(found.vocabulary))
            except (TextError, ConfigError):
                value = {}  # the text cannot be had any more: no lines to beat
        with self._lock:
            self._values[key] = value


@st.cache_resource(show_spinner=False)
def _baselines() -> _Background:
    return _Background(bound=32)


def lines_to_beat(run: Run) -> dict[str, float] | None:
    """Loss of a uniform guess and of smoothed 1-, 2- and 3-gram models, in nats per token; None until computed."""
    data = run.config.data
    key = f"{data.corpus}/{data.level}/{data.vocabulary_limit}"
    return _baselines().get(key, data)


# ---------------------------------------------------------------------- charts


@dataclass(frozen=True)
class LiveFrames:
    """The frames of the live charts of one moment, as Arrow tables: what the browser gets, made once for everyone."""

    loss: pa.Table
    gradient: pa.Table
    learning_rate: pa.Table
    speed: pa.Table


def live_frames(snapshots: Sequence[Snapshot], unit: str, x: str) -> LiveFrames:
    """The frames of all live charts; computed once for everyone who looks at the same moment."""
    moment = tuple((snapshot.run.id, snapshot.run.version) for snapshot in snapshots)
    beat = lines_to_beat(snapshots[0].run) or {}
    return _live_frames(moment, unit, x, tuple(beat.items()), tuple(snapshots))


@st.cache_resource(max_entries=32, show_spinner=False)
def _live_frames(
    moment: tuple, unit: str, x: str, beat: tuple[tuple[str, float], ...], _snapshots: tuple[Snapshot, ...]
) -> LiveFrames:
    runs = [_live_run(snapshot) for snapshot in _snapshots]
    by_norm = any(snapshot.run.config.training.clip == "norm" for snapshot in _snapshots)
    return LiveFrames(
        loss=_table(frames.loss_frame(runs, unit=unit, x=x, baselines=dict(beat))),
        gradient=_table(frames.gradient_frame(runs, threshold=by_norm)),
        learning_rate=_table(frames.learning_rate_frame(runs)),
        speed=_table(frames.speed_frame(runs)),
    )


def _table(frame: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(frame, preserve_index=False)


def _live_run(snapshot: Snapshot) -> LiveRun:
    run = snapshot.run
    return LiveRun(
        label=run.name,
        cell=run.config.model.cell,
        progress=snapshot.metrics_frame,
        evaluations=snapshot.evaluations_frame,
        changes=[
            {"step": change.step, "key": change.key, "value": change.value} for change in setting_changes(snapshot)
        ],
        characters_per_token=characters_per_token(run),
    )


def setting_changes(snapshot: Snapshot) -> list[RunChange]:
    """The settings that were changed while the run trained, in order."""
    return [change for change in snapshot.changes if change.value is not None]


# ---------------------------------------------------------------------- sentences


def claim(snapshots: Sequence[Snapshot]) -> str:
    """One sentence with live numbers on what these runs have learned."""
    if len(snapshots) > 1:
        return _race_claim(snapshots)
    run = snapshots[0].run
    cell = CELLS[run.config.model.cell].title
    if run.best_loss is None:
        return f"This {cell} has learned nothing yet: its first guesses are about to be judged."
    what = "character" if run.config.data.level == "char" else "word"
    beat = lines_to_beat(run) or {}
    if run.best_loss >= beat.get("uniform", math.inf):
        return (
            f"This {cell} does no better than blind guessing on text it has not seen: {number(run.best_loss)} nats, "
            f"where guessing costs {number(beat['uniform'])}."
        )
    choices = float(convert(run.best_loss, "perplexity"))
    if choices < _SURE:
        return f"This {cell} is all but sure of the next {what}: its loss is {number(run.best_loss)} nats."
    sentence = f"This {cell} predicts the next {what} of unseen text as if it chose among {number(choices)} likely ones"
    if "uniform" in beat:
        sentence += f" out of {number(round(math.exp(beat['uniform'])))}"
    if "3-gram" in beat:
        gap = beat["3-gram"] - run.best_loss
        better = "below" if gap > 0 else "above"
        sentence += f"; its loss is {number(abs(gap))} nats {better} a 3-gram model's"
    return sentence + "."


def _race_claim(snapshots: Sequence[Snapshot]) -> str:
    judged = [(run.best_loss, run) for run in (s.run for s in snapshots) if run.best_loss is not None]
    if not judged:
        return f"{len(snapshots)} runs are off, on the same text and the same batches."
    scores = sorted(
        (float(convert(loss, "bits", characters_per_token(run))), place, run.name)
        for place, (loss, run) in enumerate(judged)
    )
    (best, _, leader), *others = scores
    if others and others[0][0] - best < _LEVEL:
        leader = f"Nobody leads by more than {_LEVEL:g}: {leader} stands at"
    else:
        leader += " leads with"
    sentence = f"{leader} {number(best)} {UNITS['bits'].name} of unseen text"
    if others:
        sentence += ", before " + ", ".join(f"{name} {number(score)}" for score, _, name in others)
    fallen = [s.run.name for s in snapshots if s.run.status == "diverged"]
    return sentence + (f". {', '.join(fallen)} came apart." if fallen else ".")


def verdict(snapshot: Snapshot) -> str:
    """What to say about a run's newest evaluation: whether its validation loss rises, and since when."""
    evaluations = snapshot.evaluations
    if not evaluations or not evaluations[-1].rising:
        return ""
    best = min(evaluations, key=lambda evaluation: evaluation.val_loss)
    return (
        f"Validation loss is rising: it was lowest at step {best.step:,} ({number(best.val_loss)} nats). "
        "From here on the model learns its text by heart."
    )


# ---------------------------------------------------------------------- before a run


@dataclass
class _Machine:
    """The machine's speed, measured now and then; a measurement never makes it slower than it has been."""

    speed: MachineSpeed | None = None
    measured_at: float = 0.0

    def now(self) -> MachineSpeed:
        if self.speed is None or time.monotonic() - self.measured_at > _MACHINE_SECONDS:
            found = measure_machine()
            self.speed = found if self.speed is None else self.speed.best(found)
            self.measured_at = time.monotonic()
        return self.speed


@st.cache_resource(show_spinner=False)
def _machine() -> _Machine:
    return _Machine()


def expected(config: Config, vocabulary_size: int) -> Estimate:
    """What a run of `config` will take on this machine."""
    return estimate(config, vocabulary_size, _machine().now())
