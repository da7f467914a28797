"""What the page Runs is made of: the table of all runs, what can be done to them, and the way in and out."""

from playground.catalogue.actions import actions, undo
from playground.catalogue.bringing import bring_in
from playground.catalogue.compare import comparison
from playground.catalogue.explaining import what_you_see
from playground.catalogue.storage import storage
from playground.catalogue.table import table
from playground.catalogue.taking import code, take_away
from playground.catalogue.ticks import ticked

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
