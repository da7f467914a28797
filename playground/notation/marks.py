"""Subscripts and superscripts in one line of running text, where nothing can be set below or above it."""

from __future__ import annotations

_LOW = str.maketrans("0123456789+-−=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ")
_HIGH = str.maketrans("0123456789+-−=()in", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁱⁿ")


def lowered(sign: str) -> str:
    """What stands below a letter: "u" -> "ᵤ", "t-1" -> "ₜ₋₁".

    Unicode has no small f, y or others below the line. A subscript with one of those stands `beside` as a whole: half
    of it lowered would be another name.
    """
    return _moved(sign, _LOW)


def raised(sign: str) -> str:
    """What stands above a letter: "2" -> "²". One that Unicode does not have stands `beside`."""
    return _moved(sign, _HIGH)


def beside(sign: str) -> str:
    """A mark on the line, in brackets behind its letter: "f" -> "(f)", as of Γ."""
    return f"({sign})" if sign else ""


def _moved(sign: str, letters: dict[int, int]) -> str:
    return sign.translate(letters) if all(ord(letter) in letters for letter in sign) else beside(sign)
