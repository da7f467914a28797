"""The picture of the unrolled network, from a recorded pass: small enough to be sent again at every change."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from engine.analysis import activity
from engine.trace import UNKNOWN, Change, Target, Trace
from playground import theme
from playground.components.packing import full_scale, levels, rounded, span
from playground.components.unrolled import Gradient, Lane, Mark, Other, Picture, Predictions, Scales
from playground.inside.view import View
from playground.notation import Sign, first_index, sign, term
from playground.text import number, visible
from playground.views.unrolled.changes import mean_loss

EVERY_UNIT = 8
"""Units up to which each is drawn with its number; more are small squares of colour."""

PREDICTIONS = 5
"""Likeliest next tokens that are sent for each timestep."""


def picture(
    view: View,
    of: Target | None = None,
    other: Trace | None = None,
    changes: Sequence[Change] = (),
    scales: Scales | None = None,
    legend: bool = True,
) -> Picture:
    """The picture of a view.

    Args:
        view: the run, the probe and the chosen place
        of: whose gradient is drawn: the sum of all losses, or the loss at one timestep; None draws none
        other: the same probe with something changed, drawn against the original
        changes: what was changed in `other`, apart from tokens, which it says itself
        scales: those that it shares with other pictures
        legend: whether it needs a legend of its own where space is short

    Raises:
        ValueError: `other` has another length than the view's probe
    """
    trace = view.trace if of is None else view.gradient(of)
    if other is not None and other.length != trace.length:
        raise ValueError(
            f"The changed pass has {other.length} timesteps, the original {trace.length}: they must be equal."
        )
    cell = view.run_cell
    kind = "word" if view.vocabulary.level == "word" else "character"
    return Picture(
        title="The network, unrolled over the input text",
        folded_title="The network as a loop, at one timestep of the input text",
        about=_about(view, kind, other),
        run=visible(view.run.name),
        letter=view.letter,
        cell=cell.title,
        step=view.step,
        live=bool(view.following and view.run.active),
        kind=kind,
        first=first_index(view.notation),
        t=view.t,
        layer=view.layer,
        unit=view.unit,
        layers=trace.layers,
        units=trace.units,
        length=trace.length,
        chunk=view.run.config.data.chunk,
        tokens=list(view.probe.names),
        unknown=list(view.probe.unknown),
        unknown_read_as="" if view.vocabulary.unknown is None else view.vocabulary.display(view.vocabulary.unknown),
        context=len(view.context) > 0,
        lanes=[_lane(view, trace, name, scales) for name in cell.state_names],
        predictions=_predictions(view, trace, other),
        targets=_targets(view, trace),
        losses=trace.losses,
        vocabulary=trace.log_probabilities.shape[1],
        gradient=None if of is None else _gradient(trace, of, view.carried(of)),
        other=None if other is None else _other(view, trace, other, changes),
        signs=_signs(view),
        weights=_weights(view),
        family=theme.family(cell.name),
        scales=scales,
        legend=legend,
    )


def scales_of(traces: Sequence[Trace], carried: Sequence[Tensor] = ()) -> Scales:
    """Colour scales that hold all that several recorded passes are drawn with; each has gradients.

    Args:
        carried: of each pass, the norm of what its gradient carries from each timestep to the one before, (layer, time)
    """
    full: dict[str, list[Tensor]] = {}
    norms: dict[str, list[Tensor]] = {}
    for trace in traces:
        for name in trace.initial:
            full.setdefault(name, []).append(trace[name].flatten())
            norms.setdefault(name, []).append(activity.norms(trace, name).flatten())
    pulls = torch.cat([values.flatten() for values in (*map(_pulls, traces), *carried)])
    return Scales(
        full={name: full_scale(torch.cat(values)) for name, values in full.items()},
        norms={name: [rounded(end) for end in span(torch.cat(values))] for name, values in norms.items()},
        pull=[rounded(end) for end in span(pulls[pulls > 0])],
    )


def _about(view: View, kind: str, other: Trace | None) -> str:
    trace = view.trace
    layers = "1 layer" if trace.layers == 1 else f"{trace.layers} layers"
    read = f"1 {kind}" if trace.length == 1 else f"{trace.length} {kind}s"
    sentence = f"{view.run_cell.title} with {layers} of {trace.units} units, reading {read}."
    if trace.log_probabilities.isnan().any():
        return f"{sentence} Its values are not finite and are drawn as NaN."
    known = trace.losses.isfinite().nonzero().flatten()
    if not len(known):
        return f"{sentence} No next {kind} is known, so there is no loss."
    worst = int(known[trace.losses[known].argmax()])
    mean, highest = f"{number(mean_loss(trace))} nats", "the highest is"
    if other is not None:
        mean += f" ({number(mean_loss(other))} after the change)"
        highest = "the highest before the change is"
    return (
        f"{sentence} Its mean loss is {mean}; {highest} that after {kind} {worst + 1}: "
        f"{number(float(trace.losses[worst]))} nats."
    )


def _lane(view: View, trace: Trace, name: str, scales: Scales | None) -> Lane:
    values = trace[name]  # (layer, time, unit)
    full = full_scale(values) if scales is None else scales.full[name]
    low, high = span(values)
    return Lane(
        name=name,
        signs=[sign(name, view.notation, cell=view.run_cell, layer=layer) for layer in range(trace.layers)],
        low=rounded(low),
        high=rounded(high),
        norms=_with_initial(trace.initial[name].norm(dim=-1), activity.norms(trace, name)),
        changes=activity.change(trace, name),
        unit=values[:, :, view.unit],
        **_units(values, full),
    )


def _units(values: Tensor, full: float) -> dict[str, Any]:
    """Every unit (layer, time, unit): as numbers where there are few, else as levels of colour up to `full`."""
    if values.shape[2] <= EVERY_UNIT:
        return {"full": full, "values": values, "levels": None}
    return {"full": full, "values": None, "levels": levels(values, full)}


def _with_initial(initial: Tensor, later: Tensor) -> Tensor:
    """(layer) and (layer, time) as (layer, 1 + time)."""
    return torch.cat((initial.unsqueeze(1), later), dim=1)


def _predictions(view: View, trace: Trace, other: Trace | None) -> Predictions:
    ranked = trace.log_probabilities
    if other is not None:  # what is likely before the change or after it
        ranked = torch.maximum(ranked, other.log_probabilities)
    tokens = ranked.nan_to_num(-math.inf).topk(min(PREDICTIONS, ranked.shape[1]), dim=1).indices  # (time, rank)
    places: dict[int, int] = {}
    rows = [[places.setdefault(token, len(places)) for token in row] for row in tokens.tolist()]
    return Predictions(
        names=[view.vocabulary.display(token) for token in places],
        tokens=rows,
        chances=trace.log_probabilities.gather(1, tokens).exp(),
        other=None if other is None else other.log_probabilities.gather(1, tokens).exp(),
    )


def _targets(view: View, trace: Trace) -> list[str | None]:
    following = [*view.probe.names[1:], None]
    return [
        view.vocabulary.display(token) if token != UNKNOWN else name
        for token, name in zip(trace.targets.tolist(), following, strict=True)
    ]


def _gradient(trace: Trace, of: Target, carried: Tensor) -> Gradient:
    known = trace.losses.isfinite().nonzero().flatten().tolist()
    return Gradient(
        of=of,
        norms=_pulls(trace),
        carried=carried,
        entry=known if of == "sum" else [of],
    )


def _pulls(trace: Trace) -> Tensor:
    """(layer, 1 + time): norms of the gradient with respect to all states of a layer."""
    initial = sum(part.square().sum(dim=-1) for part in (trace.initial_grad or {}).values())
    return _with_initial(torch.as_tensor(initial).sqrt(), activity.gradient_norms(trace))


def _other(view: View, trace: Trace, other: Trace, changes: Sequence[Change]) -> Other:
    lanes, apart = [], []
    for name in view.cell.state_names:
        difference = other[name] - trace[name]  # (layer, time, unit)
        low, high = span(difference)
        apart.append(difference.norm(dim=-1))
        lanes.append(
            Lane(
                name=name,
                signs=[],
                low=rounded(low),
                high=rounded(high),
                norms=_with_initial(other.initial[name].norm(dim=-1), activity.norms(other, name)),
                changes=activity.change(other, name),
                unit=other[name][:, :, view.unit],
                **_units(difference, max(abs(low), abs(high)) or 1.0),
            )
        )
    read = [
        view.vocabulary.display(new) if new not in (old, UNKNOWN) else None
        for old, new in zip(trace.tokens.tolist(), other.tokens.tolist(), strict=True)
    ]
    marks = [Mark(t, -1, f"{view.probe.names[t]} → {name}") for t, name in enumerate(read) if name is not None]
    for change in changes:
        unit = change.unit + first_index(view.notation)
        text = f"{_named(view, change)}, unit {unit}: {number(change.value)}"
        marks.append(Mark(change.time, change.layer, text))
    return Other(lanes, apart, other.losses, read, _targets(view, other), marks)


def _named(view: View, change: Change) -> str:
    return term(change.quantity, view.notation, layer=change.layer, t=change.time, cell=view.run_cell).text


def _signs(view: View) -> dict[str, Sign]:
    named = ("input", "prediction")
    weights = ("weight_ih", "weight_hh", "weight_out")
    cell = view.run_cell
    return {
        **{name: sign(name, view.notation, cell=cell) for name in named},
        **{name: sign(name, view.notation, cell=cell, timed=False) for name in weights},
    }


def _weights(view: View) -> dict[str, Tensor]:
    model = view.model
    layers = [model.stack.layer_parameters(layer) for layer in range(view.trace.layers)]
    norms = {name: torch.stack([layer[name].norm() for layer in layers]) for name in ("weight_ih", "weight_hh")}
    norms["weight_out"] = model.head_weight.norm().unsqueeze(0)
    return norms
