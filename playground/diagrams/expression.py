"""One side of an equation read as an expression: what is added, multiplied, joined and squashed, by which pieces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from playground.notation import Part
from playground.notation.parts import IS_ZERO, MODULO

Kind = Literal["quantity", "applied", "function", "one_minus", "turn", "join", "times", "sum"]


@dataclass(frozen=True)
class Expression:
    """A stretch of an equation.

    Attributes:
        kind: what it does with what is inside
        parts: which pieces of the equation it takes, counted from 0, brackets around it left out
        own: those of them that are no part of what is inside
        key: of a quantity, or of the weights that are applied; the LaTeX of a function
        inside: what it is made of, in order
    """

    kind: Kind
    parts: frozenset[int]
    own: frozenset[int]
    key: str = ""
    inside: tuple[Expression, ...] = ()


def sides(parts: Sequence[Part]) -> list[list[tuple[int, Part]]]:
    """What stands between the equals signs, each piece with its place in the equation."""
    found: list[list[tuple[int, Part]]] = [[]]
    for place, part in enumerate(parts):
        if part.latex.strip() == "=":
            found.append([])
        else:
            found[-1].append((place, part))
    return found


def read(side: Sequence[tuple[int, Part]]) -> Expression:
    """The expression that one side of an equation writes.

    Raises:
        ValueError: pieces that are no expression
    """
    reader = _Reader(side)
    expression = reader.sum()
    if reader.next is not None:
        raise ValueError(f"{reader.next.latex!r} is left over in {' '.join(part.text for _, part in side)}.")
    return expression


class _Reader:
    """Reads pieces from the left; sums bind weakest, then products, then what a matrix is applied to."""

    def __init__(self, side: Sequence[tuple[int, Part]]) -> None:
        self._side = side
        self._at = 0

    @property
    def next(self) -> Part | None:
        return self._side[self._at][1] if self._at < len(self._side) else None

    def _is(self, *signs: str) -> bool:
        part = self.next
        return part is not None and part.kind == "operator" and (part.latex.strip() or "·") in signs

    def _take(self, sign: str) -> None:
        if not self._is(sign):
            raise ValueError(f"{sign!r} is missing before {self.next.latex if self.next else 'the end'!r}.")
        self._pass()

    def _pass(self) -> None:
        self._at += 1

    def sum(self) -> Expression:
        first = self._at
        if self._is("1"):
            self._pass()
            self._take("-")
            return self._since(first, "one_minus", [self._product()])
        addends = [self._product()]
        while self._is("+"):
            self._pass()
            addends.append(self._product())
        return addends[0] if len(addends) == 1 else self._since(first, "sum", addends)

    def _product(self) -> Expression:
        first = self._at
        factors = [self._factor()]
        while self._is(r"\odot"):
            self._pass()
            factors.append(self._factor())
        return factors[0] if len(factors) == 1 else self._since(first, "times", factors)

    def _factor(self) -> Expression:
        first, part = self._at, self.next
        if part is None:
            raise ValueError("The equation ends where something should stand.")
        if self._is("("):
            return self._bracketed()
        if self._is("["):
            return self._join()
        if part.kind == "operator":
            raise ValueError(f"{part.latex!r} stands where a quantity should.")
        self._pass()
        if part.kind == "function":
            return self._since(first, "function", [self._bracketed()], part.latex)
        if self._is("·"):
            self._pass()
            return self._since(first, "applied", [self._factor()], part.key)
        return self._since(first, "quantity", [], part.key)

    def _bracketed(self) -> Expression:
        self._take("(")
        inside = self.sum()
        self._take(")")
        return inside

    def _join(self) -> Expression:
        first = self._at
        self._take("[")
        pieces = [self.sum()]
        if self._is(MODULO.latex.strip()):
            self._pass()
            self._factor()
            self._take(IS_ZERO.latex.strip())
            return self._since(first, "turn", pieces)
        while self._is(",", ";"):
            self._pass()
            pieces.append(self.sum())
        self._take("]")
        return self._since(first, "join", pieces)

    def _since(self, first: int, kind: Kind, inside: list[Expression], key: str = "") -> Expression:
        """An expression of all the pieces read since a place."""
        parts = frozenset(place for place, _ in self._side[first : self._at])
        own = parts.difference(*(piece.parts for piece in inside))
        return Expression(kind, parts, own, key, tuple(inside))
