"""Decoding: how text is drawn from a model, and how likely a model finds a text."""
