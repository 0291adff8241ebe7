"""What the richness study's block of the config may hold."""

from settings import Positive, Section, Study, increasing, real, refuse, unique, whole
from shared_settings import MOST_TRAINING, Disk, Ensembles, Seed, Smooth, Step, model_validator


class Line(Section):
    """A sine at points of a line: mean outputs and kernels, with trained networks beside them."""

    train_points: unique(real(), at_most=MOST_TRAINING)
    frequency: Positive
    reach: Positive
    grid: whole(ge=2)
    time: Positive
    step: Step


class Plane(Disk):
    """Functions of the plane, on a disk that training and test points fill evenly: test errors."""

    time: Positive


class MeanField(Section):
    """How well the limit is computed."""

    sites: whole(ge=64)
    rtol: real(gt=0, lt=1)
    seed: Seed

    @model_validator(mode="after")
    def _balanced(self) -> "MeanField":
        if self.sites & (self.sites - 1):
            raise refuse("a power of two", "sites")
        return self


class Settings(Ensembles, Study):
    """Members are pairs of networks of opposite readout; they fill whole parts."""

    network: Smooth
    richness: increasing(Positive, 3)
    line: Line
    plane: Plane
    mean_field: MeanField
    members: whole(ge=4)

    @model_validator(mode="after")
    def _learns(self) -> "Settings":
        if not any(self.line.train_points):
            raise refuse("a point other than 0, where the sine vanishes", "line", "train_points")
        return self
