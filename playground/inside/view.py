"""What an inside view shows: one run at one training step, a probe put through it, and the place that is looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from torch import Tensor

from engine.cells import Cell
from engine.data import Vocabulary
from engine.models.language_model import LanguageModel
from engine.trace import Change, Target, Trace
from playground import state
from playground.access import models, traces
from playground.access.default_probe import default_probe
from playground.access.findings import named_units
from playground.access.models import Loaded
from playground.access.probes import Probe, read_probe
from playground.access.unread import not_read
from playground.inside import places
from playground.runs.reader import Snapshot
from playground.runs.records import DIVERGED, FAILED, HELD_UP, INTERRUPTED, Finding, Run
from playground.state import Selection
from playground.text import visible


@dataclass(frozen=True, eq=False)
class View:
    """One run, looked into. Timesteps, layers and units count from 0, and exist.

    Attributes:
        run: as it stands in the store
        steps: training steps that can be looked at, in order: those it has kept, and its newest
        step: the one that is looked at
        following: whether that is the newest of a run that trains, and moves on with it
        loaded: the weights of that step
        probe: what is put through them; at least one token
        context: what was read before the probe; no token where it starts from the zero state
        trace: the recorded pass
        t, layer, unit: the place that is looked at
        notation: in which names and places are written
        letter: "A", "B", ... where runs are compared; else empty
        notes: sentences on what was cut, is unknown, or was asked for and does not exist
        snapshot: the run's rows: evaluations, samples, ...
        asked: those of `notes` on what was asked for and does not exist
        passage: whether the run's default probe is a passage here
        findings: the units with a name, by layer and unit
    """

    run: Run
    steps: Sequence[int]
    step: int
    following: bool
    loaded: Loaded
    probe: Probe
    context: Probe
    trace: Trace
    t: int
    layer: int
    unit: int
    notation: str
    letter: str = ""
    notes: tuple[str, ...] = ()
    snapshot: Snapshot | None = None
    asked: tuple[str, ...] = ()
    passage: bool = False
    findings: Mapping[tuple[int, int], Finding] = field(default_factory=dict)

    @property
    def model(self) -> LanguageModel:
        """The model, which nobody may change."""
        return self.loaded.model

    @property
    def cell(self) -> Cell:
        """The cell of the layer that is looked at."""
        return self.model.stack.cells[self.layer]

    @property
    def run_cell(self) -> Cell:
        """The run's cell: that of its top layer, as the lowest may have a simpler one."""
        return self.model.stack.cells[-1]

    @property
    def vocabulary(self) -> Vocabulary:
        """What the tokens mean."""
        return self.loaded.vocabulary

    @cached_property
    def losses(self) -> list[float | None]:
        """Validation loss at each of `steps`, in nats per token; None where it was not measured."""
        if self.snapshot is None:
            return [None] * len(self.steps)
        measured = dict(self.measured)
        return [measured.get(step) for step in self.steps]

    @cached_property
    def measured(self) -> list[tuple[int, float]]:
        """Every step at which the validation loss was measured, whether its weights are kept or not."""
        if self.snapshot is None:
            return []
        return [(evaluation.step, evaluation.val_loss) for evaluation in self.snapshot.evaluations]

    @cached_property
    def training_losses(self) -> list[float | None]:
        """Loss in training at each of `steps`, in nats per token; None where no row was written."""
        if self.snapshot is None:
            return [None] * len(self.steps)
        written = {metric.step: metric.loss for metric in self.snapshot.metrics}
        return [written.get(step) for step in self.steps]

    @property
    def finding(self) -> Finding | None:
        """What the chosen unit was named for; None where it has no name."""
        return self.findings.get((self.layer, self.unit))

    def gradient(self, of: Target) -> Trace:
        """The same pass with the gradient of the loss at timestep `of`, or of the sum of all losses."""
        return traces.trace(self.loaded, self.probe, self.context, gradient=of)

    def carried(self, of: Target) -> Tensor:
        """The norm of what that gradient carries from each timestep to the one before, (layer, time)."""
        return traces.carried(self.loaded, self.probe, self.context, of)

    def what_if(self, changes: Sequence[Change], tokens: Sequence[int] | np.ndarray | None = None) -> Trace:
        """The pass with values put in place of those computed, and other tokens in place of the probe's."""
        probe = self.probe if tokens is None else replace(self.probe, tokens=np.array(tokens, dtype=np.int64))
        return traces.trace(self.loaded, probe, self.context, changes=changes)


def look(
    run: Snapshot,
    selection: Selection,
    letter: str = "",
    *,
    passage: bool = False,
    findings: Mapping[tuple[int, int], Finding] | None = None,
) -> View:
    """What a selection shows of a run; where the run has no such step or place, the nearest.

    Args:
        run: one run, whichever the selection names
        selection: training step, probe, context, place and notation
        letter: which of several runs it is
        passage: whether the run's default probe is a passage rather than a few words
        findings: the units with a name; None asks for those that the visitor sees, which only a page's own thread can

    Raises:
        ModelError: the run has no weights yet, or they cannot be used
        StoreError: the store cannot be read
    """
    step, asked = places.kept_step(run, selection.step)
    loaded = models.load(run, step)
    probe, notes = _probe(run, selection.probe, loaded.vocabulary, passage)
    context = read_probe(selection.context, loaded.vocabulary, state.LONGEST_CONTEXT)
    trace = traces.trace(loaded, probe, context)
    findings = named_units(run) if findings is None else findings
    place, elsewhere = places.nearest_place(selection, trace, loaded.tokens, [*findings])
    asked += elsewhere
    notes = (*asked, *notes, *unknown_note(probe, loaded), *unknown_note(context, loaded, "Preceding context: "))
    return View(
        run=run.run,
        steps=sorted({*models.kept_steps(run), loaded.step}),
        step=loaded.step,
        following=selection.step == state.NEWEST and run.run.active,
        loaded=loaded,
        probe=probe,
        context=context,
        trace=trace,
        **place,
        notation=selection.notation,
        letter=letter,
        notes=(*trouble_note(run.run, loaded), *notes, *(() if loaded.finite else (not_finite_note(loaded),))),
        snapshot=run,
        asked=asked,
        passage=passage,
        findings=findings,
    )


def _probe(run: Snapshot, text: str, vocabulary: Vocabulary, passage: bool) -> tuple[Probe, tuple[str, ...]]:
    """The probe that is meant, and what is to be said of it."""
    if not text:
        return read_probe(default_probe(run, vocabulary, passage=passage), vocabulary), ()
    probe = read_probe(text, vocabulary)
    if not len(probe):
        note = "The input text has no token to read: the run's default is used instead."
        return read_probe(default_probe(run, vocabulary, passage=passage), vocabulary), (note,)
    if probe.cut:
        note = f"The input text is too long: {probe.cut:,} character{'s' if probe.cut > 1 else ''} at the end cut."
        return probe, (note,)
    return probe, ()


def unknown_note(probe: Probe, loaded: Loaded, what: str = "") -> tuple[str, ...]:
    """What of a text the model has no symbol for, and what it reads instead; nothing where it has them all."""
    said = not_read(probe.text, loaded.vocabulary, without="read as a zero vector")
    return (f"{what}{said}",) if said else ()


def trouble_note(run: Run, loaded: Loaded) -> tuple[str, ...]:
    """Why a run ended or waits, and which of its weights are shown; nothing where all is well."""
    ended_badly = run.status in (FAILED, INTERRUPTED, DIVERGED) or run.why == HELD_UP
    if not (ended_badly and run.message):
        return ()
    return (f"{run.message} The weights at step {loaded.step:,} are shown.",)


def not_finite_note(loaded: Loaded) -> str:
    """That the weights of a step are not finite."""
    return (
        f"The weights of {visible(loaded.run.name)} at step {loaded.step:,} are not finite, so all that is computed "
        "from them is NaN. Choose an earlier step."
    )
