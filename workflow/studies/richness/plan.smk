# Which jobs the richness study needs, and what each has to do. No rules here.


def richness_trained():
    return [
        f"<results>/richness/trained/{width}/{part}.zarr.zip"
        for width in RICHNESS["widths"]
        for part in parts(RICHNESS)
    ]


def richness_weights(width):
    return width * (2 + (RICHNESS["network"]["depth"] - 2) * width)


def richness_train_work(wildcards):
    """Steps of all pairs of a part on all points, for each richness, times the weights."""
    width, line, each = int(wildcards.width), RICHNESS["line"], len(RICHNESS["richness"])
    networks, weights = 2 * RICHNESS["part_size"], richness_weights(width)
    work = networks * each * line["time"] / line["step"] * len(line["train_points"]) * weights
    held = min(networks, 64) * (len(line["train_points"]) + line["grid"]) * weights
    return Work(f"richness_train {width}", work, networks / 2 * each * (line["grid"] + 1), held)


def richness_line_work(wildcards):
    """Time times inputs, for each richness."""
    line, each, depth = RICHNESS["line"], len(RICHNESS["richness"]), RICHNESS["network"]["depth"]
    inputs = len(line["train_points"]) + line["grid"]
    work = each * line["time"] * inputs * RICHNESS["mean_field"]["sites"] * (depth - 1)
    return Work("richness_line", work, each * inputs, 1e6 * inputs)


def richness_error_work(wildcards):
    """Time times training inputs times sites and, in deeper networks, directions of a hidden matrix."""
    plane, sites, each = RICHNESS["plane"], RICHNESS["mean_field"]["sites"], len(RICHNESS["richness"])
    hidden = RICHNESS["network"]["depth"] - 2
    work = each * plane["time"] * plane["train"] * sites * (1 + 10 * hidden)
    held = sites * (10 * (plane["train"] + plane["test"]) + 2000 * hidden)
    return Work("richness_error", work, 3 * each, held)


WORK["richness_train"] = richness_train_work
WORK["richness_line"] = richness_line_work
WORK["richness_error"] = richness_error_work
