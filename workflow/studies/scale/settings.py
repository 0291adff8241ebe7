"""What the scale study's block of the config may hold."""

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator
from settings import Name, Study, named, real, refuse
from shared_settings import INPUTS, WIDTHS, Inputs, Mlp, Sampled, Widths, check_channels


def _not_zero(value: float) -> float:
    if value == 0:
        raise refuse("a number other than 0")
    return value


class Case(Mlp):
    """A network and the scale of its inputs."""

    input_scale: Annotated[real(), AfterValidator(_not_zero)] = Field(description="other than 0")


def _told_apart(name: str) -> str:
    """A run is found by the case's name, "_width_" and the width."""
    if "_width_" in name:
        raise refuse("a name without _width_")
    return name


class Settings(Sampled, Study):
    """Inputs are rows of one length. Names of cases go without _width_, which stands in names of files."""

    cases: named(Case, Annotated[Name, AfterValidator(_told_apart)])
    inputs: Inputs = INPUTS
    widths: Widths = WIDTHS

    @model_validator(mode="after")
    def _room(self) -> "Settings":
        for case in self.cases.values():
            check_channels(case, self.widths[0], "widths", 0)
        return self
