"""From a span to units that are on there, and to other places: with units that were planted."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

import engine
from engine.analysis.span_search import MOST_PASSAGES, MOST_UNITS, search_span
from engine.config import Config, ConfigError
from engine.models.language_model import LanguageModel

ON, OFF = 1, 2


def _model(latches: tuple[int, ...] = (3, 5)) -> LanguageModel:
    """An LSTM some units of which are 1 from the token `ON` to the token `OFF`, and -1 otherwise."""
    config = Config().with_values(units=8, embedding=0)
    model = LanguageModel(config.model, vocabulary_size=6, seed=1)
    cell, weights = model.stack.cells[0], model.stack.layers[0]
    with torch.no_grad():
        for unit in latches:
            for block, bias in {"update": -30.0, "forget": 30.0, "output": 30.0, "candidate": 0.0}.items():
                row = cell.rows(block).start + unit
                weights["weight_ih"][row] = 0.0
                weights["weight_hh"][row] = 0.0
                weights["bias"][row] = bias
            for token, side in ((ON, 1.0), (OFF, -1.0)):
                weights["weight_ih"][cell.rows("update").start + unit, token] = 60.0
                weights["weight_ih"][cell.rows("forget").start + unit, token] = -60.0
                weights["weight_ih"][cell.rows("candidate").start + unit, token] = 20.0 * side
    return model


def _text() -> torch.Tensor:
    """Ten stretches of 12 tokens between `ON` and `OFF`, each after 60 tokens outside."""
    generator = torch.Generator().manual_seed(2)
    parts = []
    for _ in range(10):
        outside, inside = (torch.randint(3, 6, (length,), generator=generator) for length in (60, 12))
        parts += [torch.tensor([OFF]), outside, torch.tensor([ON]), inside]
    return torch.cat(parts)


PROBE = [OFF, 3, 4, 5, 3, 4, ON, 3, 5, 4, 3, OFF, 3, 4, 5, 5, 3]


def test_the_units_that_are_on_in_the_span_alone_are_found() -> None:
    model = _model()
    found = search_span(model, engine.record(model, PROBE), (6, 10), 0, "hidden", _text())
    assert {one.unit for one in found.units[:2]} == {3, 5}
    assert all(one.sign == 1 for one in found.units[:2])
    contrasts = [one.contrast for one in found.units]
    assert contrasts == sorted(contrasts, reverse=True)
    assert len(found.units) <= MOST_UNITS


def test_other_places_where_they_are_on_are_found_and_lie_apart() -> None:
    model, text = _model(), _text()
    found = search_span(model, engine.record(model, PROBE), (6, 10), 0, "hidden", text)
    inside = torch.zeros(len(text))
    state = 0.0
    for t, token in enumerate(text.tolist()):
        state = 1.0 if token == ON else 0.0 if token == OFF else state
        inside[t] = state
    best = [passage for passage in found.passages if passage.share > 0.99]
    assert len(best) >= 5
    assert all(inside[one.first : one.last + 1].mean() == 1.0 for one in best)
    assert all(one.last - one.first == 4 for one in found.passages)
    places = sorted(one.first for one in found.passages)
    assert all(after - before >= 5 for before, after in pairwise(places))
    assert len(found.passages) <= MOST_PASSAGES
    assert found.tokens == len(text)


def test_where_no_unit_is_on_in_the_span_and_off_around_it_none_is_found() -> None:
    model = _model(latches=tuple(range(8)))
    probe = [OFF, 3, 4, 5, 3, 4, 3, 3, 5, 4, 3, 3, 3, 4, 5, 5, 3]
    found = search_span(model, engine.record(model, probe), (6, 10), 0, "hidden", _text())
    assert (found.units, found.passages) == ((), ())


@pytest.mark.parametrize(("span", "said"), [((3, 40), "no span"), ((5, 2), "no span"), ((0, 16), "whole input text")])
def test_a_span_that_is_none_is_refused(span: tuple[int, int], said: str) -> None:
    model = _model()
    with pytest.raises(ConfigError, match=said):
        search_span(model, engine.record(model, PROBE), span, 0, "hidden", _text())
