"""What the page Runs is made of: the table of all runs, what can be done to them, and the way in and out."""

from playground.views.runs.actions import actions, undo
from playground.views.runs.bringing import bring_in
from playground.views.runs.compare import comparison
from playground.views.runs.explaining import what_you_see
from playground.views.runs.storage import storage
from playground.views.runs.table import table
from playground.views.runs.taking import code, take_away
from playground.views.runs.ticks import ticked

__all__ = [
    "actions",
    "bring_in",
    "code",
    "comparison",
    "storage",
    "table",
    "take_away",
    "ticked",
    "undo",
    "what_you_see",
]
