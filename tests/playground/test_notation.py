import itertools
import re

import pytest

from engine.cells import CELLS
from playground.notation import NOTATIONS, QUANTITIES, equations, term

KATEX = {"Gamma", "tilde", "hat", "langle", "rangle", "sigma", "tanh", "odot", "text", "mathrm"}


def switches(cell: str) -> list[dict]:
    options = CELLS[cell].options
    return [
        dict(zip(options, chosen, strict=True)) for chosen in itertools.product(*(o.choices for o in options.values()))
    ]


EVERY = [(cell, notation, chosen) for cell in CELLS for notation in NOTATIONS for chosen in switches(cell)]


@pytest.mark.parametrize(("cell", "notation", "options"), EVERY)
def test_every_cell_has_equations_that_katex_can_set(cell: str, notation: str, options: dict) -> None:
    lines = equations(cell, notation, options)
    assert lines
    for line in lines:
        assert set(re.findall(r"\\([A-Za-z]+)", line)) <= KATEX
        depth = list(itertools.accumulate({"{": 1, "}": -1}.get(sign, 0) for sign in line))
        assert min(depth) >= 0
        assert depth[-1] == 0
        assert line.count("(") == line.count(")")
        assert " = " in line


@pytest.mark.parametrize(("cell", "options"), [(cell, chosen) for cell in CELLS for chosen in switches(cell)])
def test_a_notation_renames_and_never_adds_an_equation(cell: str, options: dict) -> None:
    assert len({len(equations(cell, notation, options)) for notation in NOTATIONS}) == 1
    products = {
        tuple(re.sub(r"\[[^]]*\]", "", line).count(r"\odot") for line in equations(cell, notation, options))
        for notation in ("ng", "cs231n", "plain")
    }
    assert len(products) == 1


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("cell", CELLS)
def test_every_gate_and_state_of_a_cell_has_a_name(cell: str, notation: str) -> None:
    made = CELLS[cell](4)
    for name in (*CELLS[cell].state_names, *(gate.name for gate in made.gates)):
        assert name in QUANTITIES
        named = term(name, notation, layer=0, t=0, cell=cell)
        assert named.latex
        assert named.text


@pytest.mark.parametrize("cell", CELLS)
def test_the_new_states_are_what_the_equations_end_in(cell: str) -> None:
    lines = equations(cell, "pytorch")
    for state in CELLS[cell].state_names:
        assert any(line.startswith(f"{term(state, 'pytorch', cell=cell).latex} = ") for line in lines)


def test_positions_count_from_one_in_the_courses_and_from_zero_in_pytorch() -> None:
    assert term("hidden", "ng", layer=0, t=3).text == "a[1]⟨4⟩"
    assert term("hidden", "cs231n", layer=0, t=3).text == "h_4^1"
    assert term("hidden", "pytorch", layer=0, t=3).text == "h_3, layer 0"


def test_pytorchs_z_is_the_complement_and_says_so() -> None:
    named = term("update", "pytorch", cell="gru")
    assert named.text == "1 - z"
    assert "1 - z" in named.note


def test_pytorchs_candidate_is_g_in_an_lstm_and_n_in_a_gru() -> None:
    assert term("candidate", "pytorch", cell="lstm").text == "g"
    assert term("candidate", "pytorch", cell="gru-simplified").text == "n"


def test_ngs_context_does_not_take_the_cells_letter() -> None:
    assert term("context", "ng").text == "ctx⟨t⟩"
    assert term("context", "ng").note


def test_switches_change_the_equations() -> None:
    assert equations("rnn", "cs231n", {"activation": "relu"})[0].startswith(r"h_{t} = \mathrm{ReLU}(")
    assert equations("rnn", "cs231n", bias=False) == [r"h_{t} = \tanh(W_{hh} h_{t-1} + W_{xh} x_{t})"]
    plain = equations("lstm-course", "ng", {"relevance_gate": False, "output_tanh": True})
    assert plain == equations("lstm", "ng")
    early = equations("lstm-peephole", "pytorch", {"output_sees": "old"})
    assert any(r"p_{o} \odot c_{t-1}" in line for line in early)


@pytest.mark.parametrize("bad", [("hidden", "latin"), ("colour", "ng")])
def test_an_unknown_name_is_refused(bad: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="There is no"):
        term(*bad)


def test_an_unknown_cell_is_refused() -> None:
    with pytest.raises(ValueError, match="no equations"):
        equations("transformer", "ng")
