"""Loops: a text that ends in the same stretch over and over, as greedy decoding is prone to.

A. Holtzman et al., "The curious case of neural text degeneration", ICLR 2020, show them and how they come about.
"""

from __future__ import annotations

from dataclasses import dataclass

LEAST_TIMES = 3
"""A stretch that ends a text this many times in a row is a loop."""


@dataclass(frozen=True)
class Loop:
    """The end of a text that repeats itself.

    Attributes:
        start: where it begins, in characters
        period: characters of the stretch that comes again and again
    """

    start: int
    period: int


def loop(text: str) -> Loop | None:
    """The longest end of `text` that is one stretch at least `LEAST_TIMES` times, the last of them perhaps cut short.

    Read from the end, the smallest period of the first n characters is n less the length of their longest proper
    prefix that is also their suffix (Knuth, Morris and Pratt 1977), so one pass finds the periods of all ends.
    """
    backwards = text[::-1]
    borders = [0] * len(text)
    found: Loop | None = None
    length = 0
    for place in range(1, len(text)):
        while length and backwards[place] != backwards[length]:
            length = borders[length - 1]
        length += backwards[place] == backwards[length]
        borders[place] = length
        period = place + 1 - length
        if place + 1 >= LEAST_TIMES * period:
            found = Loop(len(text) - place - 1, period)
    return found
