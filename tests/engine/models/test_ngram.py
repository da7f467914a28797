"""n-gram baselines: against the formula written out with dictionaries, by hand, and on real text."""

from collections import Counter, defaultdict
from math import exp, log

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.models.ngram import NGram, baselines, uniform_loss


class Slow:
    """Interpolated Kneser-Ney smoothing, word for word as in the literature, with dictionaries."""

    def __init__(self, tokens, order, size):
        self.size = size
        self.order = order
        grams = {n: [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)] for n in range(1, order + 2)}
        self.counts = {order: Counter(grams[order])}
        for n in range(1, order):
            self.counts[n] = Counter(gram[1:] for gram in set(grams[n + 1]))
        self.discounts = {n: self.discount(counts) for n, counts in self.counts.items()}
        self.followers: dict[int, dict] = {n: defaultdict(dict) for n in self.counts}
        for n, counts in self.counts.items():
            for gram, count in counts.items():
                self.followers[n][gram[:-1]][gram[-1]] = count

    @staticmethod
    def discount(counts):
        once = sum(count == 1 for count in counts.values())
        twice = sum(count == 2 for count in counts.values())
        return once / (once + 2 * twice) if once and twice else 0.5

    def probability(self, token, context):
        context = tuple(context[len(context) - min(len(context), self.order - 1) :])
        lower = self.probability(token, context[1:]) if context else 1 / self.size
        after = self.followers[len(context) + 1].get(context)
        if not after:
            return lower
        discount = self.discounts[len(context) + 1]
        kept = max(after.get(token, 0) - discount, 0)
        return (kept + discount * len(after) * lower) / sum(after.values())


texts = st.integers(2, 5).flatmap(
    lambda size: st.tuples(
        st.just(size),
        st.lists(st.integers(0, size - 1), max_size=40),
        st.lists(st.integers(0, size - 1), min_size=2, max_size=12),
    )
)


@given(texts, st.integers(1, 4))
def test_it_equals_the_formula_written_out_slowly(case, order):
    size, train, evaluation = case
    model, slow = NGram.fit(train, order, size), Slow(train, order, size)
    for length in range(order + 2):
        context = evaluation[:length]
        expected = [slow.probability(token, context) for token in range(size)]
        np.testing.assert_allclose(model.probabilities(context), expected, rtol=1e-12)
    losses = [
        -log(slow.probability(evaluation[i], evaluation[:i][1 - order :] if order > 1 else []))
        for i in range(1, len(evaluation))
    ]
    assert model.loss(evaluation) == pytest.approx(sum(losses) / len(losses), rel=1e-12)


@given(texts, st.integers(1, 4), st.integers(0, 12))
def test_token_by_token_it_says_what_the_next_token_distributions_say(case, order, cut):
    size, train, text = case
    model = NGram.fit(train, order, size)
    context, tokens = text[:cut], text[cut:]
    found = model.log_probabilities(tokens, context)
    expected = [log(model.probabilities(text[: cut + i])[token]) for i, token in enumerate(tokens)]
    assert found.shape == (len(tokens),)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@given(texts, st.integers(1, 4))
def test_the_loss_is_the_mean_surprise_of_all_tokens_but_the_first(case, order):
    size, train, text = case
    model = NGram.fit(train, order, size)
    assert model.loss(text) == pytest.approx(-model.log_probabilities(text[1:], text[:1]).mean(), rel=1e-12)


def test_no_context_is_a_context_and_no_token_has_no_score():
    model = NGram.fit([0, 0, 1, 0, 1, 2], 2, 3)
    assert model.log_probabilities([1]) == pytest.approx([log(1 / 4)])
    assert model.log_probabilities([], [1]).shape == (0,)
    with pytest.raises(ValueError, match="must be between 0 and 2"):
        model.log_probabilities([1], [3])


@given(texts, st.integers(1, 4))
def test_probabilities_sum_to_one_and_are_never_zero_after_any_context(case, order):
    size, train, evaluation = case
    model = NGram.fit(train, order, size)
    for length in range(len(evaluation)):
        chances = model.probabilities(evaluation[:length])
        assert chances.shape == (size,)
        assert chances.sum() == pytest.approx(1, abs=1e-12)
        assert chances.min() > 0


def test_a_unigram_model_worked_out_by_hand():
    # aababc in the vocabulary abcd: counts 3, 2, 1, 0; one count of one, one of two: D = 1 / (1 + 2 * 1) = 1/3.
    # p(w) = max(c - 1/3, 0) / 6 + (1/3 * 3 / 6) * 1/4
    chances = NGram.fit([0, 0, 1, 0, 1, 2], 1, 4).probabilities([])
    assert chances == pytest.approx([(3 - 1 / 3) / 6 + 1 / 24, (2 - 1 / 3) / 6 + 1 / 24, (2 / 3) / 6 + 1 / 24, 1 / 24])


def test_a_bigram_model_worked_out_by_hand():
    # aababc: pairs aa 1, ab 2, ba 1, bc 1, so D = 3 / (3 + 2 * 1) = 3/5. Below, tokens by what they follow:
    # a after a and b: 2; b after a: 1; c after b: 1; so D' = 2 / (2 + 2 * 1) = 1/2 and
    # p(a) = 1.5 / 4 + 1.5 / 4 * 1/3 = 1/2, p(b) = p(c) = 0.5 / 4 + 1/8 = 1/4.
    model = NGram.fit([0, 0, 1, 0, 1, 2], 2, 3)
    assert model.probabilities([]) == pytest.approx([1 / 2, 1 / 4, 1 / 4])
    # p(b | a) = (2 - 0.6) / 3 + 0.6 * 2 / 3 * p(b)
    assert model.probabilities([0]) == pytest.approx([0.4 / 3 + 0.4 / 2, 1.4 / 3 + 0.4 / 4, 0.4 / 4])
    assert model.probabilities([2]) == pytest.approx([1 / 2, 1 / 4, 1 / 4])  # nothing was ever seen after c
    assert model.loss([0, 1]) == pytest.approx(-log(1.4 / 3 + 0.4 / 4))


def test_only_the_last_tokens_of_a_long_context_count():
    tokens = np.random.default_rng(0).integers(0, 7, 500)
    model = NGram.fit(tokens, 3, 7)
    assert np.array_equal(model.probabilities(tokens[:100]), model.probabilities(tokens[98:100]))


def test_tensors_arrays_and_lists_give_the_same():
    tokens = np.random.default_rng(0).integers(0, 7, 200)
    expected = NGram.fit(tokens, 2, 7).loss(tokens)
    assert NGram.fit(tokens.tolist(), 2, 7).loss(torch.from_numpy(tokens)) == expected


def test_an_untrained_model_guesses_uniformly():
    assert NGram.fit([], 3, 8).loss([1, 2, 3]) == pytest.approx(uniform_loss(8)) == pytest.approx(log(8))


def test_a_text_that_it_has_never_seen_has_a_finite_loss():
    model = NGram.fit([0] * 1_000, 3, 50_000)
    assert uniform_loss(50_000) < model.loss([49_999, 49_998, 49_997]) < 30


def test_a_large_vocabulary_takes_no_table_of_its_square():
    tokens = np.random.default_rng(0).integers(0, 50_000, 5_000)
    model = NGram.fit(tokens, 3, 50_000)
    assert model.probabilities(tokens[:2]).sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("tokens", "order", "size", "sentence"),
    [
        ([0, 5], 2, 5, "from 0 to 5"),
        ([-1, 1], 2, 5, "from -1 to 1"),
        ([0, 1], 0, 5, "no 0-gram model"),
        ([0, 1], 5, 50_000, r"below 2\^63"),
    ],
)
def test_what_cannot_be_counted_is_refused(tokens, order, size, sentence):
    with pytest.raises(ValueError, match=sentence):
        NGram.fit(tokens, order, size)


def test_a_loss_needs_two_tokens():
    with pytest.raises(ValueError, match="at least two"):
        NGram.fit([0, 1], 1, 2).loss([1])


def test_on_shakespeare_each_order_beats_the_one_below(shared_data):
    text = (shared_data / "tinyshakespeare" / "input.txt").read_text()
    ids = np.unique(np.frombuffer(text.encode(), np.uint8), return_inverse=True)[1]
    cut = int(0.9 * len(ids))
    losses = baselines(ids[:cut], ids[cut:], 65)
    assert list(losses) == ["uniform", "1-gram", "2-gram", "3-gram"]
    assert losses["uniform"] > losses["1-gram"] > losses["2-gram"] > losses["3-gram"] > 2
    assert exp(losses["1-gram"]) == pytest.approx(28.4, abs=0.1)  # perplexity of the letters' frequencies
