# Which ensembles the augmentation study needs, and in which parts. No rules here.


def check_augmentation():
    """Refuse times that do not begin at zero, and filters that C4 does not keep."""
    times, network = AUGMENTATION["times"], AUGMENTATION["network"]
    if times[0] != 0:
        refuse("augmentation.times", times, "times from 0 on")
    if AUGMENTATION["members"] % AUGMENTATION["part_size"]:
        refuse(
            "augmentation.members",
            AUGMENTATION["members"],
            f"a multiple of augmentation.part_size, {AUGMENTATION['part_size']}",
        )
    side = network["filter_shape"]
    if network["padding"] != "VALID" and side % 2 == 0:
        refuse("augmentation.network.filter_shape", side, f"an odd number with {network['padding']} padding")
    if network["padding"] == "VALID" and network["depth"] * (side - 1) > 7:
        refuse("augmentation.network.depth", network["depth"], "no more than leave a pixel of 8 x 8 images")


def augmentation_members(part):
    """First member of a part, and the one after its last."""
    return [part * AUGMENTATION["part_size"], (part + 1) * AUGMENTATION["part_size"]]


def augmentation_trained():
    return [
        f"results/augmentation/trained/{group}/{width}/{part}.zarr.zip"
        for group in ("c1", "c4")
        for width in AUGMENTATION["widths"]
        for part in range(AUGMENTATION["members"] // AUGMENTATION["part_size"])
    ]


check_augmentation()
