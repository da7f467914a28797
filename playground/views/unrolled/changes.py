"""What can be overridden inside a network, which of the asked-for changes fit it, and what they did, in words.

Nothing here draws.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.cells.cell import Cell
from engine.trace import UNKNOWN, Change, Trace
from playground import notation
from playground.charts.next_token import percent
from playground.charts.prediction_change import percent_or_nan
from playground.inside.view import View
from playground.notation import first_index
from playground.state import link
from playground.text import number
from playground.views.unrolled.settings import MOST_VALUE, UnrolledSettings, place_of, settings

_TRIED = 6
"""Changes that are tried out to find a telling one."""

_NOTICED = 0.01
"""A change of a probability by less goes unmentioned."""


def quantities(cell: Cell) -> tuple[str, ...]:
    """What of a cell can be overridden: its gates first, then its states. An RNN's candidate is its state."""
    return (*(gate.name for gate in cell.gates if cell.same_as(gate.name) == gate.name), *cell.state_names)


def limits(view: View, quantity: str) -> tuple[float, float]:
    """Lowest and highest value that a quantity can be set to: its range, or where it has none, what is met here."""
    for gate in view.cell.gates:
        if gate.name == quantity and math.isfinite(gate.low) and math.isfinite(gate.high):
            return gate.low, gate.high
    met = view.trace[quantity][view.layer].double().numpy()
    met = met[np.isfinite(met)]
    far = float(np.max(np.abs(met))) if len(met) else 0.0
    edge = float(min(MOST_VALUE, max(1.0, math.ceil(far))))
    return -edge, edge


def is_gate(view: View, quantity: str) -> bool:
    """Whether a quantity opens and closes, from 0 to 1."""
    return limits(view, quantity) == (0.0, 1.0) and quantity not in view.cell.state_names


# ---------------------------------------------------------------------- what fits


@dataclass(frozen=True)
class Fitted:
    """The changes that a network can take, and a sentence for each that it cannot."""

    changes: tuple[Change, ...]
    tokens: tuple[tuple[int, int], ...]
    problems: tuple[str, ...]


def fit(view: View, asked: UnrolledSettings) -> Fitted:
    """The changes of the settings that fit this network and probe; the others with the reason."""
    changes = [(change, _misfit(view, change)) for change in asked.changes]
    tokens = [(pair, _misfit_token(view, *pair)) for pair in asked.tokens]
    return Fitted(
        tuple(change for change, problem in changes if not problem),
        tuple(pair for pair, problem in tokens if not problem),
        tuple(problem for _, problem in (*changes, *tokens) if problem),
    )


def correct(view: View) -> None:
    """Leave out of the settings what this network and probe cannot take, and say why."""
    fitted = fit(view, settings.current())
    if fitted.problems:
        settings.correct(*fitted.problems, changes=fitted.changes, tokens=fitted.tokens)


def _misfit(view: View, change: Change) -> str:
    """Why a change cannot be made here; "" if it can."""
    base = first_index(view.notation)
    asked = f"{':'.join(map(str, place_of(change)))}:{change.value:g}"
    where = f"The change of {change.quantity} at t = {change.time + base}{link.zero_based_note('changes', asked, base)}"
    for name, value, count in (
        ("layer", change.layer, view.trace.layers),
        ("timestep", change.time, view.trace.length),
        ("unit", change.unit, view.trace.units),
    ):
        if value >= count:
            return f"{where} is left out: there is no {name} {value + base:,}, the last is {count - 1 + base:,}."
    cell = view.model.stack.cells[change.layer]
    there = quantities(cell)
    if change.quantity not in there:
        return f"{where} is left out: the cell {cell.title} has no {change.quantity} (it has {', '.join(there)})."
    return ""


def _misfit_token(view: View, time: int, token: int) -> str:
    base = first_index(view.notation)
    where = (
        f"The token put in at t = {time + base}{link.zero_based_note('tokens', f'{time}:{token}', base)} is left out"
    )
    if time >= view.trace.length:
        return f"{where}: there is no timestep {time + base:,}, the last is {view.trace.length - 1 + base:,}."
    if token >= len(view.vocabulary):
        return f"{where}: the vocabulary has {len(view.vocabulary):,} tokens, and this is number {token:,} from 0 on."
    return ""


# ---------------------------------------------------------------------- in words


def named(view: View, quantity: str) -> str:
    """What the notation calls a gate or state: "Γᵤ", "keep gate", "a⟨t⟩"."""
    return notation.term(quantity, view.notation, cell=view.run_cell).text


def placed(view: View, change: Change) -> str:
    """Where a change stands: "Γᵤ of unit 18, layer 1, t = 10"."""
    base = first_index(view.notation)
    layer = f", layer {change.layer + base}" if view.trace.layers > 1 else ""
    return f"{named(view, change.quantity)} of unit {change.unit + base}{layer}, t = {change.time + base}"


def quoted(view: View, token: int) -> str:
    """A token in quotation marks, as it is shown elsewhere."""
    return f"‘{view.vocabulary.display(token)}’" if token != UNKNOWN else "an unknown token"


def doing(view: View, change: Change) -> str:
    """A change as the subject of a sentence: "Closing Γᵤ of unit 18, t = 10"."""
    where = placed(view, change)
    if is_gate(view, change.quantity) and change.value in (0.0, 1.0):
        return f"{'Opening' if change.value else 'Closing'} {where}"
    return f"Setting {where} to {number(change.value)}"


def subject(view: View, fitted: Fitted) -> tuple[str, bool]:
    """What was done, as the subject of a sentence, and whether that is a plural."""
    count = len(fitted.changes) + len(fitted.tokens)
    if count > 1:
        return f"These {count} changes", True
    if fitted.changes:
        return doing(view, fitted.changes[0]), False
    time, token = fitted.tokens[0]
    return (
        f"Reading {quoted(view, token)} for ‘{view.probe.names[time]}’ at t = {time + first_index(view.notation)}",
        False,
    )


def expected_probability(trace: Trace, targets: Sequence[int] | np.ndarray) -> np.ndarray:
    """Probability that a trace gives to each of these targets, (time); NaN where there is none."""
    chances = trace.log_probabilities.double().exp().numpy()  # (time, vocabulary)
    wanted = np.asarray(targets)
    found = chances[np.arange(len(wanted)), np.maximum(wanted, 0)]
    return np.where(wanted == UNKNOWN, np.nan, found)


def effect(view: View, other: Trace, fitted: Fitted) -> str:
    """What the changes did to the predictions, in one sentence with numbers."""
    who, several = subject(view, fitted)
    targets = view.trace.targets.numpy()
    before, after = expected_probability(view.trace, targets), expected_probability(other, targets)
    known = np.isfinite(before) & np.isfinite(after)
    if not known.any():
        return f"{who} {_without_losses(view, other, several)}."
    turn = np.where(known, np.abs(after - before), -1.0)
    at = int(np.argmax(turn))
    if turn[at] < _NOTICED:
        return f"{who} move{'' if several else 's'} no prediction by more than {100 * _NOTICED:g}%."
    up = after[at] > before[at]
    verb = ("raise" if up else "lower") + ("" if several else "s")
    chances = f"from {percent_or_nan(before[at])} to {percent_or_nan(after[at])}"
    what = f"the probability of {quoted(view, int(targets[at]))} at t = {at + first_index(view.notation)} {chances}"
    return f"{who} {verb} {what}; {_losses(before[known], after[known])}."


def _without_losses(view: View, other: Trace, several: bool) -> str:
    """What becomes of the likeliest next token at the chosen timestep, where nothing is known to follow anywhere."""
    before, after = (trace.log_probabilities[view.t].double().exp() for trace in (view.trace, other))
    best = int(before.argmax())
    if not (before.isfinite().all() and after.isfinite().all()):
        return "cannot be judged: the predictions are NaN"
    at, chances = view.t + first_index(view.notation), (percent(float(before[best])), percent(float(after[best])))
    return (
        f"leave{'' if several else 's'} {quoted(view, best)} at t = {at} with {chances[1]}, where it had {chances[0]}"
    )


def _losses(before: np.ndarray, after: np.ndarray) -> str:
    with np.errstate(divide="ignore"):
        old, new = (number(float(-np.log(chances).mean())) for chances in (before, after))
    return f"the mean loss stays at {old} nats" if old == new else f"the mean loss goes from {old} to {new} nats"


# ---------------------------------------------------------------------- a change worth seeing


def telling(view: View) -> Change:
    """A change that does much: a gate closed, or a state put to zero.

    At the chosen timestep; where no loss follows it, at any. To first order, a value that is put to zero changes the
    loss by minus the value times its gradient; the most promising are tried out.
    """
    trace = view.gradient("sum")
    there = trace.nearest_loss(trace.length - 1)
    times = [view.t] if there is not None and view.t <= there else range(trace.length)
    gates = [name for name in quantities(view.cell) if is_gate(view, name)]
    promising: list[tuple[float, Change]] = []
    for name in gates or ["hidden"]:
        effect = (trace[name][view.layer] * (trace.grad or {})[name][view.layer]).abs().nan_to_num()  # (time, unit)
        for t in times:
            size, unit = effect[t].max(dim=0)
            promising.append((float(size), Change(name, view.layer, t, int(unit), 0.0)))
    promising.sort(key=lambda pair: -pair[0])
    return max((change for _, change in promising[:_TRIED]), key=lambda change: _largest_turn(view, change))


def _largest_turn(view: View, change: Change) -> float:
    """By how much a change moves the probability of what follows, where it moves it most."""
    targets = view.trace.targets.numpy()
    after = expected_probability(applied(view, Fitted((change,), (), ())), targets)
    turn = np.abs(after - expected_probability(view.trace, targets))
    return float(np.max(np.nan_to_num(turn)))


def at_place(asked: UnrolledSettings, wanted: Change) -> Change | None:
    """The change that stands at the place of another one, if there is one."""
    return next((change for change in asked.changes if place_of(change) == place_of(wanted)), None)


def made(view: View) -> tuple[Fitted, Trace | None]:
    """The changes of the settings that fit, and the pass with them made; None where there is none."""
    fitted = fit(view, settings.current())
    return fitted, applied(view, fitted) if fitted.changes or fitted.tokens else None


def applied(view: View, fitted: Fitted) -> Trace:
    """The pass with the changes made."""
    tokens = view.probe.tokens.copy()
    for time, token in fitted.tokens:
        tokens[time] = token
    return view.what_if(fitted.changes, tokens if fitted.tokens else None)
