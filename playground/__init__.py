"""What the pages are made of: runs, charts, controls, and the one selection they share."""
