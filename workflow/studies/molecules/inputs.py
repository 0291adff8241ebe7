"""Networks and spherical signals from the config's words."""

import math

import xarray as xr

from ntkfield import store
from ntkfield.infinite.molecules import Environments
from ntkfield.networks.group_cnn import GroupCNN
from ntkfield.networks.mlp import MLP
from ntkfield.signals.molecules import dataset_signals
from ntkfield.signals.radial import Shells


def network(settings: dict, signals: dict) -> MLP | GroupCNN:
    """The network that a config's ``networks`` entry describes."""
    arguments = {key: value for key, value in settings.items() if key not in ("group", "sampling")}
    if settings["group"] == "none":
        return MLP(**arguments)
    caps = {key: math.radians(arguments[key]) for key in ("support", "group_support") if key in arguments}
    return GroupCNN(settings["group"], bandlimit=signals["bandlimit"], **arguments | caps)


def shells(signals: dict) -> Shells | None:
    """The shells among a config's ``signals``."""
    return Shells(**signals["shells"]) if "shells" in signals else None


def environments(path: str, signals: dict) -> Environments:
    """The atoms of a stored block of molecules, with their signals."""
    return molecule_environments(store.load(path), signals)


def molecule_environments(molecules: xr.Dataset, signals: dict) -> Environments:
    """The atoms of some molecules, with their signals."""
    numbers, n_atoms = molecules["numbers"].values, molecules["n_atoms"].values
    harmonics = dataset_signals(
        numbers,
        molecules["positions"].values,
        n_atoms,
        bandlimit=signals["bandlimit"],
        powers=signals["powers"],
        shells=shells(signals),
        cutoff_angle=math.radians(signals["cutoff_angle"]),
    )
    return Environments(harmonics, numbers, n_atoms)
