"""The equations that stand beside a drawing are the drawing: in every notation, operation by operation."""

from __future__ import annotations

import pytest

from engine.cells import CELLS, Cell
from playground.diagrams import diagram
from playground.diagrams.expression import read, sides
from playground.diagrams.spelling import SpellingError, names, spell
from playground.notation import NOTATIONS, Equation, Part, equation_parts


def spelled(cell: Cell, notation: str, bias: bool = True) -> tuple[list[Equation], dict[str, str]]:
    """The equations, and how each node is written in running text."""
    drawn, equations = diagram(cell), equation_parts(cell.name, notation, cell.chosen, bias=bias)
    written = names(drawn, equations, spell(drawn, equations))
    return equations, {name: " ".join(part.text for part in parts) for name, parts in written.items()}


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("notation", NOTATIONS)
def test_every_equation_is_what_is_drawn_and_every_value_has_a_name(cell: Cell, notation: str, bias: bool) -> None:
    _, written = spelled(cell, notation, bias)
    assert set(written) == {node.name for node in diagram(cell).nodes}


@pytest.mark.parametrize("notation", NOTATIONS)
def test_every_piece_of_an_equation_but_the_equals_sign_belongs_to_a_node(cell: Cell, notation: str) -> None:
    drawn, equations = diagram(cell), equation_parts(cell.name, notation, cell.chosen)
    owned = {(place.equation, at) for place in spell(drawn, equations) for at in place.own}
    for number, equation in enumerate(equations):
        for at, part in enumerate(equation.parts):
            assert ((number, at) in owned) == (part.latex.strip() != "="), f"{part.text} in {equation.text}"


def test_values_are_written_as_the_notation_has_them() -> None:
    _, ng = spelled(CELLS["lstm"](1), "ng")
    assert ng["forget"] == "Γ(f)"
    assert ng["kept"] == "Γ(f) ⊙ c⟨t−1⟩"
    assert ng["joined"] == "[ a⟨t−1⟩ , x⟨t⟩ ]"
    assert ng["forget_pre"] == "W(f) · [ a⟨t−1⟩ , x⟨t⟩ ] + b(f)"
    assert ng["hidden_out"] == ng["hidden"] == "a⟨t⟩"
    _, torch = spelled(CELLS["gru"](1), "pytorch")
    assert (torch["keep"], torch["update"]) == ("z", "1 − z")
    assert torch["past_seen"] == "r ⊙ ( Wₕₙ · hₜ₋₁ + bₕₙ )"
    _, simple = spelled(CELLS["gru-simplified"](1), "cs231n")
    assert simple["kept"] == "( 1 − i ) ⊙ hₜ₋₁"


def test_a_product_that_stands_apart_from_its_bias_is_written_as_a_sum() -> None:
    _, written = spelled(CELLS["lstm-peephole"](1), "pytorch")
    assert written["forget_weighted"] == "W(if) · xₜ + W(hf) · hₜ₋₁ + b(f)"
    assert written["peep_forget"] == "p(f) ⊙ cₜ₋₁"


@pytest.mark.parametrize(
    ("cell", "drawn_as"),
    [
        ("lstm", "lstm-coupled"),
        ("gru", "gru-reset-before"),
        ("gru-reset-before", "gru"),
        ("lstm-peephole", "lstm"),
        ("gru-simplified", "gru-reset-before"),
    ],
)
def test_the_equations_of_another_cell_are_refused(cell: str, drawn_as: str) -> None:
    with pytest.raises((SpellingError, KeyError)):
        spell(diagram(CELLS[drawn_as](1)), equation_parts(cell, "ng"))


def test_an_option_that_is_not_in_the_drawing_is_refused() -> None:
    drawn = diagram(CELLS["lstm-course"](1, {"output_tanh": True}))
    with pytest.raises(SpellingError, match="does not compute what this equation says"):
        spell(drawn, equation_parts("lstm-course", "ng", {"output_tanh": False}))
    with pytest.raises(SpellingError):
        spell(drawn, equation_parts("lstm-course", "ng", {"relevance_gate": False, "output_tanh": True}))


def test_gates_that_change_places_are_refused() -> None:
    swap = {"forget": "update", "update": "forget"}
    equations = [
        Equation(item.left, tuple(Part(part.kind, part.latex, swap.get(part.key, part.key)) for part in item.parts))
        for item in equation_parts("lstm", "ng")
    ]
    with pytest.raises(SpellingError):
        spell(diagram(CELLS["lstm"](1)), equations)


def test_a_bias_of_another_gate_is_refused() -> None:
    drawn = diagram(CELLS["lstm"](1))
    first, *others = equation_parts("lstm", "ng")
    wrong = [Part("quantity", part.latex, part.key.replace("bias:update", "bias:forget")) for part in first.parts]
    wrong = [new if old.kind == "quantity" else old for new, old in zip(wrong, first.parts, strict=True)]
    with pytest.raises(SpellingError):
        spell(drawn, [Equation(first.left, tuple(wrong)), *others])


def test_what_is_no_expression_is_refused() -> None:
    plus, one = Part("operator", " + "), Part("quantity", "c", "cell")
    for parts in ((one, plus), (plus, one), (one, one), (Part("operator", "("), one)):
        with pytest.raises(ValueError, match=r"stands|missing|left over|ends"):
            read(sides(parts)[0])
