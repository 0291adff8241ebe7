"""What the molecules study's block of the config may hold."""

from blocks import block_count
from pydantic import Field
from settings import (
    NonNegative,
    Positive,
    RefusedError,
    Section,
    Seed,
    Study,
    increasing,
    library,
    model_validator,
    named,
    one_of,
    real,
    refuse,
    sentence,
    unique,
    whole,
)
from shared_settings import Trained

QM9_SIZE = 130_831


class Signals(Section):
    """What an atom sees of the others, by direction."""

    bandlimit: whole(ge=1)
    cutoff_angle: real(gt=0, le=180)
    powers: unique(Positive)


class Network(Trained):
    """Rotations alone have a quadrature, and a plain network alone a sampling of its signals."""

    group: one_of(["so3", "none"]) = Field(description="under which it is invariant")
    quadrature: whole(ge=1) | None = None
    sampling: one_of(library("signals/samplings", "SAMPLINGS")) | None = None

    @model_validator(mode="after")
    def _of_its_group(self) -> "Network":
        for key, group in (("quadrature", "so3"), ("sampling", "none")):
            if getattr(self, key) is not None and self.group != group:
                raise refuse(f"no such key unless group is {group}", key)
        return self


class Model(Section):
    """A network and how it compares the atoms of two molecules."""

    network: str = Field(description="of those above")
    matching: one_of(library("infinite/molecules", "MATCHINGS")) = Field(description="which atoms are compared")


class Figure(Section):
    """Which atoms are drawn."""

    molecule: whole(ge=0)


class Settings(Study):
    """Models take networks that there are, flat for a plain one only. Training and test molecules are no more than
    QM9, or the file at `path`, has, and the drawn molecule is among their blocks.
    """

    path: str | None = None
    pool_seed: Seed
    tile_size: whole(ge=1)
    train_sizes: increasing(whole(ge=2)) = Field(description="training molecules")
    test_size: whole(ge=1) = Field(description="test molecules")
    split_seeds: unique(Seed, 3)
    diag_reg: NonNegative
    signals: Signals
    networks: named(Network) = Field(description="what models name")
    models: unique(Model)
    figure: Figure

    @property
    def needed(self) -> int:
        """Molecules for training and test."""
        return self.train_sizes[-1] + self.test_size

    @model_validator(mode="after")
    def _computable(self) -> "Settings":
        for k, model in enumerate(self.models):
            if model.network not in self.networks:
                raise refuse(f"one of {', '.join(self.networks)}", "models", k, "network")
            if model.matching == "flat" and self.networks[model.network].group == "so3":
                raise refuse("element, all or slot for a network on so3", "models", k, "matching")
        return self

    @model_validator(mode="after")
    def _there(self) -> "Settings":
        pool = block_count(self.needed, self.tile_size) * self.tile_size
        if self.path is None:
            pool = min(pool, QM9_SIZE)
            if self.needed > QM9_SIZE:
                accepted = f"no more molecules than QM9 has, {QM9_SIZE}, less those of the test set"
                raise refuse(accepted, "train_sizes")
        if self.figure.molecule >= pool:
            raise refuse("a molecule of the pool", "figure", "molecule")
        return self

    def read_files(self) -> None:
        """Refuse a file from which nothing can be learned."""
        if self.path is None:
            return
        from ntkfield.datasets.qm9 import read_molecules
        from ntkfield.infinite.molecules import SLOTS
        from ntkfield.signals.molecules import check_learnable

        try:
            molecules = read_molecules(self.path)
            check_learnable(molecules, self.needed)
        except (FileNotFoundError, ValueError) as error:
            raise RefusedError(f"config: molecules.path = {self.path!r} is refused: {error}") from error
        drawn, largest = self.figure.molecule, molecules["n_atoms"].values.max()
        if drawn >= molecules.sizes["molecule"]:
            raise RefusedError(sentence("molecules.figure.molecule", drawn, "a molecule of the file, counted from 0"))
        for k, model in enumerate(self.models):
            if model.matching in ("slot", "flat") and largest > SLOTS:
                accepted = f"element or all for molecules of more than {SLOTS} atoms: the largest has {largest}"
                raise RefusedError(sentence(f"molecules.models.{k}.matching", model.matching, accepted))
