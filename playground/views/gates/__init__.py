"""The page "Gates": what every gate of every unit does along a text, and which units track something."""
