# Feynman diagrams of the 1/n recursions: pictures, formulas, and their agreement with the finite-width theory.
DIAGRAMS = config["diagrams"]

STUDIES["diagrams"] = [
    "results/diagrams/gallery.html",
    "results/diagrams/recursions.csv",
]


# Any recursion can be asked for, whether the gallery shows it or not: results/diagrams/V6.pdf
rule diagrams_sheet:
    output:
        svg="results/diagrams/{name}.svg",
        pdf="results/diagrams/{name}.pdf",
        png=report(
            "results/diagrams/{name}.png",
            caption="../report/diagrams_sheet.rst",
            category=QUESTIONS["diagrams"],
            labels={"result": "{name}", "form": "figure"},
        ),
    log:
        "results/logs/diagrams_sheet/{name}.log",
    benchmark:
        "results/benchmarks/diagrams_sheet/{name}.tsv"
    wildcard_constraints:
        name=r"[A-Z][A-Za-z0-9.]*",
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    script:
        "../scripts/diagrams_sheet.py"


# One diagram of a recursion without its formula, counted from 1: results/diagrams/F/2.pdf
rule diagrams_single:
    output:
        svg="results/diagrams/{name}/{number}.svg",
        pdf="results/diagrams/{name}/{number}.pdf",
    log:
        "results/logs/diagrams_single/{name}_{number}.log",
    benchmark:
        "results/benchmarks/diagrams_single/{name}_{number}.tsv"
    wildcard_constraints:
        name=r"[A-Z][A-Za-z0-9.]*",
        number=r"\d+",
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    script:
        "../scripts/diagrams_single.py"


rule diagrams_agreement:
    output:
        "results/diagrams/agreement.zarr.zip",
    log:
        "results/logs/diagrams_agreement.log",
    benchmark:
        "results/benchmarks/diagrams_agreement.tsv"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=15,
    params:
        recursions=DIAGRAMS["recursions"],
        activations=DIAGRAMS["activations"],
        network=DIAGRAMS["network"],
        inputs=DIAGRAMS["inputs"],
        rtol=DIAGRAMS["rtol"],
    script:
        "../scripts/diagrams_agreement.py"


rule diagrams_table:
    input:
        "results/diagrams/agreement.zarr.zip",
    output:
        report(
            "results/diagrams/recursions.csv",
            caption="../report/diagrams_table.rst",
            category=QUESTIONS["diagrams"],
            labels={"result": "All recursions", "form": "table"},
        ),
    log:
        "results/logs/diagrams_table.log",
    benchmark:
        "results/benchmarks/diagrams_table.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        recursions=DIAGRAMS["recursions"],
    script:
        "../scripts/diagrams_table.py"


rule diagrams_gallery:
    input:
        pictures=expand("results/diagrams/{name}.svg", name=DIAGRAMS["recursions"]),
        table="results/diagrams/recursions.csv",
    output:
        page=report(
            "results/diagrams/gallery.html",
            caption="../report/diagrams_gallery.rst",
            category=QUESTIONS["diagrams"],
            labels={"result": "All recursions", "form": "gallery"},
        ),
        finding="results/diagrams/gallery.txt",
    log:
        "results/logs/diagrams_gallery.log",
    benchmark:
        "results/benchmarks/diagrams_gallery.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        recursions=DIAGRAMS["recursions"],
        network=DIAGRAMS["network"],
        inputs=len(DIAGRAMS["inputs"]),
    script:
        "../scripts/diagrams_gallery.py"
