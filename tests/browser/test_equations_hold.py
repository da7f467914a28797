"""Who types an equation as it stands on the screen into a calculator gets the result that stands there."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Locator
from stage import Blank, Stage

from playground.access.runs import snapshot_of
from playground.components import arithmetic as component
from playground.components.arithmetic import Arithmetic, fits
from playground.inside.view import look
from playground.notation import NOTATIONS
from playground.state import Selection
from playground.views.unrolled.arithmetic import arithmetic

NUMBER = r"−?(?:\d[\d,]*)(?:\.\d+)?(?:e−?\d+)?"
CALCULATOR: dict[str, Any] = {
    "sigmoid": lambda z: 1 / (1 + math.exp(-z)),
    "tanh": math.tanh,
    "relu": lambda z: max(0.0, z),
    "log": math.log,
}


def typed(text: str) -> float:
    """What a calculator gives for an expression as it is printed."""
    for sign, meaning in (("−", "-"), ("×", "*"), ("σ", "sigmoid"), ("ReLU", "relu"), ("⊙", "*"), (",", "")):
        text = text.replace(sign, meaning)
    turn = re.fullmatch(r"\s*\[\s*(\S+)\s*mod\s*(\S+)\s*= 0\]\s*", text)
    if turn:
        return float(float(turn[1]) % float(turn[2]) == 0)
    return float(eval(text, {"__builtins__": {}}, CALCULATOR))  # of digits, signs and the functions above


def holds(left: str, result: str) -> bool:
    """Whether the left side, computed, rounds to the printed result."""
    found, printed = typed(left), typed(result)
    digits, exponent = result.replace("−", "").replace(",", "").partition("e")[::2]
    decimals = len(digits.partition(".")[2]) - int(exponent.replace("−", "-") or 0)
    if "." not in digits:  # a whole number is exact, or ends in zeros that say nothing
        decimals = -len(digits) + len(digits.rstrip("0")) if len(digits) > 3 else 0
        if abs(printed) <= 1 and not exponent:
            return abs(found - printed) <= 5e-4
    return abs(found - printed) <= 0.5 * 10**-decimals * (1 + 1e-9) + 1e-15


def arithmetic_of(state: dict[str, Any]) -> Arithmetic:
    place = {name: state[name] for name in ("run", "t", "layer", "unit", "probe", "notation")}
    return arithmetic(look(snapshot_of(state["run"]), Selection(**place)))


Opened = Callable[..., Stage]


@pytest.fixture
def opened(blank: Blank) -> Opened:
    """Opens a page with the panel on it, of a state of the app."""

    def open_page(**changed: Any) -> Stage:
        state = {"run": "tales-lstm", "t": 4, "layer": 0, "unit": 3, "probe": "They ate the fish", "notation": "ng"}
        stage = Stage(blank.open("wide"), component._PANEL, arithmetic_of, fits, state | changed)
        stage.show()
        return stage

    return open_page


def lines_of(panel: Locator) -> Iterator[tuple[str, str]]:
    """The right sides of one unit's equations, and what they give."""
    lines = (
        "lines => lines.map(line => [...line.querySelectorAll(':scope > span:not(.sign)')].map(one => one.textContent))"
    )
    for texts in panel.locator(".lines .line").evaluate_all(lines):
        _, *left, result = re.split(r"(?:^| )=(?= )(?! 0\])", " ".join(text.strip() for text in texts))
        if left:
            yield left[-1].strip(), result.strip()


@pytest.mark.parametrize("notation", list(NOTATIONS))
@pytest.mark.parametrize("run", ["tales-lstm", "tales-gru", "hello-rnn"])
def test_the_equations_of_a_unit_hold_as_printed(opened: Opened, run: str, notation: str) -> None:
    stage = opened(run=run, notation=notation, unit=1, probe="" if run == "hello-rnn" else "They ate", t=1)
    panel = stage.page.locator("section.arithmetic")
    checked = 0
    for t in range(4):
        stage.show(t=t)
        for left, result in lines_of(panel):
            checked += 1
            assert holds(left, result), f"{left} = {result}"
    assert checked >= 2


# The entries of a sum that is taken apart: [what it is, its product, its result] each, the total last.
_ENTRIES = """ledger => [...ledger.querySelectorAll(".entry")].map(
  (entry) => ["what", "product", "is"].map((part) => entry.querySelector(`.${part}`)?.innerText ?? "")
)"""


@pytest.mark.parametrize("run", ["tales-lstm", "tales-gru"])
def test_the_terms_of_a_sum_multiply_and_add_up_as_printed(opened: Opened, run: str) -> None:
    stage = opened(run=run)
    for unit in (3, 11, 40):
        stage.show(unit=unit)
        for line in stage.page.locator(".lines .line:enabled").all():
            line.click()
            *entries, (_, _, total) = stage.page.locator(".ledger").evaluate(_ENTRIES)
            added, scale = 0.0, 1.0
            for head, product, result in entries:
                scaled = re.search(rf"multiplied by .* = ({NUMBER})", head)
                if head.startswith("from "):
                    scale = typed(scaled[1]) if scaled else 1.0
                if product:
                    assert holds(product, result.removeprefix("+")), f"{product} = {result}"
                if result:
                    added += scale * typed(result.removeprefix("+"))
            assert len(entries) > 2
            assert holds(str(added), total), f"{added} is not {total}"


@pytest.mark.parametrize(
    ("run", "probe", "t"), [("tales-lstm", "They ate the fish, and then", 21), ("hello-rnn", "", 2)]
)
def test_the_loss_follows_from_the_probability_beside_it(opened: Opened, run: str, probe: str, t: int) -> None:
    stage = opened(run=run, probe=probe, t=t)
    output = stage.page.locator(".output .equation").last
    loss = output.locator(".quantity[data-key='loss'] .values").inner_text()
    chance = output.locator(".quantity[data-key='target_probability'] .values").inner_text()
    assert holds(f"−log({chance})", loss), f"−log {chance} = {loss}"


def test_where_every_number_is_written_a_sum_can_be_checked_by_hand(opened: Opened) -> None:
    """Of the network of three units: its weights times its vectors, from the tables alone."""
    stage = opened(run="hello-rnn", probe="", unit=0, t=1, notation="cs231n")
    line = stage.page.locator(".cell .equation").first

    def table(key: str) -> list[float]:
        cells = line.locator(f".quantity[data-key='{key}'] .number").first.locator("xpath=..").locator(".number")
        return [typed(text) for text in cells.all_text_contents()]

    before, read = table("hidden_before"), table("input")
    past, weights = table("weight_hh:candidate"), table("weight_ih:candidate")
    results = line.locator(".quantity[data-key='hidden']").first.locator(".number").all_text_contents()
    for unit, result in enumerate(results):
        total = sum(w * h for w, h in zip(past[3 * unit : 3 * unit + 3], before, strict=True))
        total += sum(w * x for w, x in zip(weights[4 * unit : 4 * unit + 4], read, strict=True))
        assert holds(f"tanh({total!r})", result), f"tanh({total}) = {result}"


# ---- the rule itself, on any numbers

_GIVE = """async (cases) => {
  const { bracketed, digitsThatHold, evaluate, significant } = await import("/shared/equation.js");
  const forms = {
    memory: ["f", "⊙", "c", "+", "i", "⊙", "g"],
    shown: ["o", "⊙", "tanh", "(", "c", ")"],
    mixed: ["u", "⊙", "g", "+", "(", "1", "−", "u", ")", "⊙", "c"],
    gate: ["σ", "(", "z", ")"],
    loss: ["−", "log", "p", "[next]"],
  };
  const functions = ["tanh", "σ", "log", "ReLU"];
  return cases.map(([form, given]) => {
    const kind = (text) => (functions.includes(text) ? "function" : "operator");
    const part = (text) => (text in given ? { kind: "quantity", key: text } : { kind: kind(text), text });
    const parts = forms[form].map(part);
    const exact = evaluate(parts, (key) => given[key]);
    const keys = [...new Set(forms[form].filter((text) => text in given))];
    const compute = (some) => evaluate(parts, (key) => some[keys.indexOf(key)]);
    const { count, print, holds } = digitsThatHold(keys.map((key) => given[key]), compute, exact);
    const written = (text) => (text in given ? bracketed(significant(given[text], count)) : text);
    return [forms[form].map(written).join(" "), print(exact), holds];
  });
}"""

_single = partial(st.floats, width=32, allow_subnormal=False)  # a model's numbers
_gate, _state = _single(2**-20, 1), _single(-4, 4)
_cases = st.one_of(
    st.tuples(st.just("memory"), st.fixed_dictionaries({"f": _gate, "c": _state, "i": _gate, "g": _single(-1, 1)})),
    st.tuples(st.just("shown"), st.fixed_dictionaries({"o": _gate, "c": _state})),
    st.tuples(st.just("mixed"), st.fixed_dictionaries({"u": _gate, "g": _single(-1, 1), "c": _single(-1, 1)})),
    st.tuples(st.just("gate"), st.fixed_dictionaries({"z": _single(-12, 12)})),
    st.tuples(st.just("loss"), st.fixed_dictionaries({"p": _single(2**-30, 1 - 2**-20)})),
)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.large_base_example],
)
@given(st.lists(_cases, min_size=40, max_size=40))
def test_an_equation_of_any_values_holds_as_printed(blank: Blank, cases: list[tuple[str, dict[str, float]]]) -> None:
    page = blank.opened[0] if blank.opened else blank.open("wide")
    for left, result, held in page.evaluate(_GIVE, [list(case) for case in cases]):
        text = re.sub(r"log (\S+) \[next\]", r"log(\1)", left)
        assert held
        assert holds(text, result), f"{left} = {result}"


@pytest.mark.parametrize(
    ("form", "given", "printed"),
    [
        ("loss", {"p": math.exp(-0.00129)}, "− log 0.99871 [next] = 0.00129"),
        ("shown", {"o": 1, "c": -0.5}, "1 ⊙ tanh ( (−0.500) ) = −0.462"),
    ],
)
def test_two_equations_as_they_are_printed(blank: Blank, form: str, given: dict[str, float], printed: str) -> None:
    ((left, result, _),) = blank.open("wide").evaluate(_GIVE, [[form, given]])
    assert f"{left} = {result}" == printed


def test_a_whole_number_is_itself_and_nothing_near_it(blank: Blank) -> None:
    write = """async (values) => {
      const { significant } = await import("/shared/equation.js");
      return values.map((one) => significant(one, 3));
    }"""
    written = blank.open("wide").evaluate(write, [-1.001, -1, 0, 12_345.6, 0.000012345])
    assert written == ["−1.00", "−1", "0", "12300", "1.23e−5"]
