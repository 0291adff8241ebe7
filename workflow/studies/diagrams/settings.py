"""What the diagrams study's block of the config may hold."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field
from settings import Positive, Study, one_of, refuse, unique
from shared_settings import INPUTS, PLAIN, Deep, Inputs

from ntkfield.tensors import KERNELS, NAMES

LETTERS = [name for name in NAMES if name not in KERNELS]
PATTERN = rf"K[1-9]|Theta[1-9]|({'|'.join(LETTERS)}|V6|V8)(\.[1-9])?"


def _recursion(name: str) -> str:
    if not re.fullmatch(PATTERN, name):
        raise refuse(f"one of K1, Theta1, {', '.join(LETTERS)}, K2, Theta2, V6, V8, or with a correction, V.1")
    return name


Recursion = Annotated[str, AfterValidator(_recursion), Field(json_schema_extra={"pattern": f"^({PATTERN})$"})]


class Settings(Study):
    """Inputs are rows of one length."""

    recursions: unique(Recursion)
    activations: unique(one_of(PLAIN))
    network: Deep
    inputs: Inputs = INPUTS
    rtol: Positive
