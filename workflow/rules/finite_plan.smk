# What the finite-width studies compute: theories and sampled runs, by name. No rules here.

from ntkfield import tensors as table

KERNELS = [name for name in table.KERNELS if table.TENSORS[name].order == 0]
CORRECTED = [name for name in table.KERNELS if name not in KERNELS]
FIRST_ORDER = [*table.KERNELS, *table.FLUCTUATIONS]


def finite_run(settings, network, inputs, width, tensors):
    """One set of networks to sample; `settings` is the study's config."""
    counts = {key: settings[key] for key in ("networks", "networks_per_job", "seed")}
    return {"network": network, "inputs": inputs, "width": width, "tensors": tensors} | counts


def corrections_plan():
    settings = config["corrections"]
    network, inputs = settings["network"], settings["inputs"]
    theory = {"all": {"network": network, "inputs": inputs, "tensors": FIRST_ORDER}}
    samples = {
        f"width_{width}": finite_run(settings, network, inputs, width, FIRST_ORDER) for width in settings["widths"]
    }
    return theory, samples


def criticality_plan():
    settings = config["criticality"]
    theory, samples = {}, {}
    for variance in settings["weight_variances"]:
        for name, tensors in (
            ("kernels", [name for name in FIRST_ORDER if name not in ("V", *CORRECTED)]),
            ("four_point", ["V"]),
        ):
            inputs = settings["inputs" if name == "kernels" else "inputs_four_point"]
            network = settings["network"] | {"weight_variance": variance}
            label = f"{name}_{variance:g}"
            deep = {"network": network | {"depth": max(settings["depths"])}, "inputs": inputs}
            corrected = CORRECTED if "Theta" in tensors else []
            theory[label] = deep | {"tensors": sorted({*tensors, "K", *corrected})}
            if name == "kernels":
                theory[label]["critical"] = True  # note the activation's critical initialisation, too
            for depth in settings["depths"]:
                run = finite_run(settings, network | {"depth": depth}, inputs, settings["width"], tensors)
                samples[f"{label}_depth_{depth}"] = run
    return theory, samples


def scale_plan():
    settings = config["scale"]
    theory, samples = {}, {}
    for name, case in settings["cases"].items():
        network = {key: value for key, value in case.items() if key != "input_scale"}
        inputs = [[case["input_scale"] * x for x in row] for row in settings["inputs"]]
        theory[name] = {"network": network, "inputs": inputs, "tensors": [*table.KERNELS]}
        for width in settings["widths"]:
            samples[f"{name}_width_{width}"] = finite_run(settings, network, inputs, width, KERNELS)
    return theory, samples


FINITE_STUDIES = {"corrections": corrections_plan, "criticality": criticality_plan, "scale": scale_plan}
FINITE_THEORY = {study: plan()[0] for study, plan in FINITE_STUDIES.items()}
FINITE_SAMPLES = {study: plan()[1] for study, plan in FINITE_STUDIES.items()}


def finite_theory_files(study):
    return [f"results/{study}/theory/{name}.zarr.zip" for name in FINITE_THEORY[study]]


def finite_sample_files(study):
    """Every part of every run: a run is cut into jobs of `networks_per_job` networks."""
    return [
        f"results/{study}/samples/{name}/{part}.zarr.zip"
        for name, run in FINITE_SAMPLES[study].items()
        for part in range(-(-run["networks"] // run["networks_per_job"]))
    ]
