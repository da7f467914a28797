"""What the tests of pages read from an AppTest: sentences as a visitor sees them, and the rows of charts."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest


def _as_read(markdown: str) -> str:
    """Markdown as it is read: without the backslashes and word joiners that keep signs from meaning something."""
    return re.sub(r"\\(.)", r"\1", markdown).replace("\u2060", "")


@pytest.fixture
def said() -> Callable[[AppTest], str]:
    """All that a page tells the visitor in boxes: errors and warnings, one a line."""
    return lambda app: "\n".join(_as_read(box.value) for box in (*app.error, *app.warning))


@pytest.fixture
def read() -> Callable[[AppTest], str]:
    """All running text of a page: claims, paragraphs and captions, one a line."""
    return lambda app: "\n".join(
        _as_read(box.value) for box in (*app.main.subheader, *app.main.markdown, *app.main.caption)
    )


@pytest.fixture
def link() -> Callable[[AppTest], dict[str, str]]:
    """What stands in the address of a page, by key."""

    def parts(app: AppTest) -> dict[str, str]:
        given = {key: app.query_params[key] for key in app.query_params}
        return {key: value[-1] if isinstance(value, list) else value for key, value in given.items()}

    return parts


class Chart:
    """A Vega-Lite chart of a page: its specification and the rows it draws."""

    def __init__(self, element: Any) -> None:
        self.key: str = element.key
        self.text: str = element.proto.spec
        self.spec: dict[str, Any] = json.loads(self.text)
        self.rows: pd.DataFrame = pa.ipc.open_stream(io.BytesIO(element.proto.data.data)).read_pandas()

    def channels(self) -> set[tuple[str, str]]:
        """Every (channel, field) that a layer of the chart draws by."""
        found = set()
        for layer in self.spec["layer"]:
            for channel, drawn in layer.get("encoding", {}).items():
                if isinstance(drawn, dict) and "field" in drawn:
                    found.add((channel, drawn["field"]))
        return found


@pytest.fixture
def charts() -> Callable[[AppTest], dict[str, Chart]]:
    """The live charts of a page by what they show: "loss", "gradient", "rate", "speed"."""

    def found(app: AppTest) -> dict[str, Chart]:
        drawn = [Chart(element) for element in app.get("vega_lite_chart")]
        return {chart.key.split(".")[1]: chart for chart in drawn}

    return found
