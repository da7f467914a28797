"""Milliseconds to draw six heatmaps of 100 timesteps by 256 units anew, and to move the crosshair over them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import Any

import chromium
import torch
from playwright.sync_api import sync_playwright
from stage import Blank, Stage, files
from watching import say, share

from playground.components import heatmap
from playground.components.heatmap import Axis, Heatmaps, Panel, fits
from playground.components.packing import plain

# Data as it arrives, to the end of the frame in which it is drawn; the crosshair likewise.
_REPAINT = """([data, repeats]) => {
  const part = window.stage.parts.get("part");
  const times = [];
  for (let at = 0; at < repeats; at++) {
    const started = performance.now();
    part.module.default({ data: data[at % data.length], key: "part", parentElement: part.root, setStateValue() {} });
    part.root.querySelector(".panels").getBoundingClientRect();
    times.push(performance.now() - started);
  }
  return times;
}"""
_HOVER = """(repeats) => {
  const field = window.stage.parts.get("part").root.querySelector(".panels");
  const grid = field.querySelector(".grid");
  const box = grid.getBoundingClientRect();
  const times = [];
  for (let at = 0; at < repeats; at++) {
    const part = (at + 0.5) / repeats;
    const [clientX, clientY] = [box.left + part * box.width, box.top + part * box.height];
    const started = performance.now();
    grid.dispatchEvent(new PointerEvent("pointermove", { clientX, clientY, bubbles: true, pointerType: "mouse" }));
    field.getBoundingClientRect();
    times.push(performance.now() - started);
  }
  return times;
}"""


def heatmaps_of(panels: int, units: int, length: int) -> Callable[[dict[str, Any]], Heatmaps]:
    """Panels of made-up values, others for each step."""

    def draw(state: dict[str, Any]) -> Heatmaps:
        values = torch.randn(panels, units, length, generator=torch.Generator().manual_seed(state["step"]))
        return Heatmaps(
            [Panel(f"panel {place}", one, gate=False) for place, one in enumerate(values)],
            Axis("timestep", length, "t", chosen=0, texts="a" * length),
            Axis("unit", units, "unit", chosen=0),
            about="Units by timesteps.",
            file="made-up",
        )

    return draw


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=60)
    parser.add_argument("--panels", type=int, default=6)
    parser.add_argument("--units", type=int, default=256)
    parser.add_argument("--length", type=int, default=100)
    asked = parser.parse_args()
    draw = heatmaps_of(asked.panels, asked.units, asked.length)
    with sync_playwright() as driver, files() as address:
        browser = driver.chromium.launch(executable_path=chromium.find(driver), args=list(chromium.FLAGS))
        blank = Blank(browser.new_context(), address)
        page = blank.open()
        page.clock.resume()
        stage = Stage(page, heatmap._HEATMAPS, draw, fits, {"step": 0}, lambda _: {"choosable": True})
        stage.show()
        data = [{**plain(draw({"step": step})), "choosable": True, "acknowledged": 0} for step in (1, 2)]
        sent = json.loads(json.dumps(data, allow_nan=False))
        repaints = page.evaluate(_REPAINT, [sent, asked.repeats])
        hovers = page.evaluate(_HOVER, asked.repeats)
        blank.leave()
        browser.close()
    say(
        "heatmaps",
        panels=asked.panels,
        units=asked.units,
        timesteps=asked.length,
        kilobytes_sent=round(len(json.dumps(data[0])) / 1024),
        repaint_median_ms=round(share(repaints, 0.5), 1),
        repaint_p95_ms=round(share(repaints, 0.95), 1),
        crosshair_median_ms=round(share(hovers, 0.5), 2),
        crosshair_p95_ms=round(share(hovers, 0.95), 2),
        budget_repaint_ms=20,
    )


if __name__ == "__main__":
    main()
