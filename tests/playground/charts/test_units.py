import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data import PerCharacter
from playground.charts.units import UNITS, convert


def test_nats_stay_nats() -> None:
    assert convert([1.5, 0.0], "nats").tolist() == [1.5, 0.0]


def test_one_bit_is_ln_2_nats() -> None:
    assert convert(math.log(2), "bits") == pytest.approx(1.0)


def test_a_word_model_shares_its_bits_among_the_characters_of_a_token() -> None:
    assert convert(math.log(2) * 10, "bits", PerCharacter(5.0)) == pytest.approx(2.0)


def test_what_tokens_leave_open_is_added_to_every_loss() -> None:
    assert convert([0.0, math.log(2) * 10], "bits", PerCharacter(5.0, 0.7)) == pytest.approx([0.7, 2.7])


def test_bits_that_are_not_known_are_nan_and_never_a_number() -> None:
    assert np.isnan(convert([1.0, 2.0], "bits", None)).all()
    assert convert([1.0, 2.0], "nats", None).tolist() == [1.0, 2.0]


def test_perplexity_of_a_uniform_guess_is_the_size_of_the_vocabulary() -> None:
    assert convert(math.log(65), "perplexity") == pytest.approx(65.0)


@pytest.mark.filterwarnings("error")
def test_a_perplexity_too_large_is_infinite_and_nan_stays_nan() -> None:
    values = convert([1e4, math.nan, math.inf], "perplexity")
    assert values[0] == math.inf
    assert math.isnan(values[1])
    assert values[2] == math.inf


@given(st.lists(st.floats(0, 500), max_size=20), st.sampled_from(list(UNITS)), st.floats(0.5, 20))
def test_every_unit_keeps_the_order_of_losses(nats: list[float], unit: str, characters: float) -> None:
    values = convert(sorted(nats), unit, PerCharacter(characters, 1.0))
    assert (np.diff(values) >= 0).all()


def test_an_unknown_unit_is_named() -> None:
    with pytest.raises(ValueError, match="'bytes'"):
        convert(1.0, "bytes")


def test_bits_need_characters() -> None:
    with pytest.raises(ValueError, match="characters per token"):
        PerCharacter(0.0)
