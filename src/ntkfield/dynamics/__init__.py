"""Training in time: what gradient descent makes of a network's kernel."""
