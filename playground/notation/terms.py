"""What each notation calls each quantity, in a formula and in running text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from playground.notation.marks import lowered, raised
from playground.notation.symbols import symbol

NOTATIONS: Mapping[str, str] = MappingProxyType(
    {"ng": "Ng's course", "cs231n": "CS231n", "pytorch": "PyTorch", "plain": "plain words"}
)

Index = int | str | None


@dataclass(frozen=True)
class Term:
    """A quantity's name: for a formula, for running text, and what to know when comparing notations."""

    latex: str
    text: str
    note: str = ""


# Quantity -> notation -> (LaTeX, text); "" where the text is the symbol in one line. Time and layer: see `indexed`.
_TABLE: Mapping[str, Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "hidden": {
            "ng": ("a", "a"),
            "cs231n": ("h", "h"),
            "pytorch": ("h", "h"),
            "plain": (r"\text{short-term memory}", "short-term memory"),
        },
        "cell": {
            "ng": ("c", "c"),
            "cs231n": ("c", "c"),
            "pytorch": ("c", "c"),
            "plain": (r"\text{long-term memory}", "long-term memory"),
        },
        "input": {
            "ng": ("x", "x"),
            "cs231n": ("x", "x"),
            "pytorch": ("x", "x"),
            "plain": (r"\text{input}", "input"),
        },
        "candidate": {
            "ng": (r"\tilde{c}", "c̃"),
            "cs231n": ("g", "g"),
            "pytorch": ("g", "g"),
            "plain": (r"\text{candidate}", "what could be written"),
        },
        "update": {
            "ng": (r"\Gamma_u", ""),
            "cs231n": ("i", "i"),
            "pytorch": ("i", "i"),
            "plain": (r"\text{write gate}", "write gate"),
        },
        "forget": {
            "ng": (r"\Gamma_f", ""),
            "cs231n": ("f", "f"),
            "pytorch": ("f", "f"),
            "plain": (r"\text{keep gate}", "keep gate"),
        },
        "output": {
            "ng": (r"\Gamma_o", ""),
            "cs231n": ("o", "o"),
            "pytorch": ("o", "o"),
            "plain": (r"\text{read gate}", "read gate"),
        },
        "depth": {
            "ng": (r"\Gamma_d", ""),
            "cs231n": ("d", "d"),
            "pytorch": ("d", "d"),
            "plain": (r"\text{depth gate}", "depth gate"),
        },
        "reset": {
            "ng": (r"\Gamma_r", ""),
            "cs231n": ("r", "r"),
            "pytorch": ("r", "r"),
            "plain": (r"\text{past gate}", "how much of the past the candidate sees"),
        },
        "clock": {
            "ng": (r"\tau", "τ"),
            "cs231n": (r"\tau", "τ"),
            "pytorch": (r"\tau", "τ"),
            "plain": (r"\text{clock}", "clock"),
        },
        "periods": {
            "ng": ("T", "T"),
            "cs231n": ("T", "T"),
            "pytorch": ("T", "T"),
            "plain": (r"\text{period}", "period"),
        },
        "weight_hh": {
            "ng": ("W_{aa}", ""),
            "cs231n": ("W_{hh}", ""),
            "pytorch": (r"W_{hh}", "weight_hh"),
            "plain": (r"W_{\text{recurrent}}", "recurrent weights"),
        },
        "weight_ih": {
            "ng": ("W_{ax}", ""),
            "cs231n": ("W_{xh}", ""),
            "pytorch": (r"W_{ih}", "weight_ih"),
            "plain": (r"W_{\text{input}}", "input weights"),
        },
        "weight_out": {
            "ng": ("W_{ya}", ""),
            "cs231n": ("W_{hy}", ""),
            "pytorch": (r"W_{\text{head}}", "head"),
            "plain": (r"W_{\text{output}}", "output weights"),
        },
        "prediction": {
            "ng": (r"\hat{y}", "ŷ"),
            "cs231n": ("y", "y"),
            "pytorch": (r"\text{logits}", "logits"),
            "plain": (r"\text{prediction}", "prediction"),
        },
        "logits": {
            "ng": ("z", "z"),
            "cs231n": ("y", "y"),
            "pytorch": (r"\text{logits}", "logits"),
            "plain": (r"\text{scores}", "scores"),
        },
        "probabilities": {
            "ng": (r"\hat{y}", "ŷ"),
            "cs231n": ("p", "p"),
            "pytorch": ("p", "p"),
            "plain": (r"\text{prediction}", "prediction"),
        },
        "loss": {
            "ng": (r"\mathcal{L}", "L"),
            "cs231n": ("L", "L"),
            "pytorch": (r"\text{loss}", "loss"),
            "plain": (r"\text{loss}", "loss"),
        },
        "context": {
            "ng": (r"\text{ctx}", "ctx"),
            "cs231n": (r"\text{context}", "context"),
            "pytorch": (r"\text{context}", "context"),
            "plain": (r"\text{context}", "what attention gathers"),
        },
    }
)

QUANTITIES = (*_TABLE, "relevance")

# These carry their timestep even where none is named: a state is always a state at some t. So does Ng's candidate.
TIMED = ("hidden", "cell", "input", "prediction", "logits", "probabilities", "loss", "context")
_WEIGHTS = ("weight_hh", "weight_ih", "weight_out")


def term(quantity: str, notation: str, layer: Index = None, t: Index = None, cell: str | None = None) -> Term:
    """What a notation calls a quantity.

    Args:
        quantity: one of `QUANTITIES`; gates and states as the engine's cells name them
        notation: a key of `NOTATIONS`
        layer: counted from 0, or a symbol such as "l-1"; None leaves it out
        t: position counted from 0, or a symbol such as "t-1"; None stands for the general t
        cell: a cell's name, where its family matters (PyTorch's candidate and update gate)

    Raises:
        ValueError: an unknown notation or quantity.
    """
    check(notation)
    family = (cell or "").partition("-")[0]
    name = "reset" if quantity == "relevance" else quantity
    if name not in _TABLE:
        raise ValueError(f"There is no quantity {quantity!r}; quantities are {', '.join(QUANTITIES)}.")
    if cell == "rnn" and name == "candidate":
        name = "hidden"
    latex, text = _TABLE[name][notation]
    if family == "rnn" and notation == "ng" and name == "candidate":
        latex, text = r"\tilde{a}", "ã"
    if family == "gru" and notation == "pytorch":
        latex, text = {"candidate": ("n", "n"), "update": ("z", "z")}.get(name, (latex, text))
    if family == "gru" and notation == "ng" and name == "hidden":
        latex, text = "c", "c"
    text = text or symbol(latex).text
    if name not in _WEIGHTS:
        timed = name in TIMED or (name == "candidate" and notation == "ng")
        shown = "t" if t is None and timed else t
        latex, text = indexed(latex, text, notation, layer, shown)
    if family == "gru" and notation == "pytorch" and name == "update":
        latex, text = f"1 - {latex}", f"1 - {text}"
    return Term(latex, text, _note(quantity, notation, family, cell or ""))


def check(notation: str) -> None:
    """Raises ValueError for a notation that there is none of."""
    if notation not in NOTATIONS:
        raise ValueError(f"There is no notation {notation!r}; choose one of {', '.join(NOTATIONS)}.")


def first_index(notation: str) -> int:
    """What a notation calls the first timestep, layer and unit: PyTorch's arrays begin with 0, courses with 1."""
    return 0 if notation == "pytorch" else 1


def indexed(latex: str, text: str, notation: str, layer: Index, t: Index) -> tuple[str, str]:
    """LaTeX and text with time and layer added where the notation has them."""
    first = first_index(notation)
    time, level = ("" if at is None else str(at + first) if isinstance(at, int) else at for at in (t, layer))
    if notation == "ng":
        upper = (f"[{level}]" if level else "") + (rf"\langle {time} \rangle" if time else "")
        return _raised(latex, upper), text + (f"[{level}]" if level else "") + (f"⟨{time}⟩" if time else "")
    if notation == "plain":
        where = (f" at step {time}" if time and time != "t" else "") + (f", layer {level}" if level else "")
        return _raised(f"{latex}_{{{time}}}" if time else latex, f"({level})" if level else ""), text + where
    upper = f"({level})" if level and notation != "cs231n" else level
    latex = _raised(f"{latex}_{{{time}}}" if time else latex, upper)
    text += lowered(time)
    if not level:
        return latex, text
    return latex, text + raised(level) if notation == "cs231n" else f"{text}, layer {level}"


def _raised(latex: str, upper: str) -> str:
    return f"{latex}^{{{upper}}}" if upper else latex


def _note(quantity: str, notation: str, family: str, cell: str) -> str:
    notes = {
        ("update", "pytorch", "gru"): "PyTorch's z is the share that is kept: the update gate drawn here is 1 - z.",
        ("hidden", "pytorch", family): "PyTorch's arrays count timesteps and layers from 0.",
        ("hidden", "ng", "gru"): "In Ng's GRU the memory is the activation: c⟨t⟩ = a⟨t⟩.",
        ("clock", notation, family): "It counts timesteps from 0 and starts over after the longest period.",
        ("context", "ng", family): "The course writes c⟨t⟩, which is the cell's letter; it is ctx⟨t⟩ here.",
    }
    if quantity == "candidate" and cell == "rnn":
        return "An RNN's candidate is all of its new state."
    return notes.get((quantity, notation, family), "")
