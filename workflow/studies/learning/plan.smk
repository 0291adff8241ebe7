# Which ensembles the learning study needs, in which parts, and what each has to do. No rules here.


def learning_trained():
    return [
        f"<results>/learning/trained/{width}/{part}.zarr.zip"
        for width in LEARNING["widths"]
        for part in parts(LEARNING)
    ]


def learning_train_work(wildcards):
    """Steps of all pairs of a part on all points, for each target, times the weights of each kind of network."""
    width, problem = int(wildcards.width), LEARNING["problem"]
    networks = 2 * LEARNING["part_size"] * len(problem["targets"])
    weights = [width * (2 + (network["depth"] - 2) * width) for network in LEARNING["networks"].values()]
    steps, recorded = max(problem["times"]) / problem["step"], len(problem["times"]) * problem["test"]
    return Work(
        f"learning_train {width}",
        networks * steps * problem["train"] * sum(weights),
        size=networks * recorded * len(weights),
        held=min(networks, 32 * 2 * len(problem["targets"])) * problem["train"] * max(weights),
    )


def learning_theory_work(wildcards):
    """Quadratures over sets of four inputs, with at most one of the test among them, for each layer."""
    problem, depth = LEARNING["problem"], sum(network["depth"] - 1 for network in LEARNING["networks"].values())
    n, m = problem["train"], problem["test"]
    sets = n * (n - 1) * (n - 2) * ((n - 3) / 4 + m) / 6
    arrays = len(problem["targets"]) * len(problem["times"]) * m
    return Work("learning_theory", (sets + m) * depth, arrays * len(LEARNING["networks"]), sets * depth)


WORK["learning_train"] = learning_train_work
WORK["learning_theory"] = learning_theory_work
