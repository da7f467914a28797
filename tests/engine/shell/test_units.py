"""`units`: the ranking of a saved run's units, and what breaks without one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.analysis.hypotheses import NAMES
from engine.config import ConfigError
from engine.models.long_pass import Hold
from engine.shell.units import held

RunJson = Callable[..., tuple[int, list[dict[str, Any]]]]
RunPlain = Callable[..., tuple[int, str, str]]

STARTER = "starter:tales-lstm"


def test_every_unit_has_a_line_the_best_first_and_the_last_line_says_what_was_read(in_json: RunJson) -> None:
    status, lines = in_json("units", STARTER, "--hypothesis", "quotes", "--tokens", "10000")
    assert status == 0
    *units, last = lines
    assert {line["event"] for line in units} == {"unit"}
    assert len(units) == 160
    scores = [line["score"] for line in units]
    assert scores == sorted(scores, reverse=True)
    assert (units[0]["layer"], units[0]["unit"], units[0]["quantity"]) == (0, 23, "cell")
    assert units[0]["score"] > units[0]["baseline"] + 0.2
    assert (last["event"], last["tokens"], last["found"]) == ("finished", 10_000, True)
    assert last["seconds"] > 0


def test_an_ablation_adds_the_losses(in_json: RunJson) -> None:
    status, lines = in_json("units", STARTER, "--tokens", "10000", "--ablate", "0:23")
    assert status == 0
    last = lines[-1]
    for part in ("loss", "loss_inside", "loss_outside"):
        assert last[f"{part}_ablated"] > last[part]
    other = in_json("units", STARTER, "--tokens", "10000", "--ablate", "0:23=1")[1][-1]
    assert other["loss"] == last["loss"]
    assert other["loss_outside_ablated"] > last["loss_outside_ablated"]


def test_people_get_the_ten_best_and_a_verdict(plainly: RunPlain) -> None:
    status, out, err = plainly("units", STARTER, "--tokens", "10000", "--ablate", "0:23")
    assert (status, err) == (0, "")
    assert out.startswith("Units that tell inside quotation marks, the best first:")
    assert "The best is clearly above the baseline" in out
    assert "Loss where it holds:" in out
    assert len(out.splitlines()) == 2 + 10 + 1 + 3 + 1


@pytest.mark.parametrize("hypothesis", [*NAMES, "regex:[Tt]he"])
def test_every_hypothesis_is_answered(in_json: RunJson, hypothesis: str) -> None:
    status, lines = in_json("units", STARTER, "--hypothesis", hypothesis, "--tokens", "4000")
    assert status in (0, 2)
    assert lines[-1]["event"] == ("finished" if status == 0 else "error")
    if status:
        assert "in this text" in lines[-1]["message"].lower()


def test_a_saved_run_is_searched_at_any_of_its_steps(saved_run: Path, in_json: RunJson) -> None:
    status, lines = in_json("units", str(saved_run), "--hypothesis", "vowel", "--tokens", "500", "--step", "0")
    assert status == 0
    assert sum(line["event"] == "unit" for line in lines) == 8


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--hypothesis", "quote"], "There is no hypothesis 'quote'"),
        (["--hypothesis", "regex:(a"], "cannot be read"),
        (["--hypothesis", "regex:(.|.)+(.|..)+(?<!.)X?$"], "takes longer than"),
        (["--hypothesis", "regex:zzzzz"], "never holds"),
        (["--tokens", "5"], "choose from 100"),
        (["--ablate", "0"], "write LAYER:UNIT"),
        (["--ablate", "0:999"], "There is no unit 999"),
        (["--ablate", "3:1"], "There is no layer 3"),
        (["--step", "7"], "has no checkpoint at step 7"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_in_a_sentence(in_json: RunJson, more: list[str], said: str) -> None:
    status, lines = in_json("units", STARTER, *more)
    assert status == 2
    assert said in lines[-1]["message"]


def test_an_unknown_starter_run_is_refused_with_those_there_are(in_json: RunJson) -> None:
    status, lines = in_json("units", "starter:nope")
    assert status == 2
    assert "tales-lstm" in lines[-1]["message"]


def test_a_starter_run_can_be_sampled_and_exported_too(in_json: RunJson, tmp_path: Path) -> None:
    status, lines = in_json("sample", STARTER, "--prompt", "The ", "--length", "20")
    assert (status, len(lines[-1]["text"])) == (0, 20)
    assert in_json("export", STARTER, str(tmp_path / "out"))[0] == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0:57", Hold("hidden", 0, 57, 0.0)),
        ("1:2=0.5", Hold("hidden", 1, 2, 0.5)),
        ("1:2=-1", Hold("hidden", 1, 2, -1.0)),
    ],
)
def test_what_is_held_is_read(text: str, expected: Hold) -> None:
    assert held(text) == expected


@pytest.mark.parametrize("text", ["", "1", "a:b", "1:2=", "1:2=x", "1:2=nan", "1:2=inf", "-1:2"])
def test_what_is_no_hold_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="LAYER:UNIT"):
        held(text)
