# Which theories and sampled networks the criticality study compares. No rules here.


def criticality_plan():
    settings = config["criticality"]
    theory, samples = {}, {}
    for variance in settings["weight_variances"]:
        for name, tensors in (
            ("kernels", [name for name in FIRST_ORDER if name not in ("V", *table.CORRECTIONS)]),
            ("four_point", ["V"]),
        ):
            inputs = settings["inputs" if name == "kernels" else "inputs_four_point"]
            network = settings["network"] | {"weight_variance": variance}
            label = f"{name}_{variance:g}"
            deep = {"network": network | {"depth": max(settings["depths"])}, "inputs": inputs}
            corrected = table.CORRECTIONS if "Theta" in tensors else []
            theory[label] = deep | {"tensors": sorted({*tensors, "K", *corrected})}
            if name == "kernels":
                theory[label]["critical"] = True  # note the activation's critical initialisation, too
            for depth in settings["depths"]:
                run = finite_run(settings, network | {"depth": depth}, inputs, settings["width"], tensors)
                samples[f"{label}_depth_{depth}"] = run
    return Finite(theory, samples)


FINITE["criticality"] = criticality_plan()
