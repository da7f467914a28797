"""Unrolled: the network over a text, forward and backward in time, with the numbers behind every box."""

from playground import inside
from playground.views.unrolled import page, settings

settings.from_link()
inside.frame(page.PARTS)
