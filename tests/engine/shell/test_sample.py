"""`python -m engine sample`: text from a saved run."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine.models.language_model import LanguageModel
from engine.shell.directory import RunDirectory


def test_people_get_the_prompt_and_the_text_and_nothing_else(saved_run: Path, plainly: Callable) -> None:
    status, out, err = plainly("sample", str(saved_run), "--prompt", "the", "--length", "30")
    assert (status, err) == (0, "")
    assert out.startswith("the")
    assert len(out) == len("the") + 30 + 1


def test_json_has_the_same_text(saved_run: Path, plainly: Callable, in_json: Callable) -> None:
    arguments = ("sample", str(saved_run), "--prompt", "the", "--length", "30", "--seed", "4")
    _, out, _ = plainly(*arguments)
    status, lines = in_json(*arguments)
    assert status == 0
    assert lines == [
        {"event": "sample", "step": 12, "prompt": "the", "text": out[3:-1], "left_out": [], "read_instead": {}}
    ]


def test_the_seed_the_temperature_and_the_step_count(saved_run: Path, in_json: Callable) -> None:
    def text(*arguments: str) -> str:
        return in_json("sample", str(saved_run), "--length", "60", *arguments)[1][0]["text"]

    assert text() == text()
    assert text() != text("--seed", "2")
    assert text("--temperature", "0") == text("--temperature", "0", "--seed", "2")
    assert text("--top-k", "1") == text("--temperature", "0")
    assert text("--step", "0") != text()


def test_words_are_set_apart_from_the_prompt(
    tiny_train: list[str], tmp_path: Path, plainly: Callable, in_json: Callable
) -> None:
    folder = str(tmp_path / "words")
    plainly(*tiny_train, "--level", "word", "--vocabulary-limit", "200", "--save", folder)
    arguments = ("sample", folder, "--prompt", "the", "--length", "20", "--seed", "3")
    _, out, _ = plainly(*arguments)
    _, (line,) = in_json(*arguments)
    assert out == line["prompt"] + line["text"] + "\n"
    assert out.startswith("the")
    assert not out[3].isalnum()
    assert "<unk>" not in out


def test_a_long_text_of_words_is_put_together_word_by_word(
    tiny_train: list[str], tmp_path: Path, plainly: Callable, in_json: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = str(tmp_path / "words")
    plainly(*tiny_train, "--level", "word", "--vocabulary-limit", "200", "--save", folder)
    joined: list[int] = []
    monkeypatch.setattr("engine.data.vocabulary.join", lambda tokens, *how: joined.append(len(tokens)) or "the")
    status, _ = in_json("sample", folder, "--prompt", "the", "--length", "300")
    assert status == 0
    assert joined == [1], "the prompt alone is joined whole: 300 words are not joined 300 times"


def test_weights_that_ran_away_are_said(saved_run: Path, in_json: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(model: LanguageModel, weights: object) -> None:
        torch.nn.init.constant_(model.head_weight, math.nan)

    monkeypatch.setattr("engine.start.load_weights", load)
    status, lines = in_json("sample", str(saved_run))
    assert status == 2
    assert "not finite" in lines[0]["message"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--temperature", "-1"], "temperature"),
        (["--temperature", "nan"], "temperature"),
        (["--top-p", "0"], "top_p"),
        (["--top-k", "-1"], "top_k"),
        (["--seed", "-1"], "seed"),
        (["--length", "-3"], "--length"),
        (["--step", "7"], "no checkpoint at step 7; it has 0, 1, 2, "),
        (["--step", "many"], "--step"),
        (["--threads", "0"], "--threads"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_is_refused(arguments: list[str], said: str, saved_run: Path, in_json: Callable) -> None:
    status, lines = in_json("sample", str(saved_run), *arguments)
    assert status == 2
    assert [line["event"] for line in lines] == ["error"]
    assert said in lines[0]["message"]


def test_a_folder_without_a_run_is_refused(tmp_path: Path, in_json: Callable) -> None:
    status, lines = in_json("sample", str(tmp_path))
    assert status == 2
    assert "train --save" in lines[0]["message"]


def test_a_run_of_a_cell_that_does_not_exist_is_refused(saved_run: Path, in_json: Callable) -> None:
    directory = RunDirectory(saved_run)
    checkpoint = directory.load()
    directory.save(replace(checkpoint, config=checkpoint.config.with_values(cell="elman")))
    status, lines = in_json("sample", str(saved_run))
    assert status == 2
    assert "model.cell is 'elman'" in lines[0]["message"]


def test_characters_the_model_does_not_know_are_named(saved_run: Path, plainly: Callable, in_json: Callable) -> None:
    arguments = ("sample", str(saved_run), "--prompt", "th\U0001f600e", "--length", "3")
    _, _, said = plainly(*arguments)
    assert "\U0001f600" in said
    _, (line,) = in_json(*arguments)
    assert (line["prompt"], line["left_out"]) == ("the", ["\U0001f600"])


def test_a_text_of_words_has_its_whole_length_unless_a_line_end_is_asked_for(
    tiny_train: list[str], tmp_path: Path, plainly: Callable, in_json: Callable
) -> None:
    folder = str(tmp_path / "words")
    plainly(*tiny_train, "--level", "word", "--vocabulary-limit", "40", "--save", folder)
    asked = ("sample", folder, "--length", "200", "--temperature", "1")
    whole = in_json(*asked)[1][0]["text"]
    assert whole.count("\n") > 2
    line = in_json(*asked, "--until-line-end")[1][0]["text"]
    assert "\n" not in line
    assert whole.startswith(line + "\n")


def test_a_text_of_characters_ends_at_a_line_end_where_that_is_asked_for(saved_run: Path, in_json: Callable) -> None:
    asked = ("sample", str(saved_run), "--length", "2000", "--temperature", "2")
    whole, line = (in_json(*asked, *more)[1][0]["text"] for more in ((), ("--until-line-end",)))
    assert len(whole) == 2_000
    assert line == whole.partition("\n")[0]


def test_the_nearest_symbols_are_read_and_named(saved_run: Path, plainly: Callable, in_json: Callable) -> None:
    arguments = ("sample", str(saved_run), "--prompt", "thé ", "--length", "3")
    _, out, said = plainly(*arguments)
    assert out.startswith("the ")
    assert "'é' in the prompt is not in the vocabulary: read as 'e'" in said
    _, (line,) = in_json(*arguments)
    assert line["read_instead"] == {"é": "e"}
