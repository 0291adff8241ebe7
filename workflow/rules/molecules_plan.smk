# Which blocks, tiles and matchings the molecules study needs. No rules here.


def check_molecules():
    """Refuse models that no network can compute."""
    networks = MOLECULES["networks"]
    for k, model in enumerate(MOLECULES["models"]):
        if model["network"] not in networks:
            refuse(f"molecules.models.{k}.network", model["network"], f"one of {', '.join(networks)}")
        if model["matching"] == "flat" and networks[model["network"]]["group"] == "so3":
            refuse(f"molecules.models.{k}.matching", "flat", "element, all or slot for a network on so3")
    for name, network in networks.items():
        for key, group in (("quadrature", "so3"), ("sampling", "none")):
            if key in network and network["group"] != group:
                refuse(f"molecules.networks.{name}.{key}", network[key], f"no such key unless group is {group}")
    if "path" in MOLECULES:
        if workflow.is_main_process:  # not again in each job
            check_own_molecules()
    elif molecule_block_count() * MOLECULES["tile_size"] > QM9_SIZE:
        refuse("molecules.train_sizes", MOLECULES["train_sizes"], f"no more molecules than QM9 has, {QM9_SIZE}")
    if MOLECULES["figure"]["molecule"] >= molecule_block_count() * MOLECULES["tile_size"]:
        refuse("molecules.figure.molecule", MOLECULES["figure"]["molecule"], "a molecule of the pool")


QM9_SIZE = 130_831


def check_own_molecules():
    """Refuse a file from which nothing can be learned, after reading it."""
    from ntkfield.datasets.qm9 import read_molecules
    from ntkfield.infinite.molecules import SLOTS
    from ntkfield.signals.molecules import check_learnable

    try:
        molecules = read_molecules(MOLECULES["path"])
        check_learnable(molecules, max(MOLECULES["train_sizes"]) + MOLECULES["test_size"])
    except (FileNotFoundError, ValueError) as error:
        raise WorkflowError(f"config: molecules.path = {MOLECULES['path']!r} is refused: {error}")
    if MOLECULES["figure"]["molecule"] >= molecules.sizes["molecule"]:
        refuse("molecules.figure.molecule", MOLECULES["figure"]["molecule"], "a molecule of the file, counted from 0")
    largest = molecules["n_atoms"].values.max()
    for k, model in enumerate(MOLECULES["models"]):
        if model["matching"] in ("slot", "flat") and largest > SLOTS:
            refuse(
                f"molecules.models.{k}.matching",
                model["matching"],
                f"element or all for molecules of more than {SLOTS} atoms: the largest has {largest}",
            )


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


check_molecules()
