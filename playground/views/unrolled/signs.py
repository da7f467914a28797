"""A quantity's name in pieces that a drawing can set, on the line, raised and lowered; it fills in the time."""

from __future__ import annotations

import re

from playground.notation import term

TIME = "§"
"""Stands in a sign where the timestep goes; the drawing counts from the notation's first."""

Sign = list[list[str]]
"""Pieces (text, place), where a place is "" on the line, "up" or "down"."""

_SYMBOLS = {r"\langle": "⟨", r"\rangle": "⟩", r"\Gamma": "Γ", r"\tau": "τ", r"\odot": "⊙", r"\,": " "}
_ACCENTS = {r"\tilde": "\u0303", r"\hat": "\u0302"}
_PIECE = re.compile(r"([_^])\{((?:[^{}]|\{[^{}]*\})*)\}|([_^])(\w)")


def sign(quantity: str, notation: str, *, cell: str, layer: int | None = None, timed: bool = True) -> Sign:
    """The name of a quantity, as `playground.notation.term` has it, in pieces; `TIME` stands for its timestep."""
    return pieces(term(quantity, notation, layer=layer, t=TIME if timed else None, cell=cell).latex)


def pieces(latex: str) -> Sign:
    """A short formula in pieces: "a^{[1]}" -> [["a", ""], ["[1]", "up"]]."""
    found: Sign = []
    end = 0
    for match in _PIECE.finditer(latex):
        if latex[end : match.start()].strip():
            found.append([_plain(latex[end : match.start()]), ""])
        kind, inside = (match[1], match[2]) if match[1] else (match[3], match[4])
        found.append([_plain(inside), "up" if kind == "^" else "down"])
        end = match.end()
    if latex[end:].strip():
        found.append([_plain(latex[end:]), ""])
    return found


def _plain(latex: str) -> str:
    text = latex
    for command, accent in _ACCENTS.items():
        text = re.sub(re.escape(command) + r"\{(\w)\}", rf"\g<1>{accent}", text)
    text = re.sub(r"\\(?:text|mathrm)\{([^{}]*)\}", r"\1", text)
    for command, symbol in _SYMBOLS.items():
        text = text.replace(command + " ", symbol).replace(command, symbol)
    return re.sub(r"\s*([⟨⟩])\s*", r"\1", text).strip()
