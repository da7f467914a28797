"""What of a sample stands in the training text, against brute force."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.analysis.verbatim import LEAST, Verbatim, VerbatimIndex

TEXT = "The quick brown fox jumps over the lazy dog. Pack my box with five dozen liquor jugs, said the fox."


def by_brute_force(text: str, sample: str) -> tuple[float, int]:
    """Share and longest, by trying every stretch of the sample."""
    covered = [False] * len(sample)
    longest = 0
    for start in range(len(sample)):
        for end in range(start + LEAST, len(sample) + 1):
            if sample[start:end] not in text:
                break
            covered[start:end] = [True] * (end - start)
            longest = max(longest, end - start)
    return (sum(covered) / len(sample) if sample else 0.0), longest


@st.composite
def text_and_sample(draw):
    """A training text over few letters, and a sample glued from pieces of it and noise."""
    letters = draw(st.sampled_from(["ab", "abc ", "aé😀", "a"]))
    text = draw(st.text(alphabet=letters, max_size=150))
    piece = st.tuples(st.integers(0, 150), st.integers(0, 60)).map(lambda cut: text[cut[0] : cut[0] + cut[1]])
    pieces = draw(st.lists(st.one_of(piece, st.text(alphabet=letters + "z", max_size=5)), max_size=6))
    return text, "".join(pieces)


@given(text_and_sample())
@settings(max_examples=300)
def test_it_equals_brute_force(case):
    text, sample = case
    found = VerbatimIndex(text).match(sample)
    assert (found.share, found.longest) == by_brute_force(text, sample)
    assert found.end - found.start == found.longest
    assert sample[found.start : found.end] in text


def stretches_by_brute_force(text: str, sample: str) -> list[tuple[int, int]]:
    """The runs of characters that lie in some piece of at least `LEAST` that stands in the text."""
    pieces = [
        (start, end)
        for start in range(len(sample))
        for end in range(start + LEAST, len(sample) + 1)
        if sample[start:end] in text
    ]
    covered = [any(start <= place < end for start, end in pieces) for place in range(len(sample))]
    edges = [place for place in range(len(sample) + 1) if [False, *covered][place] != [*covered, False][place]]
    return list(zip(edges[::2], edges[1::2], strict=True))


@given(text_and_sample())
@settings(max_examples=200)
def test_the_stretches_are_those_of_brute_force(case):
    text, sample = case
    index = VerbatimIndex(text)
    found = index.stretches(sample)
    assert found == stretches_by_brute_force(text, sample)
    assert sum(end - start for start, end in found) == pytest.approx(index.match(sample).share * len(sample))


def test_stretches_that_touch_are_one_and_a_gap_parts_them():
    index = VerbatimIndex(TEXT)
    left, right = TEXT[:25], TEXT[60:85]
    assert index.stretches(f"@{left}{right}@") == [(1, 51)]
    assert index.stretches(f"@{left}@{right}") == [(1, 26), (27, 52)]
    assert index.stretches(TEXT) == [(0, len(TEXT))]


@pytest.mark.parametrize("sample", ["", "short", "x" * 19, "Nothing of this stands there, not a word."])
def test_what_is_not_verbatim_has_no_stretch(sample):
    assert VerbatimIndex(TEXT).stretches(sample) == []


def test_overlapping_pieces_from_different_places_are_not_one_stretch():
    generator = random.Random(0)
    left, shared, right = ("".join(generator.choices("abcdefgh", k=n)) for n in (10, 19, 10))
    text = f"{left}{shared}||{shared}{right}"
    found = VerbatimIndex(text).match(left + shared + right)
    assert found == Verbatim(1.0, 29, 0, 29)


def test_a_sample_copied_whole_is_all_verbatim():
    assert VerbatimIndex(TEXT).match(TEXT) == Verbatim(1.0, len(TEXT), 0, len(TEXT))


def test_a_sample_of_its_own_is_not_verbatim_at_all():
    assert VerbatimIndex(TEXT).match("Nothing of this has been written anywhere before.") == Verbatim(0.0, 0, 0, 0)


def test_a_stretch_of_20_characters_counts_and_one_of_19_does_not():
    index = VerbatimIndex(TEXT)
    assert index.match("@@" + TEXT[30:50] + "@@") == Verbatim(20 / 24, 20, 2, 22)
    assert index.match("@@" + TEXT[30:49] + "@@").longest == 0


@pytest.mark.parametrize("sample", ["", "short", "x" * 19])
def test_a_short_sample_is_never_verbatim(sample):
    assert VerbatimIndex("x" * 100 + TEXT).match(sample) == Verbatim(0.0, 0, 0, 0)


@pytest.mark.parametrize("text", ["", "short", "x" * 19])
def test_a_short_text_has_nothing_to_repeat(text):
    assert VerbatimIndex(text).match("x" * 50) == Verbatim(0.0, 0, 0, 0)


def test_a_text_of_one_character_is_no_trouble():
    assert VerbatimIndex("a" * 200_000).match("a" * 1_000 + "b") == Verbatim(1000 / 1001, 1000, 0, 1000)


def test_a_hash_that_lies_is_not_believed(monkeypatch):
    """Even if every window had the same hash, the text itself would decide."""
    from engine.analysis import verbatim

    true_hashes = verbatim._window_hashes
    monkeypatch.setattr(verbatim, "_window_hashes", lambda text: true_hashes(text) * 0)
    sample = TEXT[10:45] + " and something else " + TEXT[50:75]
    found = VerbatimIndex(TEXT).match(sample)
    assert (found.share, found.longest) == by_brute_force(TEXT, sample)


def test_real_text_is_found_where_it_stands(shared_data):
    text = (shared_data / "tinyshakespeare" / "input.txt").read_text()
    sample = "A new line of my own; " + text[700_000:700_060] + "\nand then I went on as I pleased, with zeal."
    found = VerbatimIndex(text).match(sample)
    assert found.start <= 22
    assert found.end >= 82
    assert 60 / len(sample) <= found.share < 0.7
