"""Rows of the table of runs: what each shows of its run, whose it is, and the sentence on all of them."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from engine.config import Config
from engine.data import TextFacts
from engine.models.language_model import parameter_count
from playground.runs.records import FINISHED, QUEUED, RUNNING, STATUSES, Evaluation, Run
from playground.views.runs import rows
from playground.views.runs.rows import SIGNS, claim, row_for_visitor, spark_points

FACTS = TextFacts(
    validation_characters=4_000,
    characters_per_token=4.0,
    spelling=0.2,
    spacing=0.05,
    unknown_train=0.07,
    unknown_validation=0.108,
    seen=0.02,
)

WORDS = Config().with_values(level="word", cell="gru", units=64, layers=2, steps=500)

RUN = Run(
    id="one",
    name="First",
    status=FINISHED,
    config=Config().with_values(cell="gru", units=64, layers=2, steps=500),
    owner="me",
    step=500,
    planned_steps=500,
    best_loss=math.log(2.0),
    best_step=400,
)


def row(run: Run, text: str = "Tales") -> rows.Row:
    return rows.row(run, text)


def test_a_row_gives_the_loss_in_bits_and_as_perplexity_of_its_own_tokens() -> None:
    made = row(RUN)
    assert made["bits"] == pytest.approx(1.0)
    assert made["perplexity"] == pytest.approx(2.0)
    words = row(replace(RUN, config=WORDS, text_facts=FACTS))
    assert words["bits"] == pytest.approx(0.25 + 0.2 + 0.05), "spelling and spacing are paid for"
    assert words["perplexity"] == pytest.approx(2.0)
    assert (words["text"], words["unknown_text"], words["bits_missing"]) == ("Tales (words)", "10.8% <unk>", "")
    assert made["unknown_text"] == ""
    assert (made["model"], made["text"], made["family"]) == ("GRU 2 × 64", "Tales", "gru")


def test_what_is_not_known_is_left_out_and_never_a_number() -> None:
    old = row(replace(RUN, config=WORDS))
    assert old["bits"] is None, "what spelling and spacing cost is not known"
    assert "did not count unknown words and spacing" in old["bits_missing"]
    limit = RUN.config.with_values(vocabulary_limit=30)
    parameters = parameter_count(limit.model, 30)
    assert row(replace(RUN, config=limit, parameters=parameters))["bits"] is None, "some characters had no symbol"
    assert row(replace(RUN, config=limit, parameters=parameters - 1))["bits"] == pytest.approx(1.0)
    fresh = row(replace(RUN, best_loss=None, best_step=None))
    assert fresh["bits"] is fresh["perplexity"] is fresh["best_step"] is None
    assert row(replace(RUN, best_loss=1e6))["perplexity"] is None, "too large for a number"


def test_the_claim_compares_words_and_characters_of_one_text_and_no_other() -> None:
    characters = row(replace(RUN, id="letters", name="Letters", best_loss=2.0 * math.log(2.0)))
    words = replace(RUN, name="Words", config=WORDS, text_facts=FACTS)
    cheap, dear = (row(replace(words, best_loss=bits * 4 * math.log(2.0))) for bits in (1.7, 1.8))
    unpaid = row(replace(words, id="old", name="Old", text_facts=None, best_loss=0.1))
    other = row(
        replace(
            RUN, id="else", name="Elsewhere", config=RUN.config.with_values(corpus="own:" + "0" * 64), best_loss=0.1
        )
    )
    assert "on Tales, the best run is “Words” with 1.95 bits" in claim([characters, cheap, unpaid, other])
    assert "on Tales, the best run is “Letters” with 2.00 bits per character, ahead of “Words” with 2.05" in claim(
        [characters, dear, unpaid, other]
    )


def test_every_status_has_a_sign_of_its_own() -> None:
    assert set(SIGNS) == set(STATUSES)
    assert len(set(SIGNS.values())) == len(SIGNS)


def test_a_name_shows_what_cannot_be_seen_and_is_cut() -> None:
    made = row(replace(RUN, name="a\u202eb\n" + "x" * 900))
    assert made["name"].startswith("a⟨U+202E⟩b⏎")
    assert len(made["name"]) == 200


def test_a_spark_line_spans_the_planned_steps_and_leaves_out_what_is_not_finite() -> None:
    assert spark_points([(0, 3.0), (50, math.inf), (100, math.nan), (250, 1.0)], 1_000) == "0,0 25,24"
    assert spark_points([(0, 3.0), (100, 2.0), (200, 1.0)], 0) == "0,0 50,12 100,24"
    assert spark_points([(0, 2.0), (10, 2.0)], 10) == "0,0 100,0"
    assert spark_points([(0, 3.0)], 10) == spark_points([], 10) == ""


def test_a_queued_run_says_its_place() -> None:
    waiting = replace(RUN, status=QUEUED)
    entry = row_for_visitor(row(waiting), waiting, visitor="me", waiting=["other", "one"], stored_bytes=12)
    assert (entry["place"], entry["bytes"]) == (2, 12)
    assert row_for_visitor(row(RUN), RUN, visitor="me", waiting=["one"], stored_bytes=None)["place"] == 0


def test_the_claim_names_the_best_at_what_most_runs_read() -> None:
    best = row(replace(RUN, id="1", name="Best", best_loss=1.0))
    second = row(replace(RUN, id="2", name="Second", best_loss=1.5))
    easy = row(replace(RUN, id="3", name="Easy", config=Config().with_values(corpus="hello"), best_loss=0.1))
    running = row(replace(RUN, id="4", name="New", status=RUNNING, best_loss=None))
    assert claim([easy, second, best, running]) == (
        "4 runs, 1 training; on Tales, the best run is “Best” with 1.44 bits per character, "
        "ahead of “Second” with 2.16."
    )
    assert "just ahead of “Second”" in claim([best, row(replace(RUN, id="2", name="Second", best_loss=1.0001))])


def test_the_claim_holds_without_runs_or_scores() -> None:
    assert claim([]) == "0 runs; none has been evaluated yet."
    assert claim([row(replace(RUN, best_loss=None))]).startswith("1 run; none")


def evaluation(read: int, there: int) -> Evaluation:
    return Evaluation(400, 1.0, 1.44, 1.1, True, False, 1.0, 1.0, tokens_read=read, tokens_in_all=there)


def test_the_claim_says_where_a_loss_is_computed_on_a_part_of_the_validation_tokens() -> None:
    best = row(replace(RUN, id="1", name="Best", best_loss=1.0))
    second = row(replace(RUN, id="2", name="Second", best_loss=1.5))
    found = {"1": evaluation(1_000, 17_800), "2": evaluation(17_800, 17_800)}
    assert claim([best, second], lambda run, step: found[run] if step == 400 else None) == (
        "2 runs; on Tales, the best run is “Best” with 1.44 bits per character (computed on 1,000 of 17,800 tokens), "
        "ahead of “Second” with 2.16."
    )


def test_the_claim_names_no_best_run_on_a_few_predictions() -> None:
    best = row(replace(RUN, id="1", name="Best", best_loss=0.1), "hello")
    second = row(replace(RUN, id="2", name="Second", best_loss=0.2), "hello")
    assert claim([best, second], lambda run, step: evaluation(4, 4)) == (
        "2 runs; on hello, the validation losses rest on 4 predictions, too few to tell how well the model predicts "
        "other text."
    )


def test_the_claim_tells_runs_of_one_name_apart_by_their_ids() -> None:
    best = row(replace(RUN, id="8zenkqab", name="LSTM", best_loss=1.0))
    second = row(replace(RUN, id="4fgtwwab", name="LSTM", best_loss=1.5))
    assert "the best run is “LSTM” (8zenkq) with 1.44 bits per character, ahead of “LSTM” (4fgtww) with" in claim(
        [second, best]
    )


def test_a_row_names_the_visitors_own_text() -> None:
    own = replace(RUN, config=WORDS.with_values(corpus="own:" + "0" * 64), best_loss=None)
    assert row(own, "Moby\nDick")["text"] == "Moby⏎Dick (words)"
