"""Models: the recurrent stack, and one file for each model built on it."""
