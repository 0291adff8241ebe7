"""Monte-Carlo over sampled networks."""
