"""Looking inside a run: the frame that all inside views share. Which weights, which probe, which place in it."""

from playground.inside.page import Parts, frame, select_in
from playground.inside.scene import chosen_view
from playground.inside.view import View

__all__ = ["Parts", "View", "chosen_view", "frame", "select_in"]
