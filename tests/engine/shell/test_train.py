"""`python -m engine train`, in this process and, where it must be, in another."""

from __future__ import annotations

import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.config import VERSION, Config
from engine.training.checkpoint import Checkpoint

ROOT = Path(__file__).resolve().parents[3]
CLOCK = {"seconds", "train_seconds", "tokens_per_second", "seconds_left"}


def values(lines: list[dict[str, Any]]) -> dict[tuple[str, int], dict[str, Any]]:
    """What progress, evaluations, samples and the end say, the clock aside."""
    kinds = ("progress", "evaluation", "sample", "finished")
    return {
        (line["event"], line.get("step", line.get("steps"))): {k: v for k, v in line.items() if k not in CLOCK}
        for line in lines
        if line["event"] in kinds
    }


def engine_process(*argv: str, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "engine", *argv],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        **options,
    )


# ---------------------------------------------------------------------- what is printed


def test_the_lines_of_a_run_in_json(tiny_train: list[str], in_json: Callable) -> None:
    status, lines = in_json(*tiny_train)
    assert status == 0
    assert [line["event"] for line in lines[:2]] == ["planned", "progress"]
    progress = [line for line in lines if line["event"] == "progress"]
    assert [line["step"] for line in progress] == list(range(1, 13))
    assert {"loss", "grad_norm", "clipped_norm", "learning_rate", *CLOCK} <= progress[0].keys()
    evaluations = [line for line in lines if line["event"] == "evaluation"]
    assert [line["step"] for line in evaluations] == [3, 12]
    for line in evaluations:
        assert {"step", "seconds", "train_seconds", "val_loss"} <= line.keys()
        assert 0 < line["train_seconds"] < line["seconds"]
        assert 0 < line["val_loss"] < 10
    last = lines[-1]
    assert last["event"] == "finished"
    assert {"val_loss", "seconds", "steps", "tokens_per_second", "parameters"} <= last.keys()
    assert (last["steps"], last["val_loss"]) == (12, evaluations[-1]["val_loss"])
    assert len([line for line in lines if line["event"] == "sample"]) == 2


def test_people_get_words_and_no_json(tiny_train: list[str], plainly: Callable) -> None:
    status, out, err = plainly(*tiny_train)
    assert status == 0
    assert err == ""
    assert "{" not in out
    assert "12 steps" in out
    assert "validation" in out
    assert "Finished after 12 steps" in out


def test_the_same_command_prints_the_same_numbers(tiny_train: list[str], in_json: Callable) -> None:
    assert values(in_json(*tiny_train)[1]) == values(in_json(*tiny_train)[1])
    assert values(in_json(*tiny_train)[1]) != values(in_json(*tiny_train, "--seed", "3")[1])


# ---------------------------------------------------------------------- where settings come from


def test_words(tiny_train: list[str], in_json: Callable) -> None:
    status, lines = in_json(*tiny_train, "--level", "word", "--vocabulary-limit", "80", "--cell", "gru")
    assert status == 0
    last = next(line for line in reversed(lines) if line["event"] == "evaluation")
    facts = next(line["facts"] for line in lines if line["event"] == "text")
    by_tokens = last["val_loss"] / facts["characters_per_token"] / math.log(2)
    assert last["bits_per_character"] == pytest.approx(by_tokens + facts["spelling"] + facts["spacing"])
    assert facts["spelling"] > 0


def test_a_config_file_with_settings_on_top(story: Path, tmp_path: Path, in_json: Callable) -> None:
    config = Config().with_values(corpus=f"file:{story}", cell="rnn", units=5, streams=2, chunk=8, steps=4)
    file = tmp_path / "config.json"
    file.write_text(config.to_json(), encoding="utf-8")
    folder = tmp_path / "run"
    status, lines = in_json("train", "--config", str(file), "--units", "6", "--evaluations", "1", "--save", str(folder))
    assert (status, lines[-1]["steps"]) == (0, 4)
    assert Config.from_json((folder / "config.json").read_text()) == config.with_values(units=6, evaluations=1)


def test_steps_asked_for_win_over_a_presets_seconds(story: Path, in_json: Callable) -> None:
    status, lines = in_json(
        *("train", "--preset", "shakespeare-in-three-seconds", "--corpus", str(story)),
        *("--steps", "2", "--streams", "2", "--units", "8", "--sampling-length", "0"),
    )
    assert (status, lines[-1]["steps"]) == (0, 2)


def test_a_loss_that_is_low_enough_ends_the_run(tiny_train: list[str], in_json: Callable) -> None:
    status, lines = in_json(*tiny_train, "--until-val-loss", "19")
    assert status == 0
    assert (lines[-1]["event"], lines[-1]["why"], lines[-1]["steps"]) == ("finished", "until_loss", 3)


def test_options_of_a_cell(tiny_train: list[str], in_json: Callable) -> None:
    status, lines = in_json(*tiny_train, "--cell", "rnn", "--option", "activation=relu", "--no-bias")
    assert status == 0
    assert lines[-1]["event"] == "finished"


# ---------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--preset", "nonsense"], "no preset 'nonsense'; choose one of first-words"),
        (["--units", "0"], "--units is 0; choose a value from 1 to 2,048"),
        (["--units", "many"], "--units"),
        (["--learning-rate", "nan"], "--learning-rate must be a finite number"),
        (["--nonsense", "3"], "--nonsense"),
        (["--unit", "3"], "--unit"),
        (["--bidirectional"], "--bidirectional is true, but a language model can only read forward"),
        (["--cell", "elman"], "--cell is 'elman'; choose one of rnn"),
        (["--option", "activation=relu"], "has no option 'activation'"),
        (["--option", "activation"], "NAME=VALUE"),
        (["--corpus", "moby-dick"], "--corpus is 'moby-dick'; choose one of"),
        (["--corpus", "/nowhere/at-all.txt"], "'/nowhere/at-all.txt' does not exist"),
        (["--corpus", "hello", "--level", "word"], "'hello' cannot be read as words: set --level to char"),
        (["--config", "/nowhere/config.json"], "/nowhere/config.json cannot be read"),
        (["--preset", "hello", "--config", "x"], "not both"),
        (["--device", "abacus"], "choose one of auto, cpu, cuda, mps"),
        (["--threads", "-2"], "--threads"),
        (["--stop-at", "-1"], "--stop-at"),
        (["--resume", "/nowhere/run"], "/nowhere/run contains no checkpoints"),
        (["--resume", "run", "--units", "3"], "use --resume alone"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_error_is_said_in_json_with_a_status_of_two(
    arguments: list[str], said: str, in_json: Callable, plainly: Callable
) -> None:
    status, lines = in_json("train", *arguments)
    assert status == 2
    assert [line["event"] for line in lines] == ["error"]
    assert said in lines[0]["message"]
    status, out, err = plainly("train", *arguments)
    assert (status, out) == (2, "")
    assert err.startswith("error: ")
    assert said in err


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "empty"),
        (b"short", "too short|too few"),
        (b"some text with a NUL \0 in it" * 100, "NUL"),
        (
            b"caf\xe9 " * 500,
            "not encoded in UTF-8 but probably in windows-1252.*iconv -f windows-1252 -t UTF-8 .*own.txt",
        ),
        (b"x" * 5_100_000, "5.1 MB; the limit is 5 MB"),
        (b"aaaaaaaa" * 1_000, "repeats a single character"),
    ],
    ids=["empty", "a word", "NUL", "latin-1", "5.1 MB", "one letter"],
)
def test_a_text_that_cannot_be_used_gets_a_sentence(raw: bytes, said: str, tmp_path: Path, in_json: Callable) -> None:
    file = tmp_path / "own.txt"
    file.write_bytes(raw)
    status, lines = in_json("train", "--corpus", str(file))
    assert status == 2
    (error,) = lines
    assert error["event"] == "error"
    assert re.search(said, error["message"]), error["message"]


@pytest.mark.parametrize(
    ("level", "text", "batches"),
    [
        ("char", "too short for one chunk of the default size, but not empty", (1, 32)),
        ("char", "a sentence of forty characters, or so. " * 50, (16, 64)),
        ("word", "a sentence of forty characters, or so. " * 50, (4, 64)),
        ("char", "long enough for its batches. " * 200, (32, 64)),
    ],
)
def test_settings_that_nobody_gave_are_fitted_to_the_tokens_and_that_is_said(
    level: str, text: str, batches: tuple[int, int], tmp_path: Path, in_json: Callable
) -> None:
    (tmp_path / "own").write_text(text, encoding="utf-8")
    short = ("--steps", "1", "--units", "4", "--level", level, "--save", str(tmp_path / "run"))
    status, lines = in_json("train", "--corpus", str(tmp_path / "own"), *short)
    assert status == 0
    config = Config.from_json((tmp_path / "run" / "config.json").read_text(encoding="utf-8"))
    assert (config.data.streams, config.data.chunk) == batches
    said = [line["message"] for line in lines if line["event"] == "note"]
    assert [
        note.endswith(f"--streams × --chunk was reduced from 32 × 64 to {batches[0]} × {batches[1]}.") for note in said
    ] == ([True] if batches != (32, 64) else [])


def test_a_batch_that_was_given_is_refused_where_it_does_not_fit(tmp_path: Path, in_json: Callable) -> None:
    (tmp_path / "own").write_text("a sentence of forty characters, or so. " * 20, encoding="utf-8")
    corpus = ("train", "--corpus", str(tmp_path / "own"))
    status, (error,) = in_json(*corpus, "--streams", "64", "--chunk", "64")
    assert status == 2
    assert "set --streams to at most 10, or use a longer text" in error["message"]
    assert "data." not in error["message"]
    status, lines = in_json(*corpus, "--streams", "64", "--steps", "1", "--units", "4")
    assert status == 0
    assert lines[0]["message"].endswith("--streams × --chunk was reduced from 64 × 64 to 64 × 8.")


def test_a_model_that_no_memory_holds_is_refused_in_a_sentence(
    tiny_train: list[str], in_json: Callable, plainly: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.shell.memory.free_bytes", lambda: 9_000_000)
    assert in_json(*tiny_train)[0] == 0
    status, (error,) = in_json(*tiny_train, "--units", "2048", "--layers", "8")
    assert status == 2
    assert re.search(r"needs about .* GB of memory, but only 9 MB is free: .* --chunk or --streams", error["message"])
    status, out, err = plainly(*tiny_train, "--units", "2048", "--layers", "8")
    assert (status, out) == (2, "")
    assert err.startswith("error: Training this model needs about")


def test_memory_that_runs_out_all_the_same_ends_in_a_sentence(
    tiny_train: list[str], in_json: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 40000000000 bytes.")

    monkeypatch.setattr("engine.shell.train.train", full)
    status, (error,) = in_json(*tiny_train)
    assert status == 2
    assert "Out of memory: use fewer units" in error["message"]


def test_what_was_changed_in_a_file_and_what_of_the_prompt_is_not_read_is_said(
    tmp_path: Path, in_json: Callable
) -> None:
    (tmp_path / "own.log").write_bytes(b"a page\r\nand\fanother it's\r\n" * 20)
    status, lines = in_json(
        *("train", "--corpus", str(tmp_path / "own.log"), "--streams", "2", "--chunk", "8", "--units", "4"),
        *("--steps", "1", "--prompt", "it’s ☃"),
    )
    assert status == 0
    assert [line["message"] for line in lines if line["event"] == "note"] == [
        "Changes made to the text: 40 line ends converted from CR LF to LF; "
        "20 form feeds or other separators replaced by line ends.",
        "'’' in the prompt is not in the vocabulary: read as \"'\".",
        "'☃' in the prompt is not in the vocabulary: left out.",
    ]


def test_lines_that_are_sorted_by_kind_are_noticed(tmp_path: Path, in_json: Callable) -> None:
    names = [f"{stem:04d}{ending}" for ending in ("ova", "ini", "moto", "sky") for stem in range(0, 9000, 45)]
    (tmp_path / "names").write_text("\n".join(names), encoding="utf-8")
    _, lines = in_json("train", "--corpus", str(tmp_path / "names"), "--units", "4", "--steps", "1")
    assert "sorted by kind" in lines[0]["message"]


@pytest.mark.parametrize(
    "text",
    ["שלום עולם וכל טוב לכולם\n" * 40, "🙂🎉 emoji 👩‍👩‍👧 and text\n" * 40, "<script>alert(1)</script>\n" * 40],
    ids=["right to left", "emoji", "markup"],
)
def test_a_text_of_any_script_works(text: str, tmp_path: Path, in_json: Callable) -> None:
    file = tmp_path / "own.txt"
    file.write_text(text, encoding="utf-8")
    status, lines = in_json(
        *("train", "--corpus", str(file), "--units", "4", "--streams", "2", "--chunk", "8"),
        *("--steps", "2", "--evaluations", "1", "--sampling-length", "5"),
    )
    assert (status, lines[-1]["event"]) == (0, "finished")


@pytest.mark.parametrize(
    ("plain", "said"),
    [
        ({"version": VERSION + 1}, "update Unrolled"),
        ({"model": {"unit": 3}}, "Unknown key 'unit'"),
        ({"training": {"steps": 0}}, "training.steps is 0"),
        ("not json", "not JSON"),
    ],
)
def test_a_config_file_that_cannot_stand_is_refused(plain: Any, said: str, tmp_path: Path, in_json: Callable) -> None:
    file = tmp_path / "config.json"
    file.write_text(plain if isinstance(plain, str) else json.dumps(plain), encoding="utf-8")
    status, lines = in_json("train", "--config", str(file))
    assert status == 2
    assert said in lines[0]["message"]


def test_a_run_that_diverges_says_so_and_has_a_status_of_one(tiny_train: list[str], in_json: Callable) -> None:
    arguments = ["--cell", "rnn", "--option", "activation=identity", "--gain", "20", "--chunk", "64", "--clip", "off"]
    status, lines = in_json(*tiny_train, *arguments, "--optimizer", "sgd", "--steps", "100")
    assert status == 1
    assert lines[-1]["event"] == "diverged"
    assert lines[-1]["suggestion"] == {"model__gain": 1.0}
    assert lines[-1]["reason"]


# ---------------------------------------------------------------------- saved, stopped, gone on with


def test_a_run_goes_on_in_another_process_exactly(tiny_train: list[str], tmp_path: Path, in_json: Callable) -> None:
    arguments = [*tiny_train, "--dropout", "0.2", "--threads", "1"]
    whole = values(in_json(*arguments)[1])
    folder = str(tmp_path / "run")
    status, lines = in_json(*arguments, "--save", folder, "--stop-at", "5")
    assert status == 0
    stopped = lines[-1]
    assert (stopped["event"], stopped["step"], stopped["directory"]) == ("stopped", 5, folder)
    first = values(lines)
    assert max(step for _, step in first) == 5
    other = engine_process("train", "--resume", folder, "--threads", "1", "--json")
    out, err = other.communicate(timeout=120)
    assert (other.returncode, err) == (0, "")
    second = values([json.loads(line) for line in out.splitlines()])
    assert min(step for _, step in second) == 6
    assert first | second == whole


def test_a_run_stopped_again_and_again_still_ends_the_same(
    tiny_train: list[str], tmp_path: Path, in_json: Callable
) -> None:
    whole = values(in_json(*tiny_train)[1])
    folder = str(tmp_path / "run")
    found = values(in_json(*tiny_train, "--save", folder, "--stop-at", "1")[1])
    for stop in ("1", "3", "4", "11", "12", "99"):
        status, lines = in_json("train", "--resume", folder, "--stop-at", stop)
        assert status == 0
        found |= values(lines)
    assert found == whole


def test_a_finished_run_has_nothing_left_to_do(saved_run: Path, in_json: Callable) -> None:
    status, lines = in_json("train", "--resume", str(saved_run))
    assert status == 0
    assert [line["event"] for line in lines] == ["planned", "finished"]
    assert lines[-1]["val_loss"] == pytest.approx(lines[-1]["best_loss"])


def test_a_folder_with_a_run_is_not_overwritten(saved_run: Path, tiny_train: list[str], in_json: Callable) -> None:
    before = {file: file.read_bytes() for file in saved_run.rglob("*") if file.is_file()}
    status, lines = in_json(*tiny_train, "--save", str(saved_run))
    assert status == 2
    assert "--resume" in lines[0]["message"]
    assert {file: file.read_bytes() for file in saved_run.rglob("*") if file.is_file()} == before


def test_a_corpus_that_has_changed_is_refused_by_name(
    tiny_train: list[str], story: Path, tmp_path: Path, in_json: Callable
) -> None:
    file = tmp_path / "changing.txt"
    file.write_text(story.read_text())
    folder = str(tmp_path / "run")
    in_json(*tiny_train, "--corpus", str(file), "--save", folder, "--stop-at", "3")
    file.write_text(story.read_text().replace("the", "eht"))
    status, lines = in_json("train", "--resume", folder)
    assert status == 2
    assert "'changing.txt' has changed" in lines[0]["message"]


def test_a_damaged_checkpoint_is_refused(saved_run: Path, in_json: Callable) -> None:
    newest = max((saved_run / "checkpoints").glob("*.safetensors"))
    newest.write_bytes(newest.read_bytes()[:-10])
    status, lines = in_json("train", "--resume", str(saved_run))
    assert status == 2
    assert lines[0]["kind"] == "CheckpointError"


def test_the_events_of_a_saved_run_are_in_its_folder(saved_run: Path) -> None:
    lines = [json.loads(line) for line in (saved_run / "events.jsonl").read_text().splitlines()]
    assert (lines[0]["event"], lines[-1]["event"]) == ("planned", "finished")


def test_ctrl_c_saves_and_says_so_and_the_run_can_go_on(story: Path, tmp_path: Path) -> None:
    """Without --save it makes a folder of its own, in the folder it was started from."""
    arguments = ["--units", "8", "--streams", "2", "--chunk", "4", "--steps", "1000000", "--evaluations", "1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "engine", "train", "--corpus", str(story), *arguments, "--threads", "1", "--json"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        seen.append(json.loads(line))
        if seen[-1]["event"] == "progress" and seen[-1]["step"] >= 20:
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    last = json.loads(out.splitlines()[-1])
    assert last["event"] == "stopped"
    assert "--resume" in last["message"]
    (file,) = (tmp_path / last["directory"] / "checkpoints").glob(f"*{last['step']}.safetensors")
    saved = Checkpoint.from_bytes(file.read_bytes())
    assert saved.full
    assert saved.step == last["step"] >= 20


def test_a_reader_that_goes_away_ends_the_run_quietly(tiny_train: list[str]) -> None:
    process = engine_process(*tiny_train, "--steps", "100000", "--json")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    started = time.perf_counter()
    assert process.wait(timeout=60) == 1
    assert time.perf_counter() - started < 60
    assert process.stderr.read() == ""
    process.stderr.close()
