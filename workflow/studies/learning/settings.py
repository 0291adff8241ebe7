"""What the learning study's block of the config may hold."""

from pydantic import Field
from settings import Study, named, real, whole
from shared_settings import Disk, Ensembles, Smooth, Step, Times


class Problem(Disk):
    """Functions of the plane, on a disk that training and test points fill evenly."""

    times: Times
    step: Step


class Settings(Ensembles, Study):
    """Members are pairs of networks of opposite readout; they fill whole parts."""

    networks: named(Smooth) = Field(description="that are trained, by name")
    problem: Problem
    members: whole(ge=4)
    rtol: real(gt=0, lt=1)
