"""Sentences on a run's text beside its losses: unknown tokens, how bits are counted, overlap with training."""

from __future__ import annotations

from engine.analysis.verbatim import LEAST
from engine.data import TextFacts
from playground.access.losses import said_loss
from playground.charts.units import DEFAULT_UNIT
from playground.runs.records import Run
from playground.text import number

MUCH = 0.5
"""Share of a validation part in the training part from which on it is not called unseen."""

WITHOUT_FACTS = (
    "Bits per character unknown: this run was evaluated by an older version that did not count unknown words and "
    "spacing. Train it again to compare it."
)


def percent(share: float) -> str:
    """A share in at most three digits: 0.1083 -> "10.8%"."""
    return f"{number(100 * share)}%"


def unknown_tokens(facts: TextFacts) -> str:
    """How much of both parts is read as <unk>; empty where nothing is."""
    if not facts.unknown_train and not facts.unknown_validation:
        return ""
    said = (
        f"Unknown tokens (<unk>): {percent(facts.unknown_train)} of the training part, "
        f"{percent(facts.unknown_validation)} of the validation part."
    )
    if facts.unknown_train:
        return said
    return (
        f"{said} With none in the training part, the model cannot learn to predict them, and each is expensive: a "
        "smaller vocabulary leaves some in the training part."
    )


def how_bits_are_counted(facts: TextFacts) -> str:
    """One line on what bits per character pay for beside the loss; empty where that is nothing."""
    if not facts.per_character.extra:
        return ""
    spelling = f"{facts.spelling:.3f} for spelling unknown tokens (character 3-gram model of the training part)"
    spacing = (
        f"{facts.spacing:.3f} for spacing that the tokens do not determine (estimated from counts in the training part)"
    )
    extra = " and ".join([spelling] * bool(facts.spelling) + [spacing] * bool(facts.spacing))
    return f"Bits per character cover the whole text: the loss, plus {extra}."


def seen(facts: TextFacts) -> str:
    """How much of the validation part stands in the training part, and what that means where it is much; empty where
    the validation part is shorter than what counts as a passage."""
    if facts.validation_characters < LEAST:
        return ""
    said = (
        f"{percent(facts.seen)} of the validation part also occurs verbatim in the training part (passages of "
        f"{LEAST} characters or more)."
    )
    return f"{said} A low validation loss may then reflect memorised text." if facts.seen >= MUCH else said


def what_is_judged(run: Run) -> str:
    """What a run's validation part is called in a sentence: unseen text, where it is."""
    facts = run.text_facts
    if facts is None or facts.seen < MUCH:
        return "unseen text"
    return f"validation text ({percent(facts.seen)} of it also in the training text)"


def loss_in_words(run: Run, loss: float, unit: str = DEFAULT_UNIT, of: str = "") -> str:
    """A validation loss with its unit, and the share of unknown tokens.

    Args:
        unit: a key of `UNITS`
        of: what text it is of, if that is to be said
    """
    said = said_loss(run, loss, unit) + (f" on {of}" if of else "")
    unknown = run.text_facts.unknown_validation if run.text_facts else 0.0
    return f"{said}, {percent(unknown)} of tokens unknown" if unknown else said
