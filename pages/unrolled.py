"""Unrolled: the network over a text, forward and backward in time, with the numbers behind every box."""

from playground import inside
from playground.views.unrolled import explain, page
from playground.views.unrolled.settings import settings

settings.from_link()
explain.begin_lesson()
inside.frame(page.PARTS)
