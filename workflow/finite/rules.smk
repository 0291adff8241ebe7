# Sampled networks and the 1/n theory, for every study that puts its runs of them into FINITE.
include: "plan.smk"


rule finite_theory:
    output:
        "<results>/{study}/theory/{name}.zarr.zip",
    log:
        "<logs>/finite_theory/{study}_{name}.log",
    benchmark:
        "<benchmarks>/finite_theory/{study}_{name}.tsv"
    wildcard_constraints:
        study="[a-z][a-z0-9_]*",
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        run=lambda wildcards: FINITE[wildcards.study].theory[wildcards.name],
        rtol=config["finite"]["rtol"],
    script:
        "theory.py"


rule finite_sample:
    output:
        "<results>/{study}/samples/{name}/{part}.zarr.zip",
    log:
        "<logs>/finite_sample/{study}_{name}_{part}.log",
    benchmark:
        "<benchmarks>/finite_sample/{study}_{name}_{part}.tsv"
    wildcard_constraints:
        study="[a-z][a-z0-9_]*",
        part=r"\d+",
    threads: 1
    resources:
        mem_mb=memory_for_work,
        runtime=minutes_for_work,
        gpu=config["gpus"],
    params:
        run=lambda wildcards: FINITE[wildcards.study].samples[wildcards.name],
    script:
        "sample.py"
