"""What flows along each wire and what each operation does, in a textbook's words."""

from __future__ import annotations

from collections.abc import Mapping

from engine.cells import Cell
from playground.diagrams.diagram import Diagram, Node

_DOES: Mapping[str, str] = {
    "join": "concatenates the two vectors",
    "product": "multiplies by the weights, which are the same at every timestep",
    "diagonal": "multiplies each unit by a weight of its own",
    "sigmoid": "maps each value to between 0 and 1",
    "tanh": "maps each value to between −1 and 1",
    "relu": "sets negative values to 0",
    "times": "multiplies elementwise",
    "plus": "adds elementwise",
    "turn": "gives 1 for each unit whose period divides it and 0 for the others",
    "one_minus": "subtracts each value from 1",
}

_BY_OPERATION: Mapping[str, str] = {
    "product": "the weighted sum of the inputs",
    "diagonal": "the input, each unit times its own weight",
    "times": "what the gate lets through",
    "plus": "the sum of both",
    "one_minus": "one minus the gate",
}
"""Of values that have no name."""

_JOINED = "previous state and input, concatenated: what every gate reads"

_LSTM: Mapping[str, str] = {
    "hidden_before": "hidden state of the previous timestep",
    "cell_before": "cell state of the previous timestep",
    "hidden": "new hidden state: the output, passed on to the next timestep",
    "cell": "new cell state: what is kept of the old plus what is added",
    "kept": "what is kept of the old cell state",
    "written": "what is added to the cell state",
    "shown": "the cell state after tanh, before the output gate",
}
_MEMORY: Mapping[str, str] = {
    "hidden_before": "hidden state of the previous timestep",
    "hidden": "new hidden state: the output, passed on to the next timestep",
    "kept": "what is kept of the old hidden state",
    "written": "what is added to the hidden state",
}
_SHARED: Mapping[str, str] = {
    "joined": _JOINED,
    "joined_seen": "gated previous state and input, concatenated: what the candidate reads",
    "seen": "the previous state, gated",
    "keep": "how much of the old hidden state is kept: one minus the update gate",
    "candidate_past": "the recurrent part of the candidate, before the gate",
    "past_seen": "the recurrent part of the candidate, gated",
    "candidate_input": "the input part of the candidate",
    "recurrent": "the recurrent part of the weighted sum",
    "projected": "the input part of the weighted sum",
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
        return "the output of the layer below" if layer else "the token that is read, as a vector"
    if name.endswith("_pre"):
        return "the pre-activation: the weighted sum that goes into the activation function"
    states = _LSTM if "cell" in cell.state_names else _MEMORY
    gates = {gate.name: gate.meaning for gate in cell.gates}
    known = {**_SHARED, **states, **gates}
    return (
        node.meaning or known.get(name) or _BY_OPERATION.get(node.operation, "the value after the activation function")
    )


def action(diagram: Diagram, node: Node) -> str:
    """What a node does with what it reads, in a phrase; for a value from outside, where it comes from."""
    if node.operation == "in" and node.name.endswith("_below"):
        return "comes in from the layer below"
    if node.operation == "in":
        outside = {
            "input": "comes in from below",
            "clock": "comes in from outside: it does not depend on the input",
        }
        return outside.get(node.name, "comes in from the previous timestep")
    if node.operation == "out":
        return "goes on to the next timestep"
    return _DOES[node.operation]
