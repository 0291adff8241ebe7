# Does the correction in 1/n tell the test error of trained networks, and where does feature learning lower it?
LEARNING = config["learning"]


include: "plan.smk"


QUESTIONS["learning"] = "Where does the learning of features lower the test error?"
STUDIES["learning"] = [
    "<results>/learning/error.pdf",
    "<results>/learning/causes.pdf",
    "<results>/learning/error.csv",
]


rule learning_theory:
    output:
        "<results>/learning/theory.zarr.zip",
    log:
        "<logs>/learning_theory.log",
    benchmark:
        "<benchmarks>/learning_theory.tsv"
    threads: 1
    resources:
        mem_mb=memory_for_work,
        runtime=minutes_for_work,
    params:
        networks=LEARNING["networks"],
        problem=LEARNING["problem"],
        rtol=LEARNING["rtol"],
    script:
        "theory.py"


rule learning_train:
    output:
        "<results>/learning/trained/{width}/{part}.zarr.zip",
    log:
        "<logs>/learning_train/{width}/{part}.log",
    benchmark:
        "<benchmarks>/learning_train/{width}/{part}.tsv"
    threads: 1
    resources:
        mem_mb=memory_for_work,
        runtime=minutes_for_work,
        gpu=config["gpus"],
    params:
        networks=LEARNING["networks"],
        problem=LEARNING["problem"],
        seed=LEARNING["seed"],
        members=lambda wildcards: members(LEARNING, wildcards.part),
    script:
        "train.py"


rule learning_summary:
    input:
        theory="<results>/learning/theory.zarr.zip",
        trained=learning_trained(),
    output:
        dataset="<results>/learning/error.zarr.zip",
        table=report(
            "<results>/learning/error.csv",
            caption="error_table.rst",
            category=QUESTIONS["learning"],
            labels={"result": "Test error", "form": "table"},
        ),
    log:
        "<logs>/learning_summary.log",
    benchmark:
        "<benchmarks>/learning_summary.tsv"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        widths=LEARNING["widths"],
    script:
        "summary.py"


rule learning_figures:
    input:
        "<results>/learning/error.zarr.zip",
    output:
        error_pdf="<results>/learning/error.pdf",
        error_finding="<results>/learning/error.txt",
        error_png=report(
            "<results>/learning/error.png",
            caption="error.rst",
            category=QUESTIONS["learning"],
            labels={"result": "Test error by width", "form": "figure"},
        ),
        causes_pdf="<results>/learning/causes.pdf",
        causes_finding="<results>/learning/causes.txt",
        causes_png=report(
            "<results>/learning/causes.png",
            caption="causes.rst",
            category=QUESTIONS["learning"],
            labels={"result": "What changes it", "form": "figure"},
        ),
    log:
        "<logs>/learning_figures.log",
    benchmark:
        "<benchmarks>/learning_figures.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    script:
        "figures.py"
