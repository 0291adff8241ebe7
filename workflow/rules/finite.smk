# Finite width: sampled networks against the 1/n theory.
include: "finite_plan.smk"


STUDIES["corrections"] = [f"results/corrections/{name}.pdf" for name in ("kernels", "first_order", "tensors")]
STUDIES["criticality"] = ["results/criticality/depth.pdf", "results/criticality/powers.csv"]
STUDIES["scale"] = ["results/scale/deviations.pdf"]


rule finite_theory:
    output:
        "results/{study}/theory/{name}.zarr.zip",
    log:
        "results/logs/finite_theory/{study}_{name}.log",
    benchmark:
        "results/benchmarks/finite_theory/{study}_{name}.tsv"
    wildcard_constraints:
        study="corrections|criticality|scale",
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        run=lambda wildcards: FINITE_THEORY[wildcards.study][wildcards.name],
        rtol=config["finite"]["rtol"],
    script:
        "../scripts/finite_theory.py"


rule finite_sample:
    output:
        "results/{study}/samples/{name}/{part}.zarr.zip",
    log:
        "results/logs/finite_sample/{study}_{name}_{part}.log",
    benchmark:
        "results/benchmarks/finite_sample/{study}_{name}_{part}.tsv"
    wildcard_constraints:
        study="corrections|criticality|scale",
        part=r"\d+",
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
        gpu=config["gpus"],
    params:
        run=lambda wildcards: FINITE_SAMPLES[wildcards.study][wildcards.name],
    script:
        "../scripts/finite_sample.py"


rule corrections_figures:
    input:
        theory=finite_theory_files("corrections"),
        samples=finite_sample_files("corrections"),
    output:
        kernels=report(
            "results/corrections/kernels.png",
            caption="../report/corrections_kernels.rst",
            category=QUESTIONS["corrections"],
            labels={"result": "Mean kernels against width", "form": "figure"},
        ),
        first_order=report(
            "results/corrections/first_order.png",
            caption="../report/corrections_first_order.rst",
            category=QUESTIONS["corrections"],
            labels={"result": "First corrections isolated", "form": "figure"},
        ),
        tensors=report(
            "results/corrections/tensors.png",
            caption="../report/corrections_tensors.rst",
            category=QUESTIONS["corrections"],
            labels={"result": "Tensors against width", "form": "figure"},
        ),
        pdf=multiext("results/corrections/", "kernels.pdf", "first_order.pdf", "tensors.pdf"),
        finding=multiext("results/corrections/", "kernels.txt", "first_order.txt", "tensors.txt"),
    log:
        "results/logs/corrections_figures.log",
    benchmark:
        "results/benchmarks/corrections_figures.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    script:
        "../scripts/corrections_figures.py"


rule criticality_figure:
    input:
        theory=finite_theory_files("criticality"),
        samples=finite_sample_files("criticality"),
    output:
        png=report(
            "results/criticality/depth.png",
            caption="../report/criticality.rst",
            category=QUESTIONS["criticality"],
            labels={"result": "Growth with depth", "form": "figure"},
        ),
        pdf="results/criticality/depth.pdf",
        finding="results/criticality/depth.txt",
        table="results/criticality/powers.csv",
    log:
        "results/logs/criticality_figure.log",
    benchmark:
        "results/benchmarks/criticality_figure.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        weight_variances=config["criticality"]["weight_variances"],
        width=config["criticality"]["width"],
    script:
        "../scripts/criticality_figure.py"


rule scale_figure:
    input:
        theory=finite_theory_files("scale"),
        samples=finite_sample_files("scale"),
    output:
        png=report(
            "results/scale/deviations.png",
            caption="../report/scale.rst",
            category=QUESTIONS["scale"],
            labels={"result": "Scale-invariant activations", "form": "figure"},
        ),
        pdf="results/scale/deviations.pdf",
        finding="results/scale/deviations.txt",
    log:
        "results/logs/scale_figure.log",
    benchmark:
        "results/benchmarks/scale_figure.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        cases=list(config["scale"]["cases"]),
    script:
        "../scripts/scale_figure.py"
