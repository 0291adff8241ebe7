"""Figures from datasets: each module takes a dataset and returns a matplotlib figure."""

from ntkfield.extras import needs

with needs("figures", __name__):
    from ntkfield.figures import style

__all__ = ["style"]
