"""The drill-downs below the picture."""

from __future__ import annotations

from playground import state
from playground.components import arithmetic as arithmetic_component
from playground.components import cell_flow as cell_component
from playground.components.shapes import shape_gallery
from playground.inside.view import View
from playground.parts.drill_downs import DrillDown
from playground.views.unrolled import activations, weight_gradient, whatif
from playground.views.unrolled.arithmetic import arithmetic
from playground.views.unrolled.cell_flow import cell_flow
from playground.views.unrolled.shapes import shapes


def _arithmetic(view: View) -> None:
    key, data = "unrolled.arithmetic", arithmetic(view)
    arithmetic_component.arithmetic_panel(
        data, key=key, on_choose=lambda: select(**arithmetic_component.chosen(key, data))
    )


def _cell(view: View) -> None:
    key, flow = "unrolled.cell", cell_flow(view)
    cell_component.cell_flow_panel(flow, key=key, on_choose=lambda: select(**cell_component.chosen(key, flow)))


def _shapes(view: View) -> None:
    shape_gallery(shapes(view), key="unrolled.shapes")


def select(**place: int) -> None:
    """Look at a place that was chosen in a picture; at the same where none was."""
    if place:
        state.select(**place)


DRILL_DOWNS: tuple[DrillDown[View], ...] = (
    DrillDown("arithmetic", "Arithmetic", _arithmetic),
    DrillDown("cell", "Inside the cell", _cell),
    DrillDown("activations", "Activations", activations.panel, charts=activations.charts),
    DrillDown("shares", "Weight gradient", weight_gradient.panel, charts=weight_gradient.charts),
    DrillDown("whatif", "What if", whatif.panel, charts=whatif.charts),
    DrillDown("shapes", "Task shapes", _shapes),
)
