"""A long text, read in parts: the values of a recorded pass, every token once, and units that are held."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import engine
from engine.cells import CELLS
from engine.config import Config, ConfigError
from engine.models.language_model import LanguageModel
from engine.models.long_pass import Hold, Stretch, read_long
from engine.trace import Change


def _model(cell: str = "lstm", units: int = 6, **values: object) -> LanguageModel:
    config = Config().with_values(cell=cell, units=units, layers=2, embedding=4, **values)
    return LanguageModel(config.model, vocabulary_size=9, seed=1).double()


def _text(tokens: int) -> Tensor:
    return torch.randint(9, (tokens,), generator=torch.Generator().manual_seed(2))


def _joined(stretches: list[Stretch], name: str, layer: int) -> Tensor:
    """(token, unit), in the order of the text."""
    values = torch.cat([stretch.values[name][layer][stretch.read] for stretch in stretches])
    places = torch.cat([stretch.places[stretch.read] for stretch in stretches])
    return values[places.argsort()]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("only_states", [True, False], ids=["states", "everything"])
def test_a_short_text_gives_what_a_recorded_pass_gives(cell: str, only_states: bool) -> None:
    model, tokens = _model(cell), _text(200)
    top = model.stack.cells[-1]
    names = top.state_names if only_states else top.quantities
    stretches = list(read_long(model, tokens, names, losses=True))
    trace = engine.record(model, tokens)
    for name in names:
        for layer in range(2):
            if stretches[0].values[name][layer] is None:
                assert trace[name][layer].isnan().all(), "the lowest layer has no such quantity"
            else:
                torch.testing.assert_close(_joined(stretches, name, layer), trace[name][layer])
    losses = torch.cat([stretch.losses[stretch.read] for stretch in stretches if stretch.losses is not None])
    torch.testing.assert_close(losses.double(), trace.losses, atol=1e-5, rtol=1e-5, equal_nan=True)


def test_every_token_of_a_long_text_is_read_once_and_every_one_but_the_first_predicted_once() -> None:
    tokens = _text(5_003)
    stretches = list(read_long(_model(), tokens, losses=True))
    places = torch.cat([stretch.places[stretch.read] for stretch in stretches])
    assert places.sort().values.tolist() == [*range(len(tokens))]
    known = torch.cat([stretch.losses[~stretch.losses.isnan()] for stretch in stretches if stretch.losses is not None])
    assert len(known) == len(tokens) - 1


def test_parts_that_are_read_side_by_side_have_the_states_of_one_that_is_read_in_one_go() -> None:
    """A lead-in of 192 tokens is more than this untrained network remembers."""
    model, tokens = _model(), _text(4_500)
    stretches = list(read_long(model, tokens, ("hidden", "cell")))
    assert stretches[0].places.shape[1] > 1
    with torch.inference_mode():
        state, whole = model.initial_state(1), []
        for token in tokens.split(500):
            hidden, state = model.hidden(token[:, None], state)
            whole.append(hidden[:, 0])
    torch.testing.assert_close(_joined(stretches, "hidden", 1), torch.cat(whole), atol=1e-6, rtol=0)


@pytest.mark.parametrize("quantity", ["hidden", "cell", "forget"])
def test_a_unit_that_is_held_is_what_a_recorded_pass_with_that_change_everywhere_gives(quantity: str) -> None:
    model, tokens = _model(), _text(60)
    stretches = list(read_long(model, tokens, ("hidden", "cell"), holds=[Hold(quantity, 0, 3, 0.25)], losses=True))
    changes = [Change(quantity, 0, t, 3, 0.25) for t in range(60)]
    trace = engine.record(model, tokens, changes=changes)
    for name in ("hidden", "cell"):
        torch.testing.assert_close(_joined(stretches, name, 1), trace[name][1])


def test_the_model_is_left_as_it_was() -> None:
    model = _model()
    before = {name: values.clone() for name, values in model.state_dict().items()}
    list(read_long(model, _text(100), holds=[Hold("hidden", 0, 0)]))
    assert all(torch.equal(values, before[name]) for name, values in model.state_dict().items())


@pytest.mark.parametrize(
    ("hold", "said"),
    [
        (Hold("hidden", 2, 0), "There is no layer 2"),
        (Hold("hidden", 0, 6), "There is no unit 6"),
        (Hold("reset", 0, 0), "LSTM has no 'reset'"),
    ],
)
def test_a_hold_of_what_is_not_there_is_refused(hold: Hold, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        list(read_long(_model(), _text(10), holds=[hold]))


def test_a_text_without_a_token_is_refused() -> None:
    with pytest.raises(ConfigError, match="no token"):
        list(read_long(_model(), _text(0)))
