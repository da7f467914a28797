import itertools

import pytest

from engine.cells import CELLS
from playground import theme


def luminance(color: str) -> float:
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_has_its_familys_colour(cell: str) -> None:
    assert theme.family(cell) == CELLS[cell].family
    assert theme.family_color(cell) == theme.FAMILIES[CELLS[cell].family]


def test_a_cell_that_is_not_there_any_more_has_the_colour_that_its_name_begins_with() -> None:
    assert theme.family_color("gru-of-old") == theme.FAMILIES["gru"]
    with pytest.raises(ValueError, match="no family"):
        theme.family("transformer")


@pytest.mark.parametrize("color", [*theme.FAMILIES.values(), theme.SURPRISE, theme.ALARM, theme.MUTED])
def test_colours_are_readable_on_both_backgrounds(color: str) -> None:
    assert contrast(color, theme.LIGHT_PAPER) >= 3.0
    assert contrast(color, theme.DARK_PAPER) >= 3.0


@pytest.mark.parametrize("shade", list(itertools.chain(*theme.SHADES.values())))
def test_shades_of_a_family_stand_out_on_both_backgrounds(shade: str) -> None:
    assert min(contrast(shade, theme.LIGHT_PAPER), contrast(shade, theme.DARK_PAPER)) >= 2.0


@pytest.mark.parametrize("cells", list(itertools.combinations_with_replacement(theme.FAMILIES, 4)))
def test_no_two_runs_of_a_race_look_alike(cells: tuple[str, ...]) -> None:
    styles = theme.run_styles(cells)
    assert len({style.color for style in styles}) == 4
    assert len({style.dash for style in styles}) == 4
    assert [style.letter for style in styles] == list("ABCD")


def test_each_meaning_has_a_colour_of_its_own_which_scripts_can_read() -> None:
    assert set(theme.CODE) == {"negative", "positive", "gate", "surprise", "alarm", "muted", "nan"}
    assert len(set(theme.CODE.values())) == len(theme.CODE)
    for color in (*theme.CODE.values(), *theme.FAMILIES.values()):
        assert len(color) == 7
        assert color.startswith("#")
        assert int(color[1:], 16) >= 0


def test_a_fifth_run_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 4"):
        theme.run_styles(["rnn"] * 5)


def test_an_unknown_family_is_refused() -> None:
    with pytest.raises(ValueError, match="'transformer'"):
        theme.family("transformer")
