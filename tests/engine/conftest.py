"""Small runs: a short text, and configs of it that train in a moment."""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from pathlib import Path

import pytest

from engine.config import Config
from engine.data import Corpus, prepare

CHARACTERS = 6_000
TINY = {
    "cell": "lstm",
    "units": 8,
    "embedding": 6,
    "streams": 4,
    "chunk": 8,
    "steps": 12,
    "evaluations": 3,
    "warmup": 2,
    "learning_rate": 0.02,
    "sampling__length": 12,
}


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the beginning of Tales."""
    path = tmp_path_factory.mktemp("corpus") / "story.txt"
    text = resources.files("engine.data").joinpath("tales.txt").read_text(encoding="utf-8")
    path.write_text(text[:CHARACTERS], encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def tiny(story: Path) -> Callable[..., Config]:
    """Makes a config of a run that takes a moment, with settings of the test's own on top."""

    def make(**values) -> Config:
        return Config().with_values(**{"corpus": f"file:{story}"} | TINY | values)

    return make


@pytest.fixture(scope="session")
def story_corpus(tiny: Callable[..., Config]) -> Corpus:
    """The short text by characters."""
    return prepare(tiny().data)
