"""A run's default probe: real text where it is at hand, and never a download."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from engine.data import SOURCES, CharVocabulary, WordVocabulary, downloads, load_split
from playground.access import default_probe as module
from playground.access.default_probe import default_probe, stretch
from playground.access.models import Loaded
from playground.access.probes import read_probe
from playground.access.runs import snapshot_of
from playground.frame import services
from playground.runs.reader import Snapshot
from playground.runs.records import SampleText
from playground.runs.store.starter_files import ORDER

pytestmark = pytest.mark.usefixtures("own_recordings")


@pytest.mark.parametrize("run", ORDER)
def test_a_starter_run_reads_a_short_stretch_of_its_validation_text(run: str, load_run: Callable[..., Loaded]) -> None:
    snapshot, loaded = snapshot_of(run), load_run(run)
    text = default_probe(snapshot, loaded.vocabulary)
    validation = load_split(snapshot.run.config.data.corpus).validation
    assert text in " ".join(validation.split()) or text in validation
    probe = read_probe(text, loaded.vocabulary)
    assert probe.unknown == ()
    assert 5 <= len(probe) <= 30


def test_the_smallest_run_reads_hello(load_run: Callable[..., Loaded]) -> None:
    assert default_probe(snapshot_of("hello-rnn"), load_run("hello-rnn").vocabulary) == "hello"


def _of(corpus: str, **values: object) -> Snapshot:
    """A snapshot like the first starter run's, of another corpus."""
    snapshot = snapshot_of("tales-lstm")
    run = replace(snapshot.run, config=snapshot.run.config.with_values(corpus=corpus), best_step=20)
    return replace(snapshot, run=run, **values)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("a page that is opened downloads nothing")

    monkeypatch.setattr(downloads, "_download", refused)
    module._beginning.clear()


SAMPLES = [SampleText(step, "", f"Sample at {step}. It goes on for a while.", 0.0, 0) for step in (10, 20, 30)]


@pytest.mark.parametrize("corpus", [name for name, source in SOURCES.items() if source.origin == "download"])
def test_a_corpus_that_is_not_here_is_not_fetched_and_the_best_sample_stands_in(no_network: None, corpus: str) -> None:
    text = default_probe(_of(corpus, samples=SAMPLES), CharVocabulary(map(chr, range(32, 127))))
    assert text.startswith("Sample at 20. It goes on")
    assert len(text) < 40


def test_every_downloaded_corpus_is_known_to_be_here_or_not() -> None:
    assert set(module._FILES) == {name for name, source in SOURCES.items() if source.origin == "download"}


def test_a_corpus_that_is_here_is_read(shared_data: Path, no_network: None) -> None:
    text = default_probe(_of("tinyshakespeare", samples=SAMPLES), CharVocabulary(map(chr, [10, *range(32, 127)])))
    assert text in load_split("tinyshakespeare").validation


def test_a_text_of_a_visitors_is_read_and_one_that_is_gone_is_not_missed(no_network: None) -> None:
    digest = services.store().put_text("Mine is a long story. " * 40)
    assert default_probe(_of(f"own:{digest}"), CharVocabulary("Mine salogtry.")) in "Mine is a long story. " * 40
    gone = default_probe(_of(f"own:{'0' * 64}", samples=SAMPLES), CharVocabulary(map(chr, range(32, 127))))
    assert gone.startswith("Sample at 20")


def test_a_file_of_the_server_is_nobodys_to_read(no_network: None, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret of the server, and more of it")
    assert "secret" not in default_probe(
        _of(f"file:{secret}", samples=SAMPLES), CharVocabulary(map(chr, range(32, 127)))
    )


def test_without_text_and_sample_the_prompt_is_read_and_without_one_the_first_symbols(no_network: None) -> None:
    bare = _of("own:" + "0" * 64, samples=[])
    prompted = replace(bare, run=replace(bare.run, config=bare.run.config.with_values(prompt="cab")))
    assert default_probe(prompted, CharVocabulary("abc")) == "cab"
    assert default_probe(bare, CharVocabulary("abc")) == "abc"
    assert default_probe(bare, WordVocabulary(["<unk>", "<eos>", "cat", "sat"])) == "cat sat"
    assert default_probe(bare, WordVocabulary(["<unk>", "<eos>"])), "a vocabulary without a word still reads something"


def test_a_stretch_begins_with_a_paragraph_and_ends_with_a_word() -> None:
    text = "end of one.\n\nA new paragraph begins here and goes on.\nNext line."
    assert stretch(text, "char") == "A new paragraph begins here"
    assert stretch(text, "word") == "A new paragraph begins here and goes on"
    assert stretch("x" * 100, "char") == "x" * 30, "a script without spaces is cut all the same"
    assert stretch("", "char") == ""


def test_a_passage_goes_on_for_a_few_sentences_and_holds_a_quotation_that_ends(
    load_run: Callable[..., Loaded],
) -> None:
    snapshot, vocabulary = snapshot_of("tales-lstm"), load_run("tales-lstm").vocabulary
    text = default_probe(snapshot, vocabulary, passage=True)
    assert text in load_split("tales").validation
    assert 195 <= len(text) <= 206
    assert text.count('"') >= 4, "two quotations from beginning to end"


def test_a_passage_of_a_text_without_quotations_is_its_first() -> None:
    text = "One.\n\n" + "Here is a paragraph. " * 20 + "\n\n" + "Another. " * 40
    assert module._known(text, CharVocabulary(text), True).startswith("Here is")
