"""Small runs (a short text, and configs of it that train in a moment), and every cell in every setting."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
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
    """Every cell in every setting: for parity, gradients and recording."""
    return request.param


@pytest.fixture
def case() -> Callable[..., AbstractContextManager[None]]:
    """Says of which case of a loop a failure is: `with case("packed"): ...`."""

    @contextmanager
    def named(*what: object) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            error.add_note(f"in the case of {', '.join(map(str, what))}")
            raise

    return named


@pytest.fixture(params=CELLS)
def one_of_each(request: pytest.FixtureRequest) -> tuple[str, dict]:
    """Every cell in one setting: for what is made of its states and gates, whatever its switches."""
    return request.param, {}
