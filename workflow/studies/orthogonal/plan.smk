# What a case of the orthogonal study has to do. No rules here.


def orthogonal_depth_work(wildcards):
    """Layers of theory, and of all sampled networks times their width, for both kinds of weights."""
    settings = config["orthogonal"]
    layers = settings["depth"] * 1000 + settings["networks"] * sum(settings["sampled_depths"]) * settings["width"]
    held = 2**24  # a batch of networks
    return Work(f"orthogonal_depth {wildcards.case}", layers, settings["depth"], held)


def orthogonal_trained_work(wildcards):
    """Steps of all members on all points times the weights, and the theory's quadratures, layer by layer."""
    settings = config["orthogonal"]["trained"]
    weights = [settings["width"] * (2 + (depth - 2) * settings["width"]) for depth in settings["depths"]]
    networks, steps = 2 * settings["members"], settings["time"] / settings["step"]
    inputs = len(settings["inputs"]) + len(settings["queries"])
    trained = networks * steps * len(settings["inputs"]) * sum(weights)
    theory = 1e8 * sum(settings["depths"]) * inputs
    held = min(settings["members"], 64) * inputs * max(weights)
    return Work("orthogonal_trained", trained + theory, len(weights) * len(settings["queries"]), held)


WORK["orthogonal_depth"] = orthogonal_depth_work
WORK["orthogonal_trained"] = orthogonal_trained_work
