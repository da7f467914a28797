"""The drill-downs below the picture."""

from __future__ import annotations

from playground.inside.view import View
from playground.parts.drill_downs import DrillDown
from playground.views.gates import lines, memory, off, saturation, search, spans, training

DRILL_DOWNS: tuple[DrillDown[View], ...] = (
    DrillDown("search", "Unit search", search.panel),
    DrillDown("off", "Switch off", off.panel),
    DrillDown("spans", "Span search", spans.panel),
    DrillDown("saturation", "Saturation", saturation.panel),
    DrillDown("memory", "Memory", memory.panel),
    DrillDown("training", "Along training", training.panel),
    DrillDown("lines", "Lines", lines.panel, charts=lines.charts),
)
