# Mean kernels of finite networks against infinite width, for activations with and without a scale.


include: "plan.smk"


QUESTIONS["scale"] = "Which activations have no correction for one input?"
STUDIES["scale"] = ["<results>/scale/deviations.pdf"]


rule scale_figure:
    input:
        theory=finite_theory_files("scale"),
        samples=finite_sample_files("scale"),
    output:
        png=report(
            "<results>/scale/deviations.png",
            caption="deviations.rst",
            category=QUESTIONS["scale"],
            labels={"result": "Scale-invariant activations", "form": "figure"},
        ),
        pdf="<results>/scale/deviations.pdf",
        finding="<results>/scale/deviations.txt",
    log:
        "<logs>/scale_figure.log",
    benchmark:
        "<benchmarks>/scale_figure.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        cases=list(config["scale"]["cases"]),
    script:
        "figure.py"
