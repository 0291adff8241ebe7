"""What the augmentation study's block of the config may hold."""

from pydantic import Field
from settings import Positive, Section, Seed, Study, library, model_validator, one_of, real, refuse, unique, whole
from shared_settings import SMOOTH_ACTIVATION, Ensembles, SmoothActivation, Step, Times, Trained, Weights

SIDE = 8  # pixels along scikit-learn's digits
DIGITS = (178, 182, 177, 183, 181, 182, 181, 179, 174, 180)  # how many there are of 0 to 9


class Network(Weights):
    """A convolutional network on digits of 8 x 8 pixels, whose filters a quarter turn maps to themselves."""

    filter_shape: whole(ge=1, le=SIDE) = Field(description="rows and columns of a filter")
    padding: one_of(library("groups/windows", "PADDINGS")) = Field(description="what a filter sees beyond the edge")

    @model_validator(mode="after")
    def _fits(self) -> "Network":
        side = self.filter_shape
        if self.padding != "VALID" and side % 2 == 0:
            raise refuse(f"an odd number with {self.padding} padding", "filter_shape")
        if self.padding == "VALID" and self.depth * (side - 1) >= SIDE:
            raise refuse(f"no more than leave a pixel of {SIDE} x {SIDE} images", "depth")
        return self


class Images(Section):
    """Which images; of both classes there are enough for training and test."""

    classes: unique(whole(ge=0, le=9), 2, at_most=2)
    train: whole(ge=2) = Field(description="images of both classes, taken in turns")
    test: whole(ge=2) = Field(description="further images of theirs")
    noise: whole(ge=2)
    seed: Seed

    @model_validator(mode="after")
    def _there(self) -> "Images":
        most = 2 * min(DIGITS[label] for label in self.classes)
        if self.train + self.test > most:
            classes = " and ".join(map(str, self.classes))
            accepted = f"no more images than the {most} of classes {classes}, less those of the test"
            raise refuse(accepted, "train")
        return self


class OrbitNetwork(Trained):
    """An equivariant network with a smooth activation; the MLP beside it has one layer more."""

    depth: whole(ge=1) = Field(description="convolutions")
    activation: SmoothActivation = SMOOTH_ACTIVATION


class Signals(Section):
    """Signals on a ring whose shifts are the symmetry; values are independent and normal, targets 1 and -1 in turns."""

    points: whole(ge=2, le=6) = Field(description="of the ring")
    train: whole(ge=1, le=6) = Field(description="signals")
    test: whole(ge=1) = Field(description="training signals with noise, on the data")
    noise: whole(ge=1) = Field(description="independent signals, off the data")
    spread: Positive = Field(description="standard deviation of the noise on signals of the test")
    seed: Seed = Field(description="of the signals")


class Orbit(Ensembles):
    """Equivariance, averages and copies at order 1/n; members are pairs of networks of opposite readout."""

    network: OrbitNetwork
    signals: Signals
    times: Times
    step: Step
    rtol: real(gt=0, lt=1)
    members: whole(ge=4)


class Settings(Ensembles, Study):
    """Members fill whole parts; times begin at 0."""

    network: Network
    images: Images
    times: Times
    step: Step
    members: whole(ge=8)
    orbit: Orbit
