"""From bytes to clean text: what is accepted, what is tidied, and what is refused in a sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.text import (
    MAX_BYTES,
    EncodingError,
    TextError,
    check_kept,
    clean,
    decode,
    fingerprint,
    first_words,
    read,
    tidy,
)


def test_plain_text_stays_as_it_is():
    assert decode(b"Hello,\n\tworld.\n") == "Hello,\n\tworld.\n"


@pytest.mark.parametrize(
    "text",
    [
        "שלום עולם, זה טקסט מימין לשמאל",
        "مرحبا بالعالم\u200f",
        "👩‍👩‍👧‍👦 family, 🏳️‍🌈 flag, 👍🏽",
        "q\u0303 and 각 and \u3000 stay",
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


@pytest.mark.parametrize("character", [chr(code) for code in range(0x110000) if chr(code).isspace()], ids=ascii)
def test_white_space_stays_white_space_and_never_glues_two_words(character):
    """Whatever Python calls white space; where it ends a line, a line feed stands."""
    found = clean(f"two{character}words")
    assert found[:3] + found[-5:] == "twowords"
    assert found[3:-5].isspace()
    assert len(found) == len("two words")
    assert (found[3] == "\n") == (len(f"two{character}words".splitlines()) == 2)


def test_invisible_control_characters_are_taken_out_but_not_tabs():
    assert decode(b"a\x1b[1mb\x07\tc\x7f") == "a[1mb\tc"


def test_byte_order_marks_inside_a_text_go_too():
    assert decode("one\n\ufefftwo\ufeff".encode()) == "one\ntwo"


def test_an_accent_is_one_character_however_it_was_typed():
    assert clean("cafe\u0301") == clean("caf\u00e9") == "caf\u00e9"


def test_what_was_changed_is_counted_and_said():
    raw = "\ufeffa\r\nb\r\nc\rd\fe\vf\u00a0g\x07h\x08\x7fi\ufeffe\u0301".encode()
    assert read(raw).changes == (
        "2 line ends converted from CR LF to LF",
        "1 line end converted from CR to LF",
        "2 form feeds or other separators replaced by line ends",
        "1 no-break space replaced by a space",
        "2 byte-order marks removed",
        "3 control characters removed",
        "separate accents composed with their letters (NFC)",
    )
    assert tidy("a\n\tb").changes == ()
    assert tidy("a\n\tb").note == ""
    assert tidy("a\fb").note == "Changes made to the text: 1 form feed or other separator replaced by a line end."


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_nothing_is_said_where_nothing_was_changed(text):
    try:
        found = tidy(text)
    except TextError:
        return
    assert bool(found.changes) == (found.text != text)


def test_a_text_that_another_version_took_in_is_kept_as_it_is():
    assert check_kept("a\u00a0e\u0301\ufeff\x07") == "a\u00a0e\u0301\ufeff\x07"
    with pytest.raises(TextError, match="NUL"):
        check_kept("a\0b")


@pytest.mark.parametrize("raw", [b"", b"   \n\n", b"\xef\xbb\xbf", b"\x01\x02"])
def test_a_text_with_nothing_in_it_is_refused(raw):
    with pytest.raises(TextError, match="is empty: use another one"):
        decode(raw)


def test_a_text_over_the_limit_is_refused_with_both_sizes():
    with pytest.raises(TextError, match=r"is 5\.1 MB; the limit is 5 MB.*Use part of it"):
        decode(b"a" * 5_100_000)


def test_a_text_one_byte_over_the_limit_is_told_a_size_above_the_limit():
    with pytest.raises(TextError, match=r"is 5\.000001 MB; the limit is 5 MB"):
        decode(b"a" * (MAX_BYTES + 1))


def test_a_text_at_the_limit_is_accepted():
    assert len(decode(b"a" * MAX_BYTES)) == MAX_BYTES


def test_a_pasted_text_is_measured_in_bytes_of_utf8():
    with pytest.raises(TextError, match=r"6\.0 MB"):
        clean("é" * 3_000_000)


def test_damaged_utf8_is_refused_with_its_place_and_no_encoding_is_offered():
    with pytest.raises(EncodingError, match=r"byte 12 \(line 2\) is 0xe9.*Save the file as UTF-8") as refused:
        decode(b"one line\n" + "éa".encode() + b"\xe9" + " être là où l'été".encode())
    assert refused.value.offers == ()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_another_unicode_encoding_is_named(encoding):
    with pytest.raises(TextError, match=encoding.upper()):
        decode("hello".encode(encoding))


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("a PNG image", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
        ("a PDF document", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"),
        ("a ZIP archive", b"PK\x03\x04\x14\0\x06\0"),
        ("a binary file", bytes(range(256)) * 10),
    ],
)
def test_a_binary_file_is_called_one_and_not_told_to_be_saved_as_utf8(kind, raw):
    with pytest.raises(TextError, match=kind) as refused:
        decode(raw)
    assert "encoding" not in str(refused.value)


def test_a_nul_is_refused_with_its_line():
    with pytest.raises(TextError, match=r"NUL character in line 2.*plain text"):
        decode(b"one\ntwo\0")


@pytest.mark.parametrize("half", [0xD83D, 0xDC00])
def test_half_a_character_is_refused_with_its_place(half):
    with pytest.raises(TextError, match=rf"Character 3 .*surrogate \(U\+{half:04X}\)"):
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


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("hello", "hello"),
        ("  Call me\nIshmael.  Some years ago, never mind how long", "Call me Ishmael. Some years ago…"),
        ("a" * 100, "a" * 32 + "…"),
        ("これは日本語の文章です。" * 10, "これは日本語の文章です。これは日本語の文章です。これは日本語の文…"),
    ],
)
def test_a_text_without_a_name_is_called_by_its_first_words(text, name):
    assert first_words(text) == name
