"""What flows along each wire and what each operation does, in plain words."""

from __future__ import annotations

from collections.abc import Mapping

from engine.cells import Cell
from playground.diagrams.diagram import Diagram, Node

_DOES: Mapping[str, str] = {
    "join": "puts the two vectors one after the other",
    "product": "multiplies by the weights, the same at every timestep",
    "diagonal": "multiplies each unit by a weight of its own",
    "sigmoid": "squashes each value to between 0 and 1",
    "tanh": "squashes each value to between −1 and 1",
    "relu": "cuts off what is below zero",
    "times": "multiplies unit by unit",
    "plus": "adds unit by unit",
    "turn": "gives 1 to each unit whose period divides it, and 0 to the others",
    "one_minus": "turns each value over: 1 becomes 0, and 0 becomes 1",
}

_BY_OPERATION: Mapping[str, str] = {
    "product": "what is read, weighed and added up",
    "diagonal": "what is read, each unit weighed by itself",
    "times": "what is let through",
    "plus": "both together",
    "one_minus": "one minus that",
}
"""Of values that nobody has named."""

_JOINED = "the past and the input, one after the other: what every gate reads"

_LSTM: Mapping[str, str] = {
    "hidden_before": "hidden state, as the timestep before left it",
    "cell_before": "cell state, as the timestep before left it",
    "hidden": "new hidden state: what is shown to the outside and handed on",
    "cell": "new cell state: what is left of the old, and what is written",
    "kept": "what is left of the old cell state",
    "written": "what is added to the cell state",
    "shown": "the cell state, squashed before it is shown",
}
_MEMORY: Mapping[str, str] = {
    "hidden_before": "hidden state, as the timestep before left it",
    "hidden": "new hidden state: what is shown to the outside and handed on",
    "kept": "what is left of the old hidden state",
    "written": "what is written into the hidden state",
}
_SHARED: Mapping[str, str] = {
    "joined": _JOINED,
    "joined_seen": "what is let through of the past, and the input: what the candidate reads",
    "seen": "what the gate lets through of the past",
    "keep": "how much of the old hidden state is kept: one minus what is written",
    "candidate_past": "what the past says to the candidate, before the gate",
    "past_seen": "what the gate lets through of that",
    "candidate_input": "what the input says to the candidate",
    "recurrent": "what the past says",
    "projected": "what the input says",
}


def meaning(cell: Cell, node: Node, layer: int = 0) -> str:
    """What a node's value is, in a phrase.

    Args:
        cell: whose drawing it is
        node: whose value
        layer: counted from 0; the bottom layer reads tokens
    """
    name = node.name.removesuffix("_out")
    if name == "input":
        return "what the layer below hands up" if layer else "the token that is read, as a vector"
    if name.endswith("_pre"):
        return "the weighted sum that goes into the activation function"
    states = _LSTM if "cell" in cell.state_names else _MEMORY
    gates = {gate.name: gate.meaning for gate in cell.gates}
    known = {**_SHARED, **states, **gates}
    return node.meaning or known.get(name) or _BY_OPERATION.get(node.operation, "that, squashed")


def action(diagram: Diagram, node: Node) -> str:
    """What a node does with what it reads, in a phrase; for a value from outside, where it comes from."""
    if node.operation == "in" and node.name.endswith("_below"):
        return "comes in from the layer below"
    if node.operation == "in":
        outside = {
            "input": "comes in from below",
            "clock": "comes in from outside: it is the same whatever is read",
        }
        return outside.get(node.name, "comes in from the timestep before")
    if node.operation == "out":
        return "goes on to the next timestep"
    return _DOES[node.operation]
