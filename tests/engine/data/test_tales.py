"""Tales, the corpus that ships: large enough, plain, evenly set and never repeating itself."""

import re
from collections import Counter
from importlib import resources

import pytest

MOST_COLUMNS = 64
LEAST_BYTES = 120_000
LONG_SENTENCE = 40  # characters


@pytest.fixture(scope="module")
def tales() -> str:
    return resources.files("engine.data").joinpath("tales.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def paragraphs(tales) -> list[str]:
    return [paragraph for paragraph in re.split(r"\n{2,}", tales.strip()) if paragraph]


def test_there_is_enough_of_it(tales):
    assert len(tales) >= LEAST_BYTES


def test_it_is_ascii_of_printable_characters_and_line_ends(tales):
    assert set(tales) <= {"\n", *map(chr, range(32, 127))}


def test_lines_are_at_most_64_columns_without_spaces_at_their_ends(tales):
    lines = tales.split("\n")
    assert max(map(len, lines)) <= MOST_COLUMNS
    assert [line for line in lines if line != line.strip()] == []


def test_prose_is_wrapped_close_to_the_margin(paragraphs):
    inner = [line for paragraph in paragraphs for line in paragraph.split("\n")[:-1]]
    assert sum(len(line) > MOST_COLUMNS - 14 for line in inner) / len(inner) > 0.95


def test_quotation_marks_and_brackets_are_balanced_in_each_paragraph(paragraphs):
    assert [p for p in paragraphs if p.count('"') % 2 or p.count("(") != p.count(")")] == []


def test_there_is_much_dialogue_and_a_bracket_now_and_then(tales, paragraphs):
    assert sum('"' in paragraph for paragraph in paragraphs) / len(paragraphs) > 0.3
    assert tales.count("(") >= 40


def test_no_long_sentence_stands_twice(paragraphs):
    flowing = " ".join(" ".join(paragraph.split()) for paragraph in paragraphs)
    sentences = [s.strip('"() ') for s in re.split(r'(?<=[.!?])"?\s+', flowing)]
    repeated = {s: n for s, n in Counter(s for s in sentences if len(s) >= LONG_SENTENCE).items() if n > 1}
    assert repeated == {}


def test_its_licence_lies_beside_it(tales):
    notice = resources.files("engine.data").joinpath("tales.LICENSE.txt").read_text(encoding="utf-8")
    assert "CC0 1.0" in notice
    assert "CC0" not in tales
