"""A text cut into what each token added to it, as the token strip shows it. Nothing here imports Streamlit."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from playground.text import visible

PROMPT_SHOWN = 400
"""Characters of the prompt that stand before the text; what is before them is left out."""


def shown(piece: str) -> str:
    """A piece with all that would not be seen written out, but for spaces and line ends: those the strip draws."""
    if piece in (" ", "\n"):
        return piece
    return visible(piece)


def marked(stretches: Sequence[tuple[int, int]], parts: Sequence[str]) -> list[tuple[int, int]]:
    """Stretches of characters, (start, end), as the pieces that lie in them: (first, after the last)."""
    ends = []
    place = 0
    for part in parts:
        place += len(part)
        ends.append(place)
    starts = [0, *ends[:-1]]
    found = []
    for start, end in stretches:
        first, after = bisect_left(starts, start), bisect_right(ends, end)
        if after > first:
            found.append((first, after))
    return found


def prompt_tail(prompt: str) -> str:
    """The end of a prompt, with … where it was cut."""
    return prompt if len(prompt) <= PROMPT_SHOWN else f"…{prompt[-PROMPT_SHOWN:]}"


def hundredths(bits: Sequence[float]) -> list[int]:
    """Surprise in whole hundredths of a bit, at most 99.9 bits: what the browser needs to colour and to tell."""
    return [min(9_990, max(0, round(100 * value))) if value < 1e6 else 9_990 for value in bits]
