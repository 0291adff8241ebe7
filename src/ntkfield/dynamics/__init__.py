"""Training in time."""
