"""What each kind of analysis gives a page, computed on the runs that ship with the code."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch

import engine
from engine.analysis.memory import half_lives
from engine.config import ConfigError
from engine.data import Corpus, Vocabulary, prepare
from engine.models.language_model import LanguageModel
from engine.training.checkpoint import Checkpoint
from engine.training.restore import load_weights
from playground.runs.jobs.job_input import JobInput
from playground.runs.jobs.registry import job_kind
from playground.runs.records import CheckpointInfo
from playground.runs.store.starter_files import FOLDER, StarterRun

QUOTES, TOKENS = "quotes", 20_000


def _model(run: StarterRun, step: int) -> tuple[LanguageModel, Vocabulary]:
    checkpoint = Checkpoint.from_bytes(run.checkpoint(step))
    vocabulary = Vocabulary.from_json(checkpoint.vocabulary)
    model = LanguageModel(checkpoint.config.model, len(vocabulary), seed=0)
    load_weights(model, checkpoint.weights())
    return model, vocabulary


def _input(name: str, reported: list[float] | None = None, **arguments: Any) -> JobInput:
    run = StarterRun(FOLDER / name)
    model, vocabulary = _model(run, run.run.step)

    def corpus() -> Corpus:
        return prepare(run.run.config.data, vocabulary=vocabulary)

    return JobInput(
        config=run.run.config,
        step=run.run.step,
        model=model,
        vocabulary=vocabulary,
        arguments=arguments,
        kept_steps=[info.step for info in run.rows(CheckpointInfo)],
        load_corpus=corpus,
        load_model=lambda step: _model(run, step)[0],
        report=(lambda share: None) if reported is None else reported.append,
    )


def _compute(kind: str, name: str = "tales-lstm", reported: list[float] | None = None, **arguments: Any) -> Any:
    """What the analysis finds, as it arrives through the store."""
    return json.loads(json.dumps(job_kind(kind).compute(_input(name, reported, **arguments))))


# ---------------------------------------------------------------------- unit search, ablation


@pytest.fixture(scope="module")
def searched() -> dict[str, Any]:
    return _compute("unit_search", hypothesis=QUOTES, tokens=TOKENS)


def test_the_quotation_unit_of_the_starter_run_is_found_well_above_the_baseline(searched: dict[str, Any]) -> None:
    best = searched["scores"][0]
    assert (best["layer"], best["unit"], best["quantity"]) == (0, 23, "cell")
    assert best["score"] > 0.95
    assert searched["found"]
    assert best["score"] > searched["baseline"] + 0.2
    assert len(searched["scores"]) == 160
    assert searched["fitted"] + searched["held_out"] == TOKENS


def test_the_best_unit_is_shown_on_a_passage_in_which_the_hypothesis_begins_and_ends(searched: dict[str, Any]) -> None:
    passage = searched["passage"]
    lengths = {len(passage["pieces"]), len(passage["holds"]), *map(len, passage["values"])}
    assert len(lengths) == 1
    assert 0.1 < np.mean(passage["holds"]) < 0.9
    best = searched["scores"][0]
    on = np.sign(best["sign"]) * (np.array(passage["values"][0]) - best["threshold"]) > 0
    assert (on == np.array(passage["holds"])).mean() > 0.9


def test_a_line_position_unit_is_found_in_the_run_by_words() -> None:
    found = _compute("unit_search", "tales-words", hypothesis="line-position", tokens=TOKENS)
    assert found["found"]
    assert found["scores"][0]["score"] > 0.8
    assert found["numeric"]


def test_without_the_quotation_unit_the_loss_rises_more_inside_quotations_than_outside() -> None:
    found = _compute("ablation", hypothesis=QUOTES, tokens=2 * TOKENS, quantity="hidden", layer=0, unit=23, value=0.0)
    inside = found["loss_inside_ablated"] - found["loss_inside"]
    outside = found["loss_outside_ablated"] - found["loss_outside"]
    assert inside > outside > 0
    assert found["sample"] != found["sample_ablated"]


def test_a_unit_that_is_held_on_hurts_outside_quotations_most() -> None:
    """1 is far on its side of a quotation: outside one, the network is led to believe that it is inside."""
    found = _compute("ablation", hypothesis=QUOTES, tokens=TOKENS, quantity="hidden", layer=0, unit=23, value=1.0)
    inside = found["loss_inside_ablated"] - found["loss_inside"]
    outside = found["loss_outside_ablated"] - found["loss_outside"]
    assert outside > 2 * inside


@pytest.mark.parametrize("kind", ["unit_search", "ablation"])
def test_a_hypothesis_that_never_holds_is_refused_in_a_sentence(kind: str) -> None:
    hold = {"quantity": "hidden", "layer": 0, "unit": 1, "value": 0.0}
    with pytest.raises(ConfigError, match="never holds"):
        _compute(kind, hypothesis="regex:zzzz", tokens=5_000, **hold)


# ---------------------------------------------------------------------- gates


def test_saturation_and_half_lives_are_those_of_the_validation_text() -> None:
    found = _compute("gate_statistics", tokens=400)
    given = _input("tales-lstm")
    trace = engine.record(given.model, given.corpus.validation[:400])
    for name in ("update", "forget", "output"):
        values = trace[name][0].double()
        np.testing.assert_allclose(found["gates"][name]["shut"][0], (values < 0.1).double().mean(0), atol=0.003)
        np.testing.assert_allclose(found["gates"][name]["open"][0], (values > 0.9).double().mean(0), atol=0.003)
    expected = half_lives(trace["forget"][0].double())
    np.testing.assert_allclose(found["half_lives"][0], expected, rtol=1e-3)
    assert found["tokens"] == 400


def test_an_rnn_has_no_gates_and_no_half_lives() -> None:
    found = _compute("gate_statistics", "tales-rnn", tokens=300)
    assert (found["gates"], found["half_lives"]) == ({}, None)


@pytest.mark.parametrize("name", ["tales-lstm", "tales-gru"])
def test_gates_saturate_as_a_run_trains(name: str) -> None:
    reported: list[float] = []
    found = _compute("gates_along_training", name, reported, tokens=1_000)
    assert found["steps"][0] == 0
    for shares in found["shares"].values():
        by_step = np.array(shares)[:, 0]
        assert len(by_step) == len(found["steps"])
        assert by_step[-1] > by_step[0] + 0.1
    assert reported[-1] == pytest.approx(1.0)
    assert reported == sorted(reported)


# ---------------------------------------------------------------------- along training, spans


def test_a_unit_along_training_has_a_row_for_each_kept_step() -> None:
    given = _input("tales-lstm")
    probe = given.vocabulary.encode('"I want a bell," he said.').tolist()
    wanted = {"probe": probe, "context": [], "quantity": "cell", "layer": 0, "unit": 23}
    found = _compute("unit_along_training", **wanted)
    assert found["steps"] == list(given.kept_steps)
    assert np.array(found["values"]).shape == (len(given.kept_steps), len(probe))
    now = engine.record(given.model, probe)["cell"][0, :, 23]
    np.testing.assert_allclose(found["values"][-1], now, rtol=1e-5)


@pytest.mark.parametrize("context", ["", "He said: "])
def test_a_span_gives_units_and_passages_with_their_text(context: str) -> None:
    given = _input("tales-lstm")
    text = 'It was late. "You must go," she said to the men at the door.'
    probe, before = (given.vocabulary.encode(part).tolist() for part in (text, context))
    first, last = text.index("You"), text.index(",")
    found = _compute(
        "span_search", probe=probe, context=before, first=first, last=last, layer=0, state="cell", tokens=100_000
    )
    assert found["tokens"] == 100_000
    assert any(one["unit"] == 23 for one in found["units"]), "the quotation unit is on there"
    assert found["passages"]
    corpus = given.corpus
    whole = corpus.validation_text + corpus.train_text
    for one in found["passages"]:
        assert "".join(one["inside"]) == whole[one["first"] : one["last"] + 1]
        assert "".join(one["before"]) == whole[max(0, one["first"] - 40) : one["first"]]


def test_every_kind_reports_what_raises_so_that_it_can_be_cancelled() -> None:
    class CancelledError(Exception):
        pass

    def raising(share: float) -> None:
        raise CancelledError

    arguments: dict[str, dict[str, Any]] = {
        "unit_search": {"hypothesis": QUOTES, "tokens": 5_000},
        "gate_statistics": {"tokens": 2_000},
        "gates_along_training": {"tokens": 500},
        "unit_along_training": {"probe": [1, 2], "context": [], "quantity": "cell", "layer": 0, "unit": 0},
    }
    for kind, wanted in arguments.items():
        given = _input("tales-lstm", **wanted)
        stopped = JobInput(**{**vars(given), "report": raising})
        with pytest.raises(CancelledError):
            job_kind(kind).compute(stopped)


def test_the_models_of_an_analysis_are_left_as_they_were() -> None:
    given = _input("tales-lstm", hypothesis=QUOTES, tokens=5_000)
    before = {name: values.clone() for name, values in given.model.state_dict().items()}
    job_kind("unit_search").compute(given)
    assert all(torch.equal(values, before[name]) for name, values in given.model.state_dict().items())
