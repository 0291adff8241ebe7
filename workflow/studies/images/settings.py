"""What the images study's block of the config may hold."""

import zipfile
from pathlib import Path
from typing import NamedTuple

from blocks import block_count
from pydantic import Field
from settings import (
    Name,
    NonNegative,
    Positive,
    Section,
    Seed,
    Study,
    increasing,
    library,
    model_validator,
    named,
    one_of,
    refuse,
    unique,
    whole,
)
from shared_settings import WIDTHS, Trained, Widths, leads_to


class Images(NamedTuple):
    """How many images a data set has, and pixels along a side of one."""

    count: int
    side: int


DATASETS = {"digits": Images(1_797, 8), "mnist": Images(70_000, 28), "pathmnist": Images(107_180, 28)}


class Dataset(Section):
    """Digits come with scikit-learn and take no path."""

    name: one_of(DATASETS)
    path: leads_to("an existing file, or null", Path.is_file) = None
    folder: leads_to("a folder, or null", lambda folder: folder.is_dir() or not folder.exists()) = None

    @model_validator(mode="after")
    def _own_file(self) -> "Dataset":
        if self.path is None:
            return self
        if self.name == "digits":
            raise refuse("null for digits, which come with scikit-learn", "path")
        packed = zipfile.is_zipfile(self.path)
        if not packed and not (self.name == "mnist" and Path(self.path).suffix == ".arff"):
            kinds = "an .npz file or OpenML's .arff file" if self.name == "mnist" else "an .npz file"
            raise refuse(f"the path of {kinds}", "path")
        return self


class Network(Trained):
    """Even filters go with VALID padding or with no turns: a turn must keep the filter's centre on its pixel."""

    depth: whole(ge=1) = Field(description="convolutions")
    group: one_of(library("groups/finite", "PLANAR_GROUPS")) = Field(description="under which it is invariant")
    weight_rate: Positive | None = Field(None, description="relative learning rate; without it, weight_variance")
    filter_shape: whole(ge=1) = Field(description="rows and columns of a filter")
    padding: one_of(library("groups/windows", "PADDINGS")) = Field(description="what a filter sees beyond the edge")
    head: whole(ge=0) = Field(description="activations and weight layers after the readout")

    @model_validator(mode="after")
    def _has_a_centre(self) -> "Network":
        if self.group != "c1" and self.padding != "VALID" and self.filter_shape % 2 == 0:
            accepted = f"an odd number with {self.padding} padding under {self.group}"
            raise refuse(accepted, "filter_shape")
        return self

    def leaves_a_pixel(self, side: int) -> bool:
        """Whether convolutions with VALID padding leave anything of an image."""
        return self.padding != "VALID" or self.depth * (self.filter_shape - 1) < side


class Convergence(Section):
    """Sampled networks of finite width against infinite width."""

    networks: unique(Name) = Field(description="of those above")
    images: whole(ge=1)
    widths: Widths = WIDTHS
    n_networks: whole(ge=3)
    seed: Seed = Field(description="of the networks")


class Settings(Study):
    """Blocks of test and of training images fit the data set, filters its images; `convergence` takes networks that
    there are, and images of the first block of the test set.
    """

    dataset: Dataset
    order_seed: Seed
    turn_seed: Seed
    tile_size: whole(ge=1)
    train_sizes: increasing(whole(ge=2))
    test_size: whole(ge=1) = Field(description="test images")
    subset_seeds: unique(Seed, 3)
    diag_reg: NonNegative
    networks: named(Network)
    convergence: Convergence

    @model_validator(mode="after")
    def _there(self) -> "Settings":
        name, images = self.dataset.name, DATASETS[self.dataset.name]
        blocks = sum(block_count(size, self.tile_size) for size in (self.test_size, self.train_sizes[-1]))
        if blocks * self.tile_size > images.count:
            accepted = f"no more images than {name} has, {images.count}, less those of the test set"
            raise refuse(accepted, "train_sizes")
        for key, network in self.networks.items():
            if not network.leaves_a_pixel(images.side):
                accepted = f"no more than leave a pixel of {images.side} x {images.side} images"
                raise refuse(accepted, "networks", key, "depth")
        return self

    @model_validator(mode="after")
    def _compared(self) -> "Settings":
        for k, network in enumerate(self.convergence.networks):
            if network not in self.networks:
                raise refuse(f"one of {', '.join(self.networks)}", "convergence", "networks", k)
        most = min(self.test_size, self.tile_size)
        if self.convergence.images > most:
            accepted = f"no more than the test images of one tile, {most}"
            raise refuse(accepted, "convergence", "images")
        return self
