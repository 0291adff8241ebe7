# Kernels and their corrections against depth, at and off the critical weight variance.


include: "plan.smk"


QUESTIONS["criticality"] = "What does depth do to kernels and their corrections?"
STUDIES["criticality"] = ["<results>/criticality/depth.pdf", "<results>/criticality/powers.csv"]


rule criticality_figure:
    input:
        theory=finite_theory_files("criticality"),
        samples=finite_sample_files("criticality"),
    output:
        png=report(
            "<results>/criticality/depth.png",
            caption="depth.rst",
            category=QUESTIONS["criticality"],
            labels={"result": "Growth with depth", "form": "figure"},
        ),
        pdf="<results>/criticality/depth.pdf",
        finding="<results>/criticality/depth.txt",
        table="<results>/criticality/powers.csv",
    log:
        "<logs>/criticality_figure.log",
    benchmark:
        "<benchmarks>/criticality_figure.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        weight_variances=config["criticality"]["weight_variances"],
        width=config["criticality"]["width"],
    script:
        "figure.py"
