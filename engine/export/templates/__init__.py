"""The pieces of an exported model.py, as text: one for each cell, and those around it.

`engine.export.template.fill` says how the marks in them are read.
"""
