# What a study of finite width computes: theories and sampled runs, by name, and their work. No rules here.
from typing import NamedTuple

from ntkfield import tensors as table

FIRST_ORDER = [*table.KERNELS, *table.FLUCTUATIONS]


class Finite(NamedTuple):
    """Theories and sets of networks to sample, by name."""

    theory: dict
    samples: dict


def finite_run(settings, network, inputs, width, tensors):
    """One set of networks to sample; `settings` is the study's config."""
    counts = {key: settings[key] for key in ("networks", "networks_per_job", "seed")}
    return {"network": network, "inputs": inputs, "width": width, "tensors": tensors} | counts


# What each study computes.
FINITE = {}


def finite_theory_files(study):
    return [f"<results>/{study}/theory/{name}.zarr.zip" for name in FINITE[study].theory]


def finite_sample_files(study):
    """Every part of every run: a run is cut into jobs of `networks_per_job` networks."""
    return [
        f"<results>/{study}/samples/{name}/{part}.zarr.zip"
        for name, run in FINITE[study].samples.items()
        for part in range(-(-run["networks"] // run["networks_per_job"]))
    ]


def finite_sample_work(wildcards):
    """Layers of all networks of a job, each with its tensors in the width and in the inputs."""
    run = FINITE[wildcards.study].samples[wildcards.name]
    networks, inputs = min(run["networks"], run["networks_per_job"]), len(run["inputs"])
    amount = networks * run["network"]["depth"] * (run["width"] * inputs**2 + inputs**4)
    return Work(f"finite_sample {wildcards.study} {wildcards.name}", amount, inputs**4, 2 * inputs**4)


WORK["finite_sample"] = finite_sample_work
