# What a case of the orthogonal study has to do. No rules here.


def orthogonal_depth_work(wildcards):
    """Layers of theory, and of all sampled networks times their width, for both kinds of weights."""
    settings = config["orthogonal"]
    layers = settings["depth"] * 1000 + settings["networks"] * sum(settings["sampled_depths"]) * settings["width"]
    held = 2**24  # a batch of networks
    return Work(f"orthogonal_depth {wildcards.case}", layers, settings["depth"], held)


WORK["orthogonal_depth"] = orthogonal_depth_work
