# Which blocks and tiles the images study needs. No rules here.


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
