# Feynman diagrams of the 1/n recursions: pictures, formulas, and their agreement with the finite-width theory.
DIAGRAMS = config["diagrams"]

QUESTIONS["diagrams"] = "Where do the recursions of the corrections come from?"
STUDIES["diagrams"] = [
    "<results>/diagrams/gallery.html",
    "<results>/diagrams/recursions.csv",
]


# All that the config asks for in one job: a drawing takes less time than the start of a job.
rule diagrams_sheets:
    output:
        svg=expand("<results>/diagrams/{name}.svg", name=DIAGRAMS["recursions"]),
        pdf=expand("<results>/diagrams/{name}.pdf", name=DIAGRAMS["recursions"]),
        png=[
            report(
                f"<results>/diagrams/{name}.png",
                caption="sheet.rst",
                category=QUESTIONS["diagrams"],
                labels={"result": name, "form": "figure"},
            )
            for name in DIAGRAMS["recursions"]
        ],
    log:
        "<logs>/diagrams_sheets.log",
    benchmark:
        "<benchmarks>/diagrams_sheets.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        recursions=DIAGRAMS["recursions"],
    script:
        "sheets.py"


# Any other recursion can be asked for: results/default/diagrams/V6.pdf
rule diagrams_sheet:
    output:
        svg="<results>/diagrams/{name}.svg",
        pdf="<results>/diagrams/{name}.pdf",
        png="<results>/diagrams/{name}.png",
    log:
        "<logs>/diagrams_sheet/{name}.log",
    benchmark:
        "<benchmarks>/diagrams_sheet/{name}.tsv"
    wildcard_constraints:
        name=r"[A-Z][A-Za-z0-9.]*",
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        recursions=lambda wildcards: [wildcards.name],
    script:
        "sheets.py"


ruleorder: diagrams_sheets > diagrams_sheet


# One diagram of a recursion without its formula, counted from 1: results/default/diagrams/F/2.pdf
rule diagrams_single:
    output:
        svg="<results>/diagrams/{name}/{number}.svg",
        pdf="<results>/diagrams/{name}/{number}.pdf",
    log:
        "<logs>/diagrams_single/{name}_{number}.log",
    benchmark:
        "<benchmarks>/diagrams_single/{name}_{number}.tsv"
    wildcard_constraints:
        name=r"[A-Z][A-Za-z0-9.]*",
        number=r"\d+",
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    script:
        "single.py"


rule diagrams_agreement:
    output:
        "<results>/diagrams/agreement.zarr.zip",
    log:
        "<logs>/diagrams_agreement.log",
    benchmark:
        "<benchmarks>/diagrams_agreement.tsv"
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
        "agreement.py"


rule diagrams_table:
    input:
        "<results>/diagrams/agreement.zarr.zip",
    output:
        report(
            "<results>/diagrams/recursions.csv",
            caption="table.rst",
            category=QUESTIONS["diagrams"],
            labels={"result": "All recursions", "form": "table"},
        ),
    log:
        "<logs>/diagrams_table.log",
    benchmark:
        "<benchmarks>/diagrams_table.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        recursions=DIAGRAMS["recursions"],
    script:
        "table.py"


rule diagrams_gallery:
    input:
        pictures=expand("<results>/diagrams/{name}.svg", name=DIAGRAMS["recursions"]),
        table="<results>/diagrams/recursions.csv",
    output:
        page=report(
            "<results>/diagrams/gallery.html",
            caption="gallery.rst",
            category=QUESTIONS["diagrams"],
            labels={"result": "All recursions", "form": "gallery"},
        ),
        finding="<results>/diagrams/gallery.txt",
    log:
        "<logs>/diagrams_gallery.log",
    benchmark:
        "<benchmarks>/diagrams_gallery.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        recursions=DIAGRAMS["recursions"],
        network=DIAGRAMS["network"],
        inputs=len(DIAGRAMS["inputs"]),
    script:
        "gallery.py"
