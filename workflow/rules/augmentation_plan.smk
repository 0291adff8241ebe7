# Which ensembles the augmentation study needs, and in which parts. No rules here.


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
