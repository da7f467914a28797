"""Where a notation's course has another equation than the cell: what the course writes. The cell keeps its own.

Sources: Ng's Deep Learning Specialization, course 5, week 1, and the CS230 cheatsheet on recurrent networks; CS231n's
slides on recurrent networks ("Other RNN variants" has its GRU); the documentation of `torch.nn`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from engine.cells import Cell
from playground.notation.terms import check

# By cell and notation.
_NOTES: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("gru", "ng"): (
            "On Ng's slides Γᵣ multiplies the state before the product, c̃⟨t⟩ = tanh(W_c [Γᵣ ⊙ c⟨t−1⟩, x⟨t⟩] + b_c): "
            "that is the cell “GRU, reset before”. In this one, as in PyTorch and cuDNN, it multiplies the product."
        ),
        ("gru", "cs231n"): (
            "On CS231n's slides r multiplies the state before the product, h̃_t = tanh(W_xh x_t + W_hh (r_t ⊙ h_{t−1}) "
            "+ b_h): that is the cell “GRU, reset before”. In this one, as in PyTorch and cuDNN, it multiplies the "
            "product."
        ),
        ("gru-reset-before", "cs231n"): (
            "CS231n computes z_t, the share of the old state that is kept, as σ(W_xz x_t + W_hz h_{t−1} + b_z). This "
            "cell computes 1 − z_t that way: the same network, with those weights and that bias negated."
        ),
        ("gru-reset-before", "pytorch"): (
            "torch.nn.GRU multiplies the product by r instead, n = tanh(W_in x + b_in + r ⊙ (W_hn h + b_hn)): that is "
            "the cell “GRU”. It computes z as σ(...); this cell computes 1 − z that way."
        ),
        ("gru-simplified", "cs231n"): (
            "CS231n shows no GRU without a reset gate. Its z_t is the share of the old state that is kept."
        ),
        ("gru-simplified", "pytorch"): (
            "PyTorch has no GRU without a reset gate. Its z is the share of the old state that is kept."
        ),
        ("lstm", "ng"): (
            "In Ng's lecture the state is shown without tanh, a⟨t⟩ = Γₒ ⊙ c⟨t⟩: that is the cell “LSTM, course form”. "
            "The CS230 cheatsheet adds a gate Γᵣ on what the candidate sees."
        ),
        (
            "lstm-course",
            "cs231n",
        ): "CS231n's LSTM has h_t = o ⊙ tanh(c_t), and no gate on what g sees: the cell “LSTM”.",
        ("lstm-course", "pytorch"): "torch.nn.LSTM has h = o ⊙ tanh(c), and no gate on what g sees: the cell “LSTM”.",
        ("lstm-peephole", "cs231n"): "CS231n's LSTM has no peepholes: it is the cell “LSTM”.",
        ("lstm-peephole", "pytorch"): "torch.nn.LSTM has no peepholes: it is the cell “LSTM”.",
        ("lstm-peephole", "ng"): "In Ng's lecture the peephole of Γₒ sees c⟨t−1⟩; an option of this cell has it so.",
    }
)
_UNKNOWN_TO = MappingProxyType({"ng": "Ng's course", "cs231n": "CS231n", "pytorch": "torch.nn"})
_IN_NO_COURSE = ("lstm-coupled", "lstm-depth-gated", "rnn-clockwork")


def course_note(cell: Cell, notation: str, *, bias: bool = True) -> str:
    """What the notation's course writes where its equation is another than the cell's; empty where it is the same.

    Raises:
        ValueError: an unknown notation
    """
    check(notation)
    if cell.name in _IN_NO_COURSE and notation in _UNKNOWN_TO:
        return f"{_UNKNOWN_TO[notation]} does not have this cell: its letters are used for the same quantities."
    if cell.name == "rnn" and notation == "cs231n" and bias:
        return "CS231n writes no bias: h_t = tanh(W_hh h_{t−1} + W_xh x_t)."
    return _NOTES.get((cell.name, notation), "")
