# Which blocks and tiles the images study needs. No rules here.


IMAGES_SIZES = {"digits": 1_797, "mnist": 70_000, "pathmnist": 107_180}


def check_images():
    """Refuse a study that the dataset cannot feed."""
    dataset = IMAGES["dataset"]
    if "path" in dataset and dataset["name"] == "digits":
        refuse("images.dataset.path", dataset["path"], "null for digits, which come with scikit-learn")
    if sum(image_block_count(part) for part in ("test", "train")) * IMAGES["tile_size"] > IMAGES_SIZES[dataset["name"]]:
        refuse(
            "images.train_sizes",
            IMAGES["train_sizes"],
            f"no more images than {dataset['name']} has, {IMAGES_SIZES[dataset['name']]}, less those of the test set",
        )
    for k, network in enumerate(IMAGES["convergence"]["networks"]):
        if network not in IMAGES["networks"]:
            refuse(f"images.convergence.networks.{k}", network, f"one of {', '.join(IMAGES['networks'])}")


def image_block_count(part):
    """Blocks of the test set or the pool: whole ones, so that more images leave every tile as it is."""
    size = IMAGES["test_size"] if part == "test" else max(IMAGES["train_sizes"])
    return block_count(size, IMAGES["tile_size"])


def image_blocks(part):
    return [f"results/images/blocks/{part}_{block}.zarr.zip" for block in range(image_block_count(part))]


def image_tiles():
    pool, test = image_block_count("train"), image_block_count("test")
    pairs = [f"train_{i}_{j}" for i, j in tile_indices(pool)]
    pairs += [f"test_{i}_{j}" for i in range(test) for j in range(pool)]
    return [f"results/images/tiles/{network}/{pair}.zarr.zip" for network in IMAGES["networks"] for pair in pairs]


check_images()
