"""Presenter mode on every page: legible from the last row, and nothing that was in sight gets out of it."""

from __future__ import annotations

import pytest
from app_page import VEGA_VIEW, eventually
from playwright.sync_api import Page
from unrolled_page import opened
from visits import Visits, come_to_rest, settle

LEAST = 20.0
"""Pixels of the smallest type at 1920 x 1080."""

PAGES = (
    "",
    "train",
    "train?setup=why-clipping-matters&show=setup",
    "runs?compare=tales-lstm,tales-gru",
    "generate",
    "unrolled",
    "unrolled?look=cell",
    "unrolled?look=shapes",
    "unrolled?folded=1&look=whatif&changes=hidden:0:5:3:0",
)

# All text that is seen, in the page and in the components' shadow roots, as [size in pixels, text].
_TEXTS = """() => {
  const found = [];
  const size = (element, style) => {
    if (!element.ownerSVGElement) return parseFloat(style.fontSize);
    const { a, b } = element.getScreenCTM();
    return parseFloat(style.fontSize) * Math.hypot(a, b);
  };
  const seen = (element, style) => {
    const { width, height } = element.getBoundingClientRect();
    const whole = element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
    return whole && width > 3 && height > 3 && style.clip === "auto";
  };
  const walk = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if (element.shadowRoot) walk(element.shadowRoot);
      const own = [...element.childNodes].filter((node) => node.nodeType === 3);
      const text = own.map((node) => node.textContent).join("");
      if (!text.trim() || ["SCRIPT", "STYLE", "TITLE", "NOSCRIPT", "annotation"].includes(element.tagName)) continue;
      const style = getComputedStyle(element);
      if (seen(element, style)) found.push([size(element, style), text.trim().slice(0, 40)]);
    }
  };
  walk(document.body);
  return found;
}"""

# All text that a chart draws, likewise; null while it is being built.
_LABELS = f"""element => {{
  const view = ({VEGA_VIEW})(element);
  if (!view) return null;
  const found = [];
  const walk = (mark) => {{
    for (const item of mark.items ?? []) {{
      if (mark.marktype === "text" && item.text && item.opacity !== 0) found.push([item.fontSize, String(item.text)]);
      walk(item);
    }}
  }};
  walk(view.scenegraph().root);
  return found;
}}"""


# What hears the keys, once it is there: the button, or the selection bar of a page that looks inside a run.
_HEARS = ".st-key-frame-presenter button[aria-label], section.selection input[aria-valuetext]"


def _present(page: Page) -> None:
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.locator(_HEARS).first.wait_for()
    come_to_rest(page)
    page.keyboard.press("p")
    eventually(page, "presenter mode stands in the address", lambda: "present=1" in page.url)
    page.get_by_test_id("stSidebar").wait_for(state="hidden")
    settle(page)
    come_to_rest(page)


def _labels(page: Page) -> list[tuple[float, str]]:
    charts = page.get_by_test_id("stVegaLiteChart").all()
    return [tuple(label) for chart in charts for label in chart.evaluate(_LABELS) or [(0.0, "not drawn")]]


@pytest.mark.parametrize("path", PAGES)
def test_no_text_and_no_label_is_small(visits: Visits, path: str) -> None:
    page = visits.open(path)
    _present(page)
    small = [text for text in page.evaluate(_TEXTS) if text[0] < LEAST]
    assert small == []
    if path != "generate" and not path.startswith("unrolled"):  # their charts stand in drill-downs
        assert page.get_by_test_id("stVegaLiteChart").count()
    eventually(page, "all labels are large", lambda: all(size >= LEAST for size, _ in _labels(page)), seconds=30)


def test_escape_and_the_button_leave_it(visits: Visits) -> None:
    page = visits.open("runs")
    _present(page)
    page.keyboard.press("Escape")
    page.get_by_test_id("stSidebar").wait_for(state="visible")
    page.get_by_role("button", name="Presenter mode").click()
    page.get_by_test_id("stSidebar").wait_for(state="hidden")
    page.get_by_role("button", name="Leave presenter mode").click()
    page.get_by_test_id("stSidebar").wait_for(state="visible")
    assert "present" not in page.url


def test_what_stood_in_the_middle_stays_there(visits: Visits) -> None:
    page = visits.open("train?run=tales-lstm")
    gradient = page.get_by_test_id("stVegaLiteChart").nth(1)
    gradient.wait_for()
    settle(page)
    page.set_viewport_size({"width": 1920, "height": 1080})
    gradient.evaluate("chart => chart.scrollIntoView({ block: 'center' })")
    _present(page)
    box = gradient.bounding_box()
    assert box
    assert box["y"] < 540 < box["y"] + box["height"]


def test_the_chosen_column_of_the_network_stays_in_sight(visits: Visits) -> None:
    unrolled = opened(visits, "run=tales-lstm&t=25")
    chosen = unrolled.network.sheet.locator(".band.chosen")
    for t in (25, 13, 2):
        unrolled.keys(*["ArrowLeft"] * (unrolled.t - 1 - t))
        eventually(unrolled.page, f"timestep {t} is in the address", lambda: f"t={t}" in unrolled.page.url)  # noqa: B023
        unrolled.page.set_viewport_size({"width": 1280, "height": 800})
        _present(unrolled.page)
        box = chosen.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 1920
        assert box["y"] < 1080 - box["height"] / 3
        unrolled.keys("Escape")
        unrolled.page.get_by_test_id("stSidebar").wait_for(state="visible")
