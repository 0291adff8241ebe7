"""Monte-Carlo over sampled networks."""

from typing import TYPE_CHECKING

from ntkfield.late import offers

if TYPE_CHECKING:  # sampling needs JAX, merging does not
    from ntkfield.sampling.parts import merge
    from ntkfield.sampling.statistics import sample_statistics

__all__ = ["merge", "sample_statistics"]

__getattr__, __dir__ = offers(__name__)
