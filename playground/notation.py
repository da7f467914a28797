"""One quantity, four names: as Ng's course writes it, as CS231n does, as PyTorch does, and in plain words.

A notation renames; it never puts another equation in a cell's place. Where a course's equation differs, that is
another cell or a switch of it. LaTeX here uses only what KaTeX knows.

Positions in a sequence and layers are counted from 0 in all arguments, as in arrays; Ng and CS231n show them from 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

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


# Quantity -> notation -> (LaTeX, text). "{t}" and "{l}" are where time and layer go, see `_indexed`.
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
            "ng": (r"\Gamma_u", "Γ_u"),
            "cs231n": ("i", "i"),
            "pytorch": ("i", "i"),
            "plain": (r"\text{write gate}", "write gate"),
        },
        "forget": {
            "ng": (r"\Gamma_f", "Γ_f"),
            "cs231n": ("f", "f"),
            "pytorch": ("f", "f"),
            "plain": (r"\text{keep gate}", "keep gate"),
        },
        "output": {
            "ng": (r"\Gamma_o", "Γ_o"),
            "cs231n": ("o", "o"),
            "pytorch": ("o", "o"),
            "plain": (r"\text{read gate}", "read gate"),
        },
        "reset": {
            "ng": (r"\Gamma_r", "Γ_r"),
            "cs231n": ("r", "r"),
            "pytorch": ("r", "r"),
            "plain": (r"\text{past gate}", "how much of the past the candidate sees"),
        },
        "weight_hh": {
            "ng": ("W_{aa}", "W_aa"),
            "cs231n": ("W_{hh}", "W_hh"),
            "pytorch": (r"W_{hh}", "weight_hh"),
            "plain": (r"W_{\text{recurrent}}", "recurrent weights"),
        },
        "weight_ih": {
            "ng": ("W_{ax}", "W_ax"),
            "cs231n": ("W_{xh}", "W_xh"),
            "pytorch": (r"W_{ih}", "weight_ih"),
            "plain": (r"W_{\text{input}}", "input weights"),
        },
        "weight_out": {
            "ng": ("W_{ya}", "W_ya"),
            "cs231n": ("W_{hy}", "W_hy"),
            "pytorch": (r"W_{\text{head}}", "head"),
            "plain": (r"W_{\text{output}}", "output weights"),
        },
        "prediction": {
            "ng": (r"\hat{y}", "ŷ"),
            "cs231n": ("y", "y"),
            "pytorch": (r"\text{logits}", "logits"),
            "plain": (r"\text{prediction}", "prediction"),
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
_TIMED = ("hidden", "cell", "input", "prediction", "context")
_WEIGHTS = ("weight_hh", "weight_ih", "weight_out")
_SUBSCRIPTS = {
    "ng": {"update": "u", "forget": "f", "output": "o", "reset": "r", "candidate": "c"},
    "cs231n": {"update": "i", "forget": "f", "output": "o", "reset": "r", "candidate": "g"},
    "pytorch": {"update": "i", "forget": "f", "output": "o", "reset": "r", "candidate": "g"},
    "plain": {
        "update": r"\text{write}",
        "forget": r"\text{keep}",
        "output": r"\text{read}",
        "reset": r"\text{past}",
        "candidate": r"\text{candidate}",
    },
}


def term(quantity: str, notation: str, layer: int | None = None, t: Index = None, cell: str | None = None) -> Term:
    """What a notation calls a quantity.

    Args:
        quantity: one of `QUANTITIES`; gates and states as the engine's cells name them
        notation: a key of `NOTATIONS`
        layer: counted from 0; None leaves it out
        t: position counted from 0, or a symbol such as "t-1"; None stands for the general t
        cell: a cell's name, where its family matters (PyTorch's candidate and update gate)

    Raises:
        ValueError: an unknown notation or quantity.
    """
    _check(notation)
    family = (cell or "").partition("-")[0]
    name = "reset" if quantity == "relevance" else quantity
    if name not in _TABLE:
        raise ValueError(f"There is no quantity {quantity!r}; quantities are {', '.join(QUANTITIES)}.")
    if family == "rnn" and name == "candidate":
        name = "hidden"
    latex, text = _TABLE[name][notation]
    if family == "gru" and notation == "pytorch":
        latex, text = {"candidate": ("n", "n"), "update": ("z", "z")}.get(name, (latex, text))
    if family == "gru" and notation == "ng" and name == "hidden":
        latex, text = "c", "c"
    if name not in _WEIGHTS:
        timed = name in _TIMED or (name == "candidate" and notation == "ng")
        shown = "t" if t is None and timed else t
        latex, text = _indexed(latex, text, notation, layer, shown)
    if family == "gru" and notation == "pytorch" and name == "update":
        latex, text = f"1 - {latex}", f"1 - {text}"
    return Term(latex, text, _note(quantity, notation, family))


def _check(notation: str) -> None:
    if notation not in NOTATIONS:
        raise ValueError(f"There is no notation {notation!r}; choose one of {', '.join(NOTATIONS)}.")


def _indexed(latex: str, text: str, notation: str, layer: int | None, t: Index) -> tuple[str, str]:
    """Time and layer added where the notation has them."""
    first = 0 if notation == "pytorch" else 1
    time = "" if t is None else str(t + first) if isinstance(t, int) else t
    level = "" if layer is None else str(layer + first)
    if notation == "ng":
        upper = (f"[{level}]" if level else "") + (rf"\langle {time} \rangle" if time else "")
        return _raised(latex, upper), text + (f"[{level}]" if level else "") + (f"⟨{time}⟩" if time else "")
    if notation == "plain":
        where = (f" at step {time}" if time and time != "t" else "") + (f", layer {level}" if level else "")
        return _raised(f"{latex}_{{{time}}}" if time else latex, f"({level})" if level else ""), text + where
    upper = f"({level})" if level and notation != "cs231n" else level
    latex = _raised(f"{latex}_{{{time}}}" if time else latex, upper)
    text += f"_{time}" if len(time) == 1 else f"_{{{time}}}" if time else ""
    if not level:
        return latex, text
    return latex, f"{text}^{level}" if notation == "cs231n" else f"{text}, layer {level}"


def _raised(latex: str, upper: str) -> str:
    return f"{latex}^{{{upper}}}" if upper else latex


def _note(quantity: str, notation: str, family: str) -> str:
    notes = {
        ("update", "pytorch", "gru"): "PyTorch's z is the share that is kept: the update gate drawn here is 1 - z.",
        ("hidden", "pytorch", family): "PyTorch's arrays count timesteps and layers from 0.",
        ("hidden", "ng", "gru"): "In Ng's GRU the memory is the activation: c⟨t⟩ = a⟨t⟩.",
        ("context", "ng", family): "The course writes c⟨t⟩, which is the cell's letter; it is ctx⟨t⟩ here.",
    }
    if quantity == "candidate" and family == "rnn":
        return "An RNN's candidate is all of its new state."
    return notes.get((quantity, notation, family), "")


def equations(
    cell: str, notation: str, options: Mapping[str, bool | str] | None = None, *, bias: bool = True
) -> list[str]:
    """The equations of a cell, one LaTeX line each, in the order in which they are computed.

    Args:
        cell: a name in `engine.cells.CELLS`
        notation: a key of `NOTATIONS`
        options: the cell's switches; those left out stand at their defaults
        bias: whether the model has biases

    Raises:
        ValueError: an unknown cell or notation.
    """
    _check(notation)
    if cell not in _EQUATIONS:
        raise ValueError(f"There are no equations for the cell {cell!r}; cells are {', '.join(_EQUATIONS)}.")
    return _EQUATIONS[cell](_Writer(notation, cell, bias), dict(options or {}))


@dataclass(frozen=True)
class _Writer:
    """Writes the pieces of a cell's equations in one notation."""

    notation: str
    cell: str
    bias: bool

    def __call__(self, quantity: str, t: Index = None) -> str:
        if self.notation == "plain":
            time = t or ("t" if quantity in _TIMED else None)
            return _BRIEF[quantity] + (f"_{{{time}}}" if time else "")
        return term(quantity, self.notation, t=t, cell=self.cell).latex

    def subscript(self, block: str) -> str:
        if self.notation == "pytorch" and self.cell.startswith("gru"):
            return {"update": "z", "reset": "r", "candidate": "n"}[block]
        return _SUBSCRIPTS[self.notation]["reset" if block == "relevance" else block]

    def plus_bias(self, name: str) -> str:
        return f" + b_{{{name}}}" if self.bias else ""

    def weighted(self, block: str, past: str | None = None, more: str = "") -> str:
        """What goes into a gate: weights on the past and on the input, and a bias."""
        name, past = self.subscript(block), past or self("hidden", "t-1")
        if self.notation == "pytorch":
            recurrent = f"W_{{h{name}}} ({past})" if r"\odot" in past else f"W_{{h{name}}} {past}"
            return f"W_{{i{name}}} {self('input')} + {recurrent}{more}{self.plus_bias(name)}"
        joint = ", " if self.notation == "ng" else "; "
        return rf"W_{{{name}}} [{past}{joint}{self('input')}]{more}{self.plus_bias(name)}"

    def split(self, block: str) -> tuple[str, str]:
        """The same on the input alone and on the past alone, each with a bias: for a reset after the product."""
        name = self.subscript(block)
        past, now = {
            "ng": (f"{name}a", f"{name}x"),
            "cs231n": (f"h{name}", f"x{name}"),
            "pytorch": (f"h{name}", f"i{name}"),
            "plain": (rf"{name},\text{{past}}", rf"{name},\text{{input}}"),
        }[self.notation]
        on_input = f"W_{{{now}}} {self('input')}{self.plus_bias(name)}"
        return on_input, f"W_{{{past}}} {self('hidden', 't-1')}{self.plus_bias(past)}"

    def gate(self, block: str, more: str = "") -> str:
        return rf"{self(block)} = \sigma({self.weighted(block, more=more)})"

    def candidate(self, past: str | None = None) -> str:
        return rf"{self('candidate')} = \tanh({self.weighted('candidate', past)})"

    def mixed(self) -> str:
        """A GRU's new state: written and kept in shares that make up one."""
        old, new = self("hidden", "t-1"), self("candidate")
        kept = "z" if self.notation == "pytorch" else f"(1 - {self('update')})"
        written = f"({self('update')})" if self.notation == "pytorch" else self("update")
        state = self("hidden")
        if self.notation == "ng":
            state = rf"a^{{\langle t \rangle}} = {state}"
        return rf"{state} = {written} \odot {new} + {kept} \odot {old}"

    def remembered(self) -> str:
        old, new = self("cell", "t-1"), self("candidate")
        return rf"{self('cell')} = {self('forget')} \odot {old} + {self('update')} \odot {new}"

    def shown(self, squashed: bool = True) -> str:
        inside = rf"\tanh({self('cell')})" if squashed else self("cell")
        return rf"{self('hidden')} = {self('output')} \odot {inside}"


# In plain words, an equation of full names would run off a phone.
_BRIEF = {
    "hidden": r"\text{short}",
    "cell": r"\text{long}",
    "input": r"\text{input}",
    "candidate": r"\text{candidate}",
    "update": r"\text{write}",
    "forget": r"\text{keep}",
    "output": r"\text{read}",
    "reset": r"\text{past}",
    "relevance": r"\text{past}",
    "weight_hh": r"W_{\text{recurrent}}",
    "weight_ih": r"W_{\text{input}}",
}

Options = Mapping[str, bool | str]


def _rnn(write: _Writer, options: Options) -> list[str]:
    past, now = write("weight_hh"), write("weight_ih")
    name = {"ng": "a", "cs231n": "h", "pytorch": "h", "plain": r"\text{hidden}"}[write.notation]
    inside = f"{past} {write('hidden', 't-1')} + {now} {write('input')}{write.plus_bias(name)}"
    activation = str(options.get("activation", "tanh"))
    function = {"tanh": r"\tanh", "relu": r"\mathrm{ReLU}", "sigmoid": r"\sigma", "identity": ""}[activation]
    return [f"{write('hidden')} = {function}({inside})" if function else f"{write('hidden')} = {inside}"]


def _gru_simplified(write: _Writer, options: Options) -> list[str]:
    return [write.gate("update"), write.candidate(), write.mixed()]


def _gru_reset_before(write: _Writer, options: Options) -> list[str]:
    past = rf"{write('reset')} \odot {write('hidden', 't-1')}"
    return [write.gate("update"), write.gate("reset"), write.candidate(past), write.mixed()]


def _gru(write: _Writer, options: Options) -> list[str]:
    kept = rf"\sigma({write.weighted('update')})"
    update = f"z = {kept}" if write.notation == "pytorch" else f"{write('update')} = 1 - {kept}"
    on_input, on_past = write.split("candidate")
    candidate = rf"{write('candidate')} = \tanh({on_input} + {write('reset')} \odot ({on_past}))"
    return [write.gate("reset"), update, candidate, write.mixed()]


def _lstm(write: _Writer, options: Options) -> list[str]:
    gates = [write.gate(block) for block in ("update", "forget", "output")]
    return [*gates, write.candidate(), write.remembered(), write.shown()]


def _lstm_course(write: _Writer, options: Options) -> list[str]:
    relevance = bool(options.get("relevance_gate", True))
    blocks = ("update", "forget", "output", *(("relevance",) if relevance else ()))
    past = rf"{write('relevance')} \odot {write('hidden', 't-1')}" if relevance else None
    shown = write.shown(squashed=bool(options.get("output_tanh", False)))
    return [*map(write.gate, blocks), write.candidate(past), write.remembered(), shown]


def _lstm_peephole(write: _Writer, options: Options) -> list[str]:
    def gate(block: str, seen: str) -> str:
        sees = bool(options.get(f"peephole_{block}", True))
        return write.gate(block, rf" + p_{{{write.subscript(block)}}} \odot {seen}" if sees else "")

    old = write("cell", "t-1")
    early = options.get("output_sees", "new") == "old"
    output = gate("output", old if early else write("cell"))
    return [gate("update", old), gate("forget", old), write.candidate(), write.remembered(), output, write.shown()]


def _lstm_coupled(write: _Writer, options: Options) -> list[str]:
    coupled = f"{write('update')} = 1 - {write('forget')}"
    return [write.gate("forget"), coupled, write.gate("output"), write.candidate(), write.remembered(), write.shown()]


_EQUATIONS = {
    "rnn": _rnn,
    "gru-simplified": _gru_simplified,
    "gru-reset-before": _gru_reset_before,
    "gru": _gru,
    "lstm": _lstm,
    "lstm-course": _lstm_course,
    "lstm-peephole": _lstm_peephole,
    "lstm-coupled": _lstm_coupled,
}

CELLS_WITH_EQUATIONS = frozenset(_EQUATIONS)
