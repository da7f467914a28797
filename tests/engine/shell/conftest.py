"""Commands run in this process, with what they print."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.shell.main import main

SMALL = ["--units", "8", "--embedding", "6", "--streams", "4", "--chunk", "8", "--sampling-length", "10"]
SHORT = ["--steps", "12", "--evaluations", "2"]

Lines = list[dict[str, Any]]
RunJson = Callable[..., tuple[int, Lines]]
RunPlain = Callable[..., tuple[int, str, str]]


@pytest.fixture
def plainly(capsys: pytest.CaptureFixture[str]) -> RunPlain:
    """Runs a command as people do; gives its status, what it printed, and what it printed as an error."""

    def run(*argv: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main(argv)
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


@pytest.fixture
def in_json(plainly: RunPlain) -> RunJson:
    """Runs a command with --json; gives its status and its lines, each parsed."""

    def run(*argv: str) -> tuple[int, Lines]:
        status, out, err = plainly(*argv, "--json")
        assert err == ""
        return status, [json.loads(line) for line in out.splitlines()]

    return run


@pytest.fixture
def tiny_train(story: Path) -> list[str]:
    """The arguments of a run that takes a moment."""
    return ["train", "--corpus", str(story), *SMALL, *SHORT, "--device", "cpu"]


@pytest.fixture
def saved_run(tiny_train: list[str], plainly: RunPlain, tmp_path: Path) -> Path:
    """A folder with a finished run."""
    folder = tmp_path / "run"
    status, _, _ = plainly(*tiny_train, "--save", str(folder))
    assert status == 0
    return folder
