# Regression of sin(x): trained networks of finite width against the exact mean and band of infinite width.
SINE = config["sine"]


include: "plan.smk"


QUESTIONS["sine"] = "How far is a trained network from the infinite-width theory?"
STUDIES["sine"] = [
    "<results>/sine/ensemble.pdf",
    "<results>/sine/bias.pdf",
    "<results>/sine/freezing.pdf",
    "<results>/sine/freezing.csv",
]


rule sine_theory:
    output:
        "<results>/sine/theory.zarr.zip",
    log:
        "<logs>/sine_theory.log",
    benchmark:
        "<benchmarks>/sine_theory.tsv"
    threads: 1
    resources:
        mem_mb=memory_for_work,
        runtime=minutes_for_work,
        gpu=config["gpus"],
    params:
        network=SINE["network"],
        problem={key: SINE["problem"][key] for key in ("train_points", "grid", "times")},
        rtol=SINE["rtol"],
    script:
        "theory.py"


rule sine_train:
    output:
        "<results>/sine/trained/{width}/{part}.zarr.zip",
    log:
        "<logs>/sine_train/{width}/{part}.log",
    benchmark:
        "<benchmarks>/sine_train/{width}/{part}.tsv"
    threads: 1
    resources:
        mem_mb=memory_for_work,
        runtime=minutes_for_work,
        gpu=config["gpus"],
    params:
        network=SINE["network"],
        problem=SINE["problem"],
        seed=SINE["seed"],
        members=lambda wildcards: members(SINE, wildcards.part),
    script:
        "train.py"


rule sine_summary:
    input:
        theory="<results>/sine/theory.zarr.zip",
        trained=sine_trained(),
    output:
        dataset="<results>/sine/summary.zarr.zip",
        table=report(
            "<results>/sine/freezing.csv",
            caption="freezing_table.rst",
            category=QUESTIONS["sine"],
            labels={"result": "Change of the NTK", "form": "table"},
        ),
    log:
        "<logs>/sine_summary.log",
    benchmark:
        "<benchmarks>/sine_summary.tsv"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        network=SINE["network"],
        widths=SINE["widths"],
    script:
        "summary.py"


rule sine_figures:
    input:
        "<results>/sine/summary.zarr.zip",
    output:
        ensemble_pdf="<results>/sine/ensemble.pdf",
        ensemble_finding="<results>/sine/ensemble.txt",
        ensemble_png=report(
            "<results>/sine/ensemble.png",
            caption="ensemble.rst",
            category=QUESTIONS["sine"],
            labels={"result": "Mean and band", "form": "figure"},
        ),
        bias_pdf="<results>/sine/bias.pdf",
        bias_finding="<results>/sine/bias.txt",
        bias_png=report(
            "<results>/sine/bias.png",
            caption="bias.rst",
            category=QUESTIONS["sine"],
            labels={"result": "Bias of the mean", "form": "figure"},
        ),
        freezing_pdf="<results>/sine/freezing.pdf",
        freezing_finding="<results>/sine/freezing.txt",
        freezing_png=report(
            "<results>/sine/freezing.png",
            caption="freezing.rst",
            category=QUESTIONS["sine"],
            labels={"result": "Change of the NTK", "form": "figure"},
        ),
    log:
        "<logs>/sine_figures.log",
    benchmark:
        "<benchmarks>/sine_figures.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        drawn_from=SINE["drawn_from"],
    script:
        "figures.py"
