"""How an inside page looks: as any page, or as it is shown to an audience."""

from __future__ import annotations

import streamlit as st

# An inside page has its picture above the fold: nothing above it that draws nothing. Where the sidebar is folded away,
# the selection stands above the claim.
_INSIDE = """<style>
[data-testid="stMainBlockContainer"] { padding-top: 4rem; }
[data-testid="stElementContainer"]:has(> [data-testid="stHtml"] > script) { position: absolute; }
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

# For an audience: larger type, and nothing on the screen but the page itself.
_PRESENTING = """<style>
html { font-size: clamp(19px, 1.5vw, 30px) !important; }
[data-testid="stSidebar"], [data-testid="stHeader"], [data-testid="stToolbar"],
[data-testid="stExpandSidebarButton"] { display: none !important; }
[data-testid="stMainBlockContainer"] { padding-top: 1rem; }
[data-testid="stLayoutWrapper"]:has(> .st-key-inside-line) { display: flex; }
</style>"""


def present(on: bool) -> None:
    """Lay an inside page out; in presenter mode with larger type and nothing around it, its bar having the keyboard."""
    st.html(_INSIDE + (_PRESENTING if on else ""))
