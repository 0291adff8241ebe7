"""What several blocks of the config have in common: activations, networks, inputs, ensembles, times."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, WrapValidator
from settings import (
    NonNegative,
    Positive,
    Section,
    Seed,
    increasing,
    library,
    listed,
    model_validator,
    one_of,
    real,
    refuse,
    unique,
    whole,
)

PLAIN = library("activations", "_PLAIN")  # activations without parameters
MOST_TRAINING = library("dynamics/first_order", "MOST_TRAINING")  # inputs, for corrections of order 1/n
FORMS = (
    f"one of {', '.join(PLAIN)}, a mapping {{name: leaky_relu, slope: 0.1}}, "
    "or a mapping {name: polynomial, coefficients: [0, 1, 0.5]}"
)


def leads_to(meaning: str, holds: Any) -> Any:
    """The type of paths that lead to what is meant, if any is given."""

    def check(given: str) -> str:
        if not holds(Path(given)):
            raise refuse(f"the path of {meaning}")
        return given

    return Annotated[str, AfterValidator(check)] | None


def _is_qm9(folder: Path) -> bool:
    """Whether the tables of the package qm9pack lie there."""
    return all((folder / f"qm9_part{part}.csv").is_file() for part in (1, 2, 3))


class Qm9(Section):
    """Where its tables are."""

    path: leads_to("a folder with qm9_part1.csv to qm9_part3.csv, or null", _is_qm9) = None


class Finite(Section):
    """Their theory."""

    rtol: Positive


def _run(name: str) -> str:
    if not re.fullmatch("[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", name) or name == "shared":
        raise refuse("a name of at most 64 letters, digits and -, _ or ., other than shared, for the folder of results")
    return name


Run = Annotated[str, BeforeValidator(lambda given: str(given) if type(given) is int else given), AfterValidator(_run)]


class Shared(Section):
    """What is no study's own."""

    run: Run
    studies: Any  # a list of those there are: settings.model
    gpus: whole(ge=0)
    qm9: Qm9
    finite: Finite


class LeakyRelu(Section):
    """An activation with a slope below zero."""

    name: Literal["leaky_relu"]
    slope: real()


class Polynomial(Section):
    """An activation that is a polynomial other than zero, lowest order first."""

    name: Literal["polynomial"]
    coefficients: listed(real())


def _activation(given: Any, handler: Any) -> Any:
    """One form or another; what fits none is named as a whole."""
    try:
        found = handler(given)
    except ValidationError:
        raise refuse(FORMS) from None
    if isinstance(found, Polynomial) and not any(found.coefficients):
        raise refuse("a polynomial with a coefficient other than 0")
    return found


Activation = Annotated[one_of(PLAIN) | LeakyRelu | Polynomial, WrapValidator(_activation)]


ACTIVATION = Field(description="between weight layers")
SmoothActivation = one_of(name for name in PLAIN if name != "relu")
SMOOTH_ACTIVATION = Field(description="smooth: a kink has no expansion")
WEIGHT_VARIANCE = Field(description="C_W: variance of the weights times their number at one output")
BIAS_VARIANCE = Field(description="C_b")


class Weights(Section):
    """A network's layers."""

    depth: whole(ge=1)
    activation: Activation = ACTIVATION
    weight_variance: Positive = WEIGHT_VARIANCE
    bias_variance: NonNegative = BIAS_VARIANCE


def check_rates(network: Any) -> Any:
    """Refuse rates with which no parameter learns and the NTK is zero; a rate that is not given is the variance."""
    bias = network.bias_variance if network.bias_rate is None else network.bias_rate
    if network.weight_rate == 0 and bias == 0:
        raise refuse("a number above 0 where biases do not learn either", "weight_rate")
    return network


class Trained(Weights):
    """A network whose weights and biases learn at rates of their own."""

    weight_rate: NonNegative | None = Field(None, description="relative learning rate; without it, weight_variance")
    bias_rate: NonNegative | None = Field(None, description="relative learning rate; without it, bias_variance")

    rates = model_validator(mode="after")(check_rates)


class Smooth(Trained):
    """A fully connected network with a smooth activation."""

    depth: whole(ge=2) = Field(description="weight layers")
    activation: SmoothActivation = SMOOTH_ACTIVATION


class Disk(Section):
    """Functions of the plane, on a disk that training and test points fill evenly."""

    targets: unique(one_of(library("datasets/plane", "TARGETS")))
    radius: Positive
    train: whole(ge=2, le=MOST_TRAINING)
    test: whole(ge=2)


class Rates(Section):
    """A network at finite width, whose rates are written out."""

    bias_variance: NonNegative = BIAS_VARIANCE
    weight_rate: NonNegative = Field(description="relative learning rate")
    bias_rate: NonNegative = Field(description="relative learning rate")

    rates = model_validator(mode="after")(check_rates)


class Deep(Rates):
    """A network at finite width with weight layers."""

    depth: whole(ge=2) = Field(description="weight layers")
    weight_variance: Positive = WEIGHT_VARIANCE


Ensemble = one_of(library("networks/mlp", "ENSEMBLES")) | None
ENSEMBLE = Field(None, description="of the weights behind the first layer, gaussian if not given")


def check_channels(network: Rates, width: int, *place: str | int) -> None:
    """Refuse a width with no room for the rows of an orthogonal readout that sampling looks at."""
    if getattr(network, "weights", None) == "orthogonal" and width < 2:
        raise refuse("2 or above, as there are outputs of orthogonal rows", *place)


class Mlp(Deep):
    """A fully connected network at finite width."""

    activation: Activation = ACTIVATION
    weights: Ensemble = ENSEMBLE


def _rows(inputs: list[list[float]]) -> list[list[float]]:
    if len(set(map(len, inputs))) > 1:
        raise refuse("rows of one length")
    return inputs


Inputs = Annotated[listed(listed(real()), 2), AfterValidator(_rows)]
INPUTS = Field(description="rows of one length, an input each")
Widths = increasing(whole(ge=1), 2)
WIDTHS = Field(description="n, of every hidden layer")


class Sampled(Section):
    """Networks that are drawn and not trained, in jobs of so many."""

    networks: whole(ge=1024)
    networks_per_job: whole(ge=1024)
    seed: Seed = Field(description="of the networks")


def _from_zero(times: list[float]) -> list[float]:
    if times[0] != 0:
        raise refuse("times from 0 on")
    return times


Times = Annotated[increasing(NonNegative, 2), AfterValidator(_from_zero)]
Step = real(gt=0, lt=2)


class Ensembles(Section):
    """Networks that are trained, in jobs of so many members."""

    widths: Widths
    members: whole(ge=2)
    part_size: whole(ge=2)
    seed: Seed = Field(description="of the initialisations")

    @model_validator(mode="after")
    def _whole_parts(self) -> "Ensembles":
        if self.members % self.part_size:
            raise refuse(f"a multiple of part_size, {self.part_size}", "members")
        return self
