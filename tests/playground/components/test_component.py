"""Components reach the browser: their modules are served and resolve, their colours are the theme's."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path, PurePosixPath

import pytest
from streamlit.testing.v1 import AppTest

from playground import theme
from playground.components import (
    arithmetic,
    cell_flow,
    command_watch,
    copy_link,
    heatmap,
    presenter_button,
    run_table,
    samples,
    selection_bar,
    shapes,
    tokens,
    unit_text,
    unrolled,
)
from playground.components.component import FOLDER, Component, colors

COMPONENTS = [
    value
    for module in (
        arithmetic,
        cell_flow,
        command_watch,
        copy_link,
        heatmap,
        presenter_button,
        run_table,
        samples,
        selection_bar,
        shapes,
        tokens,
        unit_text,
        unrolled,
    )
    for value in vars(module).values()
    if isinstance(value, Component)
]
MODULES = sorted(FOLDER.rglob("*.js"))
IMPORT = re.compile(r"""^import \{[^}]*\} from "([^"]+)";$""", re.MULTILINE)


def imported(module: Path) -> set[Path]:
    """The modules that a module imports."""
    return {(module.parent / path).resolve() for path in IMPORT.findall(module.read_text(encoding="utf-8"))}


def reached_from(entry: Path) -> set[Path]:
    """A module and all that it imports."""
    reached: set[Path] = set()
    ahead = {entry}
    while ahead:
        module = ahead.pop()
        reached.add(module)
        ahead |= imported(module) - reached
    return reached


def test_every_import_is_of_a_module_that_is_there() -> None:
    for module in MODULES:
        text = module.read_text(encoding="utf-8")
        assert len(IMPORT.findall(text)) == text.count("import ") - text.count("// import "), module
        assert imported(module) <= set(MODULES), module


def test_every_module_is_reached_from_a_component_and_each_folder_has_one_entry() -> None:
    entries = {FOLDER / one.folder / f"{one.module}.js" for one in COMPONENTS}
    assert len({entry.parent for entry in entries}) == len(COMPONENTS)
    assert set.union(*map(reached_from, entries)) == set(MODULES)
    exporting = {module for module in MODULES if "export default" in module.read_text(encoding="utf-8")}
    assert exporting == entries


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda one: one.folder)
def test_all_that_a_component_imports_is_asked_for_with_it(component: Component) -> None:
    first, *others = component.modules()
    assert first == FOLDER / component.folder / f"{component.module}.js"
    assert sorted([first, *others]) == sorted(reached_from(first)), "each once"


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_text_is_never_markup_and_nothing_comes_from_a_network(module: Path) -> None:
    text = module.read_text(encoding="utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|\bfetch\(", text)
    assert not [line for line in text.splitlines() if "http" in line and "www.w3.org" not in line]


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda one: one.folder)
def test_every_colour_that_a_style_sheet_names_is_there(component: Component) -> None:
    own = set(re.findall(r"(--[\w-]+)\s*:", component.css))
    scripts = "".join(module.read_text(encoding="utf-8") for module in MODULES)
    set_by_script = {f"--{name}" for name in re.findall(r"\b[a-z]+\b", scripts)}
    used = set(re.findall(r"var\((--(?!st-)[\w-]+)", component.css))
    assert used <= own | set_by_script


def test_the_colour_code_is_the_themes() -> None:
    for name, color in {**theme.CODE, **theme.FAMILIES}.items():
        assert f"--{name}: {color};" in colors()


def _page() -> None:
    from playground.components.samples import SampleRow, sample_film, sample_ladder

    rows = [SampleRow(1, "2.1 nats", "text")]
    sample_ladder(rows, prompt="", key="ladder")
    sample_film(rows, prompt="", key="film")


def test_modules_are_served_as_files_below_one_address() -> None:
    app = AppTest.from_function(_page).run()
    assert not app.exception
    mounted = [element.proto for element in app.get("bidi_component")]
    asked = [json.loads(re.findall(r"= (\[.*?\])", proto.js_content)[0]) for proto in mounted]
    assert all(len(addresses) > 1 for addresses in asked)
    addresses = [PurePosixPath(addresses[0]) for addresses in asked]
    assert [str(address.parent) for address in addresses] == [proto.component_name for proto in mounted]
    assert [address.parts[1:] for address in addresses] == [("sample_ladder", "ladder.js"), ("sample_film", "film.js")]
    assert all(one.parts[0] == other.parts[0] for one, other in pairwise(addresses))
    manager = app._bidi_component_manager
    assert manager is not None
    assert manager.get_component_path(addresses[0].parts[0]) == str(FOLDER), "where relative imports are looked for"
