# Which blocks, tiles and matchings the molecules study needs. No rules here.


def molecule_dataset():
    return "results/molecules/own.zarr.zip" if "path" in MOLECULES else "results/qm9/qm9.zarr.zip"


def molecule_block_count():
    """Blocks of the pool: whole ones, as far as there are molecules, so that a larger pool leaves every tile as it is."""
    return block_count(max(MOLECULES["train_sizes"]) + MOLECULES["test_size"], MOLECULES["tile_size"])


def molecule_blocks():
    return [f"results/molecules/blocks/{block}.zarr.zip" for block in range(molecule_block_count())]


def molecule_tiles():
    used = dict.fromkeys(model["network"] for model in MOLECULES["models"])
    return [
        f"results/molecules/tiles/{network}/{i}_{j}.zarr.zip"
        for network in used
        for i, j in tile_indices(molecule_block_count())
    ]


def molecule_matchings(network):
    return [model["matching"] for model in MOLECULES["models"] if model["network"] == network]
