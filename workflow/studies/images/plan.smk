# Which blocks and tiles the images study needs, and what each job has to do. No rules here.
from studies.images.settings import DATASETS

from ntkfield.groups.finite import PLANAR_GROUPS

# A data set that is not from a file of one's own is the same for all runs.
IMAGES_DATASET = (
    "<results>/images/dataset.zarr.zip"
    if "path" in IMAGES["dataset"]
    else f"<shared>/images/{IMAGES['dataset']['name']}.zarr.zip"
)


def image_block_count(part):
    """Blocks of the test set or the pool: whole ones, so that more images leave every tile as it is."""
    size = IMAGES["test_size"] if part == "test" else max(IMAGES["train_sizes"])
    return block_count(size, IMAGES["tile_size"])


def image_blocks(part):
    return [f"<results>/images/blocks/{part}_{block}.zarr.zip" for block in range(image_block_count(part))]


def image_tiles():
    pool, test = image_block_count("train"), image_block_count("test")
    pairs = [f"train_{i}_{j}" for i, j in tile_indices(pool)]
    pairs += [f"test_{i}_{j}" for i in range(test) for j in range(pool)]
    return [f"<results>/images/tiles/{network}/{pair}.zarr.zip" for network in IMAGES["networks"] for pair in pairs]


def images_tile_work(wildcards):
    """Pairs of pixels of pairs of images, for each group element, layer and view of the row's images."""
    network, pairs = IMAGES["networks"][wildcards.network], IMAGES["tile_size"] ** 2
    elements = len(PLANAR_GROUPS[network["group"]].matrices)
    views = 2 if wildcards.half == "test" else 1  # upright and turned
    amount = pairs * DATASETS[IMAGES["dataset"]["name"]].side ** 4 * elements * network["depth"] * views
    return Work(f"images_tile {wildcards.network} {wildcards.half}", amount, pairs * views, 2 * pairs * views)


def images_learning_curve_work(wildcards):
    """Solves for both kernels of every network on every subset, with the memory of the largest."""
    sizes, tests = IMAGES["train_sizes"], 2 * IMAGES["test_size"]  # upright and turned
    curves = 2 * len(IMAGES["networks"]) * len(IMAGES["subset_seeds"])
    solves = curves * sum(n**3 + n**2 * tests for n in sizes)
    return Work("images_learning_curve", solves, size=1, held=(max(sizes) + tests) * max(sizes), dense=True)


WORK["images_tile"] = images_tile_work
WORK["images_learning_curve"] = images_learning_curve_work
