"""A quantity's LaTeX as a letter with its marks, for pages that set formulas without KaTeX."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache

from playground.notation.marks import beside, lowered, raised

_LETTERS = {r"\Gamma": "Γ", r"\sigma": "σ", r"\tau": "τ", r"\tanh": "tanh", r"\log": "log", r"\odot": "⊙"}
_MARKS = {r"\tilde": "tilde", r"\hat": "hat"}
_WORDS = (r"\text", r"\mathrm", r"\mathcal")
_TOKEN = re.compile(r"\\[A-Za-z]+|.")


@dataclass(frozen=True)
class Symbol:
    """How a quantity is written: a letter or a word, with what stands on, below and above it.

    Words are set upright, letters in italics: `upright` says it of the base, `sub_upright` of what stands below.
    """

    base: str
    sub: str = ""
    sup: str = ""
    mark: str = field(default="", metadata={"meaning": '"tilde", "hat" or none, over the base'})
    upright: bool = False
    sub_upright: bool = False

    @property
    def text(self) -> str:
        """The same in one line: "Γᵤ", "c̃⟨4⟩", "h₃²"; see `playground.notation.marks`."""
        base = unicodedata.normalize("NFC", self.base + {"": "", "tilde": "\u0303", "hat": "\u0302"}[self.mark])
        above = self.sup if self.sup[:1] in ("⟨", "[", "(") else raised(self.sup)
        below = beside(self.sub) if self.sub_upright else lowered(self.sub)
        return base + below + above


@lru_cache(maxsize=1024)  # the same few, again and again
def symbol(latex: str) -> Symbol:
    r"""What one quantity's LaTeX says, such as `\tilde{c}^{\langle t \rangle}` or `W_{\text{write}}`.

    Raises:
        ValueError: LaTeX that is more than one symbol with its marks.
    """
    tokens = _TOKEN.findall(latex)
    command = tokens[0]
    mark = _MARKS.get(command, "")
    if mark or command in _WORDS:
        base, place = _group(tokens, 1)
    else:
        base, place = _LETTERS.get(command, command), 1
    found = {"_": "", "^": ""}
    while place < len(tokens):
        where = tokens[place]
        if where not in found or found[where]:
            raise ValueError(f"{latex!r} is not one symbol with its marks.")
        found[where], place = _group(tokens, place + 1)
    words = r"_{\text" in latex
    return Symbol(base, found["_"], found["^"], mark, command in (r"\text", r"\mathrm"), words)


def _group(tokens: list[str], place: int) -> tuple[str, int]:
    """The text of the group that begins at a place, its inner braces dropped, and the place after it."""
    if tokens[place] != "{":
        return _LETTERS.get(tokens[place], tokens[place]), place + 1
    depth, inside = 1, []
    while depth:
        place += 1
        depth += {"{": 1, "}": -1}.get(tokens[place], 0)
        inside.append(tokens[place])
    text = "".join(_LETTERS.get(token, token) for token in inside if token not in ("{", "}", *_WORDS))
    text = text.replace(r"\langle ", "⟨").replace(r" \rangle", "⟩")
    return text.replace("-", "−"), place + 1
