"""What can be overridden inside a network, which of the asked-for changes fit it, and what they did, in words.

Where a token is replaced the text is another one: the network reads that text and is judged on it, so that the token
put in is also the target of the timestep before. Everything that is shown of a change keeps to this.

Nothing here draws.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from engine.cells.cell import Cell
from engine.trace import UNKNOWN, Change, Trace
from playground import notation
from playground.charts.next_token import percent
from playground.inside.view import View
from playground.notation import first_index
from playground.state import link
from playground.text import number
from playground.views.unrolled.settings import MOST_VALUE, UnrolledSettings, place_of, settings

_TRIED = 12
"""Changes that are tried out to find the one that hurts most."""

_NOTICED = 0.01
"""A loss that moves by fewer nats goes unmentioned."""


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
            return f"{where} is ignored: there is no {name} {value + base:,}; the last is {count - 1 + base:,}."
    cell = view.model.stack.cells[change.layer]
    there = quantities(cell)
    if change.quantity not in there:
        return f"{where} is ignored: the cell {cell.title} has no {change.quantity} (it has {', '.join(there)})."
    return ""


def _misfit_token(view: View, time: int, token: int) -> str:
    base = first_index(view.notation)
    asked = link.zero_based_note("tokens", f"{time}:{token}", base)
    where = f"The replacement token at t = {time + base}{asked} is ignored"
    if time >= view.trace.length:
        return f"{where}: there is no timestep {time + base:,}; the last is {view.trace.length - 1 + base:,}."
    if token >= len(view.vocabulary):
        return f"{where}: there is no token {token:,}; the vocabulary has tokens 0 to {len(view.vocabulary) - 1:,}."
    return ""


# ---------------------------------------------------------------------- in words


def named(view: View, quantity: str) -> str:
    """What the notation calls a gate or state: "Γᵤ", "forget gate", "a⟨t⟩"."""
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
    at = time + first_index(view.notation)
    return f"Reading {quoted(view, token)} instead of ‘{view.probe.names[time]}’ at t = {at}", False


def expected_probability(trace: Trace) -> np.ndarray:
    """Probability that a trace gives to its own targets, (time); NaN where there is none."""
    chances = trace.log_probabilities.double().exp().numpy()  # (time, vocabulary)
    wanted = trace.targets.numpy()
    found = chances[np.arange(len(wanted)), np.maximum(wanted, 0)]
    return np.where(wanted == UNKNOWN, np.nan, found)


def mean_loss(trace: Trace) -> float:
    """Mean loss of a trace over its own targets, in nats; NaN where it has none."""
    return float(trace.losses[trace.targets != UNKNOWN].double().mean())


def effect(view: View, other: Trace, fitted: Fitted) -> str:
    """What the changes did to the mean loss, and to the loss that they moved most, in one sentence with numbers.

    How well a token is predicted can be held against what it was only where the same token is still the target.
    """
    who, several = subject(view, fitted)
    before, after = (trace.losses.double().numpy() for trace in (view.trace, other))
    if not np.isfinite(mean_loss(view.trace)) or not np.isfinite(mean_loss(other)):
        return f"{who} {_without_losses(view, other, several)}."
    said = f"{who} {_mean_losses(view.trace, other, several)}"
    same = (view.trace.targets == other.targets).numpy() & np.isfinite(before) & np.isfinite(after)
    turn = np.where(same, np.abs(after - before), -1.0)
    at = int(np.argmax(turn))
    if turn[at] < _NOTICED:
        return f"{said}; no loss with an unchanged target moves by more than {_NOTICED:g} nats."
    token, time = quoted(view, int(other.targets[at])), at + first_index(view.notation)
    among = ", among unchanged targets," if (view.trace.targets != other.targets).any() else ""
    losses = f"from {number(float(before[at]))} to {number(float(after[at]))} nats"
    return f"{said}; the loss that changes most{among} is that of {token} at t = {time}, {losses}."


def _mean_losses(before: Trace, after: Trace, several: bool) -> str:
    old, new = number(mean_loss(before)), number(mean_loss(after))
    if old == new:
        return f"leave{'' if several else 's'} the mean loss at {old} nats"
    verb = "raise" if mean_loss(after) > mean_loss(before) else "lower"
    return f"{verb}{'' if several else 's'} the mean loss from {old} to {new} nats"


def _without_losses(view: View, other: Trace, several: bool) -> str:
    """What becomes of the likeliest next token at the chosen timestep, where nothing is known to follow anywhere."""
    before, after = (trace.log_probabilities[view.t].double().exp() for trace in (view.trace, other))
    best = int(before.argmax())
    if not (before.isfinite().all() and after.isfinite().all()):
        return "cannot be evaluated: the predictions are NaN"
    at, chances = view.t + first_index(view.notation), (percent(float(before[best])), percent(float(after[best])))
    s, what = "" if several else "s", f"the probability of {quoted(view, best)} at t = {at}"
    if chances[0] == chances[1]:
        return f"leave{s} {what} at {chances[0]}"
    return f"change{s} {what} from {chances[0]} to {chances[1]}"


# ---------------------------------------------------------------------- a change worth seeing


def telling(view: View) -> Change:
    """The change that hurts most: the gate, or of a cell without gates the state, whose closing raises the loss most.

    Anywhere in the network and the probe. To first order, a value that is put to zero changes the loss by minus the
    value times its gradient; the few that promise the greatest rise are tried out. Where no loss is known it is the
    largest value at the chosen timestep.
    """
    gates = [name for name in quantities(view.cell) if is_gate(view, name)] or ["hidden"]
    if view.trace.nearest_loss(view.t) is None:
        return max(
            (Change(name, view.layer, view.t, int(view.trace[name][view.layer, view.t].abs().argmax()), 0.0)
             for name in gates),
            key=lambda change: float(view.trace[change.quantity][change.layer, change.time, change.unit].abs()),
        )  # fmt: skip
    trace = view.gradient("sum")
    rises = torch.stack([-trace[name] * (trace.grad or {})[name] for name in gates])  # (gate, layer, time, unit)
    promising = rises.nan_to_num(-math.inf).flatten().topk(min(_TRIED, rises.numel())).indices
    places = np.stack(np.unravel_index(promising.numpy(), tuple(rises.shape)), axis=1).tolist()
    found = [Change(gates[gate], layer, t, unit, 0.0) for gate, layer, t, unit in places]
    return max(found, key=lambda change: _loss_with(view, change))


def _loss_with(view: View, change: Change) -> float:
    """Mean loss with a change made; minus infinity where it is no number."""
    loss = mean_loss(applied(view, Fitted((change,), (), ())))
    return loss if math.isfinite(loss) else -math.inf


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
