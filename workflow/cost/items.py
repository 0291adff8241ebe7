"""What a config makes Snakemake compute: for every kind of job, how many there are and how much each has to do.

Work is counted in units of which a job's time is made, up to a factor that a finished run tells (`measure.py`).
"""

import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

sys.path.append(str(Path(__file__).parents[1]))
from blocks import block_count, tile_count
from studies.images.settings import DATASETS

from ntkfield.groups.finite import PLANAR_GROUPS


class Item(NamedTuple):
    """Jobs of one kind.

    Attributes:
        name: the rule, and what tells its jobs' work apart.
        benchmarks: their Snakemake benchmark files, a glob under results/benchmarks.
        outputs: their results, a glob under results; empty where these are small.
        jobs: how many.
        work: units of one job's time.
        size: units of one job's output on disk.
        dense: whether work counts operations on dense matrices of `size` entries, whose speed is known.
    """

    name: str
    benchmarks: str
    outputs: str
    jobs: int
    work: float
    size: float
    dense: bool = False


def items(config: dict[str, Any]) -> Iterator[Item]:
    """All kinds of jobs of a config whose number or work grows with it."""
    for study in config["studies"]:
        if study in _STUDIES:
            yield from _STUDIES[study](config[study])


def _molecules(s: dict) -> Iterator[Item]:
    pool, tile = max(s["train_sizes"]) + s["test_size"], s["tile_size"]
    tiles, largest = tile_count(block_count(pool, tile)), max(s["train_sizes"])
    for name in dict.fromkeys(model["network"] for model in s["models"]):
        network, matchings = s["networks"][name], sum(model["network"] == name for model in s["models"])
        # nodes of the quadrature over rotations, or of the grid on the sphere
        nodes = network.get("quadrature", s["signals"]["bandlimit"]) ** 3 if network["group"] == "so3" else 1
        place = f"tiles/{name}/*.zarr.zip"
        yield Item(
            f"molecules_tile {name}", f"molecules_tile/{name}/*.tsv", f"molecules/{place}", tiles, tile**2 * nodes,
            tile**2 * matchings,
        )  # fmt: skip
    solves = 2 * len(s["models"]) * len(s["split_seeds"]) * sum(n**3 + n**2 * s["test_size"] for n in s["train_sizes"])
    yield Item("molecules_learning_curve", "molecules_learning_curve.tsv", "", 1, solves, largest**2, True)


def _images(s: dict) -> Iterator[Item]:
    tile = s["tile_size"]
    pool, test = block_count(max(s["train_sizes"]), tile), block_count(s["test_size"], tile)
    pixels = DATASETS[s["dataset"]["name"]].side ** 4  # pairs of positions
    for name, network in s["networks"].items():
        work = tile**2 * pixels * len(PLANAR_GROUPS[network["group"]].matrices) * network["depth"]
        for half, jobs, views in (("train", tile_count(pool), 1), ("test", pool * test, 2)):
            place = f"{name}/{half}_*"
            yield Item(
                f"images_tile {name} {half}", f"images_tile/{place}.tsv", f"images/tiles/{place}.zarr.zip", jobs,
                work * views, tile**2 * views,
            )  # fmt: skip


def _augmentation(s: dict) -> Iterator[Item]:
    parts, steps = s["members"] // s["part_size"], max(s["times"]) / s["step"]
    side = s["network"]["filter_shape"]
    shown = s["images"]["train"] * s["part_size"] * steps
    for width in s["widths"]:
        for group, order in (("c1", 1), ("c4", 4)):
            # c1 sees four copies of an image, c4 has four times the channels in and out; the first layer has one in
            channels = width * order
            deep = (s["network"]["depth"] - 1) * channels / 6
            work = shown * (4 / order) * channels * side**2 * (1 + deep)
            place = f"{group}/{width}/*"
            recorded = s["part_size"] * len(s["times"]) * (s["images"]["test"] + s["images"]["noise"])
            yield Item(
                f"augmentation_train {group} {width}", f"augmentation_train/{place}.tsv",
                f"augmentation/trained/{place}.zarr.zip", parts, work, recorded,
            )  # fmt: skip


def _sine(s: dict) -> Iterator[Item]:
    steps = max(s["problem"]["times"]) / s["problem"]["step"]
    points = len(s["problem"]["train_points"])
    for width in s["widths"]:
        work = s["part_size"] * steps * points * width * (1 + (s["network"]["depth"] - 2) * width)
        recorded = s["part_size"] * len(s["problem"]["times"]) * s["problem"]["grid"]
        yield Item(
            f"sine_train {width}", f"sine_train/{width}/*.tsv", f"sine/trained/{width}/*.zarr.zip",
            s["members"] // s["part_size"], work, recorded,
        )  # fmt: skip


def _sampled(study: str, name: str, s: dict, inputs: list, width: int, depth: int) -> Item:
    work = min(s["networks"], s["networks_per_job"]) * depth * (width * len(inputs) ** 2 + len(inputs) ** 4)
    jobs = math.ceil(s["networks"] / s["networks_per_job"])
    benchmarks = f"finite_sample/{study}_{name}_*.tsv"
    return Item(f"finite_sample {study} {name}", benchmarks, "", jobs, work, len(inputs) ** 4)


def _corrections(s: dict) -> Iterator[Item]:
    for width in s["widths"]:
        yield _sampled("corrections", f"width_{width}", s, s["inputs"], width, s["network"]["depth"])


def _criticality(s: dict) -> Iterator[Item]:
    for variance in s["weight_variances"]:
        for depth in s["depths"]:
            for name, inputs in (("kernels", s["inputs"]), ("four_point", s["inputs_four_point"])):
                yield _sampled("criticality", f"{name}_{variance:g}_depth_{depth}", s, inputs, s["width"], depth)


def _scale(s: dict) -> Iterator[Item]:
    for name, case in s["cases"].items():
        for width in s["widths"]:
            yield _sampled("scale", f"{name}_width_{width}", s, s["inputs"], width, case["depth"])


_STUDIES = {
    "molecules": _molecules,
    "images": _images,
    "augmentation": _augmentation,
    "sine": _sine,
    "corrections": _corrections,
    "criticality": _criticality,
    "scale": _scale,
}
