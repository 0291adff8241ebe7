# Which blocks, tiles and matchings the molecules study needs, and what each job has to do. No rules here.
import itertools

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


def network_signals(network):
    """The signals that a network, given by its entry, sees: its own or the study's."""
    return network.get("signals", MOLECULES["signals"])


def network_settings(network):
    """A network's entry without its signals."""
    return {key: value for key, value in network.items() if key != "signals"}


def network_nodes(network):
    """Nodes of the quadrature over rotations, up to a factor; one for a plain network.

    Behind a cap there are two more angles, of Q and 2Q nodes; later filters on caps add transforms, each of which takes
    some four times as long as everything else.
    """
    order = network.get("quadrature", network_signals(network)["bandlimit"])
    if network["group"] != "so3":
        return 1
    if "support" not in network:
        return order**3
    layers = network["depth"] - 1 if "group_support" in network else 0
    return 2 * order**5 * (1 + 4 * layers)


def molecule_models():
    """The models, each with its signals and with what it takes from the study if it has none of its own."""
    shared = {key: MOLECULES[key] for key in ("composition", "diag_reg")}
    return [shared | model for model in MOLECULES["models"]]


def rival_candidates(rival):
    """Settings of a kernel on descriptors, in the order of its candidates."""
    keys, values = zip(*MOLECULES["rivals"][rival].items())
    return [dict(zip(keys, combination)) for combination in itertools.product(*values)]


def rival_tiles():
    return [
        f"<results>/molecules/rivals/{rival}/{i}_{j}.zarr.zip"
        for rival in MOLECULES.get("rivals", {})
        for i, j in tile_indices(molecule_block_count())
    ]


def molecules_tile_work(wildcards):
    """Pairs of molecules at each node of the quadrature over rotations, or of the grid on the sphere."""
    network, pairs = MOLECULES["networks"][wildcards.network], MOLECULES["tile_size"] ** 2
    size = pairs * len(molecule_matchings(wildcards.network))
    return Work(f"molecules_tile {wildcards.network}", pairs * network_nodes(network), size, 2 * size)


def molecules_rival_work(wildcards):
    """Pairs of molecules for each candidate."""
    size = MOLECULES["tile_size"] ** 2 * len(rival_candidates(wildcards.rival))
    return Work(f"molecules_rival {wildcards.rival}", size, size, 2 * size)


def molecules_learning_curve_work(wildcards):
    """Solves for both kernels of every model, and every rival, on every split, with the memory of the largest.

    To judge a kernel takes its eigenvectors on 2,000 molecules at most, some forty times the work of such a solve. An
    iterative one goes through the matrix some 300 times for 17 right-hand sides, 2 operations for each where n^3 stands
    for a third of one, and holds 2,000 columns beside the rows of the test set.
    """
    sizes, candidates = MOLECULES["train_sizes"], list(map(rival_candidates, MOLECULES.get("rivals", {})))
    curves = 2 * len(MOLECULES["models"]) + len(candidates)
    judged = sum(2 * isinstance(model["diag_reg"], list) for model in molecule_models()) + sum(map(len, candidates))
    dense = [n for n in sizes if n <= MOLECULES["dense"]]
    solves = curves * sum(n**3 + n**2 * MOLECULES["test_size"] for n in dense)
    solves += curves * sum(n**2 * 300 * 17 * 6 for n in sizes if n not in dense)
    solves += 40 * judged * sum(min(n, 2000) ** 3 for n in sizes)
    largest = max((n if n in dense else 2000) * n + MOLECULES["test_size"] * n for n in sizes)
    return Work("molecules_learning_curve", solves * len(MOLECULES["split_seeds"]), size=1, held=largest, dense=True)


WORK["molecules_tile"] = molecules_tile_work
WORK["molecules_rival"] = molecules_rival_work
WORK["molecules_learning_curve"] = molecules_learning_curve_work
