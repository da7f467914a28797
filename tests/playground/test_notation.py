import itertools
import re
from typing import Any

import pytest

from engine.cells import CELLS
from playground.notation import NOTATIONS, QUANTITIES, Symbol, equation_parts, equations, output_parts, term
from playground.notation.symbols import symbol

KATEX = {"Gamma", "tilde", "hat", "langle", "rangle", "sigma", "tanh", "odot", "text", "mathrm", "tau", "bmod"}


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
    assert term("hidden", "cs231n", layer=0, t=3).text == "h₄¹"
    assert term("hidden", "pytorch", layer=0, t=3).text == "h₃, layer 0"


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


PLACES: list[dict[str, Any]] = [{}, {"t": 0}, {"t": 3, "layer": 0}, {"t": 12, "layer": 1}]


@pytest.mark.parametrize(("cell", "notation", "options"), EVERY)
def test_the_parts_of_an_equation_are_its_latex(cell: str, notation: str, options: dict) -> None:
    for bias in (True, False):
        parts = equation_parts(cell, notation, options, bias=bias)
        assert ["".join(part.latex for part in line.parts) for line in parts] == equations(
            cell, notation, options, bias=bias
        )


@pytest.mark.parametrize(("cell", "notation", "options"), EVERY)
def test_every_part_can_be_set_without_katex(cell: str, notation: str, options: dict) -> None:
    for place in PLACES:
        for line in (*equation_parts(cell, notation, options, **place), *output_parts(notation, cell=cell, **place)):
            for part in (*line.parts, *line.summed):
                assert not set(part.text) & set("\\{}$")
                assert part.text.strip()
                assert (part.kind == "quantity") == bool(part.key)
                if part.kind == "quantity":
                    assert not set("".join((part.symbol.base, part.symbol.sub, part.symbol.sup))) & set("\\{}$^")


@pytest.mark.parametrize(("cell", "options"), [(cell, chosen) for cell in CELLS for chosen in switches(cell)])
def test_keys_are_those_of_the_engine_in_every_notation(cell: str, options: dict) -> None:
    made = CELLS[cell](4, options)
    states = made.state_names
    gates = {gate.name for gate in made.gates}
    parameters = set(made.parameter_shapes(3, bias=True)) - {"weight_ih", "weight_hh", "bias"}
    of_blocks = {f"{name}:{block}" for name in ("weight", "weight_hh", "weight_ih", "bias") for block in made.blocks}
    known = {*states, *(f"{state}_before" for state in states), *gates, *parameters, *of_blocks, "input", "keep"}
    known |= {"clock", "periods"} if made.clock_size else set()
    known |= {f"{made.below}_below"} if made.below else set()
    for notation in NOTATIONS:
        lines = equation_parts(cell, notation, options)
        assert {part.key for line in lines for part in line.parts if part.key} <= known
        assert {line.pre for line in lines if line.pre} == {f"{block}_pre" for block in made.blocks}
        assert [line.left for line in lines if line.left in states][-1] == "hidden"


def test_a_place_is_written_as_the_notation_counts() -> None:
    first = {name: equation_parts("rnn", name, t=3)[0].text for name in NOTATIONS}
    assert first["ng"].startswith("a⟨4⟩ = tanh ( Wₐₐ · a⟨3⟩ + Wₐₓ · x⟨4⟩")
    assert first["cs231n"].startswith("h₄ = tanh ( Wₕₕ · h₃ + Wₓₕ · x₄")
    assert first["pytorch"].startswith("h₃ = tanh ( Wₕₕ · h₂ + Wᵢₕ · x₃")
    assert equation_parts("rnn", "ng", t=0)[0].text.count("a⟨0⟩") == 1  # the state before the first token


def test_an_upper_layer_reads_the_state_of_the_one_below() -> None:
    assert "a[1]⟨4⟩" in equation_parts("lstm", "ng", t=3, layer=1)[0].text
    assert "h₄¹" in equation_parts("lstm", "cs231n", t=3, layer=1)[0].text
    assert "x⟨4⟩" in equation_parts("lstm", "ng", t=3, layer=0)[0].text


def test_the_output_layer_is_written_as_each_course_does() -> None:
    texts = {name: [line.text for line in output_parts(name, t=0)] for name in NOTATIONS}
    assert texts["ng"][:2] == ["z⟨1⟩ = W(ya) · a⟨1⟩ + b(y)", "ŷ⟨1⟩ = softmax ( z⟨1⟩ )"]
    assert texts["cs231n"][:2] == ["y₁ = W(hy) · h₁ + b(y)", "p₁ = softmax ( y₁ )"]
    assert texts["pytorch"][0] == "logits₀ = W(head) · h₀ + b(head)"
    assert texts["ng"][2] == "L⟨1⟩ = − log ŷ⟨1⟩ [next]"
    assert output_parts("ng", bias=False)[0].text == "z⟨t⟩ = W(ya) · a⟨t⟩"
    assert output_parts("ng", cell="gru")[0].text == "z⟨t⟩ = W(ya) · c⟨t⟩ + b(y)"


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        (r"\Gamma_u", Symbol("Γ", "u")),
        (r"\tilde{c}^{\langle t-1 \rangle}", Symbol("c", sup="⟨t−1⟩", mark="tilde")),
        (r"h_{3}^{2}", Symbol("h", "3", "2")),
        (r"W_{\text{candidate},\text{past}}", Symbol("W", "candidate,past", sub_upright=True)),
        (r"\text{short}_{4}^{(1)}", Symbol("short", "4", "(1)", upright=True)),
    ],
)
def test_latex_becomes_a_letter_with_its_marks(latex: str, expected: Symbol) -> None:
    assert symbol(latex) == expected


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        (r"\Gamma_u", "Γᵤ"),
        (r"W_{aa}", "Wₐₐ"),
        (r"h_{t-1}^{12}", "hₜ₋₁¹²"),
        (r"\Gamma_f", "Γ(f)"),  # there is no small f below the line
        (r"W_{hy}", "W(hy)"),  # nor a y: all of it stands on the line, not a half
        (r"W_{\text{keep}}", "W(keep)"),  # a word is never lowered, even where it could be
        (r"\tilde{c}^{\langle 4 \rangle}", "c̃⟨4⟩"),
    ],
)
def test_in_one_line_a_subscript_is_lowered_as_a_whole_or_not_at_all(latex: str, expected: str) -> None:
    assert symbol(latex).text == expected


@pytest.mark.parametrize("notation", ["ng", "cs231n", "plain"])
@pytest.mark.parametrize("quantity", QUANTITIES)
def test_no_name_in_running_text_holds_an_underscore_or_what_markdown_would_read(quantity: str, notation: str) -> None:
    for cell in CELLS:
        named = term(quantity, notation, layer=1, t=11, cell=cell).text
        assert not set(named) & set("_^\\{}$*`:")


def test_more_than_one_symbol_is_refused() -> None:
    with pytest.raises(ValueError, match="not one symbol"):
        symbol("W x")
