# Fluctuations of deep networks of Gaussian and of orthogonal weights, at one input.


include: "plan.smk"


QUESTIONS["orthogonal"] = "What do orthogonal weights do to fluctuations in deep networks?"
STUDIES["orthogonal"] = ["<results>/orthogonal/depth.pdf", "<results>/orthogonal/trained.pdf"]


rule orthogonal_depth:
    output:
        "<results>/orthogonal/depth/{case}.zarr.zip",
    log:
        "<logs>/orthogonal_depth/{case}.log",
    benchmark:
        "<benchmarks>/orthogonal_depth/{case}.tsv"
    threads: 1
    resources:
        mem_mb=memory_for_work,
        runtime=minutes_for_work,
    params:
        case=lambda wildcards: config["orthogonal"]["cases"][wildcards.case],
        common={key: value for key, value in config["orthogonal"].items() if key not in ("cases", "trained")},
    script:
        "depth.py"


rule orthogonal_trained:
    output:
        "<results>/orthogonal/trained.zarr.zip",
    log:
        "<logs>/orthogonal_trained.log",
    benchmark:
        "<benchmarks>/orthogonal_trained.tsv"
    threads: 1
    resources:
        mem_mb=memory_for_work,
        runtime=minutes_for_work,
    params:
        trained=config["orthogonal"]["trained"],
    script:
        "trained.py"


rule orthogonal_figure:
    input:
        depth=[f"<results>/orthogonal/depth/{case}.zarr.zip" for case in config["orthogonal"]["cases"]],
        trained="<results>/orthogonal/trained.zarr.zip",
    output:
        png=report(
            "<results>/orthogonal/depth.png",
            caption="depth.rst",
            category=QUESTIONS["orthogonal"],
            labels={"result": "Gaussian and orthogonal weights", "form": "figure"},
        ),
        pdf="<results>/orthogonal/depth.pdf",
        finding="<results>/orthogonal/depth.txt",
        trained_png=report(
            "<results>/orthogonal/trained.png",
            caption="trained.rst",
            category=QUESTIONS["orthogonal"],
            labels={"result": "trained networks of both", "form": "figure"},
        ),
        trained_pdf="<results>/orthogonal/trained.pdf",
        trained_finding="<results>/orthogonal/trained.txt",
    log:
        "<logs>/orthogonal_figure.log",
    benchmark:
        "<benchmarks>/orthogonal_figure.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    script:
        "figure.py"
