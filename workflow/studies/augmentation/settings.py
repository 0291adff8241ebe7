"""What the augmentation study's block of the config may hold."""

from pydantic import Field
from settings import Section, Seed, Study, library, model_validator, one_of, refuse, unique, whole
from shared_settings import Ensembles, Step, Times, Weights

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


class Settings(Ensembles, Study):
    """Members fill whole parts; times begin at 0."""

    network: Network
    images: Images
    times: Times
    step: Step
    members: whole(ge=8)
