import itertools
import re
from typing import Any

import pytest

from engine.cells import CELLS, Cell
from engine.cells.cell import Gate
from playground.notation import (
    NOTATIONS,
    QUANTITIES,
    TIME,
    Symbol,
    block_term,
    course_note,
    first_index,
    formulas,
    output_formulas,
    sign,
    term,
)

KATEX = {"Gamma", "tilde", "hat", "langle", "rangle", "sigma", "tanh", "odot", "text", "mathrm", "tau", "bmod"}


def switches(cell: str) -> list[dict]:
    options = CELLS[cell].options
    return [
        dict(zip(options, chosen, strict=True)) for chosen in itertools.product(*(o.choices for o in options.values()))
    ]


VARIANTS = [CELLS[cell](4, chosen) for cell in CELLS for chosen in switches(cell)]


def title(cell: Cell) -> str:
    return "-".join([cell.name, *map(str, cell.chosen.values())])


def equations(cell: str, notation: str, options: dict | None = None, *, bias: bool = True) -> list[str]:
    """Each equation of a cell as one line of LaTeX."""
    return [line.latex for line in formulas(CELLS[cell](4, options), notation, bias=bias)]


def texts(cell: str, notation: str, **place: Any) -> list[str]:
    """Each equation of a cell in running text."""
    return [line.text for line in formulas(CELLS[cell](4), notation, **place)]


@pytest.mark.parametrize("cell", VARIANTS, ids=title)
def test_every_cell_has_equations_that_katex_can_set(cell: Cell) -> None:
    lines = [line.latex for notation in NOTATIONS for line in formulas(cell, notation)]
    assert lines
    for line in lines:
        assert set(re.findall(r"\\([A-Za-z]+)", line)) <= KATEX
        depth = list(itertools.accumulate({"{": 1, "}": -1}.get(sign, 0) for sign in line))
        assert min(depth) >= 0
        assert depth[-1] == 0
        assert line.count("(") == line.count(")")
        assert " = " in line


@pytest.mark.parametrize("cell", VARIANTS, ids=title)
def test_a_notation_renames_and_never_adds_an_equation(cell: Cell) -> None:
    lines = {notation: [line.latex for line in formulas(cell, notation)] for notation in NOTATIONS}
    assert {len(each) for each in lines.values()} == {len(cell.equations)}
    products = {
        tuple(re.sub(r"\[[^]]*\]", "", line).count(r"\odot") for line in lines[notation])
        for notation in ("ng", "cs231n", "plain")
    }
    assert len(products) == 1


@pytest.mark.parametrize("cell", CELLS)
def test_every_gate_and_state_of_a_cell_has_a_name(cell: str) -> None:
    made = CELLS[cell](4)
    names = (*CELLS[cell].state_names, *(gate.name for gate in made.gates))
    for name, notation in itertools.product(names, NOTATIONS):
        named = term(name, notation, layer=0, t=0, cell=made)
        assert named.latex
        assert named.text


@pytest.mark.parametrize("cell", CELLS)
def test_the_new_states_are_what_the_equations_end_in(cell: str) -> None:
    lines = equations(cell, "pytorch")
    for state in CELLS[cell].state_names:
        assert any(line.startswith(f"{term(state, 'pytorch').latex} = ") for line in lines)


def test_positions_count_from_one_in_the_courses_and_from_zero_in_pytorch() -> None:
    assert term("hidden", "ng", layer=0, t=3).text == "a[1]⟨4⟩"
    assert term("hidden", "cs231n", layer=0, t=3).text == "h₄¹"
    assert term("hidden", "pytorch", layer=0, t=3).text == "h₃, layer 0"


def test_pytorchs_z_is_the_complement_of_the_update_gate() -> None:
    gru = CELLS["gru"](4)
    named = term("update", "pytorch", cell=gru)
    assert (named.text, named.complement) == ("1 - z", True)
    assert block_term("keep", "pytorch", gru).text == "z"
    assert block_term("keep", "ng", gru).text == "1 - Γᵤ"
    assert block_term("reset", "ng", gru).text == "Γᵣ"


def test_cs231ns_gru_has_r_z_and_a_candidate_of_its_own_name() -> None:
    """h_t = z ⊙ h_{t-1} + (1 - z) ⊙ h̃, with z for the share that is kept: so the cell's update gate is 1 - z."""
    before = texts("gru-reset-before", "cs231n")
    assert before == [
        "1 − z = σ ( W(z) · [ hₜ₋₁ ; xₜ ] + b(z) )",
        "r = σ ( Wᵣ · [ hₜ₋₁ ; xₜ ] + bᵣ )",
        "h̃ = tanh ( Wₕ · [ r ⊙ hₜ₋₁ ; xₜ ] + bₕ )",
        "hₜ = ( 1 − z ) ⊙ h̃ + z ⊙ hₜ₋₁",
    ]
    after = texts("gru", "cs231n")
    assert after[1] == "z = σ ( W(z) · [ hₜ₋₁ ; xₜ ] + b(z) )"
    assert after[2] == "h̃ = tanh ( Wₓₕ · xₜ + bₕ + r ⊙ ( Wₕₕ · hₜ₋₁ + bₕₕ ) )"
    assert term("update", "cs231n", cell=CELLS["gru"](4)).text == "1 - z"
    assert term("update", "cs231n", cell=CELLS["lstm"](4)).text == "i"
    assert term("candidate", "cs231n", cell=CELLS["lstm"](4)).text == "g"


def test_ng_writes_the_update_gate_and_the_label_stays_true_to_the_cell() -> None:
    assert texts("gru-reset-before", "ng")[2] == "c̃⟨t⟩ = tanh ( W(c) · [ Γᵣ ⊙ c⟨t−1⟩ , x⟨t⟩ ] + b(c) )"
    assert "Γᵣ ⊙ (" in texts("gru", "ng")[2], "the reset gate after the product"


@pytest.mark.parametrize(
    ("cell", "notation", "writes"),
    [
        ("gru", "ng", r"\tanh(W_c [\Gamma_r \odot c^{\langle t-1 \rangle}, x^{\langle t \rangle}] + b_c)"),
        ("gru", "cs231n", r"\tilde{h}_t = \tanh(W_{xh} x_t + W_{hh} (r_t \odot h_{t-1}) + b_h)"),
        ("gru-reset-before", "cs231n", r"z_t = \sigma(W_{xz} x_t + W_{hz} h_{t-1} + b_z)"),
        ("gru-reset-before", "pytorch", r"n = \tanh(W_{in} x + b_{in} + r \odot (W_{hn} h + b_{hn}))"),
        ("lstm", "ng", r"a^{\langle t \rangle} = \Gamma_o \odot c^{\langle t \rangle}"),
        ("lstm-course", "cs231n", r"o \odot \tanh(c_t)"),
        ("rnn", "cs231n", "no bias"),
        ("lstm-coupled", "pytorch", "does not have this cell"),
    ],
)
def test_where_a_course_has_another_equation_a_note_says_what_it_writes(cell: str, notation: str, writes: str) -> None:
    assert writes in course_note(CELLS[cell](4), notation)


@pytest.mark.parametrize(
    ("cell", "notation"), [("gru", "pytorch"), ("gru-reset-before", "ng"), ("lstm", "cs231n"), ("lstm", "pytorch")]
)
def test_where_the_course_has_this_very_cell_there_is_no_note(cell: str, notation: str) -> None:
    assert course_note(CELLS[cell](4), notation) == ""
    assert all(course_note(CELLS[name](4), "plain") == "" for name in CELLS)
    assert course_note(CELLS["rnn"](4), "cs231n", bias=False) == ""
    switched_off = CELLS["lstm-course"](4, {"relevance_gate": False, "output_tanh": True})
    assert course_note(switched_off, "cs231n") == ""


def test_a_note_can_be_set_and_a_cell_that_it_names_exists() -> None:
    titles = {CELLS[name].title for name in CELLS}
    for name, notation in itertools.product(CELLS, NOTATIONS):
        note = course_note(CELLS[name](4), notation)
        assert note.count("$") % 2 == 0
        assert set(re.findall(r"\\([A-Za-z]+)", note)) <= KATEX
        for named in re.findall("“([^”]+)”", note):
            assert named in titles


def test_plain_words_are_those_of_a_textbook() -> None:
    lstm, gru = CELLS["lstm-course"](4), CELLS["gru"](4)
    words = {name: term(name, "plain", cell=lstm, t=None).text for name in ("hidden", "cell", "forget", "output")}
    assert words == {"hidden": "hidden state", "cell": "cell state", "forget": "forget gate", "output": "output gate"}
    assert term("update", "plain", cell=lstm).text == "update (input) gate"
    assert term("update", "plain", cell=gru).text == "update gate"
    assert term("reset", "plain", cell=gru).text == "reset gate"
    assert term("candidate", "plain", cell=gru).text == "candidate"
    assert texts("lstm", "plain")[0] == "update = σ ( W(update) · [ hiddenₜ₋₁ ; inputₜ ] + b(update) )"


@pytest.mark.parametrize("notation", NOTATIONS)
def test_what_the_picture_predicts_are_probabilities_and_are_called_so(notation: str) -> None:
    assert term("prediction", notation).text in {"ŷ⟨t⟩", "pₜ", "prediction"}


def test_pytorchs_candidate_is_g_in_an_lstm_and_n_in_a_gru() -> None:
    assert term("candidate", "pytorch", cell=CELLS["lstm"](4)).text == "g"
    assert term("candidate", "pytorch", cell=CELLS["gru-simplified"](4)).text == "n"


def test_ngs_context_does_not_take_the_cells_letter() -> None:
    assert term("context", "ng").text == "ctx⟨t⟩"


def test_an_rnns_candidate_is_its_new_state() -> None:
    assert term("candidate", "ng", cell=CELLS["rnn"](4)).text == "a⟨t⟩"
    assert term("candidate", "ng", cell=CELLS["rnn-clockwork"](4)).text == "ã⟨t⟩"


def test_a_gate_that_no_course_has_is_called_by_its_own_letter() -> None:
    cell = CELLS["lstm"](4)
    cell.gates = (*cell.gates, Gate("renewal", 0.0, 1.0, "how much is new", "n"), Gate("drive", -1.0, 1.0, "a push"))
    assert [term("renewal", notation, cell=cell).text for notation in NOTATIONS] == ["Γₙ", "n", "n", "renewal gate"]
    assert [term("drive", notation, cell=cell).text for notation in NOTATIONS] == ["d", "d", "d", "drive"]


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


PLACES: list[dict[str, Any]] = [{}, {"t": 0}, {"t": 3, "layer": 0}, {"t": 12, "layer": 1}]


@pytest.mark.parametrize("cell", VARIANTS, ids=title)
def test_every_part_can_be_set_without_katex(cell: Cell) -> None:
    for notation, place in itertools.product(NOTATIONS, PLACES):
        for line in (*formulas(cell, notation, **place), *output_formulas(notation, cell=cell, **place)):
            for part in (*line.parts, *line.summed):
                assert not set(part.text) & set("\\{}$")
                assert part.text.strip()
                assert (part.kind == "quantity") == bool(part.key) == (part.symbol is not None)
                if part.symbol:
                    assert not set("".join((part.symbol.base, part.symbol.sub, part.symbol.sup))) & set("\\{}$^")


@pytest.mark.parametrize("cell", VARIANTS, ids=title)
def test_keys_are_those_of_the_cell_in_every_notation(cell: Cell) -> None:
    weights = {f"{name}:{block}" for name in ("weight", "weight_hh", "weight_ih") for block in cell.blocks}
    for notation in NOTATIONS:
        lines = formulas(cell, notation)
        assert {part.key for line in lines for part in line.parts if part.key} <= {*cell.values, *weights}
        assert {line.pre for line in lines if line.pre} == {f"{block}_pre" for block in cell.blocks}
        assert [line.left for line in lines if line.left in cell.state_names][-1] == "hidden"


def test_a_place_is_written_as_the_notation_counts() -> None:
    first = {name: texts("rnn", name, t=3)[0] for name in NOTATIONS}
    assert first["ng"].startswith("a⟨4⟩ = tanh ( Wₐₐ · a⟨3⟩ + Wₐₓ · x⟨4⟩")
    assert first["cs231n"].startswith("h₄ = tanh ( Wₕₕ · h₃ + Wₓₕ · x₄")
    assert first["pytorch"].startswith("h₃ = tanh ( Wₕₕ · h₂ + Wᵢₕ · x₃")
    assert texts("rnn", "ng", t=0)[0].count("a⟨0⟩") == 1  # the state before the first token


def test_an_upper_layer_reads_the_state_of_the_one_below() -> None:
    assert "a[1]⟨4⟩" in texts("lstm", "ng", t=3, layer=1)[0]
    assert "h₄¹" in texts("lstm", "cs231n", t=3, layer=1)[0]
    assert "x⟨4⟩" in texts("lstm", "ng", t=3, layer=0)[0]


def test_the_output_layer_is_written_as_each_course_does() -> None:
    written = {name: [line.text for line in output_formulas(name, t=0)] for name in NOTATIONS}
    assert written["ng"][:2] == ["z⟨1⟩ = W(ya) · a⟨1⟩ + b(y)", "ŷ⟨1⟩ = softmax ( z⟨1⟩ )"]
    assert written["cs231n"][:2] == ["y₁ = W(hy) · h₁ + b(y)", "p₁ = softmax ( y₁ )"]
    assert written["pytorch"][0] == "logits₀ = W(head) · h₀ + b(head)"
    assert written["plain"][0] == "scores₁ = W(scores) · hidden₁ + b(scores)", "its output gate has W(output)"
    assert written["ng"][2] == "ℒ⟨1⟩ = − log ŷ⟨1⟩ [next]"
    assert output_formulas("ng", bias=False)[0].text == "z⟨t⟩ = W(ya) · a⟨t⟩"
    assert output_formulas("ng", cell=CELLS["gru"](4))[0].text == "z⟨t⟩ = W(ya) · c⟨t⟩ + b(y)"


@pytest.mark.parametrize(
    ("symbol", "latex", "text", "pieces"),
    [
        (Symbol("Γ", "u"), r"\Gamma_{u}", "Γᵤ", [["Γ", ""], ["u", "down"]]),
        (Symbol("W", "aa"), "W_{aa}", "Wₐₐ", [["W", ""], ["aa", "down"]]),
        (Symbol("Γ", "f"), r"\Gamma_{f}", "Γ(f)", [["Γ", ""], ["f", "down"]]),  # there is no small f below the line
        (Symbol("W", "hy"), "W_{hy}", "W(hy)", [["W", ""], ["hy", "down"]]),  # nor a y: all of it stands on the line
        (Symbol("W", "keep"), r"W_{\text{keep}}", "W(keep)", [["W", ""], ["keep", "down"]]),  # a word is never lowered
        (Symbol("h", "t−1", "12"), "h_{t-1}^{12}", "hₜ₋₁¹²", [["h", ""], ["t−1", "down"], ["12", "up"]]),
        (
            Symbol("c\u0303", sup="[1]⟨4⟩"),
            r"\tilde{c}^{[1]\langle 4 \rangle}",
            "c̃[1]⟨4⟩",
            [["c\u0303", ""], ["[1]⟨4⟩", "up"]],
        ),
        (
            Symbol("short", "4", "(1)"),
            r"\text{short}_{4}^{(1)}",
            "short₄(1)",
            [["short", ""], ["4", "down"], ["(1)", "up"]],
        ),
    ],
)
def test_a_symbol_is_set_as_a_formula_in_one_line_and_in_pieces(
    symbol: Symbol, latex: str, text: str, pieces: list
) -> None:
    assert (symbol.latex, symbol.text, symbol.pieces) == (latex, text, pieces)


def test_words_are_set_upright_and_letters_are_not() -> None:
    assert Symbol("W", "candidate,past").data() == ["W", "candidate,past", "", False, True]
    assert Symbol("short", "4").data() == ["short", "4", "", True, False]


def test_in_a_drawings_sign_each_notation_puts_time_and_layer_where_it_has_them() -> None:
    lstm = CELLS["lstm"](4)
    assert sign("hidden", "ng", cell=lstm, layer=0) == [["a", ""], [f"[1]⟨{TIME}⟩", "up"]]
    assert sign("hidden", "cs231n", cell=lstm, layer=0) == [["h", ""], [TIME, "down"], ["1", "up"]]
    assert sign("hidden", "pytorch", cell=lstm, layer=0) == [["h", ""], [TIME, "down"], ["(0)", "up"]]
    assert sign("hidden", "plain", cell=lstm) == [["hidden state", ""], [TIME, "down"]]
    assert sign("weight_hh", "ng", cell=lstm, timed=False) == [["W", ""], ["aa", "down"]]
    assert sign("update", "pytorch", cell=CELLS["gru"](4)) == [["1 - z", ""], [TIME, "down"]]


@pytest.mark.parametrize("notation", NOTATIONS)
def test_no_command_of_latex_is_left_in_a_sign(notation: str) -> None:
    for cell, quantity in itertools.product(("rnn", "gru", "lstm"), QUANTITIES):
        text = "".join(piece for piece, _ in sign(quantity, notation, cell=CELLS[cell](4), layer=1))
        assert text
        assert not set(text) & set("\\{}^_")


def test_the_first_timestep_is_counted_as_the_notation_counts() -> None:
    first = {"ng": "⟨1⟩", "cs231n": "₁", "pytorch": "₀", "plain": "step 1"}
    for notation in NOTATIONS:
        assert first[notation] in term("hidden", notation, t=0).text
        assert first_index(notation) == (0 if notation == "pytorch" else 1)


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_no_name_in_running_text_holds_an_underscore_or_what_markdown_would_read(quantity: str) -> None:
    for cell, notation in itertools.product(CELLS, ["ng", "cs231n", "plain"]):
        named = term(quantity, notation, layer=1, t=11, cell=CELLS[cell](4)).text
        assert not set(named) & set("_^\\{}$*`:")
