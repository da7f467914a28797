"""Encodings other than UTF-8: which are offered for which bytes, and that reading in them gives the text."""

import pytest

from engine.data.encodings import offers
from engine.data.text import EncodingError, TextError, decode, read

RUSSIAN = "Это было давно, в те времена, когда люди ещё верили в чудеса. Он вышел из дома и пошёл по дороге.\n" * 5
JAPANESE = "これは日本語の文章です。今日はとても良い天気ですね。明日も晴れるといいですね。東京の空は青い。\n" * 5
CHINESE = "这是一个中文的句子。今天天气很好，我们去公园吧。学习语言需要很多时间和耐心。\n" * 5
KOREAN = "이것은 한국어 문장입니다. 오늘 날씨가 정말 좋네요. 내일도 맑으면 좋겠습니다.\n" * 5
GREEK = "Αυτό είναι ένα ελληνικό κείμενο. Ο καιρός είναι πολύ καλός σήμερα και θα πάμε στη θάλασσα.\n" * 5
THAI = "นี่คือข้อความภาษาไทย วันนี้อากาศดีมาก เราจะไปทะเลกัน\n" * 5
HEBREW = "שלום עולם, זה טקסט בעברית. היום מזג האוויר יפה מאוד ואנחנו הולכים לים.\n" * 5
FRENCH = "Été à la plage, où l'on mange des crêpes. Les élèves ont fini leurs leçons, l'œuvre est là.\n" * 5
POLISH = "Zażółć gęślą jaźń. Wczoraj poszedłem do sklepu, żeby kupić chleb i masło.\n" * 5
ENGLISH = "“It’s late,” she said – and it was.\n" * 5


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf_16", FRENCH),
        ("utf_16_le", FRENCH),
        ("utf_16_le", "plain words, nothing else\n" * 9),
        ("utf_16_be", JAPANESE),
        ("utf_32", FRENCH),
        ("cp1251", RUSSIAN),
        ("koi8_r", RUSSIAN),
        ("cp866", RUSSIAN),
        ("cp932", JAPANESE),
        ("euc_jp", JAPANESE),
        ("iso2022_jp", JAPANESE),
        ("iso2022_jp", "Subject: mail\n\n" + JAPANESE),
        ("gb18030", CHINESE),
        ("cp949", KOREAN),
        ("iso2022_kr", KOREAN),
        ("cp1253", GREEK),
        ("cp1255", HEBREW),
        ("cp874", THAI),
        ("cp1252", ENGLISH),
    ],
)
def test_an_encoding_that_is_sure_is_the_only_one_offered_and_reads_the_text(encoding: str, text: str) -> None:
    raw = text.encode(encoding)
    with pytest.raises(EncodingError) as refused:
        decode(raw)
    (offer,) = refused.value.offers
    assert offer.encoding == encoding
    assert offer.title in str(refused.value)
    assert offer.words.split(", ")[0] in text
    assert read(raw, encoding=offer.encoding).text == text


@pytest.mark.parametrize(("encoding", "text"), [("cp1252", FRENCH), ("cp1250", POLISH)])
def test_latin_letters_are_offered_in_the_usual_encodings_side_by_side(encoding: str, text: str) -> None:
    found = offers(text.encode(encoding))
    assert encoding in {offer.encoding for offer in found[:2]}
    assert len({offer.words for offer in found}) == len(found)
    assert read(text.encode(encoding), encoding=encoding).text == text


def test_seven_bit_mail_is_not_taken_in_as_gibberish() -> None:
    raw = JAPANESE.encode("iso2022_jp")
    assert raw.isascii()
    with pytest.raises(EncodingError, match=r"ISO-2022-JP \(Japanese\), in which it reads これは日本語"):
        decode(raw)


def test_colours_of_a_terminal_are_no_encoding() -> None:
    assert decode(b"\x1b[31mred\x1b(B\x1b[m") == "[31mred(B[m"


@pytest.mark.parametrize(
    ("encoding", "said"), [("rot13", "encoding 'rot13' is not supported"), ("cp932", "not encoded in Shift_JIS")]
)
def test_an_encoding_that_does_not_fit_gets_a_sentence(encoding: str, said: str) -> None:
    with pytest.raises(TextError, match=said):
        read(b"\xff\xff\x81", encoding=encoding)
