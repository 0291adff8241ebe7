# Which ensembles the augmentation study needs, in which parts, and what each has to do. No rules here.
from math import comb

from studies.augmentation.settings import SIDE

ORBIT = AUGMENTATION["orbit"]


def augmentation_trained():
    return [
        f"<results>/augmentation/trained/{group}/{width}/{part}.zarr.zip"
        for group in ("c1", "c4")
        for width in AUGMENTATION["widths"]
        for part in parts(AUGMENTATION)
    ]


def augmentation_train_work(wildcards):
    """Steps of all networks of a part on all images, times the channels and weights of every layer."""
    width, networks = int(wildcards.width), AUGMENTATION["part_size"]
    # c1 sees four copies of an image, c4 has four times the channels in and out; the first layer has one in
    copies, channels = {"c1": (4, width), "c4": (1, 4 * width)}[wildcards.group]
    images, deep = AUGMENTATION["images"], (AUGMENTATION["network"]["depth"] - 1) * channels
    filters = channels * AUGMENTATION["network"]["filter_shape"] ** 2
    steps, shown = max(AUGMENTATION["times"]) / AUGMENTATION["step"], images["train"] * copies
    asked = images["test"] + images["noise"]
    cut = AUGMENTATION["network"]["filter_shape"] - 1 if AUGMENTATION["network"]["padding"] == "VALID" else 0
    pixels = (SIDE - cut) ** 2 * channels * (asked + images["train"] + shown)
    return Work(
        f"augmentation_train {wildcards.group} {width}",
        shown * networks * steps * filters * (1 + deep / 6),
        size=networks * len(AUGMENTATION["times"]) * asked,
        held=min(networks, 32) * (filters * (1 + deep) + pixels),  # weights and layers of those trained at once
    )


def augmentation_orbit_trained():
    return [
        f"<results>/augmentation/orbit/trained/{kind}/{width}/{part}.zarr.zip"
        for kind in ("equivariant", "averaged", "copies")
        for width in ORBIT["widths"]
        for part in parts(ORBIT)
    ]


def augmentation_orbit_train_work(wildcards):
    """Steps of all pairs of a part on all copies of the training signals, times the weights."""
    width, kind, order = int(wildcards.width), wildcards.kind, ORBIT["signals"]["points"]
    weights = width * (order + (ORBIT["network"]["depth"] - 1) * width * (order if kind == "equivariant" else 1))
    steps, shown = max(ORBIT["times"]) / ORBIT["step"], order * ORBIT["signals"]["train"]
    networks, asked = 2 * ORBIT["part_size"], ORBIT["signals"]["test"] + ORBIT["signals"]["noise"]
    recorded = networks * len(ORBIT["times"]) * asked * (order if kind == "copies" else 1)
    held = min(networks, 128) * (weights + (shown + order * asked) * width)
    return Work(f"augmentation_orbit_train {kind} {width}", networks * steps * shown * weights, recorded, held)


def augmentation_orbit_theory_work(wildcards):
    """Sets of four positions, with those of one query at most, in each layer of the group network and of the MLP."""
    signals, depth = ORBIT["signals"], ORBIT["network"]["depth"]
    asked, positions = signals["test"] + signals["noise"], signals["points"] * signals["train"]
    sets = comb(positions, 4) + asked * (comb(positions + signals["points"], 4) - comb(positions, 4))
    arrays = (positions + signals["points"]) ** 4
    return Work("augmentation_orbit_theory", sets * depth, len(ORBIT["times"]) * asked, arrays * asked)


WORK["augmentation_train"] = augmentation_train_work
WORK["augmentation_orbit_train"] = augmentation_orbit_train_work
WORK["augmentation_orbit_theory"] = augmentation_orbit_theory_work
