"""The kinds of analyses are found by their files."""

from __future__ import annotations

import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from playground.runs.jobs import kinds
from playground.runs.jobs.records import JobRefusedError
from playground.runs.jobs.registry import job_kind, load_kinds

FILE = """
from playground.runs.jobs.registry import JobKind, register

register(JobKind("found_by_its_file", "Found by its file", lambda given: given.arguments))
"""


@pytest.fixture
def another_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One more file in the folder of kinds."""
    (tmp_path / "found_by_its_file.py").write_text(FILE)
    monkeypatch.setattr(kinds, "__path__", [*kinds.__path__, str(tmp_path)])
    load_kinds.cache_clear()
    yield
    load_kinds.cache_clear()
    sys.modules.pop(f"{kinds.__name__}.found_by_its_file", None)


def test_a_file_in_the_folder_is_a_kind(another_file: None) -> None:
    assert job_kind("found_by_its_file").title == "Found by its file"


def test_every_file_is_named_as_its_kind() -> None:
    for module in pkgutil.iter_modules(kinds.__path__):
        assert job_kind(module.name).title[:1].isupper()


def test_another_name_is_refused_with_those_there_are(another_file: None) -> None:
    with pytest.raises(JobRefusedError, match=r"no analysis 'none'.*found_by_its_file"):
        job_kind("none")
