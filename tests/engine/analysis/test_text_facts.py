"""What a text costs beside the tokens of a model: by hand, by brute force, and on texts whose cost is known."""

from __future__ import annotations

import random
from collections.abc import Iterator
from math import log, log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import engine
from engine.analysis.text_facts import Spacing, Spelling, text_facts
from engine.analysis.verbatim import VerbatimIndex, share_seen
from engine.config import Config, DataConfig
from engine.data import Corpus, TextFacts, fingerprint, prepare
from engine.data.words import tokens_and_gaps, usual_gaps
from engine.models.ngram import NGram
from engine.training.events import Evaluated, TextRead

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def prepared(text: str, **settings: object) -> Corpus:
    data = DataConfig(corpus=f"own:{fingerprint(text)}", **{"streams": 1, "chunk": 4, **settings})  # type: ignore[arg-type]
    return prepare(data, lambda _: text)


def told(text: str, **settings: object) -> TextFacts:
    return text_facts(prepared(text, **settings))


def bits_by_counting(text: str, order: int, **settings: object) -> float:
    """Bits per character of a text by an n-gram model of its tokens."""
    corpus = prepared(text, **settings)
    loss = NGram.fit(corpus.train, order, len(corpus.vocabulary)).loss(corpus.validation)
    return text_facts(corpus).per_character.bits(loss)


# ---------------------------------------------------------------------- spelling


def test_spelling_by_hand() -> None:
    """One word, "a": end end a end end. With E the end, N a new character and D = 1/2, 1/2 and 1/3 from the top,

    p(E) = (2 - 1/3)/3 + 2/9/3 = 17/27, p(a) = 8/27, p(N) = 2/27;
    p(a|E) = 1/4 + p(a)/2, p(N|E) = p(N)/2, p(E|a) = 1/2 + p(E)/2;
    p(a|EE) = 1/2 + p(a|E)/2, p(N|EE) = p(N|E)/2, p(E|Ea) = 1/2 + p(E|a)/2; p(E|EN) = p(E).
    """
    spelling = Spelling(["a"])
    assert spelling.nats(["a"]) == pytest.approx(-log(151 / 216) - log(49 / 54))
    assert spelling.nats(["é"]) == pytest.approx(log(54) - log(17 / 27) + log(0x110000)), "one of Unicode's code points"
    assert spelling.nats(["a", "é"]) == pytest.approx(spelling.nats(["a"]) + spelling.nats(["é"]))
    assert spelling.nats([]) == 0


def test_the_spellings_of_all_words_together_have_no_more_than_one_chance() -> None:
    spelling = Spelling(["ab", "ba", "aab"])

    def words(length: int) -> Iterator[str]:
        return iter([""]) if length == 0 else (word + letter for word in words(length - 1) for letter in "ab")

    total = sum(np.exp(-spelling.nats([word])) for length in range(1, 11) for word in words(length))
    assert 0.5 < total < 1


# ---------------------------------------------------------------------- spacing


def test_spacing_by_hand() -> None:
    """Seen 3 times " " and once "  " between two words: Witten and Bell's smoothing, three times over."""
    between = (" ", "w", "w")
    spacing = Spacing({(*between, " "): 3, (*between, "  "): 1})
    base = 0.5 * 0.5 / 28  # one of 28 kinds of white space
    first = (3 + 2 * base) / 6
    second = (3 + 2 * first) / 6
    assert spacing.probability((*between, " ")) == pytest.approx((3 + 2 * second) / 6)
    elsewhere = ("", "w", ".")
    assert spacing.probability((*elsewhere, " ")) == pytest.approx(first), "a context never seen"


def test_all_gaps_together_have_no_more_than_one_chance() -> None:
    spacing = Spacing({(" ", "w", "w", " "): 5, (" ", "w", "w", "\t"): 2, ("", "w", ".", ""): 3})
    white = [chr(code) for code in range(0x110000) if chr(code).isspace() and chr(code) != "\n"]
    gaps = ["", *white, *(one + other for one in white for other in white)]
    for context in ((" ", "w", "w"), (" ", "w", "."), ("", "w", ".")):
        assert 0.9 < sum(spacing.probability((*context, gap)) for gap in gaps) < 1


@given(st.text(st.sampled_from("ab .,'\"-\n\t\u00a0\u2003é\u0301☃1"), max_size=60), st.booleans())
def test_tokens_and_gaps_are_the_text_and_gaps_are_white_space(text: str, separated: bool) -> None:
    tokens, gaps = tokens_and_gaps(text, separated)
    assert gaps[0] + "".join(map("".join, zip(tokens, gaps[1:], strict=True))) == text
    assert all(character.isspace() and character != "\n" for gap in gaps for character in gap)
    assert len(usual_gaps(tokens, separated)) == len(tokens)


def test_spaces_that_the_tokens_determine_cost_next_to_nothing() -> None:
    facts = told('He said, "So be it." (She wept.)\nThen they went home; it was late.\n' * 60, level="word")
    assert facts.spacing < 0.003
    assert facts.spelling == 0


def test_random_spaces_between_two_words_cost_what_they_are() -> None:
    """Two words of four letters in turn, 1 to 8 spaces after each: log2 8 bits for every 4 + 4.5 characters."""
    dice = random.Random(1)
    text = "".join(f"{word}{' ' * dice.randint(1, 8)}" for _ in range(4_000) for word in ("salt", "fish"))
    facts = told(text, level="word")
    assert facts.spacing == pytest.approx(log2(8) / (4 + 4.5), rel=0.02)
    by_words, by_characters = bits_by_counting(text, 2, level="word"), bits_by_counting(text, 3)
    assert by_words == pytest.approx(0.353, rel=0.03)
    assert by_words < by_characters


# ---------------------------------------------------------------------- both, over a whole text


def test_the_cost_is_that_of_writing_the_whole_validation_text_by_brute_force() -> None:
    """Token by token, character by character, each with the probability of its own model given all before it."""
    text = "the owl,  the hen and\tan owlet: hens hoot. the fox ran\n the end. owls! fine foxes ran  to the hens\n"
    corpus = prepared(text * 9 + "no zebu  ever saw the owl; quizzical, an öx ran \n", level="word", vocabulary_limit=9)
    facts, vocabulary = text_facts(corpus), corpus.vocabulary
    train, train_gaps = tokens_and_gaps(corpus.train_text)
    tokens, gaps = tokens_and_gaps(corpus.validation_text)
    known = set(vocabulary.symbols)

    def is_unknown(token: str) -> bool:
        return token != "\n" and token not in known

    unknown_train = [token for token in train if is_unknown(token)]
    words = [*unknown_train, *sorted(set(train) & known)]
    alphabet = ["end", "new", *sorted(set("".join(words)))]
    stream = [symbol for word in words for symbol in ("end", "end", *word)] + ["end", "end"]
    ngram = NGram.fit([alphabet.index(symbol) for symbol in stream], 3, len(alphabet))
    bits = 0.0
    for token in filter(is_unknown, tokens):
        before = [0, 0]
        for symbol in (*token, "end"):
            number = alphabet.index(symbol) if symbol in alphabet else 1
            bits -= log2(ngram.probabilities(before)[number])
            bits += log2(0x110000) if number == 1 else 0.0
            before = [before[-1], number]
    assert facts.spelling * len(corpus.validation_text) == pytest.approx(bits)

    def kind(token: str) -> str:
        return "word" if token[:1].isalnum() else token[:1]

    def placed(tokens: list[str], gaps: list[str]) -> list[tuple[tuple[str, ...], str]]:
        around = ["", *tokens, ""]
        usual = [*usual_gaps(tokens), ""]
        return [((usual[i], kind(around[i]), kind(around[i + 1])), gaps[i]) for i in range(len(gaps))]

    seen = placed(train, train_gaps)
    bits = 0.0
    for context, gap in placed(tokens, gaps):
        chance = 0.5 * (0.5 / 28) ** len(gap)
        for length in (0, 1, 3):
            here = [other for place, other in seen if place[:length] == context[:length]]
            kinds = len(set(here))
            chance = (here.count(gap) + kinds * chance) / (len(here) + kinds) if here else chance
        bits -= log2(chance)
    assert facts.spacing * len(corpus.validation_text) == pytest.approx(bits)
    assert facts.unknown_validation == np.mean([is_unknown(token) for token in tokens])
    assert facts.unknown_train == np.mean([is_unknown(token) for token in train])


def test_twenty_thousand_invented_words_are_not_cheaper_by_words() -> None:
    """Random letters, each the last of its word with a chance of 1/5: five on average, and a space. So a character
    takes (5 log2 26 + 5 H(1/5)) / 6 = 4.52 bits, whatever a token is."""
    dice = random.Random(2)
    text = "".join(dice.choice(LETTERS) + " " * (dice.random() < 0.2) for _ in range(100_000))
    entropy = (5 * log2(26) + log2(5) + 4 * log2(5 / 4)) / 6
    assert 19_000 < len(text.split()) < 21_000
    by_words = bits_by_counting(text, 1, level="word", vocabulary_limit=100)
    by_characters = bits_by_counting(text, 3)
    assert by_words == pytest.approx(entropy, rel=0.04)
    assert by_characters == pytest.approx(entropy, rel=0.04)


def test_a_character_that_the_limit_makes_unknown_is_paid_for_too() -> None:
    """Eight letters at random: three bits each, of which those beyond the limit (5 of 8) pay log2 5 for which it is."""
    dice = random.Random(3)
    text = "".join(dice.choices("abcdefgh", k=40_000))
    facts = told(text, vocabulary_limit=4)
    assert facts.unknown_validation == pytest.approx(5 / 8, abs=0.02)
    assert facts.spelling == pytest.approx(5 / 8 * log2(5), rel=0.03)
    assert bits_by_counting(text, 1, vocabulary_limit=4) == pytest.approx(3, rel=0.01)
    assert told(text).per_character == told(text).per_character.__class__(1.0, 0.0)


def test_words_of_the_validation_part_alone_are_unknown_and_spelt() -> None:
    corpus = prepared("red owl " * 90 + "red yak " * 10, level="word")
    facts = text_facts(corpus)
    assert "yak" not in corpus.vocabulary.symbols
    assert facts.unknown_train == 0
    assert facts.unknown_validation == pytest.approx(0.5)
    # y, a and k are new to the training part: each is one of Unicode's code points
    assert facts.spelling > 3 * log2(0x110000) / len("red yak ")


# ---------------------------------------------------------------------- what was seen


def test_a_text_that_stands_there_twice_is_seen() -> None:
    dice = random.Random(4)
    once = "".join(dice.choices(LETTERS + " ", k=20_000))
    assert told(once).seen == 0
    assert told(once + once).seen == 1


def test_lines_that_come_many_times_are_seen_and_new_ones_are_not() -> None:
    dice = random.Random(5)
    lines = ["".join(dice.choices(LETTERS, k=39)) + "\n" for _ in range(40)]
    old = "".join(dice.choice(lines) for _ in range(950))
    new = "".join("".join(dice.choices(LETTERS, k=39)) + "\n" for _ in range(50))
    assert told(old + old[:2_000]).seen > 0.99
    assert told(old + new).seen == pytest.approx(0.5, abs=0.02), "half of the last tenth is new"


def test_the_share_that_was_seen_is_that_of_a_match() -> None:
    dice = random.Random(6)
    lines = ["".join(dice.choices(LETTERS, k=dice.randint(5, 30))) for _ in range(9)]
    old, new = (" ".join(dice.choices(lines + [LETTERS[:place] for place in range(26)], k=60)) for _ in range(2))
    index = VerbatimIndex(old)
    assert 0 < index.share(new) < 1
    assert index.share(new) == share_seen(new, old) == index.match(new).share


def test_a_text_that_is_validated_on_itself_was_seen() -> None:
    assert text_facts(prepare(DataConfig(corpus="hello", streams=1, chunk=4))).seen == 1


# ---------------------------------------------------------------------- in a run, and as JSON


def test_a_run_tells_the_facts_before_its_first_evaluation_and_counts_its_bits_by_them() -> None:
    config = Config().with_values(
        level="word", vocabulary_limit=200, units=4, embedding=4, streams=2, chunk=8, steps=8, warmup=0, evaluations=2
    )
    events = list(engine.train(config, device="cpu").events())
    (read,) = (event for event in events if isinstance(event, TextRead))
    evaluated = [event for event in events if isinstance(event, Evaluated)]
    assert events.index(read) < events.index(evaluated[0])
    corpus = prepare(config.data)
    assert read.facts == text_facts(corpus)
    assert read.facts.spelling > 0.5
    for event in evaluated:
        nats = event.val_loss * len(corpus.validation)
        extra = read.facts.spelling + read.facts.spacing
        assert event.bits_per_character == pytest.approx(nats / len(corpus.validation_text) / log(2) + extra)


def test_facts_are_the_same_again_as_json() -> None:
    facts = told("the cat  sat. " * 30, level="word", vocabulary_limit=4)
    assert TextFacts.from_dict(facts.to_dict()) == facts


@pytest.mark.parametrize(
    "change",
    [
        {"seen": 1.5},
        {"spelling": -1.0},
        {"spacing": float("nan")},
        {"characters_per_token": 0.0},
        {"validation_characters": 0},
        {"unknown_train": "0"},
        {"more": 1},
    ],
)
def test_facts_that_cannot_be_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        TextFacts.from_dict(told("abcd" * 20).to_dict() | change)
