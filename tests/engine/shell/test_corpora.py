"""`python -m engine corpora`: the texts and the presets."""

from __future__ import annotations

from collections.abc import Callable

from engine.data import SOURCES
from engine.presets import PRESETS


def test_every_corpus_has_a_line(in_json: Callable, plainly: Callable) -> None:
    status, lines = in_json("corpora")
    assert status == 0
    assert [line["name"] for line in lines] == list(SOURCES)
    assert all({"title", "description", "origin", "licence", "levels", "bytes"} <= line.keys() for line in lines)
    status, out, _ = plainly("corpora")
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()] == list(SOURCES)


def test_every_preset_has_a_line(in_json: Callable, plainly: Callable) -> None:
    status, lines = in_json("corpora", "--presets")
    assert status == 0
    assert [line["name"] for line in lines] == list(PRESETS)
    status, out, _ = plainly("corpora", "--presets")
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()] == list(PRESETS)


def test_what_is_no_command_is_refused(in_json: Callable, plainly: Callable) -> None:
    for argv in ([], ["fly"], ["corpora", "--nonsense"]):
        status, lines = in_json(*argv)
        assert status == 2
        assert lines[0]["event"] == "error"
        assert plainly(*argv)[0] == 2
