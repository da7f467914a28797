"""How a quantity is written: a letter or a word, with what stands below and above it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from playground.notation.marks import beside, lowered, raised

Sign = list[list[str]]
"""A name in pieces that a drawing can set: (text, place), where a place is "" on the line, "up" or "down"."""

_LETTERS = {
    "Γ": r"\Gamma",
    "τ": r"\tau",
    "a\u0303": r"\tilde{a}",
    "c\u0303": r"\tilde{c}",
    "h\u0303": r"\tilde{h}",
    "y\u0302": r"\hat{y}",
    "ℒ": r"\mathcal{L}",
}
_WORD = re.compile(r"[^\W\d_]{3}")
_SET = {"⟨": r"\langle ", "⟩": r" \rangle", "−": "-"}


@dataclass(frozen=True)
class Symbol:
    """A letter or a word, with its accent, and what stands below and above it. Words are set upright."""

    base: str
    sub: str = ""
    sup: str = ""

    @property
    def latex(self) -> str:
        """As a formula. It uses only what KaTeX knows."""
        below = f"_{{{_latex(self.sub)}}}" if self.sub else ""
        above = f"^{{{_latex(self.sup)}}}" if self.sup else ""
        return _latex(self.base) + below + above

    @property
    def text(self) -> str:
        """The same in one line: "Γᵤ", "c̃⟨4⟩", "h₃²"; see `playground.notation.marks`."""
        return _text(self)

    @property
    def pieces(self) -> Sign:
        """The same for a drawing."""
        found = [[self.base, ""], [self.sub, "down"], [self.sup, "up"]]
        return [piece for piece in found if piece[0]]

    def data(self) -> list[str | bool]:
        """As the browser gets it: with whether the base and what stands below it are words."""
        return [self.base, self.sub, self.sup, bool(_WORD.search(self.base)), bool(_WORD.search(self.sub))]


@lru_cache(maxsize=1024)  # the same few, again and again
def _text(symbol: Symbol) -> str:
    above = symbol.sup if symbol.sup[:1] in ("⟨", "[", "(") else raised(symbol.sup)
    below = beside(symbol.sub) if _WORD.search(symbol.sub) else lowered(symbol.sub)
    return unicodedata.normalize("NFC", symbol.base) + below + above


def _latex(text: str) -> str:
    if _WORD.search(text):
        return rf"\text{{{text}}}"
    text = _LETTERS.get(text, text)
    for sign, command in _SET.items():
        text = text.replace(sign, command)
    return text
