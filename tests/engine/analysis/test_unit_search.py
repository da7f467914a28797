"""Which units tell a hypothesis: one that was planted is found first, and a random network has none to show."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.analysis.hypotheses import hypothesis, labels
from engine.analysis.labelled_text import LabelledText, split_texts
from engine.analysis.unit_search import find_units
from engine.cells import CELLS
from engine.config import Config, ConfigError
from engine.data import CharVocabulary, Corpus, prepare
from engine.models.language_model import LanguageModel

WORDS = CharVocabulary("ab “”\n")
OPENS, CLOSES = WORDS.encode("“”").tolist()


def _text(tokens: int, seed: int) -> str:
    """Letters, with quotations that begin and end at random."""
    random, inside, text = np.random.default_rng(seed), False, []
    for _ in range(tokens):
        if random.random() < 0.08:
            inside = not inside
            text.append("“" if inside else "”")
        else:
            text.append(random.choice(list("ab ")))
    return "".join(text)


def _labelled(text: str, of: str = "quotes") -> LabelledText:
    tokens = torch.from_numpy(WORDS.encode(text))
    return LabelledText(tokens, labels(hypothesis(of), list(text)), list(text))


def _model(units: int = 12, seed: int = 1, cell: str = "lstm", layers: int = 1) -> LanguageModel:
    config = Config().with_values(cell=cell, units=units, layers=layers, embedding=0)
    return LanguageModel(config.model, len(WORDS), seed)


def _latch(model: LanguageModel, unit: int) -> None:
    """Have a unit of an LSTM be 1 from an opening mark on and -1 from a closing one on, whatever the others do."""
    cell, weights = model.stack.cells[0], model.stack.layers[0]
    with torch.no_grad():
        for block in cell.blocks:
            row = cell.rows(block).start + unit
            weights["weight_ih"][row] = 0.0
            weights["weight_hh"][row] = 0.0
            weights["bias"][row] = {"update": -30.0, "forget": 30.0, "output": 30.0, "candidate": 0.0}[block]
        for mark, side in ((OPENS, 1.0), (CLOSES, -1.0)):
            weights["weight_ih"][cell.rows("update").start + unit, mark] = 60.0
            weights["weight_ih"][cell.rows("forget").start + unit, mark] = -60.0
            weights["weight_ih"][cell.rows("candidate").start + unit, mark] = 20.0 * side


def test_a_planted_unit_is_found_first_and_clearly() -> None:
    model = _model()
    _latch(model, 7)
    found = find_units(model, _labelled(_text(4_000, 1)), _labelled(_text(4_000, 2)), hypothesis("quotes"))
    assert (found.best.layer, found.best.unit) == (0, 7)
    assert found.best.score > 0.99
    assert found.found
    assert found.baseline < 0.9
    assert [one.score for one in found.scores] == sorted((one.score for one in found.scores), reverse=True)
    assert sorted(one.unit for one in found.scores) == [*range(12)]


def test_which_way_round_it_is_and_where_it_is_on_is_told() -> None:
    model = _model()
    _latch(model, 3)
    text = _labelled(_text(3_000, 1))
    best = find_units(model, text, _labelled(_text(3_000, 2)), hypothesis("quotes")).best
    with torch.inference_mode():
        hidden, _ = model.hidden(text.tokens[:, None], model.initial_state(1))
    values = hidden[:, 0, 3].numpy()
    on = values >= best.threshold if best.sign > 0 else values < best.threshold
    assert (on == text.holds).mean() > 0.99


@pytest.mark.parametrize("seed", range(2, 8))
def test_a_random_network_has_no_unit_above_the_baseline(seed: int) -> None:
    found = find_units(
        _model(units=24, seed=seed), _labelled(_text(6_000, 1)), _labelled(_text(6_000, 2)), hypothesis("quotes")
    )
    assert not found.found


@pytest.mark.parametrize("cell", CELLS)
def test_units_of_every_cell_and_layer_are_ranked(cell: str) -> None:
    model = _model(units=5, cell=cell, layers=2)
    found = find_units(model, _labelled(_text(600, 1)), _labelled(_text(600, 2)), hypothesis("quotes"))
    assert sorted((one.layer, one.unit) for one in found.scores) == [(layer, u) for layer in (0, 1) for u in range(5)]
    assert all(0.0 <= one.score <= 1.0 for one in found.scores)
    assert {one.quantity for one in found.scores} <= set(model.stack.cells[0].state_names)


def test_a_number_is_told_by_a_unit_that_counts() -> None:
    """c grows by a fixed amount with each token and is wiped out at a line end."""
    model, line_end = _model(), WORDS.encode("\n").item()
    cell, weights = model.stack.cells[0], model.stack.layers[0]
    with torch.no_grad():
        for block, bias in {"update": 30.0, "forget": 30.0, "output": 30.0, "candidate": 0.02}.items():
            row = cell.rows(block).start + 4
            weights["weight_ih"][row] = 0.0
            weights["weight_hh"][row] = 0.0
            weights["bias"][row] = bias
        for block in ("update", "forget"):
            weights["weight_ih"][cell.rows(block).start + 4, line_end] = -60.0
    random = np.random.default_rng(3)
    text = "".join("ab" * int(n) + "\n" for n in random.integers(2, 20, size=200))
    half = len(text) // 2
    found = find_units(
        model,
        _labelled(text[:half], "line-position"),
        _labelled(text[half:], "line-position"),
        hypothesis("line-position"),
    )
    assert found.best.unit == 4
    assert found.best.score > 0.99


@pytest.mark.parametrize("units", [1, 1_024])
def test_one_unit_and_very_many_are_searched(units: int) -> None:
    found = find_units(_model(units=units), _labelled(_text(300, 1)), _labelled(_text(300, 2)), hypothesis("quotes"))
    assert len(found.scores) == units


def test_weights_that_are_no_numbers_are_refused_in_a_sentence() -> None:
    model = _model()
    with torch.no_grad():
        model.stack.layers[0]["bias"].fill_(torch.nan)
    with pytest.raises(ConfigError, match="not finite"):
        find_units(model, _labelled(_text(300, 1)), _labelled(_text(300, 2)), hypothesis("quotes"))


def test_what_is_done_is_reported_and_what_the_report_raises_ends_the_search() -> None:
    shares: list[float] = []
    texts = _labelled(_text(3_000, 1)), _labelled(_text(3_000, 2))
    find_units(_model(), *texts, hypothesis("quotes"), report=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)

    def cancelled(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        find_units(_model(), *texts, hypothesis("quotes"), report=cancelled)


# ---------------------------------------------------------------------- the texts


@pytest.fixture(scope="module")
def tales() -> Corpus:
    return prepare(Config().with_values(corpus="tales").data)


def test_half_of_the_tokens_are_held_out_as_far_as_there_are(tales: Corpus) -> None:
    fit, held_out = split_texts(tales, hypothesis("quotes"), 10_000)
    assert (len(fit), len(held_out)) == (5_000, 5_000)
    assert "".join(held_out.pieces) == tales.validation_text[:5_000]
    fit, held_out = split_texts(tales, hypothesis("quotes"), 100_000)
    assert len(held_out) == len(tales.validation)
    assert len(fit) + len(held_out) == 100_000


def test_of_words_every_token_has_its_label() -> None:
    words = prepare(Config().with_values(corpus="tales", level="word").data)
    _, held_out = split_texts(words, hypothesis("quotes"), 2_000)
    assert len(held_out.pieces) == len(held_out.labels) == len(held_out.tokens) == 1_000
    quotes = [piece for piece, token in zip(held_out.pieces, held_out.tokens.tolist(), strict=True) if piece == '"']
    assert quotes


def test_a_hypothesis_that_never_holds_in_the_text_is_refused(tales: Corpus) -> None:
    with pytest.raises(ConfigError, match="never holds"):
        split_texts(tales, hypothesis("regex:zzzzz"), 5_000)


@pytest.mark.parametrize("tokens", [0, 99, 1_000_001])
def test_too_few_and_too_many_tokens_are_refused(tales: Corpus, tokens: int) -> None:
    with pytest.raises(ConfigError, match="choose from 100 to"):
        split_texts(tales, hypothesis("quotes"), tokens)
