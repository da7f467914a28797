"""Names in a config: each exists, and they go together."""

from __future__ import annotations

import itertools

import pytest

from engine.cells import CELLS
from engine.config import Config, ConfigError
from engine.data import SOURCES
from engine.models.language_model import LanguageModel
from engine.training.optimizers import OPTIMIZERS
from engine.validate import validate


def test_the_defaults_stand() -> None:
    assert validate(Config()) == Config()


def test_every_cell_goes_with_every_optimiser() -> None:
    for cell, optimizer in itertools.product(CELLS, OPTIMIZERS):
        validate(Config().with_values(cell=cell, optimizer=optimizer))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"cell": "elman"}, r"model\.cell is 'elman'; choose one of rnn, .*lstm"),
        ({"corpus": "moby-dick"}, r"data\.corpus is 'moby-dick'; choose one of .*tales"),
        ({"optimizer": "lion"}, r"training\.optimizer is 'lion'; choose one of sgd, .*adamw"),
        ({"corpus": "hello", "level": "word"}, "'hello' cannot be read as words: set data.level to char"),
        ({"corpus": "names", "level": "word"}, "'names' cannot be read as words: set data.level to char"),
        ({"cell": "gru", "options": {"activation": "relu"}}, "'gru' has no option 'activation'"),
        ({"cell": "rnn", "options": {"activation": "swish"}}, "'activation' of 'rnn' is 'swish'; choose one of tanh"),
    ],
)
def test_what_does_not_exist_is_refused_with_what_does(values: dict, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        validate(Config().with_values(**values))


@pytest.mark.parametrize("cell", CELLS)
def test_a_language_model_that_reads_both_ways_is_refused_with_the_reason(cell: str) -> None:
    config = Config().with_values(cell=cell, bidirectional=True)
    with pytest.raises(ConfigError, match=r"model\.bidirectional .*already seen the token to be predicted"):
        validate(config)
    with pytest.raises(ConfigError, match=r"model\.bidirectional"):
        LanguageModel(config.model, 7, seed=1)


@pytest.mark.parametrize("corpus", [*SOURCES, "file:/some/where.txt", "own:abc"])
def test_texts_of_the_users_own_need_no_name(corpus: str) -> None:
    validate(Config().with_values(corpus=corpus))
