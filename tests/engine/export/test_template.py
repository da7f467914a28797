"""The marks in the pieces of an exported file."""

from __future__ import annotations

import pytest

from engine.export import template


@pytest.fixture
def filled(monkeypatch: pytest.MonkeyPatch, tmp_path):
    """Fills in a piece that the test writes."""
    monkeypatch.setattr(template.resources, "files", lambda _: tmp_path)

    def fill(text: str, **given) -> str:
        (tmp_path / "piece.txt").write_text(text, encoding="utf-8")
        flags = {name: value for name, value in given.items() if isinstance(value, bool)}
        return template.fill("piece", flags, given)

    return fill


def test_a_value_is_put_in(filled) -> None:
    assert filled("UNITS = $units\n", units=8) == "UNITS = 8"


def test_a_line_stands_only_where_its_flag_is_set(filled) -> None:
    text = "a  # why  #if bias\nb  #if not bias\nc\n"
    assert filled(text, bias=True) == "a  # why\nc"
    assert filled(text, bias=False) == "b\nc"


def test_a_part_of_a_line_stands_only_where_its_flag_is_set(filled) -> None:
    text = "h{bias? + p ⊙ c_{t-1}}{not bias?!} = h_{t-1}"
    assert filled(text, bias=True) == "h + p ⊙ c_{t-1} = h_{t-1}"
    assert filled(text, bias=False) == "h! = h_{t-1}"


def test_meanings_stand_in_one_column(filled) -> None:
    text = "i = 1{long?23}  ¦ first\nc̃ = 1  ¦ second\nnot this\n"
    assert filled(text, long=True) == "i = 123  first\nc̃ = 1    second\nnot this"
    assert filled(text, long=False) == "i = 1  first\nc̃ = 1  second\nnot this"


@pytest.mark.parametrize("text", ["$unit", "a  #if bais", "{bais?+ b}"])
def test_a_name_that_was_not_given_is_an_error(filled, text: str) -> None:
    with pytest.raises(KeyError):
        filled(text, bias=True, units=8)
