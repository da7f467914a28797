"""Jobs: analyses that take longer than a page may wait. The trainer computes them, the store keeps what they find.

A kind of analysis is one file in the folder `kinds`; `registry` says how it is written.
"""
