# Which theories and sampled networks the corrections study compares. No rules here.


def corrections_plan():
    settings = config["corrections"]
    network, inputs = settings["network"], settings["inputs"]
    theory = {"all": {"network": network, "inputs": inputs, "tensors": FIRST_ORDER}}
    samples = {
        f"width_{width}": finite_run(settings, network, inputs, width, FIRST_ORDER) for width in settings["widths"]
    }
    return Finite(theory, samples)


FINITE["corrections"] = corrections_plan()
