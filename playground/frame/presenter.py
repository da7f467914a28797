"""How a page looks: as any page, or as it is shown to an audience."""

from __future__ import annotations

import streamlit as st

from playground import state
from playground.components.presenter_button import chosen, presenter_button

_KEY = "frame.presenter"

# Streamlit has no option for the margins around a page; pictures need the room more. Its header lies over the page: it
# is empty but for the menu in its corner, and takes no clicks that are meant for what is below it. Where it holds more
# (a host's own buttons), or the button that unfolds the sidebar, the page begins below it. Its "Stop" ends a script:
# it would be taken for a run's. The page as a whole has the focus after a click beside everything: a frame around it
# would cut through the page.
_LAYOUT = """<style>
[data-testid="stMainBlockContainer"] {
  padding: 1.4rem clamp(1rem, 3vw, 2.5rem) 3rem;
}
[data-testid="stHeader"] { background: transparent; }
[data-testid="stHeader"], [data-testid="stHeader"] * { pointer-events: none; }
[data-testid="stHeader"] :is(button, a, [data-testid="stToolbarActions"], [data-testid="stStatusWidget"]),
[data-testid="stHeader"] :is(button, a, [data-testid="stToolbarActions"], [data-testid="stStatusWidget"]) * {
  pointer-events: auto;
}
[data-testid="stHeader"] [data-testid="stStatusWidget"] { background: var(--st-background-color, inherit); }
[data-testid="stHeader"] [data-testid="stStatusWidget"] button { display: none; }
[data-testid="stMain"]:focus-visible { outline: none; box-shadow: none; }
[data-testid="stElementToolbar"] { top: 0 !important; }
[data-testid="stElementContainer"]:has(> [data-testid="stHtml"] > script),
[data-testid="stElementContainer"].st-key-frame-presenter { position: absolute; }
[data-testid="stLayoutWrapper"]:has(> :is(.st-key-problems, .st-key-inside-line):empty) { display: none !important; }
body:has([data-testid="stSidebar"][aria-expanded="false"]) [data-testid="stMainBlockContainer"],
body:has([data-testid="stToolbarActions"] > *) [data-testid="stMainBlockContainer"] { padding-top: 3.6rem; }
@media (max-width: 768px) {
  [data-testid="stMainBlockContainer"] { padding-top: 3.6rem; }
}
</style>"""

# An inside page has its picture above the fold: nothing above it that draws nothing. Where the sidebar is folded away,
# the selection stands above the claim.
_INSIDE = """<style>
[data-testid="stLayoutWrapper"]:has(> .st-key-inside-line) { display: none; margin-bottom: -0.5rem; }
body:has([data-testid="stSidebar"][aria-expanded="false"])
  [data-testid="stLayoutWrapper"]:has(> .st-key-inside-line) { display: flex; }
@media (max-width: 768px) {
  [data-testid="stLayoutWrapper"]:has(> .st-key-inside-line) { display: flex; }
}
@media (min-width: 769px) {
  [data-testid="stLayoutWrapper"]:has(> .st-key-inside-bar) { position: sticky; top: 0.5rem; z-index: 999991; }
}
</style>"""

# For an audience: larger type, and nothing on the screen but the page itself. What is 12 px at a desk is 21.6 px on a
# screen of 1920 pixels: legible from the last row. Charts follow in `playground.charts.presenting`.
_PRESENTING = """<style>
html { font-size: clamp(19px, 1.5vw, 30px) !important; }
[data-testid="stSidebar"], [data-testid="stHeader"], [data-testid="stToolbar"],
[data-testid="stExpandSidebarButton"] { display: none !important; }
[data-testid="stMainBlockContainer"] { padding-top: 1rem !important; }
[data-testid="stLayoutWrapper"]:has(> .st-key-inside-line) { display: flex; }
</style>"""


def lay_out() -> None:
    """Lay a page out as every page is: with no empty band above it."""
    st.html(_LAYOUT)


def present_inside(on: bool) -> None:
    """Lay an inside page out; in presenter mode with larger type and nothing around it, its bar having the keyboard."""
    st.html(_INSIDE + (_PRESENTING if on else ""))


def present() -> None:
    """The button of presenter mode, on a page that has no selection bar; and the page as it is in that mode."""
    on = state.current().present
    presenter_button(on, key=_KEY, on_choose=_chosen)
    st.html(_PRESENTING if on else "<style></style>")


def _chosen() -> None:
    state.select(**chosen(_KEY))
