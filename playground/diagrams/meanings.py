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

_JOINED = "the past and the input, one after the other: what every gate reads"
_WEIGHTED = "the weighted sum before its peephole is added"

_LSTM: Mapping[str, str] = {
    "hidden_before": "short-term memory, as the timestep before left it",
    "cell_before": "long-term memory, as the timestep before left it",
    "hidden": "new short-term memory: what is shown to the outside and handed on",
    "cell": "new long-term memory: what is left of the old, and what is written",
    "kept": "what is left of the old long-term memory",
    "written": "what is added to the long-term memory",
    "cell_below": "long-term memory of the layer below, as it is at this timestep",
    "taken_in": "what is taken in of the layer below's long-term memory",
    "gathered": "what is left of the old long-term memory, and what is taken in from below",
    "shown": "the long-term memory, squashed before it is shown",
}
_MEMORY: Mapping[str, str] = {
    "hidden_before": "memory, as the timestep before left it",
    "hidden": "new memory: what is shown to the outside and handed on",
    "kept": "what is left of the old memory",
    "written": "what is written into the memory",
}
_SHARED: Mapping[str, str] = {
    "clock": "which timestep it is: it counts from 0, and starts over after the longest period",
    "joined": _JOINED,
    "joined_seen": "what is let through of the past, and the input: what the candidate reads",
    "seen": "what the gate lets through of the past",
    "keep": "how much of the old memory is kept: one minus what is written",
    "candidate_past": "what the past says to the candidate, before the gate",
    "past_seen": "what the gate lets through of that",
    "candidate_input": "what the input says to the candidate",
    "recurrent": "what the past says",
    "projected": "what the input says",
    "forget_weighted": _WEIGHTED,
    "update_weighted": _WEIGHTED,
    "output_weighted": _WEIGHTED,
    "depth_weighted": "what the input says to the gate",
    "depth_seen": "that, and what the gate sees of its own layer's long-term memory",
    "peep_depth": "what the gate sees of its own layer's long-term memory",
    "peep_below": "what the gate sees of the layer below's long-term memory",
    "peep_forget": "what the gate sees of the long-term memory",
    "peep_update": "what the gate sees of the long-term memory",
    "peep_output": "what the gate sees of the long-term memory",
}


def meaning(cell: Cell, name: str, layer: int = 0) -> str:
    """What a node's value is, in a phrase.

    Args:
        cell: whose drawing it is
        name: of the node
        layer: counted from 0; the bottom layer reads tokens
    """
    if name == "input":
        return "what the layer below hands up" if layer else "the token that is read, as a vector"
    if name.endswith("_pre"):
        return "the weighted sum that goes into the activation function"
    if name.endswith("_out"):
        name = name.removesuffix("_out")
    family = _LSTM if cell.family == "lstm" else _MEMORY
    gates = {gate.name: gate.meaning for gate in cell.gates}
    return {**_SHARED, **family, **gates}[name]


def action(diagram: Diagram, node: Node) -> str:
    """What a node does with what it reads, in a phrase; for a value from outside, where it comes from."""
    if node.operation == "in":
        outside = {
            "input": "comes in from below",
            "cell_below": "comes in from the layer below",
            "clock": "comes in from outside: it is the same whatever is read",
        }
        return outside.get(node.name, "comes in from the timestep before")
    if node.operation == "out":
        return "goes on to the next timestep"
    return _DOES[node.operation]
