"""The texts that runs learn from."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.config import Config, ConfigError
from engine.data import PerCharacter
from playground.access import corpora
from playground.access.runs import watched
from playground.frame import services

pytestmark = pytest.mark.usefixtures("idle_trainer")


def test_bits_per_character_of_a_word_model_are_fewer_than_its_bits_per_word() -> None:
    words, letters = (watched(run)[0].run for run in ("tales-words", "tales-lstm"))
    stored = words.per_character
    assert stored is not None
    assert stored.characters_per_token > 3
    assert stored.extra > 0.5
    assert corpora.per_character_of(words.config.data) == stored, "as its text tells"
    assert replace(words, text_facts=None).per_character is None, "evaluated before there were facts"
    assert letters.per_character == PerCharacter(1.0, 0.0)


@pytest.mark.parametrize("run", ["tales-lstm", "tales-words", "hello-rnn"])
def test_the_facts_of_a_starter_run_are_those_of_its_text(run: str) -> None:
    found = watched(run)[0].run
    assert found.text_facts == corpora.facts(found.config.data)


@pytest.mark.parametrize("path", ["/etc/passwd", "requirements.txt"])
def test_no_file_of_the_server_is_ever_read(path: str) -> None:
    with pytest.raises(ConfigError, match="cannot read files on the server"):
        corpora.corpus(Config().with_values(corpus=f"file:{path}").data)


def test_a_text_is_prepared_once_however_it_is_cut_into_batches() -> None:
    data = Config().data
    assert corpora.corpus(data) is corpora.corpus(replace(data, streams=3, chunk=7))
    with pytest.raises(ConfigError, match="too few"):
        corpora.corpus(replace(data, streams=1024, chunk=1024))


def test_texts_have_names() -> None:
    assert corpora.text_name("tales") == "Tales"
    digest = services.store().put_text("hello hello", "greetings")
    assert corpora.text_name(f"own:{digest}") == "greetings"
    assert corpora.text_name("own:" + "0" * 64) == "own text"


def test_sorted_lines_are_noticed_in_texts_of_visitors_alone() -> None:
    lines = [f"{stem:03d}{ending}" for ending in ("ova", "ini", "moto") for stem in range(0, 900, 5)]
    digest = services.store().put_text("\n".join(lines))
    assert corpora.is_sorted(corpora.corpus(Config().with_values(corpus=f"own:{digest}").data))
    assert not corpora.is_sorted(corpora.corpus(Config().data))
