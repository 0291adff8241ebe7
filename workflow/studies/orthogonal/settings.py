"""What the orthogonal study's block of the config may hold."""

from pydantic import Field, model_validator
from settings import Name, Positive, Section, Study, increasing, listed, named, real, refuse, whole
from shared_settings import (
    ACTIVATION,
    INPUTS,
    SMOOTH_ACTIVATION,
    WEIGHT_VARIANCE,
    Activation,
    Inputs,
    Rates,
    SmoothActivation,
    Step,
)


class Case(Rates):
    """A network and its one input."""

    activation: Activation = ACTIVATION
    weight_variance: Positive = WEIGHT_VARIANCE
    square: Positive = Field(description="mean square of the input")


class Smooth(Rates):
    """A network without a kink."""

    activation: SmoothActivation = SMOOTH_ACTIVATION
    weight_variance: Positive = WEIGHT_VARIANCE


class Ensemble(Section):
    """Networks that are trained from both kinds of weights, and asked at other inputs."""

    network: Smooth
    depths: increasing(whole(ge=2), 1) = Field(description="weight layers")
    width: whole(ge=2) = Field(description="n, of every hidden layer")
    members: whole(ge=2) = Field(description="networks of each kind and depth")
    inputs: Inputs = INPUTS
    targets: listed(real()) = Field(description="one for each input")
    queries: listed(listed(real())) = Field(description="rows as long as those of inputs")
    time: Positive = Field(description="of gradient flow, to residuals of a few per cent")
    step: Step
    rtol: Positive = Field(description="asked of the theory's integrals")
    seed: whole(ge=0)

    @model_validator(mode="after")
    def _shapes(self) -> "Ensemble":
        if len(self.targets) != len(self.inputs):
            raise refuse(f"{len(self.inputs)} numbers", "targets")
        if any(len(row) != len(self.inputs[0]) for row in self.queries):
            raise refuse(f"rows of {len(self.inputs[0])} numbers", "queries")
        return self


class Settings(Study):
    """At gelu's mean square the kernel is at its fixed point."""

    cases: named(Case, Name)
    depth: whole(ge=3) = Field(description="weight layers, up to which theory is drawn")
    sampled_depths: increasing(whole(ge=2), 1) = Field(description="weight layers of sampled networks, up to the depth")
    width: whole(ge=2) = Field(description="n, of every hidden layer")
    networks: whole(ge=1024)
    seed: whole(ge=0)
    trained: Ensemble

    @model_validator(mode="after")
    def _within(self) -> "Settings":
        if self.sampled_depths[-1] > self.depth:
            raise refuse(f"numbers up to the depth, {self.depth}", "sampled_depths")
        return self
