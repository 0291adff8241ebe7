# Atomization energies of molecules from SO(3)-invariant and plain infinite-width kernels.
MOLECULES = config["molecules"]


include: "plan.smk"


QUESTIONS["molecules"] = "What do infinitely wide SO(3)-invariant networks predict on molecules?"
STUDIES["molecules"] = [
    "<results>/molecules/learning_curve.pdf",
    "<results>/molecules/learning_curve.csv",
    "<results>/molecules/calibration.pdf",
    "<results>/molecules/signals.pdf",
]


if "search" in MOLECULES:

    include: "search.smk"


rule qm9:
    output:
        QM9,
    log:
        "<logs>/qm9.log",
    benchmark:
        "<benchmarks>/qm9.tsv"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=10,
    params:
        path=config["qm9"].get("path"),
    script:
        "qm9.py"


# In place of QM9, where the config names a file.
rule molecules_own:
    input:
        lambda wildcards: MOLECULES["path"],
    output:
        "<results>/molecules/own.zarr.zip",
    log:
        "<logs>/molecules_own.log",
    benchmark:
        "<benchmarks>/molecules_own.tsv"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=10,
    script:
        "own.py"


rule molecules_block:
    input:
        molecules=molecule_dataset(),
    output:
        "<results>/molecules/blocks/{block}.zarr.zip",
    log:
        "<logs>/molecules_block/{block}.log",
    benchmark:
        "<benchmarks>/molecules_block/{block}.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=5,
    params:
        pool_seed=MOLECULES["pool_seed"],
        size=MOLECULES["tile_size"],
    script:
        "block.py"


rule molecules_tile:
    input:
        rows="<results>/molecules/blocks/{i}.zarr.zip",
        columns="<results>/molecules/blocks/{j}.zarr.zip",
    output:
        "<results>/molecules/tiles/{network}/{i}_{j}.zarr.zip",
    log:
        "<logs>/molecules_tile/{network}/{i}_{j}.log",
    benchmark:
        "<benchmarks>/molecules_tile/{network}/{i}_{j}.tsv"
    threads: 1
    resources:
        mem_mb=memory_for_work,
        runtime=minutes_for_work,
        gpu=config["gpus"],
    params:
        network=lambda wildcards: network_settings(MOLECULES["networks"][wildcards.network]),
        matchings=lambda wildcards: molecule_matchings(wildcards.network),
        signals=lambda wildcards: network_signals(MOLECULES["networks"][wildcards.network]),
    script:
        "tile.py"


# Kernels that chemists make by hand, for comparison: they alone need the packages of the extra rivals.
rule molecules_rival:
    input:
        rows="<results>/molecules/blocks/{i}.zarr.zip",
        columns="<results>/molecules/blocks/{j}.zarr.zip",
    output:
        "<results>/molecules/rivals/{rival}/{i}_{j}.zarr.zip",
    log:
        "<logs>/molecules_rival/{rival}/{i}_{j}.log",
    benchmark:
        "<benchmarks>/molecules_rival/{rival}/{i}_{j}.tsv"
    threads: 1
    resources:
        mem_mb=memory_for_work,
        runtime=minutes_for_work,
    params:
        candidates=lambda wildcards: rival_candidates(wildcards.rival),
    script:
        "rival.py"


rule molecules_learning_curve:
    input:
        blocks=molecule_blocks(),
        tiles=molecule_tiles(),
        rivals=rival_tiles(),
    output:
        dataset="<results>/molecules/learning_curve.zarr.zip",
        table=report(
            "<results>/molecules/learning_curve.csv",
            caption="learning_curve_table.rst",
            category=QUESTIONS["molecules"],
            labels={"result": "Learning curve", "form": "table"},
        ),
    log:
        "<logs>/molecules_learning_curve.log",
    benchmark:
        "<benchmarks>/molecules_learning_curve.tsv"
    threads: 1
    resources:
        mem_mb=memory_for_work,
        runtime=minutes_for_work,
    params:
        models=molecule_models(),
        networks={
            model["network"]: network_settings(MOLECULES["networks"][model["network"]])
            for model in MOLECULES["models"]
        },
        signals={
            model["network"]: network_signals(MOLECULES["networks"][model["network"]]) for model in MOLECULES["models"]
        },
        rivals={rival: rival_candidates(rival) for rival in MOLECULES.get("rivals", {})},
        composition=MOLECULES["composition"],
        tile_size=MOLECULES["tile_size"],
        train_sizes=MOLECULES["train_sizes"],
        test_size=MOLECULES["test_size"],
        split_seeds=MOLECULES["split_seeds"],
        diag_reg=MOLECULES["diag_reg"],
        dense=MOLECULES["dense"],
    script:
        "learning_curve.py"


rule molecules_learning_curve_figure:
    input:
        "<results>/molecules/learning_curve.zarr.zip",
    output:
        pdf="<results>/molecules/learning_curve.pdf",
        finding="<results>/molecules/learning_curve.txt",
        png=report(
            "<results>/molecules/learning_curve.png",
            caption="learning_curve.rst",
            category=QUESTIONS["molecules"],
            labels={"result": "Learning curve", "form": "figure"},
        ),
    log:
        "<logs>/molecules_learning_curve_figure.log",
    benchmark:
        "<benchmarks>/molecules_learning_curve_figure.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    script:
        "learning_curve_figure.py"


rule molecules_calibration_figure:
    input:
        "<results>/molecules/learning_curve.zarr.zip",
    output:
        pdf="<results>/molecules/calibration.pdf",
        finding="<results>/molecules/calibration.txt",
        png=report(
            "<results>/molecules/calibration.png",
            caption="calibration.rst",
            category=QUESTIONS["molecules"],
            labels={"result": "Predicted standard deviations", "form": "figure"},
        ),
    log:
        "<logs>/molecules_calibration_figure.log",
    benchmark:
        "<benchmarks>/molecules_calibration_figure.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    script:
        "calibration_figure.py"


rule molecules_signals_figure:
    input:
        lambda wildcards: f"<results>/molecules/blocks/{MOLECULES['figure']['molecule'] // MOLECULES['tile_size']}.zarr.zip",
    output:
        pdf="<results>/molecules/signals.pdf",
        finding="<results>/molecules/signals.txt",
        png=report(
            "<results>/molecules/signals.png",
            caption="signals.rst",
            category=QUESTIONS["molecules"],
            labels={"result": "An atom's signals", "form": "figure"},
        ),
    log:
        "<logs>/molecules_signals_figure.log",
    benchmark:
        "<benchmarks>/molecules_signals_figure.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        molecule=MOLECULES["figure"]["molecule"] % MOLECULES["tile_size"],
        signals=MOLECULES["signals"],
    script:
        "signals_figure.py"
