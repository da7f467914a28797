"""Looking inside a run: the frame that all inside views share. Which weights, which probe, which place in it."""
