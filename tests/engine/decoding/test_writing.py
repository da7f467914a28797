"""Writing: every token against a plain loop over the model, forced tokens, long prompts, ends and refusals."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.cells import CELLS
from engine.config import ConfigError, ModelConfig
from engine.decoding import reading, writing
from engine.decoding.distribution import next_distribution
from engine.decoding.writing import NotFiniteError, Writing, Written
from engine.models.language_model import LanguageModel

VOCABULARY = 7
PROMPT = [1, 2, 6]


def tiny(cell: str = "lstm", **values) -> LanguageModel:
    """A model in float64, so that references agree to the last digits, with a strong opinion on what comes next."""
    config = ModelConfig(**{"cell": cell, "units": 6, "embedding": 4, "layers": 2, "gain": 2.0} | values)
    model = LanguageModel(config, VOCABULARY, seed=1).double()
    with torch.no_grad():
        model.head_weight.mul_(6)
    return model


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return tiny()


@pytest.fixture(scope="module")
def constant() -> LanguageModel:
    """A model whose distribution is the same at every place."""
    model = tiny()
    with torch.no_grad():
        model.head_weight.zero_()
        model.head_bias.copy_(torch.linspace(1, -1, VOCABULARY))
    return model


def slowly(
    model: LanguageModel, prompt: list[int], length: int, seed: int, *, forced: dict[int, int], **how
) -> list[Written]:
    """A text by the plain loop: the model called for each token, its distribution, and a number for each place."""
    numbers = torch.rand(length, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    state, unread, text = model.initial_state(1), torch.tensor(prompt), []
    with torch.no_grad():
        for place, number in enumerate(numbers.tolist()):
            for token in unread:
                logits, state = model(token.view(1, 1), state)
            distribution = next_distribution(logits[0, 0], **how).tolist()
            passed = [token for token in range(VOCABULARY) if sum(distribution[: token + 1]) > number]
            token = forced.get(place, passed[0])
            surprise = torch.log_softmax(logits[0, 0], 0)[token].item()
            text.append(Written(token, surprise, distribution[token], place in forced))
            unread = torch.tensor([token])
    return text


def agree(ours: list[Written], theirs: list[Written]) -> bool:
    return all(
        (one.token, one.forced) == (other.token, other.forced)
        and math.isclose(one.log_probability, other.log_probability, rel_tol=1e-9, abs_tol=1e-9)
        and math.isclose(one.chance, other.chance, rel_tol=1e-9, abs_tol=1e-12)
        for one, other in zip(ours, theirs, strict=True)
    )


hows = st.fixed_dictionaries(
    {
        "temperature": st.sampled_from([0.0, 0.3, 0.8, 1.0, 3.0]),
        "top_k": st.sampled_from([0, 1, 3, VOCABULARY, 10**9]),
        "top_p": st.sampled_from([0.2, 0.7, 1.0]),
        "forbidden": st.sampled_from([(), (0,), (5, 2)]),
    }
)


@settings(max_examples=60)
@given(
    hows,
    st.integers(0, 2**63 - 1),
    st.lists(st.integers(0, VOCABULARY - 1), min_size=1, max_size=5),
    st.dictionaries(st.integers(0, 20), st.sampled_from([1, 3, 6]), max_size=3),
)
def test_every_token_and_number_is_that_of_the_plain_loop(
    how: dict, seed: int, prompt: list[int], forced: dict[int, int]
) -> None:
    model = tiny()
    ours = list(Writing(model, prompt, seed=seed, forced=forced, **how).write(15))
    assert agree(ours, slowly(model, prompt, 15, seed, forced=forced, **how))


@pytest.mark.parametrize("cell", CELLS)
def test_so_it_is_for_every_cell(cell: str) -> None:
    for embedding, bias in itertools.product((0, 4), (True, False)):
        model = tiny(cell, embedding=embedding, bias=bias)
        ours = list(Writing(model, PROMPT, seed=4, temperature=0.8).write(12))
        assert agree(ours, slowly(model, PROMPT, 12, 4, forced={}, temperature=0.8))


@pytest.mark.usefixtures("global_random_state_unchanged")
def test_temperature_zero_is_greedy_and_certain(model: LanguageModel) -> None:
    written = list(Writing(model, PROMPT, seed=1, temperature=0).write(10))
    tokens = list(PROMPT)
    for token in written:
        with torch.no_grad():
            logits, _ = model(torch.tensor(tokens)[:, None], model.initial_state(1))
        assert token.token == logits[-1, 0].argmax()
        assert token.chance == 1
        tokens.append(token.token)
    assert [token.token for token in Writing(model, PROMPT, seed=2, temperature=0).write(10)] == tokens[3:]


# ---------------------------------------------------------------------- forced tokens


def test_forcing_a_token_leaves_the_numbers_of_the_other_places_as_they_are(constant: LanguageModel) -> None:
    """Where the distribution never changes, the numbers alone decide: all other tokens stay."""
    free = [token.token for token in Writing(constant, PROMPT, seed=8).write(60)]
    for place in (0, 17, 59):
        other = (free[place] + 1) % VOCABULARY
        text = list(Writing(constant, PROMPT, seed=8, forced={place: other}).write(60))
        assert [token.token for token in text] == [*free[:place], other, *free[place + 1 :]]
        assert [token.forced for token in text] == [at == place for at in range(60)]


def test_forcing_what_would_be_drawn_changes_nothing_else(model: LanguageModel) -> None:
    free = list(Writing(model, PROMPT, seed=8).write(30))
    text = list(Writing(model, PROMPT, seed=8, forced={11: free[11].token}).write(30))
    assert agree([*text[:11], *text[12:]], [*free[:11], *free[12:]])
    assert (text[11].forced, text[11].chance) == (True, free[11].chance)


def test_a_token_that_truncation_leaves_out_can_be_forced_and_has_no_chance(model: LanguageModel) -> None:
    (likeliest,) = Writing(model, PROMPT, seed=1, top_k=1).write(1)
    other = (likeliest.token + 1) % VOCABULARY
    (token,) = Writing(model, PROMPT, seed=1, top_k=1, forced={0: other}).write(1)
    assert (token.token, token.chance, token.forced) == (other, 0, True)
    assert math.isfinite(token.log_probability)


# ---------------------------------------------------------------------- in parts


def test_a_text_written_in_parts_is_the_text_written_at_once(
    model: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = list(Writing(model, PROMPT, seed=5).write(40))
    monkeypatch.setattr(writing, "_BLOCK", 7)
    in_parts = Writing(model, PROMPT, seed=5)
    text = [next(in_parts.write(25))]  # an iterator given up after one token
    text += in_parts.write(0)
    text += in_parts.write(20)
    assert in_parts.place == 21
    text += in_parts.write(19)
    assert text == whole


@pytest.mark.parametrize(("cell", "embedding"), [("lstm", 4), ("lstm", 0), ("gru", 4), ("rnn", 0)])
def test_a_prompt_read_in_pieces_is_the_prompt_read_at_once(
    cell: str, embedding: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny(cell, embedding=embedding)
    prompt = torch.randint(VOCABULARY, (53,), generator=torch.Generator().manual_seed(0))
    whole = list(Writing(model, prompt, seed=5).write(10))
    monkeypatch.setattr(reading, "CHUNK", 10)
    in_pieces = Writing(model, prompt, seed=5)
    assert list(itertools.islice(in_pieces.reading(), 2)) == [10, 20]  # the rest is read by `write`
    assert agree(list(in_pieces.write(10)), whole)
    assert list(in_pieces.reading()) == []


def test_a_prompt_of_100_000_tokens_is_read_once_in_bounded_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    model = LanguageModel(ModelConfig(cell="rnn", units=2, embedding=1), VOCABULARY, seed=1)
    pieces: list[int] = []
    hidden = model.hidden
    monkeypatch.setattr(model, "hidden", lambda tokens, state: pieces.append(len(tokens)) or hidden(tokens, state))
    monkeypatch.setattr(model, "forward", lambda *_: pytest.fail("logits are wanted after the last token alone"))
    text = list(Writing(model, [3] * 100_000, seed=1).write(5))
    assert len(text) == 5
    assert sum(pieces) == 100_000
    assert max(pieces) <= reading.CHUNK


def test_the_caller_keeps_its_gradients(model: LanguageModel) -> None:
    text = Writing(model, PROMPT, seed=1)
    next(text.reading())
    assert torch.is_grad_enabled()
    next(text.write(2))
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()


# ---------------------------------------------------------------------- ends and refusals


def test_the_forbidden_is_never_written(constant: LanguageModel) -> None:
    text = list(Writing(constant, PROMPT, seed=5, forbidden=(0, 2)).write(500))
    assert {token.token for token in text} == {1, 3, 4, 5, 6}
    # It keeps its probability under the model, which is what surprise is told from.
    first = text[0]
    assert math.exp(first.log_probability) < first.chance


@pytest.mark.parametrize("forced", [False, True])
def test_the_end_ends_the_text_drawn_or_forced(forced: bool, constant: LanguageModel) -> None:
    whole = [token.token for token in Writing(constant, PROMPT, seed=5).write(100)]
    place = whole.index(3)
    how = {"end": VOCABULARY - 1, "forced": {4: VOCABULARY - 1}} if forced else {"end": 3}
    if forced:
        place = min(4, whole.index(VOCABULARY - 1))
    text = Writing(constant, PROMPT, seed=5, **how)
    assert [token.token for token in text.write(100)] == whole[:place]
    assert text.ended
    assert list(text.write(10)) == []


def test_a_text_that_has_its_length_has_not_ended(constant: LanguageModel) -> None:
    text = Writing(constant, PROMPT, seed=5)
    assert len(list(text.write(10))) == 10
    assert not text.ended


@pytest.mark.parametrize("broken", ["head_bias", "embedding"])
def test_a_model_whose_weights_ran_away_says_so(broken: str) -> None:
    model = tiny()
    with torch.no_grad():
        getattr(model, broken).fill_(math.nan)
    text = Writing(model, PROMPT, seed=1)
    for _ in range(2):
        with pytest.raises(NotFiniteError, match="not finite"):
            next(text.write(3))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"prompt_tokens": []}, "give a prompt"),
        ({"prompt_tokens": [0, VOCABULARY]}, f"no token {VOCABULARY}"),
        ({"prompt_tokens": [-1]}, "no token -1"),
        ({"prompt_tokens": [10**30]}, "out of range"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**63}, "seed"),
        ({"temperature": math.nan}, "temperature"),
        ({"top_k": -1}, "top_k"),
        ({"top_p": 0.0}, "top_p"),
        ({"forbidden": range(VOCABULARY)}, "forbidden"),
        ({"forbidden": (VOCABULARY,)}, "no token"),
        ({"forced": {0: VOCABULARY}}, "no token"),
        ({"forced": {-1: 0}}, "position -1"),
        ({"forced": {3: 2}, "forbidden": (2,)}, "is forbidden"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_before_anything_is_read(values: dict, said: str, model: LanguageModel) -> None:
    with pytest.raises(ConfigError, match=said):
        Writing(model, **{"prompt_tokens": PROMPT, "seed": 1} | values)
