"""What a cell computes, in the groups in which this page shows it, and what the notation calls it."""

from __future__ import annotations

from collections.abc import Sequence

from engine.cells import Cell
from playground import notation
from playground.inside.view import View


def shown(view: View, sums: bool) -> list[str]:
    """The quantities of the chosen layer's cell that have a panel: its gates and candidate, its states, and with `sums`
    what goes into the activation functions. A gate that is but another name for a state is left out, and so is what the
    layer does not have, as the lowest of depth-gated layers has no depth gate."""
    cell = view.cell
    gates = [gate.name for gate in cell.gates if cell.same_as(gate.name) not in cell.state_names]
    states = [*reversed(cell.state_names)]  # the cell state first, from which the hidden state is made
    weighted = [f"{block}_pre" for block in cell.blocks] if sums else []
    return [name for name in (*gates, *states, *weighted) if name in view.trace]


def memory(cell: Cell) -> str:
    """The state in which a cell keeps what it remembers longest."""
    return cell.state_names[-1]


def chosen(view: View, wanted: str) -> str:
    """The quantity that colours the text: the one in the settings, where this cell has it; else the one in which the
    chosen unit was found to track something; else the one that remembers."""
    if wanted in view.trace:
        return wanted
    finding = view.finding
    return finding.quantity if finding is not None and finding.quantity in view.trace else memory(view.cell)


def is_gate(cell: Cell, quantity: str) -> bool:
    """Whether a quantity is a gate, between 0 and 1."""
    return any(gate.name == quantity and (gate.low, gate.high) == (0.0, 1.0) for gate in cell.gates)


def gates(cell: Cell) -> Sequence[str]:
    """Its gates, between 0 and 1."""
    return [gate.name for gate in cell.gates if is_gate(cell, gate.name)]


def named(view: View, quantity: str) -> str:
    """What the notation calls a quantity, in running text: "Γᵤ", "c"."""
    block = quantity.removesuffix("_pre")
    if block != quantity:
        return f"pre-activation of {notation.block_term(block, view.notation, view.cell).text}"
    return notation.term(quantity, view.notation, cell=view.cell).text


def in_words(view: View, quantity: str) -> str:
    """The same in plain words: "forget gate", "cell state"."""
    block = quantity.removesuffix("_pre")
    if block != quantity:
        return f"pre-activation of the {notation.block_term(block, 'plain', view.cell).text}"
    return notation.term(quantity, "plain", cell=view.cell).text
