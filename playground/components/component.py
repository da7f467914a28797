"""How a component reaches the browser: its modules as files, its markup, style and data with the page."""

from __future__ import annotations

import functools
import json
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager
from streamlit.components.v2.manifest_scanner import ComponentConfig, ComponentManifest

from playground import theme
from playground.components.choice import acknowledged

FOLDER = Path(__file__).resolve().parent / "browser"
"""A folder for each component, and `shared` for what several import."""

# Streamlit loads a module named by its path through a new script element with each data, and drops data that others
# follow before that is done: on a busy machine a picture that follows a run stood still for seconds. What is imported
# here is there at once from the second time on. All that the module imports is asked for together: one after the other
# would take a busy app a tenth of a second.
_ENTRY = """const addresses = %s.map((path) => new URL(`_stcore/bidi-components/${path}`, document.baseURI).href);
for (const href of addresses) {
  document.head.append(Object.assign(document.createElement("link"), { rel: "modulepreload", href }));
}
const forget = (error) => {
  loading = null;
  throw error;
};
let loading, mount;
const load = () => (loading ??= import(addresses[0]).then((module) => (mount = module.default), forget));
export default (given) => (mount ? mount(given) : load().then(() => mount(given)));
"""
_IMPORT = re.compile(r'^import .* from "(.+)";$', re.MULTILINE)

_declaring = threading.Lock()


class Component:
    """A component of the folder `browser`, mounted wherever it is called.

    Args:
        entry: path of the module that mounts it, without ".js": "unrolled/picture". Its folder has no other entry
        markup: paths of its markup without ".html", in order; by default beside the entry, and named as it is
        style: of its style sheets without ".css", likewise
    """

    def __init__(self, entry: str, *, markup: Sequence[str] = (), style: Sequence[str] = ()) -> None:
        self.folder, self.module = entry.split("/")
        self.html = "".join(_text(f"{name}.html") for name in markup or (entry,))
        self.css = colors() + "".join(_text(f"{name}.css") for name in style or (entry,))

    def __call__(self, data: Mapping[str, Any], *, key: str, on_choose: Callable[[], None] | None = None) -> None:
        """Show it.

        Args:
            data: what its module gets, as JSON carries it; the number of the last choice that arrived goes with it
            key: of the widget
            on_choose: called when a choice arrives, which `playground.components.choice.chosen` reads
        """
        _declare_folders()
        callbacks = {} if on_choose is None else {"on_chosen_change": on_choose}
        self._mount(data={**data, "acknowledged": acknowledged(key)}, key=key, **callbacks)

    @functools.cached_property
    def _mount(self) -> Callable[..., Any]:
        root = f"{_project()}.{FOLDER.name}"
        addresses = [f"{root}/{path.relative_to(FOLDER).as_posix()}" for path in self.modules()]
        entry = _ENTRY % json.dumps(addresses)
        return st.components.v2.component(f"{root}/{self.folder}", html=self.html, css=self.css, js=entry)

    def modules(self) -> list[Path]:
        """The module that mounts it, and all that it imports."""
        found = [FOLDER / self.folder / f"{self.module}.js"]
        for path in found:  # it grows meanwhile
            imported = [(path.parent / name).resolve() for name in _IMPORT.findall(path.read_text(encoding="utf-8"))]
            found += [other for other in imported if other not in found]
        return found


def colors() -> str:
    """The colour code as variables of a style sheet, for style and modules alike."""
    code = {**theme.CODE, **theme.FAMILIES}
    return ":host {" + "".join(f"--{name}: {color};" for name, color in code.items()) + "}\n"


def _declare_folders() -> None:
    """Tell Streamlit where the files of all components are, unless it knows.

    Only an installed package can do so by a file of its own, and this app need not be installed. Streamlit serves the
    files of a component below the component's name. Names with a slash make these addresses the same as those of one
    component that has the whole folder: so modules find each other by relative paths, and what several import is
    loaded once.
    """
    manager, name = get_bidi_component_manager(), FOLDER.name
    with _declaring:  # a folder that is declared twice would take the component from a page that is just mounting it
        if manager.get_component_asset_root(f"{_project()}.{name}") is None:
            folders = [name, *(f"{name}/{inner.name}" for inner in FOLDER.iterdir() if inner.is_dir())]
            components = [ComponentConfig(folder, folder) for folder in folders]
            manager.register_from_manifest(ComponentManifest(_project(), "", components), FOLDER.parent)


@functools.cache
def _project() -> str:
    """The first part of all addresses: another one for other modules, so that a page never mixes old and new ones."""
    modules = b"".join(path.read_bytes() for path in sorted(FOLDER.rglob("*.js")))
    return f"unrolled-{blake2b(modules, digest_size=6).hexdigest()}"


def _text(path: str) -> str:
    return (FOLDER / path).read_text(encoding="utf-8")
