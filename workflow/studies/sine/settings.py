"""What the sine study's block of the config may hold."""

from math import pi

from settings import Positive, Section, Study, model_validator, real, refuse, unique, whole
from shared_settings import MOST_TRAINING, Ensembles, Step, Times, Trained


class Network(Trained):
    """A fully connected network."""

    depth: whole(ge=2)


class Problem(Section):
    """What networks are trained on and when they are looked at."""

    train_points: unique(real(ge=-pi, le=pi), at_most=MOST_TRAINING)
    grid: whole(ge=8)
    times: Times
    step: Step


class Settings(Ensembles, Study):
    """Members fill whole parts; times begin at 0. Without biases, a training point other than 0 is needed.

    An activation with a kink has no correction in 1/n: networks are then drawn against infinite width alone.
    """

    network: Network
    problem: Problem
    rtol: Positive
    drawn_from: whole(ge=1)
    members: whole(ge=4)

    @model_validator(mode="after")
    def _learns(self) -> "Settings":
        learned = any(self.problem.train_points) or self.network.bias_variance or self.network.bias_rate
        if not learned:
            raise refuse("a point other than 0 for a network without biases", "problem", "train_points")
        return self
