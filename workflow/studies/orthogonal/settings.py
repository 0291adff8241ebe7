"""What the orthogonal study's block of the config may hold."""

from pydantic import Field, model_validator
from settings import Name, Positive, Study, increasing, named, refuse, whole
from shared_settings import ACTIVATION, WEIGHT_VARIANCE, Activation, Rates


class Case(Rates):
    """A network and its one input."""

    activation: Activation = ACTIVATION
    weight_variance: Positive = WEIGHT_VARIANCE
    square: Positive = Field(description="mean square of the input")


class Settings(Study):
    """At gelu's mean square the kernel is at its fixed point."""

    cases: named(Case, Name)
    depth: whole(ge=3) = Field(description="weight layers, up to which theory is drawn")
    sampled_depths: increasing(whole(ge=2), 1) = Field(description="weight layers of sampled networks, up to the depth")
    width: whole(ge=2) = Field(description="n, of every hidden layer")
    networks: whole(ge=1024)
    seed: whole(ge=0)

    @model_validator(mode="after")
    def _within(self) -> "Settings":
        if self.sampled_depths[-1] > self.depth:
            raise refuse(f"numbers up to the depth, {self.depth}", "sampled_depths")
        return self
