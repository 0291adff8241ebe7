# Which blocks, tiles and matchings the molecules study needs, and what each job has to do. No rules here.


# The package's tables are the same for all runs.
QM9 = "<results>/molecules/qm9.zarr.zip" if "path" in config["qm9"] else "<shared>/qm9.zarr.zip"


def molecule_dataset():
    return "<results>/molecules/own.zarr.zip" if "path" in MOLECULES else QM9


def molecule_block_count():
    """Blocks of the pool: whole ones, as far as there are molecules, so that a larger pool leaves every tile as it is."""
    return block_count(max(MOLECULES["train_sizes"]) + MOLECULES["test_size"], MOLECULES["tile_size"])


def molecule_blocks():
    return [f"<results>/molecules/blocks/{block}.zarr.zip" for block in range(molecule_block_count())]


def molecule_tiles():
    used = dict.fromkeys(model["network"] for model in MOLECULES["models"])
    return [
        f"<results>/molecules/tiles/{network}/{i}_{j}.zarr.zip"
        for network in used
        for i, j in tile_indices(molecule_block_count())
    ]


def molecule_matchings(network):
    return [model["matching"] for model in MOLECULES["models"] if model["network"] == network]


def molecules_tile_work(wildcards):
    """Pairs of molecules at each node of the quadrature over rotations, or of the grid on the sphere."""
    network, pairs = MOLECULES["networks"][wildcards.network], MOLECULES["tile_size"] ** 2
    side = network.get("quadrature", MOLECULES["signals"]["bandlimit"]) if network["group"] == "so3" else 1
    size = pairs * len(molecule_matchings(wildcards.network))
    return Work(f"molecules_tile {wildcards.network}", pairs * side**3, size, 2 * size)


def molecules_learning_curve_work(wildcards):
    """Solves for both kernels of every model on every split, with the memory of the largest."""
    sizes, curves = MOLECULES["train_sizes"], 2 * len(MOLECULES["models"]) * len(MOLECULES["split_seeds"])
    solves = curves * sum(n**3 + n**2 * MOLECULES["test_size"] for n in sizes)
    largest = (max(sizes) + MOLECULES["test_size"]) * max(sizes)
    return Work("molecules_learning_curve", solves, size=1, held=largest, dense=True)


WORK["molecules_tile"] = molecules_tile_work
WORK["molecules_learning_curve"] = molecules_learning_curve_work
