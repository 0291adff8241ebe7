"""Networks and spherical signals from the config's words."""

import math

from ntkfield import store
from ntkfield.infinite.molecules import Environments
from ntkfield.networks.group_cnn import GroupCNN
from ntkfield.networks.mlp import MLP
from ntkfield.signals.molecules import dataset_signals


def network(settings: dict, signals: dict) -> MLP | GroupCNN:
    """The network that a config's ``networks`` entry describes."""
    arguments = {key: value for key, value in settings.items() if key not in ("group", "sampling")}
    if settings["group"] == "none":
        return MLP(**arguments)
    return GroupCNN(settings["group"], bandlimit=signals["bandlimit"], **arguments)


def environments(path: str, signals: dict) -> Environments:
    """The atoms of a stored block of molecules, with their signals."""
    block = store.load(path)
    numbers, n_atoms = block["numbers"].values, block["n_atoms"].values
    harmonics = dataset_signals(
        numbers,
        block["positions"].values,
        n_atoms,
        bandlimit=signals["bandlimit"],
        powers=signals["powers"],
        cutoff_angle=math.radians(signals["cutoff_angle"]),
    )
    return Environments(harmonics, numbers, n_atoms)
