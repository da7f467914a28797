"""Small runs (a short text, and configs of it that train in a moment), and every cell in every setting."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path

import pytest

from engine.cells import CELLS
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


def variants() -> Iterator[tuple[str, dict]]:
    """Every cell's name with every setting of its switches."""
    for name, cell in CELLS.items():
        for values in itertools.product(*(option.choices for option in cell.options.values())):
            chosen = dict(zip(cell.options, values, strict=True))
            if chosen.get("peephole_output", True) or chosen["output_sees"] == "new":  # else it sees neither
                yield name, chosen


def title(variant: tuple[str, dict]) -> str:
    name, options = variant
    return " ".join((name, *map(str, options.values())))


@pytest.fixture(params=list(variants()), ids=title)
def variant(request: pytest.FixtureRequest) -> tuple[str, dict]:
    """Every cell in every setting."""
    return request.param
