"""Texts that a visitor brings to the page Train, without a browser: what is learned, refused, and said."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

import pytest
from at_work import draft, press, widget
from streamlit.testing.v1 import AppTest

from playground.frame import services

OpenPage = Callable[..., AppTest]
Text = Callable[[AppTest], str]
Link = Callable[[AppTest], dict[str, str]]
Charts = Callable[[AppTest], dict[str, Any]]


def _paste(app: AppTest, text: str) -> AppTest:
    app.text_area(key=f"own.pasted.{_turn(app)}").set_value(text)
    return press(app, "Use the pasted text")


def _upload(app: AppTest, name: str, raw: bytes) -> AppTest:
    return app.get("file_uploader")[0].set_value((name, raw, "text/plain")).run()


def _turn(app: AppTest) -> int:
    return app.session_state["own.text"].turn if "own.text" in app.session_state else 0


OWN_TEXTS = {
    "one character": ("x", "too short|single character"),
    "one character many times": ("x" * 400, "nothing to predict"),
    "thirty characters": ("the cat sat on the mat, it did", ""),
    "markup": ("<script>alert(1)</script><img src=x onerror=alert(2)> $math$ :red[colours] " * 9, ""),
    "right to left and emoji": ("שלום עולם 👩‍👩‍👧 مرحبا 🎉 " * 20, ""),
    "control characters": ("one\x07two\x1bthree " * 20, ""),
    "a NUL": ("one\0two " * 20, "NUL"),
    "only spaces": ("   \n  ", ""),
}


@pytest.mark.parametrize("case", OWN_TEXTS)
def test_a_pasted_text_works_or_gets_a_sentence(open_page: OpenPage, said: Text, case: str) -> None:
    text, sentence = OWN_TEXTS[case]
    app = open_page("train", run="tales-gru")
    app = _paste(app, text)
    assert not app.exception
    if sentence:
        assert re.search(sentence, said(app))
        press(app, "Train")
        assert not app.exception
        assert services.store().runs(starters=False) == [] or draft(app).data.corpus == "tales"
    elif not said(app):
        assert draft(app).data.corpus.startswith("own:")
        press(app, "Train")
        assert said(app) == ""
        (run,) = services.store().runs(starters=False)
        assert run.config.data.corpus == draft(app).data.corpus
    else:
        assert said(app).rstrip().endswith(".")


def test_a_text_that_stands_there_twice_is_said_to_be_seen_before_it_is_trained_on(open_page: OpenPage) -> None:
    dice = random.Random(1)
    once = "".join(dice.choices("abcdefghij klmnop\n", k=5_000))
    app = open_page("train")
    app.text_area(key=f"own.pasted.{_turn(app)}").set_value(once + once)
    press(app, "Use the pasted text")
    warned = " ".join(one.value for one in app.markdown if "warning" in one.value).replace("\\", "")
    assert "100% of the validation part also occurs verbatim in the training part" in warned
    assert "reflect memorised text" in warned


def test_words_say_what_they_do_not_know_before_they_are_trained_on(open_page: OpenPage) -> None:
    app = open_page("train")
    widget(app, "selectbox", "data.level").set_value("word").run()
    said = " ".join(caption.value for caption in app.caption).replace("\\", "")
    assert "0% of the training part, 5.2% of the validation part. With none in the training part" in said
    assert "for spelling unknown tokens (character 3-gram model of the training part)" in said


OWN_FILES = {
    "too large": (b"five million " * 393_000, r"5\.1\d* MB; the limit is 5 MB"),
    "not UTF-8": (
        "Übermut tut selten gut. ".encode("latin-1") * 20,
        "probably in windows-1252 .* in which it reads Übermut",
    ),
    "UTF-16": (("Übermut tut selten gut. " * 20).encode("utf-16"), "probably in UTF-16, in which it reads Übermut"),
    "NUL bytes": (b"one\0two" * 50, "NUL"),
    "empty": (b"", "empty"),
    "good": (("Frogs sing at night. " * 40).encode(), ""),
}


@pytest.mark.parametrize("case", OWN_FILES)
def test_an_uploaded_file_works_or_gets_a_sentence(open_page: OpenPage, said: Text, case: str) -> None:
    raw, sentence = OWN_FILES[case]
    app = open_page("train")
    app = _upload(app, "text.txt", raw)
    assert not app.exception
    if sentence:
        assert re.search(sentence, said(app))
        assert draft(app).data.corpus == "tales"
    else:
        assert said(app) == ""
        assert draft(app).data.corpus.startswith("own:")


def test_a_text_that_was_taken_in_does_not_stay_in_its_field(open_page: OpenPage) -> None:
    app = _paste(open_page("train"), "Frogs sing at night. " * 40)
    assert app.text_area(key="own.pasted.1").value == ""
    assert "own.pasted.0" not in app.session_state


def test_a_refused_text_stays_to_be_mended_if_it_is_short(open_page: OpenPage, said: Text) -> None:
    app = _paste(open_page("train"), "x")
    assert "nothing to predict" in said(app)
    assert app.text_area(key="own.pasted.0").value == "x"
    app = _paste(app, "x" * 100_000)
    assert "nothing to predict" in said(app)
    assert app.text_area(key="own.pasted.1").value == ""


def test_a_text_and_its_runs_have_a_name(open_page: OpenPage) -> None:
    app = _paste(open_page("train"), "Frogs sing at night, and nobody knows why. " * 40)
    name = "Frogs sing at night, and nobody…"
    assert name in widget(app, "selectbox", "data.corpus").options
    press(app, "Train")
    assert [run.name for run in services.store().runs(starters=False)] == [f"LSTM 128 on {name}"]
    app = _upload(app, "moby-dick.txt", b"Call me Ishmael. Some years ago, never mind how long. " * 40)
    assert "moby-dick" in widget(app, "selectbox", "data.corpus").options
    press(app, "Train")
    assert services.store().runs(starters=False)[0].name == "LSTM 128 on moby-dick"


def test_what_was_changed_in_a_text_is_said(open_page: OpenPage, read: Text) -> None:
    app = _upload(open_page("train"), "text.txt", b"one page\r\n\fand another\r\n" * 40)
    assert "Changes made to the text: 80 line ends converted from CR LF to LF; 40 form feeds" in read(app)


@pytest.mark.parametrize(
    ("encoding", "title"), [("cp1252", "windows-1252"), ("iso2022_jp", "ISO-2022-JP"), ("utf-16", "UTF-16")]
)
def test_a_file_in_another_encoding_is_read_in_the_one_that_is_chosen(
    open_page: OpenPage, said: Text, encoding: str, title: str
) -> None:
    text = (
        "これは日本語の文章です。今日はとても良い天気ですね。\n" * 40 if "jp" in encoding else "Über die Straße. " * 60
    )
    app = _upload(open_page("train"), "text.txt", text.encode(encoding))
    offer = next(
        button for button in app.main.button if button.label.startswith(f"Read as {title}".replace("-", r"\-"))
    )
    app = offer.click().run()
    assert said(app) == ""
    assert services.store().text(draft(app).data.corpus.removeprefix("own:")) == text
    assert widget(app, "selectbox", "data.corpus").value == draft(app).data.corpus


def test_what_was_changed_in_a_text_stays_said_when_another_is_refused(open_page: OpenPage, read: Text) -> None:
    app = _upload(open_page("train"), "lines.txt", b"one two three\r\n" * 60)
    assert "line end" in read(app)
    app = _upload(app, "picture.txt", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4)
    assert draft(app).data.corpus.startswith("own:")
    assert "line end" in read(app)


def test_a_binary_file_is_called_one(open_page: OpenPage, said: Text) -> None:
    app = _upload(open_page("train"), "picture.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    assert "it is a PNG image" in said(app)
    assert "UTF-8" not in said(app)


def test_batches_are_fitted_to_tokens_whenever_text_or_level_change(
    open_page: OpenPage, read: Text, said: Text
) -> None:
    def batch() -> tuple[int, int]:
        data = draft(app).data
        shown = tuple(widget(app, "number_input", f"data.{name}").value for name in ("streams", "chunk"))
        assert shown == (data.streams, data.chunk)
        return shown

    # 1,755 training characters, and 405 words and marks.
    app = _paste(open_page("train"), "a sentence of forty characters, or so. " * 50)
    assert batch() == (16, 64)
    assert "were reduced to fit this short text: 16 × 64 instead of 32 × 64" in read(app)
    app = widget(app, "selectbox", "data.level").set_value("word").run()
    assert batch() == (4, 64)
    app = widget(app, "selectbox", "data.level").set_value("char").run()
    assert batch() == (16, 64)
    app = widget(app, "number_input", "data.streams").set_value(20).run()
    app = widget(app, "selectbox", "data.level").set_value("word").run()
    assert batch() == (20, 16), "what was given stays"
    app = widget(app, "selectbox", "data.corpus").set_value("tales").run()
    assert batch() == (20, 64)
    assert "to fit this short text" not in read(app)
    app = widget(open_page("train"), "selectbox", "data.corpus").set_value("hello").run()
    assert batch() == (1, 4)
    assert said(app) == ""


def test_given_batches_that_do_not_fit_are_refused_by_the_names_of_the_controls(
    open_page: OpenPage, said: Text
) -> None:
    app = open_page("train")
    app = widget(app, "number_input", "data.streams").set_value(100).run()
    app = widget(app, "number_input", "data.chunk").set_value(100).run()
    app = _paste(app, "a sentence of forty characters, or so. " * 50)
    assert draft(app).data.streams == 100
    assert "too few for “Batch size” x “Sequence length (truncated BPTT)” = 100 x 100" in said(app)
    assert "data." not in said(app)
    press(app, "Train")
    assert services.store().runs(starters=False) == []
    assert "data." not in said(app)


def test_lines_sorted_by_kind_are_noticed_and_shuffled_on_a_click(open_page: OpenPage, read: Text) -> None:
    names = [f"{stem:04d}{ending}" for ending in ("ova", "ini", "moto", "sky") for stem in range(0, 9000, 45)]
    app = _upload(open_page("train"), "names.txt", "\n".join(names).encode())
    assert "sorted by kind" in read(app)
    app = press(app, "Shuffle the lines")
    text = services.store().text(draft(app).data.corpus.removeprefix("own:"))
    assert sorted(text.split()) == sorted(names)
    assert "sorted by kind" not in read(app)
    assert "names, shuffled" in widget(app, "selectbox", "data.corpus").options


def test_what_of_a_prompt_the_model_has_no_symbol_for_is_said(open_page: OpenPage, read: Text) -> None:
    app = open_page("train")
    app = widget(app, "text_input", "sampling.prompt").set_value("“Wolf” ☃").run()
    assert 'Not in the model\'s vocabulary: ““”, “””, read as “"”, “"”; “☃”, left out.' in read(app)
