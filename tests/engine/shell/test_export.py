"""`python -m engine export`: a saved run as model.py and its weights."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from engine.shell.directory import RunDirectory


def bare(script: Path, *arguments: str) -> str:
    """What the exported file prints where nothing of ours is."""
    command = [sys.executable, "-I", str(script), *arguments]
    ran = subprocess.run(command, cwd=script.parent, env={}, capture_output=True, check=False, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, b"")
    return ran.stdout.decode("utf-8")


def test_the_written_file_samples_as_the_engine_does(saved_run: Path, tmp_path: Path, plainly: Callable) -> None:
    out = tmp_path / "a new folder" / "out"
    status, said, wrong = plainly("export", str(saved_run), str(out))
    assert (status, wrong) == (0, "")
    assert f"python {out / 'model.py'}" in said
    assert sorted(path.name for path in out.iterdir()) == ["model.py", "model.safetensors"]
    settings = ("--prompt", "he", "--length", "5", "--seed", "1")
    settings += ("--temperature", "0.8", "--top-k", "0", "--top-p", "1.0")
    _, wanted, _ = plainly("sample", str(saved_run), *settings)
    assert len(wanted) == len("he") + 5 + 1
    assert bare(out / "model.py", *settings) == wanted


def test_words_go_on_past_line_ends_in_both(
    tiny_train: list[str], tmp_path: Path, plainly: Callable, in_json: Callable
) -> None:
    folder, out = str(tmp_path / "words"), tmp_path / "out"
    plainly(*tiny_train, "--level", "word", "--vocabulary-limit", "40", "--save", folder)
    assert in_json("export", folder, str(out))[0] == 0
    settings = ("--prompt", "The", "--length", "200", "--seed", "2", "--temperature", "1")
    _, wanted, _ = plainly("sample", folder, *settings)
    assert wanted.count("\n") > 2
    assert bare(out / "model.py", *settings) == wanted


def test_json_names_the_files_and_the_step(saved_run: Path, tmp_path: Path, in_json: Callable) -> None:
    status, (line,) = in_json("export", str(saved_run), str(tmp_path / "out"), "--step", "2")
    assert status == 0
    assert (line["event"], line["step"]) == ("export", 2)
    assert "after\n2 steps of training on a user's own text" in Path(line["script"]).read_text(encoding="utf-8")
    assert Path(line["weights"]).is_file()


def test_an_export_is_written_over_by_the_next(saved_run: Path, tmp_path: Path, plainly: Callable) -> None:
    first = (str(saved_run), str(tmp_path / "out"), "--step", "0")
    assert plainly("export", *first)[0] == 0
    early = (tmp_path / "out" / "model.safetensors").read_bytes()
    assert plainly("export", *first[:2])[0] == 0
    assert (tmp_path / "out" / "model.safetensors").read_bytes() != early


@pytest.mark.parametrize("name", ["model.py", "model.safetensors"])
def test_a_file_of_someone_elses_stays(name: str, saved_run: Path, tmp_path: Path, plainly: Callable) -> None:
    theirs = tmp_path / name
    theirs.write_text("mine = True\n", encoding="utf-8")
    status, _, said = plainly("export", str(saved_run), str(tmp_path))
    assert status == 2
    assert f"{theirs} already exists and was not written by an export" in said
    assert theirs.read_text(encoding="utf-8") == "mine = True\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{run}"], "OUT"),
        (["{run}", "{tmp}/out", "--step", "7"], "no checkpoint at step 7; it has 0, 1, 2, "),
        (["{tmp}", "{tmp}/out"], "train --save"),
        (["{run}", "{run}/config.json"], "config.json cannot be used"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_written(
    arguments: list[str], said: str, saved_run: Path, tmp_path: Path, in_json: Callable
) -> None:
    status, (line,) = in_json("export", *(part.format(run=saved_run, tmp=tmp_path) for part in arguments))
    assert (status, line["event"]) == (2, "error")
    assert said in line["message"]
    assert not (tmp_path / "out").exists()


def test_a_run_of_a_cell_that_does_not_exist_is_refused(saved_run: Path, tmp_path: Path, in_json: Callable) -> None:
    directory = RunDirectory(saved_run)
    checkpoint = directory.load()
    directory.save(replace(checkpoint, config=checkpoint.config.with_values(cell="elman")))
    status, (line,) = in_json("export", str(saved_run), str(tmp_path / "out"))
    assert status == 2
    assert "model.cell is 'elman'" in line["message"]
    assert not (tmp_path / "out").exists()
