# Sampled networks against the kernels' first correction in 1/n and every tensor of that order.


include: "plan.smk"


QUESTIONS["corrections"] = "What is the first correction to infinite width?"
STUDIES["corrections"] = [f"<results>/corrections/{name}.pdf" for name in ("kernels", "first_order", "tensors")]


rule corrections_figures:
    input:
        theory=finite_theory_files("corrections"),
        samples=finite_sample_files("corrections"),
    output:
        kernels=report(
            "<results>/corrections/kernels.png",
            caption="kernels.rst",
            category=QUESTIONS["corrections"],
            labels={"result": "Mean kernels against width", "form": "figure"},
        ),
        first_order=report(
            "<results>/corrections/first_order.png",
            caption="first_order.rst",
            category=QUESTIONS["corrections"],
            labels={"result": "First corrections isolated", "form": "figure"},
        ),
        tensors=report(
            "<results>/corrections/tensors.png",
            caption="tensors.rst",
            category=QUESTIONS["corrections"],
            labels={"result": "Tensors against width", "form": "figure"},
        ),
        pdf=multiext("<results>/corrections/", "kernels.pdf", "first_order.pdf", "tensors.pdf"),
        finding=multiext("<results>/corrections/", "kernels.txt", "first_order.txt", "tensors.txt"),
    log:
        "<logs>/corrections_figures.log",
    benchmark:
        "<benchmarks>/corrections_figures.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    script:
        "figures.py"
