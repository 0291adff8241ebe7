"""What the learning study's block of the config may hold."""

from pydantic import Field
from settings import Positive, Section, Study, library, named, one_of, real, unique, whole
from shared_settings import PLAIN, Ensembles, Step, Times, Trained


class Network(Trained):
    """A fully connected network with a smooth activation."""

    depth: whole(ge=2) = Field(description="weight layers")
    activation: one_of(name for name in PLAIN if name != "relu") = Field(description="smooth: a kink has no expansion")


class Problem(Section):
    """Functions of the plane, on a disk that training and test points fill evenly."""

    targets: unique(one_of(library("datasets/plane", "TARGETS")))
    radius: Positive
    train: whole(ge=2, le=48)
    test: whole(ge=2)
    times: Times
    step: Step


class Settings(Ensembles, Study):
    """Members are pairs of networks of opposite readout; they fill whole parts."""

    networks: named(Network) = Field(description="that are trained, by name")
    problem: Problem
    members: whole(ge=4)
    rtol: real(gt=0, lt=1)
