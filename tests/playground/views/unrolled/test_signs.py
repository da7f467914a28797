"""Signs: names of quantities in pieces on the line, raised and lowered."""

from __future__ import annotations

import pytest

from playground.notation import NOTATIONS, term
from playground.views.unrolled.signs import TIME, pieces, sign


def test_each_notation_puts_time_and_layer_where_it_has_them() -> None:
    assert sign("hidden", "ng", cell="lstm", layer=0) == [["a", ""], [f"[1]⟨{TIME}⟩", "up"]]
    assert sign("hidden", "cs231n", cell="lstm", layer=0) == [["h", ""], [TIME, "down"], ["1", "up"]]
    assert sign("hidden", "pytorch", cell="lstm", layer=0) == [["h", ""], [TIME, "down"], ["(0)", "up"]]
    assert sign("hidden", "plain", cell="lstm") == [["short-term memory", ""], [TIME, "down"]]


def test_a_weight_has_no_time() -> None:
    assert sign("weight_hh", "ng", cell="rnn", timed=False) == [["W", ""], ["aa", "down"]]


def test_accents_and_greek_letters_become_signs() -> None:
    assert pieces(r"\tilde{c}^{\langle t \rangle}") == [["c\u0303", ""], ["⟨t⟩", "up"]]
    assert pieces(r"\Gamma_u") == [["Γ", ""], ["u", "down"]]
    assert pieces(r"1 - z_{t}") == [["1 - z", ""], ["t", "down"]]


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("quantity", ["hidden", "cell", "input", "prediction", "update", "candidate", "weight_out"])
def test_no_command_of_latex_is_left_in_a_sign(notation: str, quantity: str) -> None:
    for cell in ("rnn", "gru", "lstm"):
        text = "".join(piece for piece, _ in sign(quantity, notation, cell=cell, layer=1))
        assert text
        assert not set(text) & set("\\{}^_")


@pytest.mark.parametrize("notation", NOTATIONS)
def test_the_first_timestep_is_counted_as_the_notation_counts(notation: str) -> None:
    first = {"ng": "⟨1⟩", "cs231n": "₁", "pytorch": "₀", "plain": "step 1"}
    assert first[notation] in term("hidden", notation, t=0).text
