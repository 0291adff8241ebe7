"""Monte-Carlo over sampled networks."""

from ntkfield.sampling.statistics import merge, sample_statistics

__all__ = ["merge", "sample_statistics"]
