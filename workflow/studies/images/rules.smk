# Accuracy of rotation-invariant and plain convolutional kernels on upright and turned images.
IMAGES = config["images"]


include: "plan.smk"


QUESTIONS["images"] = "What does invariance to quarter turns buy on images?"
STUDIES["images"] = [
    "<results>/images/learning_curve.pdf",
    "<results>/images/learning_curve.csv",
    "<results>/images/convergence.pdf",
]


wildcard_constraints:
    half="train|test",


rule images_dataset:
    output:
        IMAGES_DATASET,
    log:
        "<logs>/images_dataset.log",
    benchmark:
        "<benchmarks>/images_dataset.tsv"
    threads: 1
    resources:
        mem_mb=500 if IMAGES["dataset"]["name"] == "digits" else 12000,
        runtime=60,
    params:
        dataset=IMAGES["dataset"],
    script:
        "dataset.py"


rule images_block:
    input:
        IMAGES_DATASET,
    output:
        "<results>/images/blocks/{half}_{block}.zarr.zip",
    log:
        "<logs>/images_block/{half}_{block}.log",
    benchmark:
        "<benchmarks>/images_block/{half}_{block}.tsv"
    threads: 1
    resources:
        mem_mb=500 if IMAGES["dataset"]["name"] == "digits" else 6000,
        runtime=10,
    params:
        order_seed=IMAGES["order_seed"],
        size=IMAGES["tile_size"],
    script:
        "block.py"


rule images_tile:
    input:
        rows="<results>/images/blocks/{half}_{i}.zarr.zip",
        columns="<results>/images/blocks/train_{j}.zarr.zip",
    output:
        "<results>/images/tiles/{network}/{half}_{i}_{j}.zarr.zip",
    log:
        "<logs>/images_tile/{network}/{half}_{i}_{j}.log",
    benchmark:
        "<benchmarks>/images_tile/{network}/{half}_{i}_{j}.tsv"
    threads: 1
    resources:
        mem_mb=memory_for_work,
        runtime=minutes_for_work,
        gpu=config["gpus"],
    params:
        network=lambda wildcards: IMAGES["networks"][wildcards.network],
        turn_seed=lambda wildcards: IMAGES["turn_seed"] if wildcards.half == "test" else None,
    script:
        "tile.py"


rule images_learning_curve:
    input:
        train=image_blocks("train"),
        test=image_blocks("test"),
        tiles=image_tiles(),
    output:
        dataset="<results>/images/learning_curve.zarr.zip",
        table=report(
            "<results>/images/learning_curve.csv",
            caption="learning_curve_table.rst",
            category=QUESTIONS["images"],
            labels={"result": "Accuracy upright and turned", "form": "table"},
        ),
    log:
        "<logs>/images_learning_curve.log",
    benchmark:
        "<benchmarks>/images_learning_curve.tsv"
    threads: 1
    resources:
        mem_mb=memory_for_work,
        runtime=minutes_for_work,
    params:
        networks=IMAGES["networks"],
        tile_size=IMAGES["tile_size"],
        train_sizes=IMAGES["train_sizes"],
        test_size=IMAGES["test_size"],
        subset_seeds=IMAGES["subset_seeds"],
        diag_reg=IMAGES["diag_reg"],
    script:
        "learning_curve.py"


rule images_learning_curve_figure:
    input:
        "<results>/images/learning_curve.zarr.zip",
    output:
        pdf="<results>/images/learning_curve.pdf",
        finding="<results>/images/learning_curve.txt",
        png=report(
            "<results>/images/learning_curve.png",
            caption="learning_curve.rst",
            category=QUESTIONS["images"],
            labels={"result": "Accuracy upright and turned", "form": "figure"},
        ),
    log:
        "<logs>/images_learning_curve_figure.log",
    benchmark:
        "<benchmarks>/images_learning_curve_figure.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    script:
        "learning_curve_figure.py"


rule images_convergence:
    input:
        "<results>/images/blocks/test_0.zarr.zip",
    output:
        "<results>/images/convergence/{network}.zarr.zip",
    log:
        "<logs>/images_convergence/{network}.log",
    benchmark:
        "<benchmarks>/images_convergence/{network}.tsv"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(240),
        gpu=config["gpus"],
    params:
        network=lambda wildcards: IMAGES["networks"][wildcards.network],
        settings={key: value for key, value in IMAGES["convergence"].items() if key != "networks"},
    script:
        "convergence.py"


rule images_convergence_figure:
    input:
        expand("<results>/images/convergence/{network}.zarr.zip", network=IMAGES["convergence"]["networks"]),
    output:
        pdf="<results>/images/convergence.pdf",
        finding="<results>/images/convergence.txt",
        png=report(
            "<results>/images/convergence.png",
            caption="convergence.rst",
            category=QUESTIONS["images"],
            labels={"result": "Sampled kernels against width", "form": "figure"},
        ),
    log:
        "<logs>/images_convergence_figure.log",
    benchmark:
        "<benchmarks>/images_convergence_figure.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    script:
        "convergence_figure.py"
