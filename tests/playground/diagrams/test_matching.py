"""The equations that stand beside a drawing are the drawing: operation by operation, and in every notation lit up."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from engine.cells import CELLS, Cell
from engine.cells.equations import Equation, Quantity, bias, gate
from playground.diagrams import MismatchError, diagram, match
from playground.notation import NOTATIONS, formulas, written


def spelled(cell: Cell, notation: str) -> dict[str, str]:
    """How each node is written in running text."""
    values = match(diagram(cell), cell).values
    return {name: " ".join(part.text for part in written(of, cell, notation)) for name, of in values.items()}


def test_every_equation_is_what_is_drawn_and_every_value_has_a_name(cell: Cell) -> None:
    for notation in NOTATIONS:
        named = spelled(cell, notation)
        assert set(named) == {node.name for node in diagram(cell).nodes}
        assert all(named.values())


def test_every_piece_of_an_equation_but_the_equals_sign_belongs_to_a_node(cell: Cell) -> None:
    matched = match(diagram(cell), cell)
    for notation, biased in itertools.product(NOTATIONS, (True, False)):
        for formula in formulas(cell, notation, bias=biased):
            for part in formula.parts:
                lit = bool(matched.within(part.within))
                assert lit == (part.text != "="), f"{part.text} in {formula.text} ({notation})"


def test_every_node_lights_up_in_the_equations(cell: Cell) -> None:
    drawn = diagram(cell)
    matched = match(drawn, cell)
    parts = [part for formula in formulas(cell, "pytorch") for part in formula.parts]
    lit = {name for part in parts for name in matched.within(part.within)}
    shared = {"joined"} if cell.family == "rnn" else set()  # an RNN multiplies each vector by itself
    assert {node.name for node in drawn.nodes if node.operation != "out"} - shared <= lit


def test_values_are_written_as_the_notation_has_them() -> None:
    ng = spelled(CELLS["lstm"](1), "ng")
    assert ng["forget"] == "Γ(f)"
    assert ng["kept"] == "Γ(f) ⊙ c⟨t−1⟩"
    assert ng["joined"] == "[ a⟨t−1⟩ , x⟨t⟩ ]"
    assert ng["forget_pre"] == "W(f) · [ a⟨t−1⟩ , x⟨t⟩ ] + b(f)"
    assert ng["hidden_out"] == ng["hidden"] == "a⟨t⟩"
    torch = spelled(CELLS["gru"](1), "pytorch")
    assert (torch["keep"], torch["update"]) == ("z", "1 − z")
    assert torch["past_seen"] == "r ⊙ ( Wₕₙ · hₜ₋₁ + bₕₙ )"
    simple = spelled(CELLS["gru-simplified"](1), "cs231n")
    assert simple["kept"] == "z ⊙ hₜ₋₁"


def test_a_product_that_stands_apart_from_its_bias_is_written_as_a_sum() -> None:
    named = spelled(CELLS["lstm-peephole"](1), "pytorch")
    assert named["forget_weighted"] == "W(if) · xₜ + W(hf) · hₜ₋₁ + b(f)"
    assert named["peep_forget"] == "p(f) ⊙ cₜ₋₁"


def test_a_part_of_a_sum_is_lit_with_its_terms() -> None:
    cell = CELLS["lstm-depth-gated"](1)
    assert spelled(cell, "cs231n")["gathered"] == "f ⊙ cₜ₋₁ + d ⊙ cₜ(l−1)"
    matched = match(diagram(cell), cell)
    (taken_in,) = [each for each in cell.definitions["cell"].inside if Quantity("depth") in each.inside]
    assert matched.within([cell.definitions["cell"], taken_in]) == ["cell", "gathered", "taken_in"]


def test_the_equations_of_another_cell_are_refused() -> None:
    for cell, drawn_as in [
        ("lstm", "lstm-coupled"),
        ("gru", "gru-reset-before"),
        ("gru-reset-before", "gru"),
        ("lstm-peephole", "lstm"),
        ("gru-simplified", "gru-reset-before"),
        ("lstm-depth-gated", "lstm"),
    ]:
        with pytest.raises(MismatchError, match=r"does not compute|No equation reads"):
            match(diagram(CELLS[drawn_as](1)), CELLS[cell](1))


def test_an_option_that_is_not_in_the_drawing_is_refused() -> None:
    drawn = diagram(CELLS["lstm-course"](1, {"output_tanh": True}))
    for options in ({"output_tanh": False}, {"relevance_gate": False, "output_tanh": True}):
        with pytest.raises(MismatchError, match="does not compute"):
            match(drawn, CELLS["lstm-course"](1, options))


def test_gates_that_change_places_and_a_bias_of_another_gate_are_refused() -> None:
    lstm = CELLS["lstm"](1)
    drawn = diagram(lstm)
    first, *others = lstm.equations
    wrong = replace(first, right=replace(first.right, to=gate("update").right.inside[0].inside[0] + bias("forget")))
    swapped = [Equation({"update": "forget", "forget": "update"}.get(e.left, e.left), e.right) for e in lstm.equations]
    for equations in ((wrong, *others), tuple(swapped)):
        cell = CELLS["lstm"](1)
        cell.equations = equations
        with pytest.raises(MismatchError, match="does not compute"):
            match(drawn, cell)
