"""A figure in the house's style."""

import matplotlib.pyplot as plt

from ntkfield.figures.style import house_style, svg

with house_style():
    figure, axes = plt.subplots()
    axes.plot([0, 1])
assert "<svg" in svg(figure)
