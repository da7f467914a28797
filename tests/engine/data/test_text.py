"""From bytes to clean text: what is accepted, what is tidied, and what is refused in a sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.text import MAX_BYTES, TextError, clean, decode, fingerprint


def test_plain_text_stays_as_it_is():
    assert decode(b"Hello,\n\tworld.\n") == "Hello,\n\tworld.\n"


@pytest.mark.parametrize(
    "text",
    [
        "שלום עולם, זה טקסט מימין לשמאל",
        "مرحبا بالعالم\u200f",
        "👩‍👩‍👧‍👦 family, 🏳️‍🌈 flag, 👍🏽",
        "e\u0301 is not é",
        "<script>alert('no')</script><b>&amp;</b>",
        "{{ template }} ${shell} %s",
    ],
)
def test_scripts_emoji_and_markup_are_text_like_any_other(text):
    assert decode(text.encode()) == clean(text) == text


def test_a_byte_order_mark_at_the_start_goes():
    assert decode(b"\xef\xbb\xbfhello") == "hello"


@pytest.mark.parametrize("raw", [b"a\r\nb", b"a\rb", b"a\nb"])
def test_every_line_end_becomes_a_line_feed(raw):
    assert decode(raw) == "a\nb"


def test_invisible_control_characters_are_taken_out_but_not_tabs():
    assert decode(b"a\x1b[1mb\x07\tc\x7f") == "a[1mb\tc"


@pytest.mark.parametrize("raw", [b"", b"   \n\n", b"\xef\xbb\xbf", b"\x01\x02"])
def test_a_text_with_nothing_in_it_is_refused(raw):
    with pytest.raises(TextError, match=r"empty.*Paste or upload"):
        decode(raw)


def test_a_text_over_the_limit_is_refused_with_both_sizes():
    with pytest.raises(TextError, match=r"has 5\.1 MB; the limit is 5 MB.*Use a part"):
        decode(b"a" * 5_100_000)


def test_a_text_one_byte_over_the_limit_is_told_a_size_above_the_limit():
    with pytest.raises(TextError, match=r"has 5\.000001 MB; the limit is 5 MB"):
        decode(b"a" * (MAX_BYTES + 1))


def test_a_text_at_the_limit_is_accepted():
    assert len(decode(b"a" * MAX_BYTES)) == MAX_BYTES


def test_a_pasted_text_is_measured_in_bytes_of_utf8():
    with pytest.raises(TextError, match=r"6\.0 MB"):
        clean("é" * 3_000_000)


def test_bytes_that_are_not_utf8_are_refused_with_their_place():
    with pytest.raises(TextError, match=r"byte 10 \(line 2\) is 0xe9.*encoding UTF-8"):
        decode(b"one line\n" + "été".encode("latin-1").replace(b"\xe9", b"e\xe9", 1))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_another_unicode_encoding_is_named(encoding):
    with pytest.raises(TextError, match=encoding.upper()):
        decode("hello".encode(encoding))


def test_a_nul_is_refused_with_its_line():
    with pytest.raises(TextError, match=r"NUL character in line 2.*plain text"):
        decode(b"one\ntwo\0")


@pytest.mark.parametrize("half", [0xD83D, 0xDC00])
def test_half_a_character_is_refused_with_its_place(half):
    with pytest.raises(TextError, match=rf"Character 3 .*surrogate U\+{half:04X}"):
        clean("ab" + chr(half))


@given(st.text())
def test_cleaning_twice_is_cleaning_once(text):
    try:
        cleaned = clean(text)
    except TextError:
        return
    assert clean(cleaned) == cleaned
    assert decode(cleaned.encode()) == cleaned


@given(st.binary())
def test_any_bytes_become_a_text_or_a_sentence(raw):
    text, sentence = "", ""
    try:
        text = decode(raw)
    except TextError as error:
        sentence = str(error)
    assert text.strip() or sentence.endswith(".")
    assert "\0" not in text


def test_the_fingerprint_is_the_sha256_of_the_utf8():
    assert fingerprint("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
