"""Figures from datasets: each module takes a dataset and returns a matplotlib figure."""
