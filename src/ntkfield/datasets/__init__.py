"""Data sets: what the studies learn from."""
