"""Lists whose lines are sorted: noticed by their last tenth, mixed on request; prose is left in peace."""

from __future__ import annotations

import random

import pytest

from engine.data import load_split
from engine.data.order import shuffled_lines, sorted_by_kind

ENDINGS = {"Czech": "ova", "Italian": "ini", "Japanese": "moto", "Russian": "sky"}


def _names(count: int) -> list[str]:
    """Made-up names, in blocks by language."""
    generator = random.Random(1)
    stems = ["".join(generator.choices("abdeiklmnortu", k=5)) for _ in range(count // len(ENDINGS))]
    return [f"{stem}{ending}" for ending in ENDINGS.values() for stem in stems]


def test_names_in_blocks_by_language_are_noticed_and_mixed_ones_are_not() -> None:
    text = "\n".join(_names(800)) + "\n"
    assert sorted_by_kind(text)
    assert not sorted_by_kind(shuffled_lines(text))


def test_a_list_sorted_by_the_alphabet_is_noticed() -> None:
    assert sorted_by_kind("\n".join(sorted(random.Random(2).sample(_names(2_000), 1_000))))


def test_a_list_in_no_order_is_not_noticed() -> None:
    names = _names(4_000)
    wrong = 0
    for seed in range(30):
        wrong += sorted_by_kind("\n".join(random.Random(seed).sample(names, 500)))
    assert wrong == 0


@pytest.mark.parametrize("corpus", ["tales", "python-docs", "python-source"])
def test_the_lines_of_prose_and_programs_belong_in_their_order(corpus: str) -> None:
    assert not sorted_by_kind(load_split(corpus).text)


def test_a_short_text_and_one_of_empty_lines_are_not_asked() -> None:
    assert not sorted_by_kind("a\nb\nc\n")
    assert not sorted_by_kind("\n" * 500)


def test_shuffled_lines_are_the_same_lines_by_the_seed() -> None:
    text = "one\ntwo\nthree\nfour\nfive"
    mixed = shuffled_lines(text)
    assert sorted(mixed.split()) == sorted(text.split())
    assert mixed == shuffled_lines(text) != text
    assert mixed.endswith("\n")
    assert {shuffled_lines(text, seed) for seed in range(20)} != {mixed}
