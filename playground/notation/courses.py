"""Where a notation's course has another equation than the cell: what the course writes. The cell keeps its own.

Sources: Ng's Deep Learning Specialization, course 5, week 1, and the CS230 cheatsheet on recurrent networks; CS231n's
slides on recurrent networks ("Other RNN variants" has its GRU); the documentation of `torch.nn`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from engine.cells import Cell
from engine.cells.lstm import LSTM
from playground.notation.terms import check

# By cell and notation.
_NOTES: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("gru", "ng"): (
            r"On Ng's slides $\Gamma_r$ multiplies the state before the product, $\tilde{c}^{\langle t \rangle} = "
            r"\tanh(W_c [\Gamma_r \odot c^{\langle t-1 \rangle}, x^{\langle t \rangle}] + b_c)$: that is the cell "
            "“GRU, reset before”. In this one, as in PyTorch and cuDNN, it multiplies the product; and as there, the "
            r"sigmoid gives what is kept, so that $\Gamma_u$ is one minus it."
        ),
        ("gru", "cs231n"): (
            r"On CS231n's slides $r_t$ multiplies the state before the product, $\tilde{h}_t = "
            r"\tanh(W_{xh} x_t + W_{hh} (r_t \odot h_{t-1}) + b_h)$: that is the cell “GRU, reset before”. In this "
            "one, as in PyTorch and cuDNN, it multiplies the product."
        ),
        ("gru-reset-before", "cs231n"): (
            r"CS231n computes how much of the old state is kept, $z_t = \sigma(W_{xz} x_t + W_{hz} h_{t-1} + b_z)$"
            ". This cell computes $1 - z_t$ that way: the same network with those weights and that bias negated."
        ),
        ("gru-reset-before", "pytorch"): (
            r"In torch.nn.GRU $r$ scales the product, $n = \tanh(W_{in} x + b_{in} + r \odot (W_{hn} h + b_{hn}))$: "
            r"that is the cell “GRU”. It computes $z = \sigma(...)$; this cell computes $1 - z$ that way."
        ),
        ("gru-simplified", "cs231n"): (
            "CS231n shows no GRU without a reset gate. Its $z_t$ is the share of the old state that is kept."
        ),
        ("gru-simplified", "pytorch"): (
            "PyTorch has no GRU without a reset gate. Its $z$ is the share of the old state that is kept."
        ),
        ("lstm", "ng"): (
            r"Ng's slide with the LSTM's equations has no tanh in the hidden state, $a^{\langle t \rangle} = \Gamma_o "
            r"\odot c^{\langle t \rangle}$: that is the cell “LSTM, course form” with its relevance gate off. The "
            r"CS230 cheatsheet adds that gate, $\Gamma_r$, on the state that the candidate reads."
        ),
        ("lstm-course", "cs231n"): (
            r"CS231n's LSTM has $h_t = o \odot \tanh(c_t)$ and no gate on what $g$ reads: it is the cell “LSTM”."
        ),
        ("lstm-course", "pytorch"): (
            r"torch.nn.LSTM has $h = o \odot \tanh(c)$, and no gate on what $g$ reads: it is the cell “LSTM”."
        ),
        ("lstm-peephole", "cs231n"): "CS231n's LSTM has no peepholes: it is the cell “LSTM”.",
        ("lstm-peephole", "pytorch"): "torch.nn.LSTM has no peepholes: it is the cell “LSTM”.",
        ("lstm-peephole", "ng"): (
            r"In Ng's lecture the peephole of $\Gamma_o$ sees $c^{\langle t-1 \rangle}$: an option of this cell."
        ),
    }
)
_UNKNOWN_TO = MappingProxyType({"ng": "Ng's course", "cs231n": "CS231n", "pytorch": "torch.nn"})
_IN_NO_COURSE = ("lstm-coupled", "lstm-depth-gated", "rnn-clockwork")


def course_note(cell: Cell, notation: str, *, bias: bool = True) -> str:
    """What the notation's course writes where its equation is another than the cell's; empty where it is the same.

    It is Markdown, with formulas in what KaTeX knows.

    Raises:
        ValueError: an unknown notation
    """
    check(notation)
    if cell.name in _IN_NO_COURSE and notation in _UNKNOWN_TO:
        return f"{_UNKNOWN_TO[notation]} does not have this cell; its symbols are used for the same quantities."
    if cell.name == "rnn" and notation == "cs231n" and bias:
        return r"CS231n's RNN has no bias, $h_t = \tanh(W_{hh} h_{t-1} + W_{xh} x_t)$; this run has one."
    if cell.name == "lstm-course" and cell.equations == LSTM.equations:  # both of its switches off
        return ""
    return _NOTES.get((cell.name, notation), "")
