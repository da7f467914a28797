"""Events on the terminal."""

from __future__ import annotations

import io
import json
import math

import pytest

from engine.config import Config
from engine.shell.printing import JsonPrinter, PeoplePrinter, as_json, json_line, on_one_line
from engine.training.checkpoint import Checkpoint
from engine.training.events import (
    Changed,
    Diverged,
    Evaluated,
    Event,
    Finished,
    Planned,
    Progress,
    Sampled,
    Saved,
    Working,
)

CHECKPOINT = Checkpoint(3, True, Config(), "", "{}", 10)
EVENTS: list[Event] = [
    Planned(0, planned_steps=10, evaluation_steps=(1, 10), parameters=1_234, device="cpu", threads=1),
    Progress(3, 2.5, 1.5, 1.0, 0.01, 1.0, 90_000.0, 4.0, 3.0, seconds_left=12.3),
    Progress(4, 2.4, 1.5, 1.5, 0.01, None, 90_000.0, 4.0, 3.0),
    Working(4, "evaluation", 0.5),
    Evaluated(5, 2.0, 2.9, math.nan, True, False, 5.0, 4.0, tokens_read=4_096, tokens_in_all=20_000),
    Evaluated(6, 2.5, 3.6, 1.0, False, True, 5.0, 4.0, tokens_read=20_000, tokens_in_all=20_000),
    Sampled(6, "the", ' {"brackets"} and\nlines'),
    Saved(6, full=True, checkpoint=CHECKPOINT),
    Changed(6, "learning_rate", 0.5),
    Diverged(7, "It came apart.", "Mend it.", {"model__gain": 1.0}),
    Finished(10, "steps", 2.0, 5, 2.0, 6.0, 5.0, 90_000.0, 1_234),
]


class Terminal(io.StringIO):
    """A stream that is looked at by somebody."""

    def isatty(self) -> bool:
        return True


def strictly(line: str) -> dict:
    def refuse(constant: str) -> None:
        pytest.fail(f"{constant} is no JSON")

    return json.loads(line, parse_constant=refuse)


def test_each_event_is_one_line_of_strict_json() -> None:
    out = io.StringIO()
    printer = JsonPrinter(out)
    for event in EVENTS:
        printer.event(event)
    lines = [strictly(line) for line in out.getvalue().splitlines()]
    assert [line["event"] for line in lines] == [
        *("planned", "progress", "progress", "evaluation", "evaluation"),
        *("sample", "changed", "diverged", "finished"),
    ]
    assert lines[3]["train_loss"] is None
    assert lines[5]["text"] == ' {"brackets"} and\nlines'
    assert lines[-1]["steps"] == 10


def test_what_only_matters_inside_is_no_line() -> None:
    assert as_json(Saved(6, full=True, checkpoint=CHECKPOINT)) is None
    assert as_json(Working(4, "evaluation", 0.5)) is None


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_json_has_not_become_null(value: float) -> None:
    assert strictly(json_line("x", value=value)) == {"event": "x", "value": None}


def test_people_get_lines_and_in_a_file_no_bar() -> None:
    out = io.StringIO()
    printer = PeoplePrinter(out)
    for event in EVENTS:
        printer.event(event)
    printed = out.getvalue()
    assert "\r" not in printed
    for said in (
        "1,234 parameters, 10 steps on cpu",
        "validation 2.0000 nats, 2.900 bits per character, on 4,096 of 20,000 tokens (best so far)\n",
        "3.600 bits per character (rising)",
        '{"brackets"} and lines',
        "learning_rate changed to 0.5",
        "Stopped at step 7: It came apart. Mend it.",
        "Finished after 10 steps",
    ):
        assert said in printed


def test_on_a_terminal_there_is_a_bar_and_lines_replace_it() -> None:
    out = Terminal()
    printer = PeoplePrinter(out)
    printer.event(EVENTS[0])
    printer.event(EVENTS[1])
    assert out.getvalue().endswith("\033[K")
    assert "3/10  loss 2.5000  90,000 tokens/s  12 s left" in out.getvalue()
    printer.event(EVENTS[3])
    assert out.getvalue().endswith("\revaluation, 50% read \033[K")
    before = len(out.getvalue())
    printer.event(EVENTS[4])
    assert out.getvalue()[before:].startswith("\r\033[K")
    assert out.getvalue().endswith("(best so far)\n")


def test_a_printer_writes_where_output_goes_now(capsys: pytest.CaptureFixture[str]) -> None:
    JsonPrinter().message("hello", message="there")
    PeoplePrinter().message("hello", message="there")
    assert capsys.readouterr().out == '{"event": "hello", "message": "there"}\nthere\n'


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("the cat\nsat  on", "the cat sat on"),
        ("\n\n \n", "⏎⏎␣⏎"),
        ("word " * 40, "word " * 18 + "..."),
        ("これは日本語" * 40, ("これは日本語" * 40)[:93] + " ..."),
        ("", ""),
    ],
)
def test_a_sample_stands_on_one_line_whatever_it_is_made_of(text: str, shown: str) -> None:
    assert on_one_line(text) == shown
    assert len(shown) <= 97
