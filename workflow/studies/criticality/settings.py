"""What the criticality study's block of the config may hold."""

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator
from settings import Positive, Study, increasing, refuse, unique, whole
from shared_settings import ACTIVATION, ENSEMBLE, Activation, Ensemble, Inputs, Rates, Sampled, check_channels


class Network(Rates):
    """A fully connected network, whose depth and weight variance are those of the study."""

    activation: Activation = ACTIVATION
    weights: Ensemble = ENSEMBLE


def _told_apart(variances: list[float]) -> list[float]:
    """In names of files they stand with six digits."""
    if len({f"{variance:g}" for variance in variances}) < len(variances):
        raise refuse("numbers that differ within six digits")
    return variances


class Settings(Sampled, Study):
    """Inputs are rows of one length."""

    network: Network
    weight_variances: Annotated[unique(Positive), AfterValidator(_told_apart)] = Field(
        description="C_W, told apart by six digits"
    )
    inputs: Inputs
    inputs_four_point: Inputs
    width: whole(ge=1) = Field(description="n, of every hidden layer")
    depths: increasing(whole(ge=2), 2) = Field(description="weight layers; theory is drawn up to the last")

    @model_validator(mode="after")
    def _room(self) -> "Settings":
        check_channels(self.network, self.width, "width")
        return self
