# Infinitely wide networks that learn features, from lazy to rich: outputs, kernels, and where it helps.
RICHNESS = config["richness"]


include: "plan.smk"


QUESTIONS["richness"] = "What do infinitely wide networks do that learn features?"
STUDIES["richness"] = [
    "<results>/richness/outputs.pdf",
    "<results>/richness/kernel.pdf",
    "<results>/richness/error.pdf",
    "<results>/richness/error.csv",
]


rule richness_line:
    output:
        "<results>/richness/line.zarr.zip",
    log:
        "<logs>/richness_line.log",
    benchmark:
        "<benchmarks>/richness_line.tsv"
    threads: 1
    resources:
        mem_mb=memory_for_work,
        runtime=minutes_for_work,
    params:
        network=RICHNESS["network"],
        richness=RICHNESS["richness"],
        line=RICHNESS["line"],
        mean_field=RICHNESS["mean_field"],
    script:
        "line.py"


rule richness_error:
    output:
        "<results>/richness/plane/{target}.zarr.zip",
    log:
        "<logs>/richness_error/{target}.log",
    benchmark:
        "<benchmarks>/richness_error/{target}.tsv"
    threads: 1
    resources:
        mem_mb=memory_for_work,
        runtime=minutes_for_work,
    params:
        network=RICHNESS["network"],
        richness=RICHNESS["richness"],
        plane={key: value for key, value in RICHNESS["plane"].items() if key != "targets"},
        mean_field=RICHNESS["mean_field"],
    script:
        "error.py"


rule richness_train:
    output:
        "<results>/richness/trained/{width}/{part}.zarr.zip",
    log:
        "<logs>/richness_train/{width}/{part}.log",
    benchmark:
        "<benchmarks>/richness_train/{width}/{part}.tsv"
    threads: 1
    resources:
        mem_mb=memory_for_work,
        runtime=minutes_for_work,
        gpu=config["gpus"],
    params:
        network=RICHNESS["network"],
        richness=RICHNESS["richness"],
        line=RICHNESS["line"],
        seed=RICHNESS["seed"],
        members=lambda wildcards: members(RICHNESS, wildcards.part),
    script:
        "train.py"


rule richness_summary:
    input:
        line="<results>/richness/line.zarr.zip",
        plane=[f"<results>/richness/plane/{target}.zarr.zip" for target in RICHNESS["plane"]["targets"]],
        trained=richness_trained(),
    output:
        dataset="<results>/richness/richness.zarr.zip",
        table=report(
            "<results>/richness/error.csv",
            caption="error_table.rst",
            category=QUESTIONS["richness"],
            labels={"result": "Test error", "form": "table"},
        ),
    log:
        "<logs>/richness_summary.log",
    benchmark:
        "<benchmarks>/richness_summary.tsv"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        widths=RICHNESS["widths"],
        targets=RICHNESS["plane"]["targets"],
        activation=RICHNESS["network"]["activation"],
        depth=RICHNESS["network"]["depth"],
        line_time=RICHNESS["line"]["time"],
        plane_time=RICHNESS["plane"]["time"],
    script:
        "summary.py"


rule richness_figures:
    input:
        "<results>/richness/richness.zarr.zip",
    output:
        outputs_pdf="<results>/richness/outputs.pdf",
        outputs_finding="<results>/richness/outputs.txt",
        outputs_png=report(
            "<results>/richness/outputs.png",
            caption="outputs.rst",
            category=QUESTIONS["richness"],
            labels={"result": "Outputs from lazy to rich", "form": "figure"},
        ),
        kernel_pdf="<results>/richness/kernel.pdf",
        kernel_finding="<results>/richness/kernel.txt",
        kernel_png=report(
            "<results>/richness/kernel.png",
            caption="kernel.rst",
            category=QUESTIONS["richness"],
            labels={"result": "Change of the kernel", "form": "figure"},
        ),
        error_pdf="<results>/richness/error.pdf",
        error_finding="<results>/richness/error.txt",
        error_png=report(
            "<results>/richness/error.png",
            caption="error.rst",
            category=QUESTIONS["richness"],
            labels={"result": "Test error by richness", "form": "figure"},
        ),
    log:
        "<logs>/richness_figures.log",
    benchmark:
        "<benchmarks>/richness_figures.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    script:
        "figures.py"
