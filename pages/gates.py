"""Gates: what every gate of every unit does along a text, and which units track something that has a name."""

from playground import inside
from playground.views.gates import page
from playground.views.gates.settings import settings

settings.from_link()
inside.frame(page.PARTS)
