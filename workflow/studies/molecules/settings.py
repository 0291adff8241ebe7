"""What the molecules study's block of the config may hold."""

from importlib.util import find_spec
from typing import Annotated

from blocks import block_count
from pydantic import Field, TypeAdapter, WrapValidator
from settings import (
    Flag,
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

QM9_SIZE, QM9_ELEMENTS = 130_831, 5
FINEST_ON_PAIRS = 21  # quadrature whose arrays the library holds (infinite/two_index.py)


Cap = real(gt=0, lt=180)
ONE, SEVERAL = TypeAdapter(NonNegative), TypeAdapter(increasing(Positive, 2))
# A number, or several to choose from. What is refused is said of the form that was given, not of both.
DiagReg = Annotated[
    NonNegative | increasing(Positive, 2),
    WrapValidator(lambda given, _: (SEVERAL if isinstance(given, list) else ONE).validate_python(given)),
]


class Shells(Section):
    """Smooth shells of distance."""

    first: Positive = Field(description="centre of the innermost, in angstrom")
    last: Positive = Field(description="centre of the outermost, in angstrom")
    count: whole(ge=1) = Field(description="how many, equidistant")
    width: Positive = Field(description="standard deviation, in angstrom")
    cutoff: Positive = Field(description="where they end, in angstrom")
    power: NonNegative | None = Field(None, description="of the distance, by which they are divided; 1 if not given")
    charge: NonNegative | None = Field(None, description="of the product of charges, their factor; 0.5 if not given")

    @model_validator(mode="after")
    def _inside(self) -> "Shells":
        if not self.first <= self.last <= self.cutoff:
            raise refuse("a distance from the first shell to the cutoff", "last")
        return self


class Signals(Section):
    """What an atom sees of the others, by direction."""

    bandlimit: whole(ge=1)
    cutoff_angle: real(gt=0, le=180)
    powers: unique(Positive, 0)
    shells: Shells | None = Field(None, description="further channels beside those of the powers")

    @model_validator(mode="after")
    def _something(self) -> "Signals":
        if not self.powers and self.shells is None:
            raise refuse("a power or more, or shells beside none", "powers")
        return self


class Network(Trained):
    """Rotations alone have a quadrature, a precision and caps, and a plain network alone a sampling of its signals."""

    group: one_of(["so3", "none"]) = Field(description="under which it is invariant")
    quadrature: whole(ge=1) | None = None
    sampling: one_of(library("signals/samplings", "SAMPLINGS")) | None = None
    precision: one_of(library("networks/so3", "PRECISIONS")) | None = Field(
        None,
        description="of the arithmetic at each rotation; double if not given; single is off by 1e-7 of the largest",
    )
    support: Cap | None = Field(
        None, description="degrees from the pole up to which the lifting filter reaches; the whole sphere if not given"
    )
    group_support: Cap | None = Field(
        None, description="degrees up to which the other filters turn the pole; the whole group if not given"
    )
    signals: Signals | None = Field(None, description="of its own; without them, those of the study")

    @model_validator(mode="after")
    def _of_its_group(self) -> "Network":
        rotations = ("quadrature", "precision", "support", "group_support")
        for key, group in (*((key, "so3") for key in rotations), ("sampling", "none")):
            if getattr(self, key) is not None and self.group != group:
                raise refuse(f"no such key unless group is {group}", key)
        on_pairs = self.support is not None and (self.group_support is not None or self.depth == 1)
        if on_pairs and (self.quadrature or 0) > FINEST_ON_PAIRS:
            raise refuse(f"at most {FINEST_ON_PAIRS} for a kernel on pairs of rotations", "quadrature")
        return self


class Model(Section):
    """A network and how it compares the atoms of two molecules."""

    network: str = Field(description="of those above")
    matching: one_of(library("infinite/molecules", "MATCHINGS")) = Field(description="which atoms are compared")
    composition: Flag | None = Field(None, description="its own; without it, that of the study")
    diag_reg: DiagReg | None = Field(None, description="its own; without it, that of the study")


class Soap(Section):
    """Kernel ridge regression on SOAP: every combination is a candidate."""

    cutoffs: unique(Positive) = Field(description="in angstrom")
    smearings: unique(Positive) = Field(description="standard deviation of an atom's density, in angstrom")
    zetas: unique(Positive) = Field(description="power of the product of two descriptors")


class Fchl19(Section):
    """Kernel ridge regression on FCHL19: every length is a candidate."""

    lengths: unique(Positive) = Field(description="of the Gaussian of two descriptors")


class Rivals(Section):
    """Kernels on descriptors made by hand; candidates are chosen as regularisers are, on training molecules."""

    soap: Soap | None = None
    fchl19: Fchl19 | None = None


class Search(Section):
    """Networks of which one is to be chosen, on molecules that none is trained or tested on elsewhere."""

    molecules: whole(ge=QM9_ELEMENTS) = Field(description="from the end of the order whose beginning is the pool")
    diag_reg: increasing(Positive, 2) = Field(description="of which each kernel takes the best")
    candidates: named(Network)


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
    composition: Flag
    diag_reg: DiagReg
    dense: whole(ge=1)
    signals: Signals
    networks: named(Network) = Field(description="what models name")
    models: unique(Model)
    rivals: Rivals | None = None
    search: Search | None = None
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

    @property
    def fits_composition(self) -> bool:
        """Whether any curve takes off what composition explains."""
        return bool(self.rivals and self.composition) or any(
            self.composition if model.composition is None else model.composition for model in self.models
        )

    @model_validator(mode="after")
    def _determined(self) -> "Settings":
        if self.path is None and self.fits_composition and self.train_sizes[0] < QM9_ELEMENTS:
            raise refuse(f"at least {QM9_ELEMENTS}, as there are elements whose energies are fitted", "train_sizes", 0)
        return self

    @model_validator(mode="after")
    def _convergent(self) -> "Settings":
        if self.train_sizes[-1] > self.dense:
            accepted = f"a number above 0 where more than dense = {self.dense} molecules are trained on"
            if self.diag_reg == 0:
                raise refuse(accepted, "diag_reg")
            for k, model in enumerate(self.models):
                if model.diag_reg == 0:
                    raise refuse(accepted, "models", k, "diag_reg")
        return self

    @model_validator(mode="after")
    def _there(self) -> "Settings":
        pool = block_count(self.needed, self.tile_size) * self.tile_size
        if self.path is None:
            pool = min(pool, QM9_SIZE)
            if self.needed > QM9_SIZE:
                accepted = f"no more molecules than QM9 has, {QM9_SIZE}, less those of the test set"
                raise refuse(accepted, "train_sizes")
            if self.search and self.search.molecules > (left := QM9_SIZE - self.needed):
                raise refuse(f"at most {left}, those that are not for training and test", "search", "molecules")
        if self.figure.molecule >= pool:
            raise refuse("a molecule of the pool", "figure", "molecule")
        return self

    def read_files(self) -> None:
        """Refuse rivals whose packages are missing, and a file from which nothing can be learned."""
        for package in ("dscribe", "qmllib") if self.rivals else ():
            if find_spec(package) is None:
                accepted = f'null where the package {package} is missing: pip install "ntkfield[rivals]"'
                raise RefusedError(sentence("molecules.rivals", self.rivals.model_dump(exclude_none=True), accepted))
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
        if self.search and self.search.molecules > (left := molecules.sizes["molecule"] - self.needed):
            accepted = f"at most {left}, those of the file that are not for training and test, or search: null"
            raise RefusedError(sentence("molecules.search.molecules", self.search.molecules, accepted))
        elements = len(set(molecules["numbers"].values.tolist()))
        if self.fits_composition and self.train_sizes[0] < elements:
            accepted = f"at least {elements}, as there are elements whose energies are fitted"
            raise RefusedError(sentence("molecules.train_sizes.0", self.train_sizes[0], accepted))
        for k, model in enumerate(self.models):
            if model.matching in ("slot", "flat") and largest > SLOTS:
                accepted = f"element or all for molecules of more than {SLOTS} atoms: the largest has {largest}"
                raise RefusedError(sentence(f"molecules.models.{k}.matching", model.matching, accepted))
