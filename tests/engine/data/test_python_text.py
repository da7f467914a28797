"""Python's own texts, whichever Python runs."""

import pytest

from engine.data import python_text
from engine.data.text import TextError


def test_the_documentation_knows_the_language():
    text = python_text.documentation()
    assert "lambda" in text
    assert len(text) > 200_000


def test_the_source_is_python_and_this_python_has_nearly_all_of_it():
    text, missing = python_text.source()
    assert "def " in text
    assert len(missing) <= 3


def test_missing_modules_are_named_and_the_others_read(tmp_path):
    (tmp_path / "ast.py").write_text("x = 1\r\n", encoding="utf-8")
    text, missing = python_text.source(tmp_path)
    assert text == "x = 1\n"
    assert len(missing) == len(python_text.SOURCE_FILES) - 1
    assert "argparse.py" in missing


def test_a_python_without_any_source_is_told_so(tmp_path):
    with pytest.raises(TextError, match=r"no source files.*another corpus"):
        python_text.source(tmp_path)
