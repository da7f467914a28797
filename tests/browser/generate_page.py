"""The page "Generate" as a visitor works with it: every name and locator that the tests of it rest on."""

from __future__ import annotations

from dataclasses import dataclass

from app_page import AppPage, LiveChart, eventually
from playwright.sync_api import Locator

MAGENTA = (194, 48, 154)


@dataclass(frozen=True)
class TokenStrip:
    """A text, token by token."""

    box: Locator

    @property
    def tokens(self) -> Locator:
        """Its tokens, in order."""
        return self.box.locator(".token")

    @property
    def text(self) -> str:
        """The text that was written, without its prompt and without the signs for spaces and line ends."""
        return "".join(self.box.locator(".token").evaluate_all("spans => spans.map(span => span.textContent)"))

    @property
    def prompt(self) -> str:
        """The prompt before it."""
        return self.box.locator(".prompt").first.text_content() or ""

    @property
    def writing(self) -> bool:
        """Whether the strip shows that more is to come."""
        return self.box.locator(".tokens.writing").count() > 0

    def marked(self, name: str) -> list[int]:
        """The places of the tokens that are marked so: "forced", "copied", "chosen"."""
        return [int(place) for place in self.box.locator(f".token.{name}").evaluate_all(_PLACES)]

    def shades(self) -> list[float]:
        """How strongly each token is coloured, from 0 to 1."""
        return self.tokens.evaluate_all("spans => spans.map(span => Number(span.style.getPropertyValue('--s')))")

    def choose(self, place: int) -> None:
        """Click on a token."""
        self.tokens.nth(place).click()


_PLACES = "spans => spans.map(span => span.dataset.place)"


@dataclass(frozen=True)
class GeneratePage(AppPage):
    """The page "Generate", open in a tab."""

    @property
    def strips(self) -> list[TokenStrip]:
        """The strips of all that write now."""
        boxes = self.main.locator(".st-key-generate-texts [data-testid^=stBidiComponent]").filter(
            has=self.page.locator(".tokens.tall")
        )
        return [TokenStrip(boxes.nth(place)) for place in range(boxes.count())]

    @property
    def strip(self) -> TokenStrip:
        """The chosen model's text."""
        return self.strips[0]

    @property
    def next_token(self) -> LiveChart:
        """The chart of what could come next."""
        return LiveChart(self.main.locator(".st-key-generate-place").get_by_test_id("stVegaLiteChart").first)

    def look(self) -> Locator:
        """The drill-down that is open."""
        return self.main.locator("[class*=st-key-generate-look]").last

    # ---- what one does

    def number(self, label: str, value: str) -> None:
        """Type a number into a field."""
        field = self.main.get_by_label(label, exact=True).first
        field.fill(value)
        field.press("Enter")

    def prompt(self, text: str) -> None:
        """Type a prompt."""
        field = self.main.get_by_role("textbox", name="Prompt")
        field.fill(text)
        field.press("Control+Enter")

    def written(self, strips: int = 1, tokens: int = 1) -> None:
        """Wait until every text is done, and has at least so many tokens."""

        def done() -> bool:
            found = self.strips
            enough = all(strip.tokens.count() >= tokens and not strip.writing for strip in found)
            return len(found) == strips and enough and self.button("Stop").is_disabled()

        eventually(self.page, f"{strips} texts of {tokens} tokens are written", done)
