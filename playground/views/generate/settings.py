"""The settings of the page Generate; they are in its link, so that copying the link copies the text.

Texts are functions of these settings and of the weights.
"""

from __future__ import annotations

from dataclasses import dataclass

from playground.state import NEWEST, PageSettings, fields
from playground.state.fields import Kind, setting, whole
from playground.state.selection import RUN

MOST_PROMPT = 10_000
MOST_LENGTH = 5_000
MOST_SEED = 2**31 - 1
MOST_TOP_K = 50_000
HOTTEST = 3.0
MOST_FORCED = 20
LINKED_PROMPT = 500
"""Characters of a prompt that stands in the link; a longer one does not."""

_STEP = whole("step", NEWEST, fields.LARGEST)
_FORCED = fields.group("position:token", whole("position", 0, MOST_LENGTH - 1), whole("token", 0, MOST_TOP_K))


def _read_beside(text: str) -> tuple[str, int]:
    run, colon, step = text.partition(":")
    return RUN.parse(run), _STEP.parse(step) if colon else NEWEST


def _write_beside(beside: tuple[str, int]) -> str:
    run, step = beside
    return run if step == NEWEST else f"{run}:{step}"


_BESIDE = Kind(_read_beside, _write_beside, "a run, or a run and a step: id:step")


@dataclass(frozen=True)
class WritingSettings:
    """What to generate, and what of it is looked at."""

    prompt: str | None = setting(None, fields.text(MOST_PROMPT, LINKED_PROMPT), "prompt", "one that the model can read")
    """None for one that the model can read"""
    temperature: float = setting(0.8, fields.number("temperature", 0, HOTTEST), "temperature")
    top_k: int = setting(0, whole("count", 0, MOST_TOP_K), "top_k", "0, off")
    top_p: float = setting(1.0, fields.number("probability", 0.01, 1), "top_p", "1, off")
    seed: int = setting(1, whole("seed", 0, MOST_SEED), "seed")
    length: int = setting(500, whole("length", 1, MOST_LENGTH), "length")
    past_end: bool = setting(True, fields.flag(), "past_end", "on")
    """the length decides how much is written; off, the first line end of a model of words ends the text"""
    beside: tuple[str, int] = setting(("", NEWEST), _BESIDE, "run to compare", "none")
    forced: tuple[tuple[int, int], ...] = setting(
        (), fields.several(_FORCED, MOST_FORCED, by=lambda pair: pair[0], ordered=True), "replaced tokens", "none"
    )
    """(place, token) of those put in by the visitor"""
    place: int = setting(-1, whole("position", -1, MOST_LENGTH - 1), "position", "none")
    """the token that is looked at; -1 for none"""
    look: str = setting("steps", fields.name("name of a drill-down"), "drill-down")


# Tokens were put into one text of one vocabulary: into the text after another prompt they do not belong.
settings = PageSettings("generate.settings", WritingSettings(), restart={"prompt": ("forced", "place")})
