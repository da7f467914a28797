"""What each notation calls each quantity, in a formula and in running text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from engine.cells import Cell
from engine.cells.equations import Quantity
from playground.notation.symbols import Sign, Symbol

NOTATIONS: Mapping[str, str] = MappingProxyType(
    {"ng": "Ng's course", "cs231n": "CS231n", "pytorch": "PyTorch", "plain": "plain words"}
)

_ORDER = {name: place for place, name in enumerate(NOTATIONS)}

TIME = "§"
"""Stands in a sign where the timestep goes; the drawing counts from the notation's first."""

Index = int | str | None


@dataclass(frozen=True)
class Term:
    """A quantity's name, for a formula and for running text. The z of PyTorch and CS231n is one minus the gate: a
    `complement`."""

    symbol: Symbol
    text: str
    complement: bool = False

    @property
    def latex(self) -> str:
        """For a formula."""
        return f"1 - {self.symbol.latex}" if self.complement else self.symbol.latex


# Quantity -> its base, and what stands below it, in each of `NOTATIONS`. Time and layer: see `_indexed`.
_SIGNS: Mapping[str, tuple[str, str, str, str]] = MappingProxyType(
    {
        "hidden": ("a", "h", "h", "hidden state"),
        "cell": ("c", "c", "c", "cell state"),
        "input": ("x", "x", "x", "input"),
        "candidate": ("c\u0303", "g", "g", "candidate"),
        "update": ("Γ_u", "i", "i", "update gate"),
        "forget": ("Γ_f", "f", "f", "forget gate"),
        "output": ("Γ_o", "o", "o", "output gate"),
        "reset": ("Γ_r", "r", "r", "reset gate"),
        "relevance": ("Γ_r", "r", "r", "relevance gate"),
        "clock": ("τ", "τ", "τ", "clock"),
        "periods": ("T", "T", "T", "period"),
        "weight_hh": ("W_aa", "W_hh", "W_hh", "W_recurrent"),
        "weight_ih": ("W_ax", "W_xh", "W_ih", "W_input"),
        "weight_out": ("W_ya", "W_hy", "W_head", "W_scores"),
        "prediction": ("y\u0302", "p", "p", "prediction"),
        "logits": ("z", "y", "logits", "scores"),
        "probabilities": ("y\u0302", "p", "p", "probabilities"),
        "loss": ("ℒ", "L", "loss", "loss"),
        "context": ("ctx", "context", "context", "context"),
    }
)
QUANTITIES = tuple(_SIGNS)

# (family of cells, notation, quantity), where a family has a letter of its own, or one for one minus the quantity.
_IN_FAMILY: Mapping[tuple[str, str, str], str] = MappingProxyType(
    {
        ("rnn", "ng", "candidate"): "a\u0303",
        ("gru", "ng", "hidden"): "c",
        ("gru", "cs231n", "candidate"): "h\u0303",
        ("gru", "pytorch", "candidate"): "n",
        ("lstm", "plain", "update"): "update (input) gate",
    }
)
_COMPLEMENTS: Mapping[tuple[str, str, str], str] = MappingProxyType(
    {("gru", "cs231n", "update"): "z", ("gru", "pytorch", "update"): "z"}
)

# (quantity, notation), where running text has other words than the formula.
_IN_TEXT: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("weight_hh", "pytorch"): "weight_hh",
        ("weight_ih", "pytorch"): "weight_ih",
        ("weight_out", "pytorch"): "head",
        ("weight_hh", "plain"): "recurrent weights",
        ("weight_ih", "plain"): "input weights",
        ("weight_out", "plain"): "output weights",
    }
)

# In plain words, an equation of full names would run off a phone.
_BRIEF = {"hidden": "hidden", "cell": "cell", "update": "update"}

# These carry their timestep even where none is named: a state is always a state at some t. So does Ng's candidate.
_TIMED = ("hidden", "cell", "input", "prediction", "logits", "probabilities", "loss", "context")


def term(quantity: str, notation: str, layer: Index = None, t: Index = None, cell: Cell | None = None) -> Term:
    """What a notation calls a quantity.

    Args:
        quantity: one of `QUANTITIES`, or a gate of the cell; gates and states as the cell names them
        notation: a key of `NOTATIONS`
        layer: counted from 0, or a symbol such as "l-1"; None leaves it out
        t: position counted from 0, or a symbol such as "t-1"; None stands for the general t
        cell: whose quantity it is, where its family or its gates matter

    Raises:
        ValueError: an unknown notation or quantity.
    """
    name = cell.same_as(quantity) if cell else quantity
    bare = letter(name, notation, cell)
    symbol = bare if bare.base == "W" else _indexed(bare, notation, layer, _shown(name, notation, t))
    complement = bool(complement_of(name, notation, cell))
    text = _in_text(name, notation, bare, symbol, layer)
    return Term(symbol, f"1 - {text}" if complement else text, complement)


def block_term(block: str, notation: str, cell: Cell) -> Term:
    """What a notation calls what a block of rows makes: a gate or candidate, or one minus it."""
    made = term(cell.gate_of(block), notation, cell=cell)
    if block in (gate.name for gate in cell.gates):
        return made
    return Term(made.symbol, made.symbol.text if made.complement else f"1 - {made.text}", not made.complement)


def sign(quantity: str, notation: str, *, cell: Cell, layer: int | None = None, timed: bool = True) -> Sign:
    """The name of a quantity in pieces; `TIME` stands for its timestep."""
    found = term(quantity, notation, layer=layer, t=TIME if timed else None, cell=cell)
    first, *rest = found.symbol.pieces
    return [["1 - " + first[0], ""], *rest] if found.complement else [first, *rest]


def letter(quantity: str, notation: str, cell: Cell | None = None, *, brief: bool = False) -> Symbol:
    """A quantity's name without time and layer. `brief` is for formulas, where plain words are short.

    Raises:
        ValueError: an unknown notation or quantity.
    """
    check(notation)
    if cell and complement_of(quantity, notation, cell):
        return Symbol(_COMPLEMENTS[cell.family, notation, quantity])
    if cell and (cell.family, notation, quantity) in _IN_FAMILY and not (brief and notation == "plain"):
        return Symbol(_IN_FAMILY[cell.family, notation, quantity])
    names = _SIGNS.get(quantity) or _of_gate(quantity, cell)
    name = names[_ORDER[notation]]
    if brief and notation == "plain":
        name = _BRIEF.get(quantity, name.removesuffix(" gate"))
    return Symbol(*name.split("_"))


def _of_gate(quantity: str, cell: Cell | None) -> tuple[str, str, str, str]:
    """What a gate is called that no course has: by its own letter."""
    for gate in cell.gates if cell else ():
        if gate.name == quantity:
            own, words = gate.letter or gate.name[0], gate.name.replace("_", " ")
            return (
                (f"Γ_{own}", own, own, f"{words} gate") if (gate.low, gate.high) == (0, 1) else (own, own, own, words)
            )
    raise ValueError(f"There is no quantity {quantity!r}; quantities are {', '.join(QUANTITIES)}.")


def complement_of(quantity: str, notation: str, cell: Cell | None) -> str:
    """The key of one minus a gate, where the notation has a letter for that and none for the gate; else empty."""
    if cell is None or (cell.family, notation, quantity) not in _COMPLEMENTS:
        return ""
    return next((name for name, of in cell.definitions.items() if of == 1 - Quantity(quantity)), "")


def check(notation: str) -> None:
    """Raises ValueError for an unknown notation."""
    if notation not in NOTATIONS:
        raise ValueError(f"There is no notation {notation!r}; choose one of {', '.join(NOTATIONS)}.")


def first_index(notation: str) -> int:
    """What a notation calls the first timestep, layer and unit: PyTorch's arrays begin with 0, courses with 1."""
    return 0 if notation == "pytorch" else 1


def in_formula(quantity: str, notation: str, layer: Index, t: Index, cell: Cell | None) -> Symbol:
    """A quantity's name in a formula, where gates have neither time nor layer."""
    bare = letter(quantity, notation, cell, brief=True)
    time = _shown(quantity, notation, t)
    return bare if _shown(quantity, notation, None) is None else _indexed(bare, notation, layer, time)


def _shown(quantity: str, notation: str, t: Index) -> Index:
    timed = quantity in _TIMED or (quantity == "candidate" and notation == "ng")
    return "t" if t is None and timed else t


def _counted(at: Index, notation: str) -> str:
    """A time or layer as the notation counts it."""
    return "" if at is None else str(at + first_index(notation) if isinstance(at, int) else at).replace("-", "−")


def _indexed(bare: Symbol, notation: str, layer: Index, t: Index) -> Symbol:
    """With time and layer where the notation has them."""
    time, level = _counted(t, notation), _counted(layer, notation)
    if notation == "ng":
        return replace(bare, sup=(f"[{level}]" if level else "") + (f"⟨{time}⟩" if time else ""))
    return replace(bare, sub=time or bare.sub, sup=f"({level})" if level and notation != "cs231n" else level)


def _in_text(name: str, notation: str, bare: Symbol, symbol: Symbol, layer: Index) -> str:
    words = _IN_TEXT.get((name, notation))
    level = _counted(layer, notation)
    if notation == "plain":
        where = f" at step {symbol.sub}" if symbol.sub not in ("", "t", bare.sub) else ""
        where += f", layer {level}" if level and symbol.sup else ""
        return (words or bare.base) + where
    if notation == "pytorch" and symbol.sup:
        return f"{words or replace(symbol, sup='').text}, layer {level}"
    return words or symbol.text
