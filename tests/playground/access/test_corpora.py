"""The texts that runs learn from."""

from __future__ import annotations

import math

import pytest

from engine.config import Config, ConfigError
from playground.access import corpora
from playground.access.runs import watched

pytestmark = pytest.mark.usefixtures("idle_trainer")


def test_bits_per_character_of_a_word_model_are_fewer_than_its_bits_per_word() -> None:
    words, letters = (watched(run)[0] for run in ("tales-words", "tales-lstm"))
    evaluated = corpora.characters_per_token(words.run, words.evaluations)
    assert evaluated > 3
    assert evaluated == pytest.approx(corpora.characters_per_token(words.run, ()), rel=1e-3), "as its text tells"
    assert math.isnan(corpora.evaluated_characters_per_token(words.run, ()))
    assert corpora.characters_per_token(letters.run, ()) == 1


@pytest.mark.parametrize("path", ["/etc/passwd", "requirements.txt"])
def test_no_file_of_the_server_is_ever_read(path: str) -> None:
    with pytest.raises(ConfigError, match="does not read files of its server"):
        corpora.corpus(Config().with_values(corpus=f"file:{path}").data)
