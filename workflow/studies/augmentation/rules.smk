# A CNN trained on all quarter turns of its images against the C4-invariant network trained on the images alone; and on
# signals small enough for the theory of finite width, the difference at order 1/n.
AUGMENTATION = config["augmentation"]


include: "plan.smk"


QUESTIONS["augmentation"] = "Is data augmentation the same as equivariance?"
STUDIES["augmentation"] = [
    "<results>/augmentation/difference.pdf",
    "<results>/augmentation/difference.csv",
    "<results>/augmentation/orbit.pdf",
    "<results>/augmentation/orbit.csv",
]


rule augmentation_images:
    output:
        "<results>/augmentation/images.zarr.zip",
    log:
        "<logs>/augmentation_images.log",
    benchmark:
        "<benchmarks>/augmentation_images.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        images=AUGMENTATION["images"],
    script:
        "images.py"


rule augmentation_analytic:
    input:
        "<results>/augmentation/images.zarr.zip",
    output:
        "<results>/augmentation/analytic.zarr.zip",
    log:
        "<logs>/augmentation_analytic.log",
    benchmark:
        "<benchmarks>/augmentation_analytic.tsv"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        network=AUGMENTATION["network"],
        times=AUGMENTATION["times"],
    script:
        "analytic.py"


rule augmentation_train:
    input:
        images="<results>/augmentation/images.zarr.zip",
        analytic="<results>/augmentation/analytic.zarr.zip",
    output:
        "<results>/augmentation/trained/{group}/{width}/{part}.zarr.zip",
    log:
        "<logs>/augmentation_train/{group}/{width}/{part}.log",
    benchmark:
        "<benchmarks>/augmentation_train/{group}/{width}/{part}.tsv"
    threads: 1
    resources:
        mem_mb=memory_for_work,
        runtime=minutes_for_work,
        gpu=config["gpus"],
    params:
        network=AUGMENTATION["network"],
        times=AUGMENTATION["times"],
        step=AUGMENTATION["step"],
        seed=AUGMENTATION["seed"],
        members=lambda wildcards: members(AUGMENTATION, wildcards.part),
    script:
        "train.py"


rule augmentation_difference:
    input:
        analytic="<results>/augmentation/analytic.zarr.zip",
        trained=augmentation_trained(),
    output:
        dataset="<results>/augmentation/difference.zarr.zip",
        table=report(
            "<results>/augmentation/difference.csv",
            caption="difference_table.rst",
            category=QUESTIONS["augmentation"],
            labels={"result": "Difference of the ensembles", "form": "table"},
        ),
    log:
        "<logs>/augmentation_difference.log",
    benchmark:
        "<benchmarks>/augmentation_difference.tsv"
    threads: 1
    resources:
        mem_mb=growing(8000),
        runtime=growing(30),
    params:
        widths=AUGMENTATION["widths"],
        seed=AUGMENTATION["seed"],
    script:
        "difference.py"


rule augmentation_figure:
    input:
        "<results>/augmentation/difference.zarr.zip",
    output:
        pdf="<results>/augmentation/difference.pdf",
        finding="<results>/augmentation/difference.txt",
        png=report(
            "<results>/augmentation/difference.png",
            caption="difference.rst",
            category=QUESTIONS["augmentation"],
            labels={"result": "Difference of the ensembles", "form": "figure"},
        ),
    log:
        "<logs>/augmentation_figure.log",
    benchmark:
        "<benchmarks>/augmentation_figure.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    script:
        "figure.py"


rule augmentation_orbit_theory:
    output:
        "<results>/augmentation/orbit/theory.zarr.zip",
    log:
        "<logs>/augmentation_orbit_theory.log",
    benchmark:
        "<benchmarks>/augmentation_orbit_theory.tsv"
    threads: 1
    resources:
        mem_mb=memory_for_work,
        runtime=minutes_for_work,
    params:
        **{key: ORBIT[key] for key in ("network", "signals", "times", "rtol")},
    script:
        "orbit_theory.py"


rule augmentation_orbit_train:
    input:
        "<results>/augmentation/orbit/theory.zarr.zip",
    output:
        "<results>/augmentation/orbit/trained/{kind}/{width}/{part}.zarr.zip",
    log:
        "<logs>/augmentation_orbit_train/{kind}/{width}/{part}.log",
    benchmark:
        "<benchmarks>/augmentation_orbit_train/{kind}/{width}/{part}.tsv"
    threads: 1
    resources:
        mem_mb=memory_for_work,
        runtime=minutes_for_work,
        gpu=config["gpus"],
    params:
        **{key: ORBIT[key] for key in ("network", "step", "seed")},
        members=lambda wildcards: members(ORBIT, wildcards.part),
    script:
        "orbit_train.py"


rule augmentation_orbit_summary:
    input:
        theory="<results>/augmentation/orbit/theory.zarr.zip",
        trained=augmentation_orbit_trained(),
    output:
        dataset="<results>/augmentation/orbit.zarr.zip",
        table=report(
            "<results>/augmentation/orbit.csv",
            caption="orbit_table.rst",
            category=QUESTIONS["augmentation"],
            labels={"result": "Difference at order 1/n", "form": "table"},
        ),
    log:
        "<logs>/augmentation_orbit_summary.log",
    benchmark:
        "<benchmarks>/augmentation_orbit_summary.tsv"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        widths=ORBIT["widths"],
    script:
        "orbit_summary.py"


rule augmentation_orbit_figure:
    input:
        "<results>/augmentation/orbit.zarr.zip",
    output:
        pdf="<results>/augmentation/orbit.pdf",
        finding="<results>/augmentation/orbit.txt",
        png=report(
            "<results>/augmentation/orbit.png",
            caption="orbit.rst",
            category=QUESTIONS["augmentation"],
            labels={"result": "Difference at order 1/n", "form": "figure"},
        ),
    log:
        "<logs>/augmentation_orbit_figure.log",
    benchmark:
        "<benchmarks>/augmentation_orbit_figure.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    script:
        "orbit_figure.py"
