"""From a selection to runs, corpora, models, traces and texts; every cache of the app process, each with its bound."""
