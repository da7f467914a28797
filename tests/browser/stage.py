"""A component alone on a blank page: its modules, markup and style as they are, with the app's part played by a test.

No server runs and time stands still: what a test waits for is there at once, however busy the machine is.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import streamlit
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page
from visits import SIZES, Size, stop_the_clock

from playground.components.choice import Fits, fitting
from playground.components.component import FOLDER, Component
from playground.components.packing import plain

FONTS = Path(streamlit.__file__).parent / "static/static/media"
"""Streamlit's own, by whose widths the components are laid out."""

# What Streamlit's theme gives, and around the component what could be in its way. The app's state is where Streamlit
# has it.
BLANK = """<!doctype html><html lang="en"><meta charset="utf-8"><link rel="icon" href="data:,"><style>
@font-face { font-family: "Source Sans"; font-weight: 100 900; src: url(/fonts/SourceSansVF-Upright); }
@font-face { font-family: "Source Code"; font-weight: 100 900; src: url(/fonts/SourceCodeVF-Upright); }
@font-face { font-family: KaTeX_Main; src: url(/fonts/KaTeX_Main-Regular); }
@font-face { font-family: KaTeX_Main; font-style: italic; src: url(/fonts/KaTeX_Main-Italic); }
:root { --st-font: "Source Sans", sans-serif; --st-code-font: "Source Code", monospace;
  --st-text-color: #1d2530; --st-background-color: #ffffff;
  --st-secondary-background-color: #f3f5f8; --st-primary-color: #4453a6; --st-border-color: #d5dae2;
  --st-base-radius: 4px; --st-button-radius: 4px; }
body { margin: 0; font-family: var(--st-font); color: var(--st-text-color); }
main, footer { display: block; padding: 16px; } footer { height: 150vh; }
</style><body data-testid="stApp" data-test-script-state="notRunning"><main></main>
<footer><button>A button</button><input aria-label="A field"><textarea aria-label="A text"></textarea>
<select aria-label="A list"><option>one</option></select><p id="page" contenteditable="true"></p></footer></body></html>
"""

# As Streamlit mounts a component: markup and style in a shadow root, then its module with each new data.
_SHOW = """async ([key, entry, html, css, data, gone]) => {
  const { parts, sent } = (window.stage ??= { parts: new Map(), sent: [] });
  if (!parts.has(key)) {
    const host = document.querySelector("main").appendChild(document.createElement("div"));
    const root = host.attachShadow({ mode: "open" });
    const style = Object.assign(document.createElement("style"), { textContent: css });
    root.append(document.createRange().createContextualFragment(html), style);
    parts.set(key, { root, module: await import(entry) });
  }
  const part = parts.get(key);
  if (gone) part.root.host.remove();
  const setStateValue = (name, value) => sent.push({ key, name, value });
  part.stop = part.module.default({ data, key, parentElement: part.root, setStateValue });
}"""
_TAKE_AWAY = """(key) => {
  const { parts } = window.stage;
  parts.get(key).root.host.remove();
  parts.get(key).stop?.();
  parts.delete(key);
}"""

MOMENT = 150
"""Milliseconds after which what was chosen has been sent, if nothing is waited for."""


class _Files(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/":
            self._send("text/html", BLANK.encode())
        elif self.path.startswith("/fonts/"):
            (font,) = FONTS.glob(f"{self.path.removeprefix('/fonts/')}.*woff2")
            self._send("font/woff2", font.read_bytes())
        else:
            super().do_GET()

    def _send(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(body)

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "max-age=3600")
        super().end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing is to be said of a file that was read."""


@contextmanager
def files() -> Iterator[str]:
    """Serves the folder of the components and the blank page; the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(FOLDER)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Stage:
    """A component on the blank page.

    Attributes:
        component: which
        draw: what it is to draw of a state of the app
        fits: what can be chosen then, as the app checks it
        state: what the app has
        more: what the component gets besides what is drawn
        messages: all that was sent and taken so far
    """

    page: Page
    component: Component
    draw: Callable[[dict[str, Any]], Any]
    fits: Callable[[Any], Fits]
    state: dict[str, Any]
    more: Callable[[dict[str, Any]], dict[str, Any]] = lambda state: {}
    messages: list[dict[str, Any]] = field(default_factory=list)
    acknowledged: int = 0

    def show(self, key: str = "part", *, gone: bool = False, **state: Any) -> None:
        """Draw the state, changed so, as the app sends it; `gone`: the component is not there any more."""
        self.state.update(state)
        data = plain(self.draw(self.state)) | self.more(self.state) | {"acknowledged": self.acknowledged}
        entry = f"/{self.component.folder}/{self.component.module}.js"
        sent = json.loads(json.dumps(data, allow_nan=False))
        self.page.evaluate(_SHOW, [key, entry, self.component.html, self.component.css, sent, gone])

    def take_away(self, key: str = "part") -> None:
        """The component goes."""
        self.page.evaluate(_TAKE_AWAY, key)
        self.acknowledged = 0  # Streamlit forgets the state of what is not there

    def overtake(self, key: str = "part") -> None:
        """Streamlit gives up the last call of the module: newer data came before it was through."""
        self.page.evaluate("(key) => window.stage.parts.get(key).stop?.()", key)

    def hear(self) -> dict[str, Any] | None:
        """Take what was sent, as the app does: the last message alone. It is not answered yet."""
        self.run(MOMENT)
        sent = [item["value"] for item in self.page.evaluate("window.stage.sent.splice(0)")]
        self.messages += sent
        if not sent:
            return None
        self.acknowledged = sent[-1]["count"]
        self.state.update(fitting(sent[-1], self.fits(self.draw(self.state))))
        return sent[-1]

    def answer(self) -> dict[str, Any]:
        """Take what was sent and draw what the app has then; it is given back."""
        while self.hear():
            self.show()
        return self.state

    def comes_to(self, **values: Any) -> dict[str, Any]:
        """The app has these values once it has answered; all that it has."""
        state = self.answer()
        assert values.items() <= state.items(), f"{values} in {state}"
        return state

    def works(self, on: bool) -> None:
        """The app is drawing, as Streamlit says it on its page, or is done."""
        state = "running" if on else "notRunning"
        self.page.evaluate("state => (document.body.dataset.testScriptState = state)", state)

    def run(self, milliseconds: int) -> None:
        """Time goes on."""
        self.page.clock.run_for(milliseconds)

    def press(self, *keys: str) -> None:
        """Press these keys, wherever the focus is."""
        for key in keys:
            self.page.keyboard.press(key)

    def tell(self, channel: str, **detail: Any) -> None:
        """Say something on the page, as another component does."""
        say = "([name, detail]) => window.dispatchEvent(new CustomEvent(`unrolled:${name}`, { detail }))"
        self.page.evaluate(say, [channel, detail])

    def listen(self, channel: str) -> Callable[[], list[Any]]:
        """What the component says on the page from now on."""
        note = """(name) => {
          const said = ((window.said ??= {})[name] = []);
          window.addEventListener(`unrolled:${name}`, ({ detail }) => said.push(detail));
        }"""
        self.page.evaluate(note, channel)
        return lambda: self.page.evaluate("name => window.said[name]", channel)

    def watch(self, element: Locator, attribute: str = "") -> Callable[[], list[str]]:
        """All that stands in an element, or in its attribute, from now on."""
        name = f"{element}{attribute}"
        note = """(element, [name, attribute]) => {
          const read = () => (attribute ? element.getAttribute(attribute) : element.textContent);
          const seen = ((window.seen ??= {})[name] = [read()]);
          new MutationObserver(() => read() !== seen.at(-1) && seen.push(read()))
            .observe(element, { childList: true, characterData: true, subtree: true, attributes: true });
        }"""
        element.evaluate(note, [name, attribute])
        return lambda: self.page.evaluate("name => window.seen[name]", name)


@dataclass
class Blank:
    """Opens the blank page, and remembers what goes wrong on it. A tab that a test has left serves the next one."""

    context: BrowserContext
    address: str
    wrong: list[str] = field(default_factory=list)
    opened: list[Page] = field(default_factory=list)
    left: list[Page] = field(default_factory=list)

    def open(self, size: Size = "wide") -> Page:
        """The page, with its clock stopped."""
        page = self.left.pop() if self.left else self._tab()
        self.opened.append(page)
        page.bring_to_front()  # behind another tab it would be drawn once a second
        width, height = SIZES[size]
        page.set_viewport_size({"width": width, "height": height})
        page.mouse.move(0, 0)
        page.goto(self.address)
        page.evaluate("() => Promise.all([...document.fonts].map((font) => font.load()))")
        stop_the_clock(page)
        return page

    def leave(self) -> None:
        """Leave all pages; nothing may have gone wrong on them."""
        wrong = "\n".join(self.wrong)
        for page in self.opened:
            if wrong:
                page.close()
            else:
                page.goto("about:blank")
                self.left.append(page)
        self.opened.clear()
        self.wrong.clear()
        assert not wrong, wrong

    def _tab(self) -> Page:
        page = self.context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: self.wrong.append(f"page error: {error}"))
        page.on("console", self._on_console)
        return page

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.wrong.append(f"console {message.type}: {message.text[:300]}")
