"""What the page Unrolled is made of: the network drawn over a probe, and the arithmetic of each of its timesteps."""
