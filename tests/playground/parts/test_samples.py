"""What is said of a sample beside its text."""

from __future__ import annotations

import pytest

from playground.parts.samples import _verbatim_note, repeated
from playground.runs.records import SampleText

LOOP = " and the wolf said to the wolf" * 8


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"Once upon a time{LOOP}", "a loop: from character 17 on, the same 30 characters repeat, “␣and␣the␣wolf"),
        ("a" * 60, "a loop: from character 1 on, the same character repeats, “a”"),
        ("Once upon a time there was a wolf, and it was hungry", ""),
        ("Once upon a time there was a wolf, and it was hungry...", ""),
        ("aaaa", ""),
    ],
)
def test_a_text_that_mostly_repeats_itself_is_told_as_a_loop(text: str, said: str) -> None:
    assert repeated(text).startswith(said)
    assert bool(repeated(text)) == bool(said)


def test_a_loop_is_not_told_as_copied() -> None:
    note = _verbatim_note(SampleText(3, "", f"Once upon a time{LOOP}", verbatim_share=0.938, longest_verbatim=28))
    assert "loop" in note
    assert "93.8%" not in note
    other = _verbatim_note(SampleText(3, "", "Once upon a time there was a wolf.", 0.5, 21))
    assert other == "50% verbatim from the training text, longest match 21 characters"
