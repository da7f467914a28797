"""Every page of the app, listed once: what the navigation, Home's cards and the links from a run to its pages read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st
from streamlit.navigation.page import StreamlitPage

HOME = "home"


@dataclass(frozen=True)
class Page:
    """A page: `name` is that of its file in pages/ and of its address."""

    name: str
    title: str
    icon: str
    group: str
    """the heading of the navigation under which it stands; empty for none"""
    about: str = ""
    """what one does there, for its card on Home"""
    of_a_run: bool = False
    """whether it shows the chosen run, so that a run can be opened there"""
    inside: bool = False
    """whether it looks inside a run: its selection bar has the keyboard and turns presenter mode on"""

    @property
    def path(self) -> str:
        """Its file, from the entry script."""
        return f"../pages/{self.name}.py"


PAGES = (
    Page(HOME, "Home", ":material/home:", ""),
    Page(
        "train",
        "Train",
        ":material/show_chart:",
        "Train and runs",
        "Train a model on your own text or a built-in one and watch its loss, gradients and samples. Pause it, change "
        "hyperparameters, compare up to four runs.",
        of_a_run=True,
    ),
    Page(
        "runs",
        "Runs",
        ":material/table_rows:",
        "Train and runs",
        "All runs in one table: which is best and how they differ. Export a run as a file or as code, or import one.",
    ),
    Page(
        "unrolled",
        "Unrolled",
        ":material/account_tree:",
        "Look inside",
        "The network unrolled over a text: hidden states forward, backpropagation through time backward, with every "
        "number. The chart: how far the gradient of one loss reaches back in an untrained LSTM and RNN.",
        of_a_run=True,
        inside=True,
    ),
    Page(
        "gates",
        "Gates",
        ":material/grid_on:",
        "Look inside",
        "Every gate and state of every unit along a text, and the units that track something a reader can name, such "
        "as being inside a quotation: find them, switch them off, see what breaks.",
        of_a_run=True,
        inside=True,
    ),
    Page(
        "generate",
        "Generate",
        ":material/edit_note:",
        "Generate and evaluate",
        "Sample text from a trained model, token by token: the probability of each choice, its alternatives, and what "
        "was memorised. The chart: validation perplexity during training.",
        of_a_run=True,
    ),
)
"""In the order of the navigation, those of a group one after the other."""

_BY_NAME = {page.name: page for page in PAGES}


def groups() -> dict[str, list[StreamlitPage]]:
    """The pages as `st.navigation` takes them."""
    found: dict[str, list[StreamlitPage]] = {}
    for page in PAGES:
        home = page.name == HOME
        entry = st.Page(page.path, title=page.title, icon=page.icon, default=home, url_path=None if home else page.name)
        found.setdefault(page.group, []).append(entry)
    return found


def inside(page: StreamlitPage) -> bool:
    """Whether a page looks inside a run; see `Page.inside`."""
    return _BY_NAME[page.url_path or HOME].inside


def link(name: str, label: str = "") -> None:
    """A link to a page, by its name; `label` replaces its title.

    Raises:
        KeyError: there is no such page
    """
    page = _BY_NAME[name]
    st.page_link(page.path, label=label or page.title, icon=page.icon)


def go_to(name: str, link: Mapping[str, str] | None = None) -> None:
    """Leave this page for another, by its name.

    Args:
        name: of the page
        link: what will stand in its address, where that is known: the way there is one place in the browser's history
            then, else two, of which the first has a bare address

    Raises:
        KeyError: there is no such page
    """
    st.switch_page(_BY_NAME[name].path, query_params=dict(link) if link else None)
