"""Generate, without a browser: what is written from which settings, what links do, and what is refused."""

from __future__ import annotations

import io
import itertools
import json
import re
import shlex
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from at_work import press, widget
from streamlit.testing.v1 import AppTest

from engine.data import Vocabulary
from engine.decoding.sampling import sample
from engine.models.language_model import LanguageModel
from engine.shell.directory import RunDirectory
from engine.shell.main import main
from engine.start import prompt_tokens
from engine.training.checkpoint import Checkpoint
from playground import state
from playground.access import corpora, models, training_text, writing
from playground.access.runs import snapshot_of
from playground.access.writing import WritingJob
from playground.charts.export import export
from playground.charts.next_token import next_token_spec
from playground.charts.surprise import surprise_spec
from playground.frame import services
from playground.notation import NOTATIONS
from playground.runs.store.starter_files import ORDER
from playground.text import number
from playground.views.generate import downloads, drill_downs

LOOKS = [found.name for found in drill_downs.DRILL_DOWNS]
OpenPage = Callable[..., AppTest]
Text = Callable[[AppTest], str]
Link = Callable[[AppTest], dict[str, str]]


@pytest.fixture(autouse=True)
def own_pools(idle_trainer: object) -> Iterator[None]:
    """Texts and models of this test alone."""
    caches = (models.saved_models, models.live_models, writing.writing_pool, writing.film_pool)
    for cache in caches:
        cache.clear()
    yield
    writing.writing_pool().close()
    writing.film_pool().close()
    for cache in caches:
        cache.clear()


def _job(app: AppTest, side: str = "chosen") -> WritingJob:
    return app.session_state["generate.jobs"][side]


def _done(app: AppTest) -> AppTest:
    """The page once its texts are written and what is copied is known."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        waits = any(job.active for job in app.session_state["generate.jobs"].values())
        run = snapshot_of(app.session_state["selection"].run).run
        copied = None if waits else training_text.copied(run, _job(app).text())
        if not waits and copied is not None:
            return app.run()
        time.sleep(0.01)
    raise AssertionError("the texts were not written")


def _rows(app: AppTest, title: str) -> pd.DataFrame:
    """The rows that the chart of that title draws."""
    protos = [element.proto for element in app.get("vega_lite_chart")]
    drawn = next(proto for proto in protos if json.loads(proto.spec)["title"]["text"] == title)
    return pa.ipc.open_stream(io.BytesIO(drawn.data.data)).read_pandas()


def _expected(run: str, step: int, prompt: str, **settings: Any) -> str:
    """The text as the engine writes it."""
    loaded = models.load(snapshot_of(run), step)
    _, start = prompt_tokens(prompt, loaded.vocabulary)
    return loaded.vocabulary.decode(list(sample(loaded.model, start, **settings)))


def _shown_code(app: AppTest, holds: str) -> str:
    """The code on the page that holds some words."""
    return next(code.value for code in app.main.get("code") if holds in code.value)


# ---------------------------------------------------------------------- opening


@pytest.mark.parametrize("run", ["", *ORDER])
def test_the_page_opens_on_every_starter_run_with_a_text_and_its_numbers(
    open_page: OpenPage, said: Text, read: Text, run: str
) -> None:
    app = _done(open_page("generate", **({"run": run} if run else {})))
    assert not app.exception
    assert said(app) == ""
    assert _job(app).written > 0
    bits = _job(app).bits()
    claimed = re.search(r"surprisal of ([\d.e-]+) bits", read(app))
    assert claimed
    assert float(claimed[1]) == pytest.approx(sum(bits) / len(bits), rel=0.01)
    printed = re.search(r"\(perplexity ([^)]+)\)", read(app))
    assert printed
    assert number(2 ** float(claimed[1])) == printed[1], "the two agree as they are printed"


@pytest.mark.parametrize(("look", "notation"), [*zip(LOOKS, itertools.cycle(NOTATIONS), strict=False)])
def test_every_drill_down_opens_and_so_does_every_notation(
    open_page: OpenPage, said: Text, look: str, notation: str
) -> None:
    app = open_page("generate", run="hello-rnn", look=look, notation=notation)
    assert not app.exception
    assert said(app) == ""
    assert any("exp" in formula.value for formula in app.main.latex)


@pytest.mark.parametrize(
    ("run", "given"),
    [
        ("tales-gru", {"prompt": "The wolf", "temperature": "0.5", "top_k": "7", "top_p": "0.9", "seed": "11"}),
        ("tales-lstm", {"prompt": 'It\'s "Once" $HOME; ' * 80, "temperature": "0"}),
        ("tales-words", {"prompt": "the wolf", "seed": "3"}),
    ],
)
def test_the_command_that_is_shown_writes_the_text_that_is_shown(
    open_page: OpenPage,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    run: str,
    given: dict[str, str],
) -> None:
    app = _done(open_page("generate", run=run, length="60", **given))
    loaded = models.load(snapshot_of(run), state.NEWEST)
    saved = Checkpoint.from_bytes(services.store().checkpoint(run, loaded.step))
    directory = RunDirectory(tmp_path / "my-run")
    directory.create(saved.config)
    directory.save(saved)
    monkeypatch.chdir(tmp_path)
    program, *arguments = shlex.split(_shown_code(app, "engine sample").removeprefix("python -m "))
    assert program == "engine"
    capsys.readouterr()
    assert main([*arguments, "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["prompt"] + told["text"] == _job(app).prompt + _job(app).text()


def test_a_link_is_the_text(open_page: OpenPage, link: Link) -> None:
    given = {"prompt": "The wolf", "temperature": "0.5", "top_k": "7", "top_p": "0.9", "seed": "11", "length": "90"}
    app = _done(open_page("generate", run="tales-gru", step="375", **given))
    settings = {"temperature": 0.5, "top_k": 7, "top_p": 0.9, "seed": 11, "length": 90}
    assert _job(app).text() == _expected("tales-gru", 375, "The wolf", **settings)
    assert link(app) == {"run": "tales-gru", "step": "375", **given}


WRONG = {
    "temperature": ("-1", "temperature cannot be used: '-1' is not a temperature from 0 to 3. Used instead: 0.8."),
    "top_k": ("many", "top_k cannot be used: 'many' is not a count from 0 to 50,000. Used instead: 0, off."),
    "top_p": ("0", "top_p cannot be used: '0' is not a probability from 0.01 to 1."),
    "seed": ("1e3", "seed cannot be used: '1e3' is not a seed"),
    "length": ("999999", "from 1 to 5,000"),
    "forced": (
        "1:2:3",
        "replaced tokens cannot be used: '1:2:3' is not position:token. Use the form position:token, positions",
    ),
    "beside": ("../etc", "run to compare cannot be used: '../etc' is not a valid run id"),
    "place": ("x", "position cannot be used: 'x' is not a position"),
    "look": ("<b>", "drill-down cannot be used: '<b>' is not a valid name of a drill-down"),
    "step": (
        "best",
        "training step cannot be used: 'best' is not a valid step: give a whole number of 0 or more, or -1 for",
    ),
    "run": ("nope", "no run"),
}


@pytest.mark.parametrize("key", WRONG)
def test_a_wrong_link_gets_a_sentence_and_the_default_stands_in(
    open_page: OpenPage, said: Text, link: Link, key: str
) -> None:
    value, sentence = WRONG[key]
    app = open_page("generate", **{key: value})
    assert not app.exception
    assert sentence in said(app)
    assert key not in link(app)
    assert _job(app)


def test_a_step_that_is_not_kept_is_said_and_the_nearest_stands_in(open_page: OpenPage, said: Text, link: Link) -> None:
    app = open_page("generate", run="tales-gru", step="300")
    kept = [checkpoint.step for checkpoint in snapshot_of("tales-gru").checkpoints]
    there = models.nearest_step(300, kept)
    assert f"has no saved weights at step 300: step {there:,} is the nearest" in said(app)
    assert link(app)["step"] == str(there)
    assert _job(app).request.weights[1] == there


def test_a_run_beside_that_is_gone_is_said(open_page: OpenPage, said: Text, link: Link) -> None:
    app = open_page("generate", beside="gone")
    assert "The comparison was removed" in said(app)
    assert "beside" not in link(app)


def test_a_drill_down_that_there_is_not_is_named(open_page: OpenPage, said: Text, link: Link) -> None:
    app = open_page("generate", look="inside", length="10")
    assert "There is no view 'inside': choose one of steps, along, " in said(app)
    assert "“Through training” is shown instead." in said(app)
    assert "look" not in link(app)


def test_going_back_is_followed(open_page: OpenPage, link: Link, monkeypatch: pytest.MonkeyPatch) -> None:
    app = _done(open_page("generate", length="20"))
    first = _job(app).text()
    app = _done(press(app, "New sample"))
    app = _done(press(app, "Greedy decoding repeats itself"))
    assert link(app) == {"length": "20", "seed": "2", "temperature": "0"}
    monkeypatch.setattr(state.link, "went_back", lambda: True)
    for given, temperature in (({"length": "20", "seed": "2"}, 0.8), ({"length": "20"}, 0.8)):
        app.query_params.clear()
        app.query_params.update(given)
        app = _done(app.run())
        assert link(app) == given
        assert widget(app, "slider", "temperature").value == temperature
    assert _job(app).text() == first


# ---------------------------------------------------------------------- prompts and settings


def test_a_prompt_loses_what_the_model_cannot_read_and_says_so(open_page: OpenPage, read: Text) -> None:
    app = _done(open_page("generate", prompt="The ☃ wolf $x$", length="20"))
    assert _job(app).prompt == "The  wolf x"
    assert "vocabulary: “☃”, “$”, left out" in read(app)


def test_a_prompt_is_read_with_the_nearest_symbols_and_says_so(open_page: OpenPage, read: Text) -> None:
    app = _done(open_page("generate", prompt="The wolf’s cafe\u0301", length="20"))
    assert _job(app).prompt == "The wolf's cafe"
    assert "vocabulary: “’”, “é”, read as “'”, “e”." in read(app)


def test_an_empty_prompt_says_where_the_text_starts(open_page: OpenPage, read: Text) -> None:
    app = _done(open_page("generate", prompt="☃", length="20"))
    assert "No part of the prompt can be read: the model starts from a line end." in read(app)


def test_a_prompt_of_10_000_characters_is_read_and_stays_out_of_the_link(
    open_page: OpenPage, link: Link, said: Text
) -> None:
    app = open_page("generate", run="hello-rnn", length="5")
    app = widget(app, "text_area", "prompt").set_value("hello" * 2_000).run()
    app = _done(app)
    assert said(app) == ""
    assert (len(_job(app).start), _job(app).written) == (10_000, 5)
    assert "prompt" not in link(app)


def test_of_a_longer_prompt_the_beginning_is_read(open_page: OpenPage, said: Text) -> None:
    app = _done(open_page("generate", run="hello-rnn", length="5", prompt="he"))
    field = widget(app, "text_area", "prompt")
    assert "10,000 characters" in field.label, "said before it is hit"
    app = _done(field.set_value("hello" * 2_000 + "!").run())
    assert "The prompt has 10,001 characters: only its first 10,000 are used." in said(app)
    assert _job(app).prompt == widget(app, "text_area", "prompt").value == "hello" * 2_000
    app = _done(widget(app, "text_area", "prompt").set_value("hell").run())
    assert _job(app).prompt == "hell"


def test_a_longer_prompt_in_a_link_is_said(open_page: OpenPage, said: Text) -> None:
    app = _done(open_page("generate", run="hello-rnn", length="5", prompt="hello" * 2_000 + "h"))
    assert "it has 10,001 characters; only the first 10,000 are read" in said(app)


def test_temperature_zero_is_greedy_and_says_so(open_page: OpenPage, read: Text) -> None:
    app = _done(open_page("generate", temperature="0", length="40"))
    other = _done(open_page("generate", temperature="0", length="40", seed="77"))
    assert _job(app).text() == _job(other).text()
    assert "greedy" in read(app)
    assert "Decoded greedily" in read(app)


def test_a_greedy_text_that_only_repeats_itself_is_called_a_loop_and_not_copied(
    open_page: OpenPage, read: Text
) -> None:
    app = _done(open_page("generate", run="tales-rnn", prompt="Once upon a time", temperature="0", length="300"))
    assert _job(app).text().count(" the stairs and the stars") > 5
    assert re.search(r"it falls into a loop: from character 1 on, the same 41 characters repeat", read(app))
    assert "of it is copied verbatim" not in read(app)


def test_top_k_beyond_the_vocabulary_is_off_and_says_so(open_page: OpenPage, read: Text) -> None:
    app = _done(open_page("generate", top_k="5000", length="30"))
    assert "Top-k 5,000 has no effect" in read(app)
    assert _job(app).text() == _job(_done(open_page("generate", length="30"))).text()


def test_a_model_of_words_writes_the_whole_length_and_never_unk(open_page: OpenPage, read: Text) -> None:
    app = _done(open_page("generate", run="tales-words"))
    job = _job(app)
    assert job.written == job.request.length
    assert job.vocabulary.unknown not in job.tokens
    assert job.vocabulary.end in job.tokens
    assert "<unk> is never generated." in read(app)


def test_a_model_of_words_ends_at_a_line_end_where_that_is_asked_for(open_page: OpenPage, read: Text) -> None:
    app = _done(open_page("generate", run="tales-words", past_end="0"))
    job = _job(app)
    assert job.vocabulary.end not in job.tokens
    assert "<eos> (end of line) was drawn" in read(app)
    assert "<unk> is never generated. <eos> ends the text." in read(app)


def test_another_prompt_takes_the_tokens_put_into_the_old_text_away(open_page: OpenPage, link: Link) -> None:
    app = open_page("generate", length="20", forced="3:5", place="3")
    app = widget(app, "text_area", "prompt").set_value("The cat").run()
    assert link(app) == {"length": "20", "prompt": "The cat"}
    assert _job(app).request.forced == ()


@pytest.mark.parametrize("given", [None, "The cat"])
def test_the_prompt_shown_is_the_one_that_is_read_whichever_run_is_chosen(
    open_page: OpenPage, given: str | None
) -> None:
    app = open_page("generate", length="20", **({"prompt": given} if given else {}))
    for run in ("hello-rnn", "tales-words", "tales-lstm"):
        app = app.sidebar.selectbox[0].set_value(run).run()
        shown = widget(app, "text_area", "prompt").value
        assert shown == _job(app).request.prompt
        assert given is None or shown == given


def test_no_two_drill_downs_have_a_control_of_one_setting(open_page: OpenPage) -> None:
    kinds = ("button_group", "selectbox", "slider", "number_input", "text_area", "toggle")
    shown = []
    for look in LOOKS:
        app = open_page("generate", length="20", look=look)
        shown.append({str(widget.key) for kind in kinds for widget in app.main.get(kind)})
    everywhere = set.intersection(*shown)
    apart = [keys - everywhere for keys in shown]
    assert sum(map(len, apart)) == len(set.union(*apart))


# ---------------------------------------------------------------------- writing


def test_write_writes_once_more_and_another_takes_the_next_seed(open_page: OpenPage, link: Link) -> None:
    app = _done(open_page("generate", length="50"))
    first = _job(app)
    app = _done(press(app, "Generate"))
    assert _job(app) is not first
    assert _job(app).text() == first.text()
    app = _done(press(app, "New sample"))
    assert link(app)["seed"] == "2"
    assert _job(app).text() != first.text()


def test_a_text_that_was_stopped_stays_stopped(open_page: OpenPage, read: Text) -> None:
    app = open_page("generate", length="5000")
    app = press(app, "Stop")
    app = _done(app)
    stopped = _job(app)
    assert stopped.written < 5_000
    assert "Stopped at" in read(app)
    assert _job(app.run()) is stopped


def test_two_models_write_from_the_same_prompt_and_seed(open_page: OpenPage, read: Text) -> None:
    app = _done(open_page("generate", prompt="The wolf", beside="tales-rnn:960", length="60", seed="5"))
    settings = {"temperature": 0.8, "seed": 5, "length": 60}
    assert _job(app).text() == _expected("tales-lstm", state.NEWEST, "The wolf", **settings)
    assert _job(app, "beside").text() == _expected("tales-rnn", 960, "The wolf", **settings)
    assert "step 960" in read(app)


def test_what_is_copied_is_named(open_page: OpenPage, read: Text) -> None:
    text = corpora.corpus(services.store().run("tales-lstm").config.data).train_text
    app = _done(open_page("generate", temperature="0.3", length="600"))
    named = re.search(r"has (\d+) characters: “(.*)”", read(app))
    assert named
    assert named[2] in text
    assert named[2] in _job(app).text()
    assert len(named[2]) == int(named[1])


# ---------------------------------------------------------------------- another token


def test_a_chosen_token_shows_what_else_could_have_come(open_page: OpenPage, read: Text) -> None:
    app = _done(open_page("generate", place="4", top_k="3", length="30"))
    rows = _rows(app, "Most likely next tokens")
    after = rows.loc[rows["which"] == "after temperature and truncation", "probability"]
    assert (after > 0).sum() == 3
    assert after.sum() == pytest.approx(1)
    assert "Position 5" in read(app)


def test_another_token_is_put_in_and_taken_back(open_page: OpenPage, read: Text, link: Link) -> None:
    app = _done(open_page("generate", length="40", place="6"))
    before = _job(app).tokens[:]
    vocabulary: Vocabulary = _job(app).vocabulary
    wanted = (before[6] + 1) % len(vocabulary)
    key = f".{id(_job(app))}.6"
    app = next(field for field in app.main.text_input if str(field.key).endswith(key))
    app = _done(app.set_value(vocabulary.symbols[wanted]).run())
    assert _job(app).tokens[:7] == [*before[:6], wanted]
    assert link(app)["forced"] == f"6:{wanted}"
    assert "Replaced by you" in read(app)
    app = _done(press(app, "Undo"))
    assert _job(app).tokens == before
    assert "forced" not in link(app)


def test_a_token_that_the_model_lacks_is_refused(open_page: OpenPage, said: Text) -> None:
    app = _done(open_page("generate", length="10", place="2"))
    key = f".{id(_job(app))}.2"
    app = next(field for field in app.main.text_input if str(field.key).endswith(key)).set_value("☃").run()
    assert "“☃” is not in this model's vocabulary" in said(app)


@pytest.mark.parametrize("label", ["Greedy decoding repeats itself", "Replace a token", "Early vs late in training"])
def test_every_experiment_works_with_one_click(open_page: OpenPage, said: Text, label: str) -> None:
    app = _done(open_page("generate", length="40"))
    app = _done(press(app, label))
    assert not app.exception
    assert said(app) == ""
    settings = app.session_state["generate.settings"]
    assert settings.temperature == 0 or settings.forced or settings.beside[0] == "tales-lstm"
    if settings.beside[0]:
        assert _job(app, "beside").request.weights[1] < _job(app).request.weights[1]


# ---------------------------------------------------------------------- likelihood


def test_the_perplexity_of_a_typed_text_is_that_of_its_tokens(open_page: OpenPage, read: Text) -> None:
    app = open_page("generate", look="likely", length="10")
    app = app.main.text_area(key="generate.likely").set_value("The cat sat ☃.").run()
    found = re.search(r"([\d.]+) bits per character, perplexity ([\d.]+), over (\d+) characters", read(app))
    assert found
    assert float(found[2]) == pytest.approx(2 ** float(found[1]), rel=0.02)
    assert int(found[3]) == len("The cat sat .")
    assert "vocabulary: “☃”" in read(app)


def test_the_likelier_of_two_sentences_is_named_with_its_factor(open_page: OpenPage, read: Text) -> None:
    app = open_page("generate", look="sentences", length="10")
    run = services.store().run("tales-lstm")
    end = time.monotonic() + 60
    while training_text.ngrams(run) is None and time.monotonic() < end:
        time.sleep(0.02)
    app.run()
    rows = _rows(app, "Which sentence is more likely?")
    assert list(rows["judge"].unique()) == ["LSTM on Tales, step 6,000", "3-gram", "2-gram", "1-gram"]
    model = rows[rows["judge"].str.startswith("LSTM")].set_index("sentence")["bits"]
    ahead = "first" if model["first"] < model["second"] else "second"
    assert f"the {ahead} sentence is" in read(app)


def test_words_that_a_vocabulary_lacks_are_named_before_they_are_compared(open_page: OpenPage, read: Text) -> None:
    app = open_page("generate", run="tales-words", look="sentences", length="10")
    assert "vocabulary: “apple”, “pear”, “salad”, “pair”, read as <unk>" in read(app)


# ---------------------------------------------------------------------- runs that are not ready


def test_a_run_without_weights_says_so(open_page: OpenPage, said: Text) -> None:
    run = services.store().create_run(services.store().run("hello-rnn").config, name="Fresh")
    app = open_page("generate", run=run)
    assert not app.exception
    assert "Fresh has no checkpoint yet" in said(app)


def _trained(run: str, step: int, seed: int) -> Checkpoint:
    """A checkpoint of a run at a step, with weights that `seed` makes."""
    config = services.store().run(run).config
    vocabulary = corpora.corpus(config.data).vocabulary
    weights = LanguageModel(config.model, len(vocabulary), seed=seed).state_dict()
    return Checkpoint(
        step=step,
        full=False,
        config=config,
        corpus_sha256="0" * 64,
        vocabulary=vocabulary.to_json(),
        planned_steps=100,
        tensors={f"model.{name}": tensor for name, tensor in weights.items()},
    )


def test_a_run_that_trains_writes_with_its_newest_weights_until_asked_again(open_page: OpenPage) -> None:
    store = services.store()
    run = store.create_run(store.run("hello-rnn").config, name="Training")
    store.put_checkpoint(run, _trained(run, 3, seed=1))
    store.put_live(run, _trained(run, 8, seed=2))
    app = _done(open_page("generate", run=run, length="20"))
    assert _job(app).request.weights == (run, 8, models.LIVE)
    store.put_live(run, _trained(run, 9, seed=3))
    app = _done(app.run())
    assert _job(app).request.weights[1] == 8, "a text does not change under the eyes of its reader"
    app = _done(press(app, "Generate"))
    assert _job(app).request.weights[1] == 9


def test_a_run_that_is_deleted_meanwhile_is_said(open_page: OpenPage, said: Text) -> None:
    store = services.store()
    run = store.create_run(store.run("hello-rnn").config, name="Doomed")
    store.put_checkpoint(run, _trained(run, 3, seed=1))
    app = _done(open_page("generate", run=run, length="20"))
    store.delete_run(run)
    app.run()
    assert not app.exception
    assert run in said(app) or "Doomed" in said(app)


def test_the_charts_and_tokens_can_be_taken_away(open_page: OpenPage) -> None:
    app = _done(open_page("generate", length="30", place="2"))
    job = _job(app)
    tokens = downloads.token_rows(job)
    assert "".join(tokens["text"]) == job.text()
    assert export(surprise_spec(), drill_downs.along(job).to_pandas(), "svg").startswith(b"<svg")
    rows = _rows(app, "Most likely next tokens")
    assert export(next_token_spec("#0072B2"), rows, "png").startswith(b"\x89PNG")
