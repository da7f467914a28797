"""What the page Runs is made of: the table of runs, what can be done to them, export and import."""

from playground.views.runs.actions import actions, undo
from playground.views.runs.compare import comparison
from playground.views.runs.explanation import what_you_see
from playground.views.runs.exporting import code, export_panel
from playground.views.runs.importing import import_panel
from playground.views.runs.storage import storage
from playground.views.runs.table import table
from playground.views.runs.ticks import ticked

__all__ = [
    "actions",
    "code",
    "comparison",
    "export_panel",
    "import_panel",
    "storage",
    "table",
    "ticked",
    "undo",
    "what_you_see",
]
