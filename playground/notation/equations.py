"""The equations of every cell and of the output layer in every notation, piece by piece and as LaTeX."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from playground.notation.parts import (
    APPLIED,
    BEFORE,
    CLOSE,
    EQUALS,
    IS_ZERO,
    MINUS,
    MODULO,
    ONE,
    OPEN,
    PLUS,
    TIMES,
    Equation,
    Part,
    Parts,
    bracketed,
)
from playground.notation.terms import TIMED, Index, check, indexed, term

Options = Mapping[str, bool | str]

_SUBSCRIPTS = {
    "ng": {"update": "u", "forget": "f", "output": "o", "reset": "r", "depth": "d", "candidate": "c"},
    "cs231n": {"update": "i", "forget": "f", "output": "o", "reset": "r", "depth": "d", "candidate": "g"},
    "pytorch": {"update": "i", "forget": "f", "output": "o", "reset": "r", "depth": "d", "candidate": "g"},
    "plain": {
        "update": r"\text{write}",
        "forget": r"\text{keep}",
        "output": r"\text{read}",
        "reset": r"\text{past}",
        "depth": r"\text{depth}",
        "candidate": r"\text{candidate}",
    },
}

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
    "depth": r"\text{depth}",
    "clock": r"\text{clock}",
    "periods": r"\text{period}",
    "weight_hh": r"W_{\text{recurrent}}",
    "weight_ih": r"W_{\text{input}}",
}

_FUNCTIONS = {"tanh": r"\tanh", "relu": r"\mathrm{ReLU}", "sigmoid": r"\sigma", "softmax": r"\mathrm{softmax}"}


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
    return [equation.latex for equation in equation_parts(cell, notation, options, bias=bias)]


def equation_parts(
    cell: str,
    notation: str,
    options: Mapping[str, bool | str] | None = None,
    *,
    bias: bool = True,
    t: int | None = None,
    layer: int | None = None,
) -> list[Equation]:
    """The same equations taken apart into operators, functions and quantities with keys to their values.

    Args:
        cell, notation, options, bias: as for `equations`
        t: timestep, counted from 0; None writes the general t
        layer: counted from 0; None leaves it out. The input of a layer above the first is the state of the one below

    Raises:
        ValueError: an unknown cell or notation.
    """
    check(notation)
    if cell not in _EQUATIONS:
        raise ValueError(f"There are no equations for the cell {cell!r}; cells are {', '.join(_EQUATIONS)}.")
    return _EQUATIONS[cell](_Writer(notation, cell, bias, t, layer), dict(options or {}))


def output_parts(
    notation: str,
    *,
    bias: bool = True,
    t: int | None = None,
    layer: int | None = None,
    cell: str | None = None,
    key: str = "hidden",
) -> list[Equation]:
    """The output layer: scores of all tokens, their probabilities, and the loss.

    Args:
        notation, bias, t: as for `equation_parts`
        layer: the top layer, counted from 0; None leaves it out
        cell: the cell's name, where its family matters
        key: where the values of the top layer's state are found

    Raises:
        ValueError: an unknown notation.
    """
    check(notation)
    write = _Writer(notation, cell or "", bias, t, layer)
    below = Part("quantity", write("hidden")[0].latex, key)
    product: Parts = (write.whole_weight("weight_out"), APPLIED, below)
    scores, shares, loss = (write.output(name) for name in ("logits", "probabilities", "loss"))
    softmax, log = Part("function", _FUNCTIONS["softmax"]), Part("function", r"\log ")
    target = Part("quantity", shares.latex, "target_probability")
    lost = (loss, EQUALS, Part("operator", "-"), log, target, Part("operator", r"[\text{next}]"))
    return [
        Equation("logits", (scores, EQUALS, *product, *write.output_bias())),
        Equation("probabilities", (shares, EQUALS, softmax, OPEN, scores, CLOSE)),
        Equation("loss", lost),
    ]


@dataclass(frozen=True)
class _Writer:
    """Writes the pieces of a cell's equations in one notation, at one timestep and layer or in general."""

    notation: str
    cell: str
    bias: bool
    t: int | None = None
    layer: int | None = None

    def __call__(self, quantity: str, before: bool = False) -> Parts:
        """A state, gate or input; `before` is the state of the timestep before."""
        if quantity == "update" and self.notation == "pytorch" and self.cell.startswith("gru"):
            return (ONE, MINUS, Part("quantity", "z", "keep"))
        return (Part("quantity", self._latex(quantity, before), quantity + (BEFORE if before else "")),)

    def _latex(self, quantity: str, before: bool) -> str:
        time: Index = ("t-1" if before else None) if self.t is None else self.t - before
        layer = self.layer
        if quantity == "input":
            quantity, layer = ("hidden", layer - 1) if layer else ("input", None)
        timed = quantity in TIMED or (quantity == "candidate" and self.notation == "ng")
        if not timed:
            time = layer = None
        if self.notation == "plain":
            return indexed(_BRIEF[quantity], "", "plain", layer, "t" if timed and time is None else time)[0]
        return term(quantity, self.notation, layer=layer, t=time, cell=self.cell).latex

    def below(self, quantity: str) -> Parts:
        """A state of the layer below, at the same timestep."""
        level: Index = (
            (r"\text{below}" if self.notation == "plain" else "l-1") if self.layer is None else self.layer - 1
        )
        if self.notation == "plain":
            latex = indexed(_BRIEF[quantity], "", "plain", level, "t" if self.t is None else self.t)[0]
        else:
            latex = term(quantity, self.notation, layer=level, t=self.t, cell=self.cell).latex
        return (Part("quantity", latex, f"{quantity}_below"),)

    def subscript(self, block: str) -> str:
        if self.notation == "pytorch" and self.cell.startswith("gru"):
            return {"update": "z", "keep": "z", "reset": "r", "candidate": "n"}[block]
        return _SUBSCRIPTS[self.notation][{"relevance": "reset", "keep": "update"}.get(block, block)]

    def weight(self, name: str, key: str) -> Part:
        return Part("quantity", f"W_{{{name}}}", key)

    def whole_weight(self, quantity: str, key: str = "") -> Part:
        brief = self.notation == "plain" and quantity in _BRIEF
        latex = _BRIEF[quantity] if brief else term(quantity, self.notation).latex
        return Part("quantity", latex, key or quantity)

    def plus_bias(self, name: str, key: str) -> Parts:
        return (PLUS, Part("quantity", f"b_{{{name}}}", key)) if self.bias else ()

    def weighted(self, block: str, past: Parts | None = None, more: Parts = ()) -> Parts:
        """What goes into a gate: weights on the past and on the input, and a bias."""
        name, past, now = self.subscript(block), past or self("hidden", before=True), self("input")
        bias = self.plus_bias(name, f"bias:{block}")
        if self.notation == "pytorch":
            on_input = self.weight(f"i{name}", f"weight_ih:{block}")
            on_past = self.weight(f"h{name}", f"weight_hh:{block}")
            seen = bracketed(past) if TIMES in past else past
            return (on_input, APPLIED, *now, PLUS, on_past, APPLIED, *seen, *more, *bias)
        comma = Part("operator", ", " if self.notation == "ng" else "; ")
        joint = (Part("operator", "["), *past, comma, *now, Part("operator", "]"))
        return (self.weight(name, f"weight:{block}"), APPLIED, *joint, *more, *bias)

    def split(self, block: str) -> tuple[Parts, Parts]:
        """The same on the input alone and on the past alone, each with a bias: for a reset after the product."""
        name = self.subscript(block)
        past, now = {
            "ng": (f"{name}a", f"{name}x"),
            "cs231n": (f"h{name}", f"x{name}"),
            "pytorch": (f"h{name}", f"i{name}"),
            "plain": (rf"{name},\text{{past}}", rf"{name},\text{{input}}"),
        }[self.notation]
        on_input = (self.weight(now, f"weight_ih:{block}"), APPLIED, *self("input"))
        on_past = (self.weight(past, f"weight_hh:{block}"), APPLIED, *self("hidden", before=True))
        return (*on_input, *self.plus_bias(name, f"bias:{block}")), (*on_past, *self.plus_bias(past, f"bias_{block}"))

    def activated(self, left: str, function: str, inside: Parts, block: str, before: Parts = ()) -> Equation:
        """An activation function, by name, of a weighted sum; `before` stands between the equals sign and it."""
        pre = f"{block}_pre"
        total = Part("quantity", r"\text{sum}", pre)
        head = (*before, Part("function", _FUNCTIONS[function]))
        parts = (*self(left), EQUALS, *head, *bracketed(inside))
        return Equation(left, parts, pre, (*head, *bracketed((total,))))

    def gate(self, block: str, more: Parts = ()) -> Equation:
        return self.activated(block, "sigmoid", self.weighted(block, more=more), block)

    def candidate(self, past: Parts | None = None) -> Equation:
        return self.activated("candidate", "tanh", self.weighted("candidate", past), "candidate")

    def mixed(self) -> Equation:
        """A GRU's new state: written and kept in shares that make up one."""
        old, new, written = self("hidden", before=True), self("candidate"), self("update")
        turned = ONE in written
        kept = written[2:] if turned else bracketed((ONE, MINUS, *written))
        state: Parts = self("hidden")
        if self.notation == "ng" and self.cell.startswith("gru"):
            upper = term("hidden", "ng", layer=self.layer, t=self.t).latex
            state = (Part("quantity", upper, "hidden"), EQUALS, *state)
        share = bracketed(written) if turned else written
        return Equation("hidden", (*state, EQUALS, *share, TIMES, *new, PLUS, *kept, TIMES, *old))

    def remembered(self, more: Parts = ()) -> Equation:
        old, new = self("cell", before=True), self("candidate")
        kept, written = (*self("forget"), TIMES, *old), (*self("update"), TIMES, *new)
        return Equation("cell", (*self("cell"), EQUALS, *kept, PLUS, *written, *more))

    def shown(self, squashed: bool = True) -> Equation:
        cell = self("cell")
        inside = (Part("function", r"\tanh"), *bracketed(cell)) if squashed else cell
        return Equation("hidden", (*self("hidden"), EQUALS, *self("output"), TIMES, *inside))

    def output(self, quantity: str) -> Part:
        return Part("quantity", term(quantity, self.notation, t=self.t).latex, quantity)

    def output_bias(self) -> Parts:
        name = {"pytorch": r"\text{head}", "plain": r"\text{output}"}.get(self.notation, "y")
        return self.plus_bias(name, "bias_out")


def _elman(write: _Writer) -> Parts:
    """The weighted sum of a simple recurrent network."""
    past = write.whole_weight("weight_hh", "weight_hh:candidate"), APPLIED, *write("hidden", before=True)
    now = write.whole_weight("weight_ih", "weight_ih:candidate"), APPLIED, *write("input")
    name = {"ng": "a", "cs231n": "h", "pytorch": "h", "plain": r"\text{hidden}"}[write.notation]
    return (*past, PLUS, *now, *write.plus_bias(name, "bias:candidate"))


def _rnn(write: _Writer, options: Options) -> list[Equation]:
    inside = _elman(write)
    activation = str(options.get("activation", "tanh"))
    if activation == "identity":
        return [Equation("hidden", (*write("hidden"), EQUALS, *inside), "candidate_pre")]
    return [write.activated("hidden", activation, inside, "candidate")]


def _rnn_clockwork(write: _Writer, options: Options) -> list[Equation]:
    turn = (Part("operator", "["), *write("clock"), MODULO, *write("periods"), IS_ZERO)
    candidate = write.activated("candidate", "tanh", _elman(write), "candidate")
    return [Equation("update", (*write("update"), EQUALS, *turn)), candidate, write.mixed()]


def _gru_simplified(write: _Writer, options: Options) -> list[Equation]:
    return [write.gate("update"), write.candidate(), write.mixed()]


def _gru_reset_before(write: _Writer, options: Options) -> list[Equation]:
    past = (*write("reset"), TIMES, *write("hidden", before=True))
    return [write.gate("update"), write.gate("reset"), write.candidate(past), write.mixed()]


def _gru(write: _Writer, options: Options) -> list[Equation]:
    # The engine's block of rows is z, which keeps; only PyTorch has a letter for it.
    kept = write.activated("update", "sigmoid", write.weighted("keep"), "keep", before=(ONE, MINUS))
    if write.notation == "pytorch":
        z = Part("quantity", "z", "keep")
        kept = Equation("keep", (z, EQUALS, *kept.parts[kept.parts.index(EQUALS) + 3 :]), kept.pre, kept.summed[2:])
    on_input, on_past = write.split("candidate")
    inside = (*on_input, PLUS, *write("reset"), TIMES, *bracketed(on_past))
    candidate = write.activated("candidate", "tanh", inside, "candidate")
    return [write.gate("reset"), kept, candidate, write.mixed()]


def _lstm(write: _Writer, options: Options) -> list[Equation]:
    gates = [write.gate(block) for block in ("update", "forget", "output")]
    return [*gates, write.candidate(), write.remembered(), write.shown()]


def _lstm_course(write: _Writer, options: Options) -> list[Equation]:
    relevance = bool(options.get("relevance_gate", True))
    blocks = ("update", "forget", "output", *(("relevance",) if relevance else ()))
    past = (*write("relevance"), TIMES, *write("hidden", before=True)) if relevance else None
    shown = write.shown(squashed=bool(options.get("output_tanh", False)))
    return [*map(write.gate, blocks), write.candidate(past), write.remembered(), shown]


def _lstm_peephole(write: _Writer, options: Options) -> list[Equation]:
    def gate(block: str, seen: Parts) -> Equation:
        sees = bool(options.get(f"peephole_{block}", True))
        peephole = Part("quantity", f"p_{{{write.subscript(block)}}}", f"peephole_{block}")
        return write.gate(block, (PLUS, peephole, TIMES, *seen) if sees else ())

    old = write("cell", before=True)
    early = options.get("output_sees", "new") == "old"
    output = gate("output", old if early else write("cell"))
    return [gate("update", old), gate("forget", old), write.candidate(), write.remembered(), output, write.shown()]


def _lstm_coupled(write: _Writer, options: Options) -> list[Equation]:
    coupled = Equation("update", (*write("update"), EQUALS, ONE, MINUS, *write("forget")))
    return [write.gate("forget"), coupled, write.gate("output"), write.candidate(), write.remembered(), write.shown()]


def _lstm_depth_gated(write: _Writer, options: Options) -> list[Equation]:
    name, below = write.subscript("depth"), write.below("cell")
    on_past, on_below = (r"\text{long}", r"\text{below}") if write.notation == "plain" else ("c", "l")
    inside = (
        *(
            write.weight(f"i{name}" if write.notation == "pytorch" else name, "weight_ih:depth"),
            APPLIED,
            *write("input"),
        ),
        *(PLUS, Part("quantity", f"w_{{{on_past}}}", "peephole_depth"), TIMES, *write("cell", before=True)),
        *(PLUS, Part("quantity", f"w_{{{on_below}}}", "peephole_below"), TIMES, *below),
        *write.plus_bias(name, "bias:depth"),
    )
    depth = write.activated("depth", "sigmoid", inside, "depth")
    gates = [write.gate(block) for block in ("update", "forget", "output")]
    taken_in = write.remembered((PLUS, *write("depth"), TIMES, *below))
    return [*gates, write.candidate(), depth, taken_in, write.shown()]


_EQUATIONS: Mapping[str, Callable[[_Writer, Options], list[Equation]]] = MappingProxyType(
    {
        "rnn": _rnn,
        "rnn-clockwork": _rnn_clockwork,
        "gru-simplified": _gru_simplified,
        "gru-reset-before": _gru_reset_before,
        "gru": _gru,
        "lstm": _lstm,
        "lstm-course": _lstm_course,
        "lstm-peephole": _lstm_peephole,
        "lstm-coupled": _lstm_coupled,
        "lstm-depth-gated": _lstm_depth_gated,
    }
)

CELLS_WITH_EQUATIONS = frozenset(_EQUATIONS)
