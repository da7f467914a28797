"""The shapes that a sequence task can have, side by side: live where a model of the shape is here, grey where none is.

What is live is drawn from the chosen run alone. What is not has no values at all, only the shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

import engine
from engine.config import ConfigError
from engine.decoding.sampling import sample
from engine.trace import UNKNOWN, Trace
from playground import theme
from playground.charts.next_token import percent
from playground.components.packing import rounded, span
from playground.components.shapes import Cell, Shape, Shapes
from playground.inside.view import View
from playground.notation import first_index, sign
from playground.text import visible

SHOWN = 5
"""Timesteps of a live shape that are drawn."""


_READ, _SAY, _BOTH, _NEITHER = Cell(reads=""), Cell(says=""), Cell(reads="", says=""), Cell()

_NONE_YET = "Not available yet."


def shapes(view: View) -> Shapes:
    """All shapes; those that a language model has are live with the view's run."""
    return Shapes(
        shapes=[_one_to_one(), _one_to_many(view), _many_to_one(), _in_step(view), _encoder_decoder()],
        signs={
            quantity: sign(quantity, view.notation, cell=view.run_cell)
            for quantity in ("input", "hidden", "prediction")
        },
        first=first_index(view.notation),
        family=theme.family(view.cell.name),
    )


def _one_to_one() -> Shape:
    return Shape(
        name="one-to-one",
        title="One to one",
        task="feedforward network: one input, one output, no time",
        live=False,
        caption=f"{_NONE_YET} It would classify one image.",
        cells=[_BOTH],
    )


def _many_to_one() -> Shape:
    return Shape(
        name="many-to-one",
        title="Many to one",
        task="sentiment, language of a name, promoters in DNA",
        live=False,
        caption=f"{_NONE_YET} It would read a whole review and predict its sentiment once, at the end.",
        cells=[_READ, _READ, _READ, _BOTH],
    )


def _encoder_decoder() -> Shape:
    return Shape(
        name="encoder-decoder",
        title="Many to many, encoder and decoder",
        task="translation, date formats, speech recognition",
        live=False,
        caption=f"{_NONE_YET} It would read a whole sentence and only then generate its translation.",
        cells=[_READ, _READ, _READ, _SAY, replace(_BOTH, fed_back=True), replace(_BOTH, fed_back=True)],
    )


def _in_step(view: View) -> Shape:
    """The view itself: around the chosen timestep, what is read and what is expected next."""
    trace, words = view.trace, view.vocabulary.level == "word"
    start = max(0, min(view.t - SHOWN // 2, trace.length - SHOWN))
    best, chances = trace.top(1)  # (time, 1)
    cells = [
        Cell(
            reads=view.probe.names[t],
            says=view.vocabulary.display(int(best[t, 0])),
            chance=_real(chances[t, 0]),
            norm=_real(trace["hidden"][-1, t].norm()),
            right=int(best[t, 0]) == int(trace.targets[t]),
            t=t,
        )
        for t in range(start, min(start + SHOWN, trace.length))
    ]
    what = "word" if words else "character"
    return _scaled(
        Shape(
            name="in-step",
            title="Many to many, same length",
            task=f"next {what}, named entities, frames of a video",
            live=True,
            caption=f"{visible(view.run.name)} on the input text: at every {what} it predicts the next one. "
            "Correct predictions are framed.",
            cells=cells,
        )
    )


def _one_to_many(view: View) -> Shape:
    """The run writes by itself: what it said is what it reads next."""
    shape = Shape(
        name="one-to-many",
        title="One to many",
        task="text and music generation, image captions",
        live=False,
        caption="",
        cells=[_BOTH, *[replace(_BOTH, fed_back=True)] * (SHOWN - 1)],
    )
    known = [token for token in view.trace.tokens.tolist() if token != UNKNOWN]
    if not known:
        return replace(
            shape, caption="No token of the input text is in this model's vocabulary, so there is none to start from."
        )
    try:
        written = _written(view, known[0])
    except ConfigError as error:
        return replace(shape, caption=str(error))
    trace = engine.record(view.model, [known[0], *written])
    what = "word" if view.vocabulary.level == "word" else "character"
    names = [view.vocabulary.display(token) for token in (known[0], *written)]
    caption = (
        f"{visible(view.run.name)} generates greedily: from {names[0]} on, its most likely {what} is its next input. "
        f"Mean probability: {_percent(trace, written)}."
    )
    return _scaled(replace(shape, live=True, caption=caption, cells=_writing(trace, names, written)))


def _written(view: View, start: int) -> list[int]:
    vocabulary = view.vocabulary
    forbidden = [] if vocabulary.unknown is None else [vocabulary.unknown]
    return list(sample(view.model, [start], length=SHOWN, seed=0, temperature=0.0, forbidden=forbidden))


def _writing(trace: Trace, names: Sequence[str], written: Sequence[int]) -> list[Cell]:
    return [
        Cell(
            reads=names[t],
            says=names[t + 1],
            chance=_real(trace.log_probabilities[t, token].exp()),
            norm=_real(trace["hidden"][-1, t].norm()),
            fed_back=t > 0,
        )
        for t, token in enumerate(written)
    ]


def _percent(trace: Trace, written: Sequence[int]) -> str:
    chances = trace.log_probabilities[torch.arange(len(written)), torch.tensor(written)].exp()
    return percent(float(chances.mean()))


def _scaled(shape: Shape) -> Shape:
    norms = [cell.norm for cell in shape.cells if cell.norm is not None]
    low, high = span(torch.tensor(norms))
    return replace(shape, low=rounded(low), high=rounded(high))


def _real(value: torch.Tensor) -> float | None:
    """A number in four digits; None, which is drawn as NaN, where it is none."""
    return rounded(float(value)) if bool(value.isfinite()) else None
