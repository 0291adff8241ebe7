# A CNN trained on all quarter turns of its images against the C4-invariant network trained on the images alone.
AUGMENTATION = config["augmentation"]


include: "plan.smk"


QUESTIONS["augmentation"] = "Is data augmentation the same as equivariance?"
STUDIES["augmentation"] = [
    "<results>/augmentation/difference.pdf",
    "<results>/augmentation/difference.csv",
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
        members=lambda wildcards: augmentation_members(int(wildcards.part)),
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
