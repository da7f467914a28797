"""One file for each kind of analysis. It registers itself: see `playground.runs.jobs.registry`."""
