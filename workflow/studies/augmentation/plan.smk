# Which ensembles the augmentation study needs, in which parts, and what each has to do. No rules here.
from studies.augmentation.settings import SIDE


def augmentation_members(part):
    """First member of a part, and the one after its last."""
    return [part * AUGMENTATION["part_size"], (part + 1) * AUGMENTATION["part_size"]]


def augmentation_trained():
    return [
        f"<results>/augmentation/trained/{group}/{width}/{part}.zarr.zip"
        for group in ("c1", "c4")
        for width in AUGMENTATION["widths"]
        for part in range(AUGMENTATION["members"] // AUGMENTATION["part_size"])
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


WORK["augmentation_train"] = augmentation_train_work
