"""The selection bar on a blank page, of a state of the app that a test chooses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator
from stage import Blank, Stage
from visits import Size

from playground.components import selection_bar
from playground.components.selection_bar import LABELS, NEWEST, Bar, fits
from playground.notation import NOTATIONS

TEXT = "Once upon a time, there was a little girl named Lily.\nShe <b>loved</b> to play."
SIGNS = {" ": "␣", "\n": "⏎"}
KEPT = [0, 1, 2, 5, 10, 20, 50, *range(100, 1400, 100)]
TEMPO = 667
"""Milliseconds for which a step is played at least."""


def loss_at(step: int, nan: bool) -> float | None:
    """Falls fast, then slowly, and is not measured at first; NaN from step 500 on where it is wanted."""
    if nan and step >= 500:
        return float("nan")
    return None if step < 10 else 1.5 + 2.7 / (1 + step / 60)


def bar_of(state: dict[str, Any]) -> Bar:
    """The bar as the state of the app has it."""
    steps = [0, 1, 2, 5, 10, 20, 50, *(100 * n for n in range(1, state["kept"]))][: state["kept"]]
    newest = state["step"] == NEWEST
    ahead = 7 if state["live"] else 0  # the newest weights of a run that trains are not among the kept
    measured = [(step, loss) for step in range(10, steps[-1] + 1, 45) if (loss := loss_at(step, state["nan"]))]
    tokens = ((TEXT.split() if state["words"] else list(TEXT)) * 7)[: state["tokens"]]
    return Bar(
        steps=steps,
        losses=[loss_at(step, state["nan"]) for step in steps],
        measured=measured,
        training=[None if step == 0 else 4.2 - 0.02 * step for step in steps],
        step=steps[-1] + ahead if newest else max(step for step in steps if step <= state["step"]),
        newest=newest,
        live=state["live"],
        t=min(state["t"], len(tokens) - 1),
        names=[SIGNS.get(token, token) for token in tokens],
        first=0 if state["notation"] == "pytorch" else 1,
        layer=min(state["layer"], state["layers"] - 1),
        layers=state["layers"],
        unit=min(state["unit"], state["units"] - 1),
        units=state["units"],
        labels=LABELS[state["notation"]],
        present=state["present"],
        notations=(NOTATIONS, state["notation"]),
        keys=[("A", "animate <b>both</b> passes")],
    )


@dataclass
class BarStage(Stage):
    """The bar on the blank page."""

    @property
    def bar(self) -> Locator:
        return self.page.locator(".selection").first

    @property
    def slider(self) -> Locator:
        return self.bar.get_by_role("slider", name="Training step")

    @property
    def unit_field(self) -> Locator:
        return self.bar.get_by_role("spinbutton")

    @property
    def bubble(self) -> str:
        """The words above the slider."""
        return self.bar.locator(".bubble").inner_text()

    @property
    def legend(self) -> Locator:
        return self.page.get_by_role("dialog", name="Keyboard shortcuts")

    def shown(self, axis: str) -> str:
        """The place that is shown for "t" or "layer"."""
        return self.bar.locator(f".{axis} .number").inner_text()

    def button(self, name: str) -> Locator:
        return self.bar.get_by_role("button", name=name, exact=True)

    def point(self, place: int, of: int = 20) -> None:
        """Move the pointer to the kept step `place` of `of`."""
        box = self.slider.bounding_box()
        assert box is not None
        across = box["x"] + 7 + (box["width"] - 14) * place / (of - 1)
        self.page.mouse.move(across, box["y"] + box["height"] / 2)

    def let_go(self) -> None:
        """The pointer goes up; the browser ends its own drag after that."""
        self.page.mouse.up()
        self.run(1)

    def play(self, steps: int) -> list[int]:
        """Let it play so many steps, each drawn before the next; the steps that were looked at."""
        looked_at = []
        for _ in range(steps):
            looked_at.append(self.answer()["step"])
            self.run(TEMPO)
        return looked_at


Opened = Callable[..., BarStage]


def opener(blank: Blank) -> Opened:
    """Opens a page with the bar on it, of a state of the app that is changed as a test wants it."""

    def open_page(size: Size = "wide", **changed: Any) -> BarStage:
        place = {"step": 400, "t": 4, "layer": 1, "unit": 17, "present": False, "notation": "ng"}
        form = {"kept": 20, "tokens": 23, "layers": 2, "units": 128, "words": False, "live": False, "nan": False}
        bar = BarStage(blank.open(size), selection_bar._BAR, bar_of, fits, place | form | changed)
        bar.show()
        return bar

    return open_page
