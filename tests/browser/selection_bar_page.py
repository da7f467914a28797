"""The selection bar as a visitor works with it: every name and locator that the tests of it rest on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, Page
from train_page import eventually
from visits import settle

# What stands in an element from now on, change by change, as `window.seen[name]`.
_WATCH = """([name, selector, attribute]) => {
  const find = (root) => root.querySelector(selector) ||
    [...root.querySelectorAll('*')].map((node) => node.shadowRoot && find(node.shadowRoot)).find(Boolean);
  const element = find(document);
  const read = () => attribute ? element.getAttribute(attribute) : element.textContent;
  const seen = ((window.seen ??= {})[name] = [read()]);
  new MutationObserver(() => read() !== seen.at(-1) && seen.push(read()))
    .observe(element, { childList: true, characterData: true, subtree: true, attributes: true });
}"""


# Streamlit sends what was written by a timer of no length. Keys overtake timers: one pressed before it has fired would
# go into the same message. A timer that is set later fires later.
_SENT = """() => new Promise((done) => {
  setTimeout(() => requestAnimationFrame(() => setTimeout(done, 1)), 1);
})"""


@dataclass(frozen=True)
class SelectionBarPage:
    """A page with the selection bar, open in a tab."""

    page: Page

    # ---- what the bar shows

    @property
    def bar(self) -> Locator:
        """The bar."""
        return self.page.locator(".selection").first

    @property
    def slider(self) -> Locator:
        """The slider of the training steps."""
        return self.bar.get_by_role("slider", name="Training step")

    @property
    def unit_field(self) -> Locator:
        """Where a unit can be typed."""
        return self.bar.get_by_role("spinbutton")

    @property
    def bubble(self) -> str:
        """The words above the slider."""
        return self.bar.locator(".bubble").inner_text()

    def shown(self, axis: str) -> str:
        """The place that is shown for "t" or "layer"."""
        return self.bar.locator(f".{axis} .number").inner_text()

    def button(self, name: str) -> Locator:
        """A button of the bar."""
        return self.bar.get_by_role("button", name=name, exact=True)

    # ---- what the app has been told

    @property
    def place(self) -> dict[str, Any]:
        """The place as the app has it, with what it has `heard` and the `words` it was told."""
        return json.loads(self.page.get_by_test_id("stCode").inner_text())

    @property
    def words(self) -> list[dict[str, Any]]:
        """All that the bar has told the app."""
        return self.place["words"]

    def comes_to(self, **values: Any) -> dict[str, Any]:
        """Wait until the app has these values; the place as it has it then."""
        return eventually(self.page, f"the app has {values}", lambda: self._has(values))

    def _has(self, values: dict[str, Any]) -> dict[str, Any] | None:
        place = self.place
        return place if values.items() <= place.items() else None

    def hears(self, **values: Any) -> None:
        """Wait until the app has been told these values, whatever it was told after them."""
        eventually(
            self.page,
            f"the app is told {values}",
            lambda: any(values.items() <= word.items() for word in self.words),
        )

    def shows(self, axis: str, text: str) -> None:
        """Wait until the bar shows this place."""
        eventually(self.page, f"the bar shows {axis} at {text}", lambda: self.shown(axis) == text)

    # ---- what a visitor does

    def press(self, *keys: str) -> None:
        """Press these keys, wherever the focus is."""
        for key in keys:
            self.page.keyboard.press(key)

    def rest(self) -> None:
        """Take the focus from wherever it is, and wait until the app has taken what was written there."""
        self.page.mouse.click(5, 400)
        self.page.evaluate(_SENT)
        settle(self.page)

    def watch(self, name: str, selector: str, attribute: str = "") -> None:
        """Keep all that stands in an element, or in its attribute, from now on."""
        self.page.evaluate(_WATCH, [name, selector, attribute])

    def seen(self, name: str) -> Sequence[str]:
        """What has stood there since."""
        return self.page.evaluate("name => window.seen[name]", name)

    def hold(self, place: int, of: int) -> None:
        """Take the slider's head to the kept step `place` of `of` and hold it there."""
        self.point(place, of)
        self.page.mouse.down()

    def point(self, place: int, of: int) -> None:
        """Move the pointer to the kept step `place` of `of`."""
        box = self.slider.bounding_box()
        assert box is not None
        across = box["x"] + 7 + (box["width"] - 14) * place / (of - 1)
        self.page.mouse.move(across, box["y"] + box["height"] / 2)
