# Which ensembles the sine study needs, and in which parts. No rules here.


def sine_members(part):
    """First member of a part, and the one after its last."""
    return [part * SINE["part_size"], (part + 1) * SINE["part_size"]]


def sine_trained():
    return [
        f"results/sine/trained/{width}/{part}.zarr.zip"
        for width in SINE["widths"]
        for part in range(SINE["members"] // SINE["part_size"])
    ]
