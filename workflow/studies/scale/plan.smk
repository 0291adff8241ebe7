# Which theories and sampled networks the scale study compares. No rules here.


def scale_plan():
    settings = config["scale"]
    theory, samples = {}, {}
    for name, case in settings["cases"].items():
        network = {key: value for key, value in case.items() if key != "input_scale"}
        inputs = [[case["input_scale"] * x for x in row] for row in settings["inputs"]]
        theory[name] = {"network": network, "inputs": inputs, "tensors": [*table.KERNELS]}
        for width in settings["widths"]:
            samples[f"{name}_width_{width}"] = finite_run(settings, network, inputs, width, [*table.LIMITS])
    return Finite(theory, samples)


FINITE["scale"] = scale_plan()
