"""Training: the loop, its events, schedules and checkpoints."""
