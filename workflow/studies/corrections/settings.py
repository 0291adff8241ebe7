"""What the corrections study's block of the config may hold."""

from pydantic import model_validator
from settings import Study
from shared_settings import INPUTS, WIDTHS, Inputs, Mlp, Sampled, Widths, check_channels


class Settings(Sampled, Study):
    """Inputs are rows of one length."""

    network: Mlp
    inputs: Inputs = INPUTS
    widths: Widths = WIDTHS

    @model_validator(mode="after")
    def _room(self) -> "Settings":
        check_channels(self.network, self.widths[0], "widths", 0)
        return self
