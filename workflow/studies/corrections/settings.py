"""What the corrections study's block of the config may hold."""

from settings import Study
from shared_settings import INPUTS, WIDTHS, Inputs, Mlp, Sampled, Widths


class Settings(Sampled, Study):
    """Inputs are rows of one length."""

    network: Mlp
    inputs: Inputs = INPUTS
    widths: Widths = WIDTHS
