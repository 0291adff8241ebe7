"""What the settings refuse, each in one sentence: whatever a job would refuse later, and nothing else."""

import copy
import itertools
import re
from pathlib import Path
from typing import Any

import ase.io
import jax
import numpy as np
import pytest
import yaml
from ase import Atoms
from configs import DEFAULT, changed, said
from settings import check, layered, library, model, number, unwritable
from snakemake.cli import parse_config
from snakemake.utils import update_config
from studies.augmentation.settings import DIGITS
from studies.images.settings import DATASETS
from studies.molecules.settings import FINEST_ON_PAIRS

import ntkfield as nf
from ntkfield.activations import NAMES
from ntkfield.diagrams.tensors import FIRST_ORDER, shape_from_name
from ntkfield.dynamics.first_order import MOST_TRAINING
from ntkfield.groups.finite import PLANAR_GROUPS
from ntkfield.groups.windows import PADDINGS
from ntkfield.infinite.caps import Rule
from ntkfield.infinite.molecules import MATCHINGS
from ntkfield.infinite.planar import images
from ntkfield.infinite.two_index import MOST
from ntkfield.signals.molecules import channel_labels
from ntkfield.signals.samplings import SAMPLINGS
from ntkfield.tensors import TENSORS

MLP = "molecules.networks.mlp"
SO3 = "molecules.networks.so3"
C4 = "images.networks.c4"
GELU = "scale.cases.gelu"
CAPS = {"group": "so3", "depth": 2, "activation": "relu", "weight_variance": 1.0, "bias_variance": 0.0, "support": 60}
WITHOUT_BIASES = (("sine.network.bias_variance", 0.0),)

REFUSED = [
    # keys
    ("molecule", 1, "molecule = 1 is refused: expected one of the keys run, studies,"),
    ("sine.member", 16, "sine.member = 16 is refused: expected one of the keys"),
    ("sine.member", 16, "; the nearest is members"),
    ("molecules.signals.power", [2], "molecules.signals.power = [2] is refused: expected one of the keys bandlimit,"),
    ("corrections.network.input_scale", 1.0, "input_scale = 1.0 is refused: expected one of the keys bias_variance,"),
    ("criticality.network.depth", 4, "criticality.network.depth = 4 is refused: expected one of the keys"),
    ("sine", None, "sine = None is refused: expected a value"),
    ("scale.widths", None, "scale.widths = None is refused: expected a value"),
    ("scale.widths", "null", "scale.widths = None is refused: expected a value"),
    ("diagrams.network.depth", None, "diagrams.network.depth = None is refused: expected a value"),
    ("scale.cases.own", {"activation": "relu"}, "scale.cases.own.bias_variance = None is refused: expected a value"),
    ("scale.cases.a/b", {}, "scale.cases = 'a/b' is refused: expected a name of lower-case"),
    ("scale.cases", {}, "scale.cases = {} is refused: expected at least 1 key"),
    ("sine.network", {7: 1}, "sine.network.7 = 1 is refused: expected one of the keys depth,"),
    ("sine", [1], "sine = [1] is refused: expected keys with values"),
    ("sine.network", "deep", "sine.network = 'deep' is refused: expected keys with values"),
    ("scale.cases", [], "scale.cases = [] is refused: expected keys with values"),
    # numbers
    ("molecules.diag_reg", "much", "molecules.diag_reg = 'much' is refused: expected a number"),
    ("molecules.diag_reg", "nan", "molecules.diag_reg = 'nan' is refused: expected a number"),
    ("molecules.diag_reg", "1e999", "molecules.diag_reg = '1e999' is refused: expected a finite number"),
    ("molecules.diag_reg", float("nan"), "molecules.diag_reg = nan is refused: expected a finite number"),
    ("molecules.diag_reg", float("inf"), "molecules.diag_reg = inf is refused: expected a finite number"),
    ("molecules.diag_reg", 10**400, "is refused: expected a finite number"),
    ("molecules.diag_reg", True, "molecules.diag_reg = True is refused: expected a number"),
    ("molecules.diag_reg", -1e-9, "molecules.diag_reg = -1e-09 is refused: expected 0 or above"),
    ("sine.seed", "x", "sine.seed = 'x' is refused: expected a whole number"),
    ("sine.seed", "7.0", "sine.seed = '7.0' is refused: expected a whole number"),
    ("sine.seed", "07", "sine.seed = '07' is refused: expected a whole number"),
    ("sine.seed", 7.0, "sine.seed = 7.0 is refused: expected a whole number"),
    ("sine.seed", float("nan"), "sine.seed = nan is refused: expected a finite number"),
    ("sine.seed", True, "sine.seed = True is refused: expected a whole number"),
    ("sine.seed", -1, "sine.seed = -1 is refused: expected 0 or above"),
    ("images.convergence.seed", 2**63, "is refused: expected 9223372036854775807 or below"),
    ("sine.problem.times", [0.0, float("nan")], "sine.problem.times.1 = nan is refused: expected a finite number"),
    ("sine.problem.step", 2, "sine.problem.step = 2 is refused: expected a number below 2"),
    ("sine.problem.train_points", [0.0, 4.0], "train_points.1 = 4.0 is refused: expected 3.14159"),
    (f"{SO3}.weight_variance", 0.0, "so3.weight_variance = 0.0 is refused: expected a number above 0"),
    ("molecules.signals.powers", [0], "molecules.signals.powers.0 = 0 is refused: expected a number above 0"),
    ("molecules.signals.cutoff_angle", 181, "cutoff_angle = 181 is refused: expected 180 or below"),
    (f"{GELU}.input_scale", 0, "scale.cases.gelu.input_scale = 0 is refused: expected a number other than 0"),
    # lists
    ("sine.widths", 16, "sine.widths = 16 is refused: expected a list"),
    ("sine.widths", [16, "x"], "sine.widths.1 = 'x' is refused: expected a whole number"),
    ("sine.widths", [16, None], "sine.widths.1 = None is refused: expected a whole number"),
    ("sine.widths", [16], "sine.widths = [16] is refused: expected a list of at least 2"),
    ("augmentation.images.classes", [1, 2, 3], "classes = [1, 2, 3] is refused: expected a list of at most 2"),
    ("molecules.split_seeds", [0, 1, 1], "split_seeds = [0, 1, 1] is refused: expected a list without repetition"),
    ("studies", ["sine", "sine"], "studies = ['sine', 'sine'] is refused: expected a list without repetition"),
    ("sine.problem.times", [1, 2], "sine.problem.times = [1, 2] is refused: expected times from 0 on"),
    ("augmentation.times", [1, 2], "augmentation.times = [1, 2] is refused: expected times from 0 on"),
    ("corrections.inputs", [[1, 2], [1]], "corrections.inputs = [[1, 2], [1]] is refused: expected rows of one length"),
    ("corrections.inputs", [[1, 2]], "corrections.inputs = [[1, 2]] is refused: expected a list of at least 2"),
    # names
    ("studies", ["cosine"], "studies.0 = 'cosine' is refused: expected one of augmentation, corrections,"),
    ("studies", "sine", "studies = 'sine' is refused: expected a list"),
    (f"{SO3}.group", "so2", "so3.group = 'so2' is refused: expected one of so3, none"),
    (f"{C4}.group", "c3", "c4.group = 'c3' is refused: expected one of c1, c4, d4"),
    (f"{C4}.padding", 3, "c4.padding = 3 is refused: expected one of SAME, VALID, CIRCULAR"),
    ("images.dataset.name", "cifar", "images.dataset.name = 'cifar' is refused: expected one of digits, mnist"),
    ("diagrams.recursions", ["K1", "W"], "diagrams.recursions.1 = 'W' is refused: expected one of K1, Theta1, V, D,"),
    (f"{SO3}.activation", "rleu", "so3.activation = 'rleu' is refused: expected one of relu"),
    (f"{SO3}.activation", {"name": "leaky_relu", "slop": 1}, "expected one of relu"),
    (f"{SO3}.activation", {"name": "leaky_relu", "slope": True}, "expected one of relu"),
    (
        f"{SO3}.activation",
        {"name": "polynomial", "coefficients": [0, 0.0]},
        "a polynomial with a coefficient other than 0",
    ),
    # what does not go together
    ("sine.members", 130, "sine.members = 130 is refused: expected a multiple of part_size, 512"),
    ("augmentation.members", 500, "augmentation.members = 500 is refused: expected a multiple of part_size, 384"),
    (
        "molecules.models.0.network",
        "cnn",
        "molecules.models.0.network = 'cnn' is refused: expected one of shells, so3, mlp",
    ),
    ("molecules.models.0.matching", "flat", "models.0.matching = 'flat' is refused: expected element, all or slot"),
    (f"{MLP}.quadrature", 8, "mlp.quadrature = 8 is refused: expected no such key unless group is so3"),
    (f"{MLP}.support", 60, "mlp.support = 60 is refused: expected no such key unless group is so3"),
    (f"{MLP}.group_support", 60, "mlp.group_support = 60 is refused: expected no such key unless group is so3"),
    (f"{SO3}.support", 0, "so3.support = 0 is refused: expected a number above 0"),
    (f"{SO3}.group_support", 180, "so3.group_support = 180 is refused: expected a number below 180"),
    (
        "molecules.networks.deep",
        CAPS | {"group_support": 60, "quadrature": 22},
        "deep.quadrature = 22 is refused: expected at most 21 for a kernel on pairs of rotations",
    ),
    (f"{SO3}.sampling", "gl", "so3.sampling = 'gl' is refused: expected no such key unless group is none"),
    (
        "molecules.train_sizes",
        [8, 200_000],
        "train_sizes = [8, 200000] is refused: expected no more molecules than QM9",
    ),
    ("molecules.figure.molecule", 192, "molecules.figure.molecule = 192 is refused: expected a molecule of the pool"),
    (
        "images.train_sizes",
        [6, 1_750],
        "images.train_sizes = [6, 1750] is refused: expected no more images than digits",
    ),
    (
        "images.convergence.networks",
        ["c1", "c2"],
        "convergence.networks.1 = 'c2' is refused: expected one of c1, c4, d4",
    ),
    (
        "images.convergence.images",
        65,
        "convergence.images = 65 is refused: expected no more than the test images of one",
    ),
    (f"{C4}.depth", 4, "images.networks.c4.depth = 4 is refused: expected no more than leave a pixel of 8 x 8 images"),
    ("augmentation.network.depth", 3, "augmentation.network.depth = 3 is refused: expected no more than leave a pixel"),
    ("augmentation.network.padding", "SAME", "filter_shape = 4 is refused: expected an odd number with SAME padding"),
    (
        "augmentation.images.train",
        350,
        "train = 350 is refused: expected no more images than the 356 of classes 0 and 1",
    ),
    ("criticality.depths", [1, 4], "criticality.depths.0 = 1 is refused: expected 2 or above"),
    ("criticality.weight_variances", [2, 2.0000001], "expected numbers that differ within six digits"),
    ("scale.cases.a_width_2", {}, "scale.cases = 'a_width_2' is refused: expected a name without _width_"),
    ("corrections.network.weight_rate", 0, "corrections.network.weight_rate = 0 is refused: expected a number above 0"),
    (
        f"{MLP}.weight_rate",
        0.0,
        "mlp.weight_rate = 0.0 is refused: expected a number above 0 where biases do not learn",
    ),
    # files, seen from the folder of the tests
    ("qm9.path", ".", "qm9.path = '.' is refused: expected the path of a folder with qm9_part1.csv"),
    ("qm9.path", 3, "qm9.path = 3 is refused: expected a text"),
    ("images.dataset.path", "Makefile", "images.dataset.path = 'Makefile' is refused: expected null for digits"),
    (
        "images.dataset",
        {"name": "mnist", "path": "no.npz"},
        "dataset.path = 'no.npz' is refused: expected the path of an",
    ),
    (
        "images.dataset",
        {"name": "mnist", "path": "Makefile"},
        "expected the path of an .npz file or OpenML's .arff file",
    ),
    (
        "images.dataset.folder",
        "Makefile",
        "images.dataset.folder = 'Makefile' is refused: expected the path of a folder",
    ),
    ("molecules.path", "own.xyz", "molecules.path = 'own.xyz' is refused: "),
]


@pytest.mark.parametrize(("field", "value", "sentence"), REFUSED)
def test_what_makes_no_sense_is_refused(field: str, value: Any, sentence: str) -> None:
    found = str(said((field, value)))
    assert found.startswith("config: ")
    assert sentence in found
    assert "\n" not in found


@pytest.mark.parametrize(
    ("network", "widths"),
    [
        ("corrections.network", "corrections.widths"),
        (GELU, "scale.widths"),
        ("criticality.network", "criticality.width"),
    ],
)
def test_studies_of_finite_width_take_orthogonal_weights(network: str, widths: str) -> None:
    assert said((f"{network}.weights", "orthogonal")) is None
    assert "expected one of gaussian, orthogonal" in str(said((f"{network}.weights", "unitary")))
    narrow = [1, 2] if widths.endswith("s") else 1
    assert said((widths, narrow)) is None
    assert "= 1 is refused: expected 2 or above" in str(said((f"{network}.weights", "orthogonal"), (widths, narrow)))


def test_what_is_solved_iteratively_needs_a_regulariser() -> None:
    found = str(said(("molecules.dense", 64), ("molecules.diag_reg", 0)))
    assert "molecules.diag_reg = 0 is refused: expected a number above 0 where more than dense = 64 molecules" in found


JUNK = ["x", "7", 7, 7.5, -1, True, [], {}, float("nan"), [["x"]], {"name": "polynomial", 1: 2}, {"a.b": None}]


def places(node: Any, path: str = "") -> list[str]:
    """Every key of the default config, and the first entries of its lists."""
    pairs = node.items() if isinstance(node, dict) else enumerate(node[:1]) if isinstance(node, list) else ()
    return [place for key, value in pairs for place in (f"{path}{key}", *places(value, f"{path}{key}."))]


@pytest.mark.parametrize("study", DEFAULT)
def test_junk_anywhere_is_refused_in_a_sentence_or_makes_sense(study: str) -> None:
    for field in [study, *places(DEFAULT[study], f"{study}.")]:
        for junk in JUNK:
            found = said((field, copy.deepcopy(junk)))
            sentence = re.fullmatch(rf"config: {study}.* = .* is refused: .+", str(found))
            assert found is None or sentence, (field, junk, found)


def test_a_point_at_zero_teaches_nothing_without_biases() -> None:
    points = ("sine.problem.train_points", [0])
    assert said(points) is None
    assert "train_points = [0] is refused: expected a point other than 0" in str(said(points, *WITHOUT_BIASES))
    assert said(("sine.problem.train_points", [0, 1]), *WITHOUT_BIASES) is None


@pytest.mark.parametrize(
    "field",
    [
        *("corrections.widths", "scale.widths", "images.convergence.widths", "sine.widths", "augmentation.widths"),
        *("criticality.depths", "molecules.train_sizes", "images.train_sizes"),
        *("sine.problem.times", "augmentation.times"),
    ],
)
@pytest.mark.parametrize("values", [[64, 16], [16, 64, 64]])
def test_what_runs_along_an_axis_increases(field: str, values: list[int]) -> None:
    start = [0] * field.endswith("times")
    assert said((field, start + sorted(set(values)))) is None
    assert said((field, values)) == f"config: {field} = {values} is refused: expected a list of increasing numbers"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sine.problem.train_points", [-3.14159, 0.0]),
        ("criticality.weight_variances", [0.5, 1.0]),
        ("criticality.network.activation", "softplus"),
        ("diagrams.recursions", ["K2", "V6", "V.1", "Theta9", "V8.2"]),
        ("molecules.train_sizes", [8, 130_767]),  # with the test set every molecule that there is
        ("images.convergence.seed", 2**63 - 1),
        (f"{C4}.filter_shape", 2),
    ],
)
def test_what_makes_sense_is_not(field: str, value: Any) -> None:
    assert said((field, value)) is None


@pytest.mark.parametrize(
    ("count", "change", "sentence"),
    [
        (4, (), None),
        (3, (), "molecules.path = '{path}' is refused: number of molecules = 3 is refused: expected 4, for training"),
        (4, [("molecules.tile_size", 3), ("molecules.figure.molecule", 4)], "a molecule of the file, counted from 0"),
        (
            4,
            [("molecules.models.0.matching", "slot")],
            "matching = 'slot' is refused: expected element or all",
        ),
    ],
)
def test_a_file_of_own_molecules_is_read(tmp_path: Path, count: int, change: Any, sentence: str | None) -> None:
    path = str(tmp_path / "own.extxyz")
    chain = Atoms("C30", [[1.5 * k, 0, 0] for k in range(30)])  # more atoms than there are slots
    chain.info["atomization_energy"] = -100.0
    ase.io.write(path, [chain] * count)
    models = [{"network": "so3", "matching": "element"}]
    sizes = [("molecules.train_sizes", [2, 3]), ("molecules.test_size", 1), ("molecules.models", models)]
    found = said(("molecules.path", path), *sizes, *change)
    assert (found is None) if sentence is None else (sentence.format(path=path) in str(found))


def test_numbers_given_on_the_command_line_are_those_of_a_file() -> None:
    text = "{seed: 7, widths: [16, 64], problem: {step: 0.5, times: [0, 1e-1, 2.0]}, network: {bias_variance: 0}}"
    configs = []
    for over in (parse_config([f"sine={text}"]), {"sine": yaml.safe_load(text.replace("1e-1", "0.1"))}):
        config = changed()
        update_config(config, over)
        check(config)
        configs.append(repr(config))  # as Snakemake keeps parameters, 7 apart from 7.0 and '7'
    assert configs[0] == configs[1]
    assert "'seed': 7}" in configs[0]


def test_null_on_the_command_line_takes_out_too() -> None:
    config = changed()
    update_config(config, parse_config(["scale={cases: {gelu: null}}", "molecules={path: null}"]))
    check(config)
    assert "gelu" not in config["scale"]["cases"]
    assert "path" not in config["molecules"]


@pytest.mark.parametrize(
    ("text", "value"),
    [("7", 7), ("-7", -7), ("7.0", 7.0), ("1e-4", 1e-4), (".5", 0.5), ("0", 0)]
    + [(text, None) for text in ("", "7 ", "0x7", "07", "1_000", "seven", "nan", "inf", "7,0", "٧")],
)
def test_text_is_a_number_only_exactly(text: str, value: float | None) -> None:
    assert repr(number(text)) == repr(value)


def test_the_same_settings_are_the_same_text() -> None:
    """Order and types stand in parameters, by which Snakemake tells old results from new ones."""
    expected, config = layered([]), {"images": {"networks": {"d4": {"head": 1}}}, "sine": {"problem": {"step": 1}}}
    update_config(config, layered([]))  # the user's keys first, as Snakemake has them
    config["sine"]["problem"]["step"] = 1
    assert repr(config) != repr(expected)
    check(expected)
    check(config)
    assert repr(config) == repr(expected)
    assert list(config) == [key for key in DEFAULT if key in config]
    added = layered([])
    added["scale"]["cases"] = {"tanh": {"input_scale": 1, **added["scale"]["cases"]["gelu"]}} | added["scale"]["cases"]
    check(added)
    assert list(added["scale"]["cases"]) == ["relu", "leaky_relu", "linear", "gelu", "tanh"]


def test_what_cannot_take_results_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert unwritable(tmp_path) is None
    assert unwritable(tmp_path / "results/mine") is None
    (tmp_path / "file").write_text("")
    assert unwritable(tmp_path / "file/mine") == tmp_path / "file"
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    assert unwritable(tmp_path / "gone/mine") == tmp_path / "gone"
    monkeypatch.setattr("settings.os.access", lambda path, mode: path != tmp_path)  # root may write anything
    assert unwritable(tmp_path / "results/mine") == tmp_path


def test_names_are_those_of_the_library() -> None:
    assert {*library("activations", "_PLAIN"), "leaky_relu", "polynomial"} == set(NAMES)
    assert library("groups/finite", "PLANAR_GROUPS") == tuple(PLANAR_GROUPS)
    assert library("groups/windows", "PADDINGS") == PADDINGS
    assert library("signals/samplings", "SAMPLINGS") == SAMPLINGS
    assert library("infinite/molecules", "MATCHINGS") == MATCHINGS
    for order, fits in ((FINEST_ON_PAIRS, True), (FINEST_ON_PAIRS + 1, False)):
        assert (Rule(1, order, 1.0).size <= MOST) == fits
    assert library("tensors", "TENSORS") == tuple(TENSORS)
    assert library("dynamics/first_order", "MOST_TRAINING") == MOST_TRAINING
    with pytest.raises(LookupError, match="no constant NOTHING"):
        library("tensors", "NOTHING")


def test_data_sets_hold_what_the_settings_think() -> None:
    from sklearn.datasets import load_digits

    digits = load_digits()
    assert DATASETS["digits"] == (len(digits.images), digits.images.shape[1])
    assert tuple(np.bincount(digits.target)) == DIGITS


GROUPS = [*itertools.product(PLANAR_GROUPS, PADDINGS, (1, 2, 3, 4, 8, 9), (1, 2, 7))]


def test_filters_are_refused_that_the_library_refuses() -> None:
    """Of all groups, paddings, sides and depths, on the digits' 8 x 8 pixels."""
    refused = 0
    for group, padding, side, depth in GROUPS:
        fields = {"group": group, "padding": padding, "filter_shape": side, "depth": depth}
        network = DEFAULT["images"]["networks"]["c1"] | fields
        try:
            images(nf.GroupCNN(**network), "x", np.ones((1, 8, 8, 1)))
        except ValueError:
            refused += 1
            assert said(("images.networks.c1", network)) is not None, fields
        else:
            assert said(("images.networks.c1", network)) is None, fields
    assert 0 < refused < len(GROUPS)


@pytest.mark.parametrize(
    "name", [*FIRST_ORDER, "K2", "Theta2", "V6", "V8", "V.1", "U.9", "K", "Theta", "V7", "W", "V.0"]
)
def test_recursions_are_those_that_can_be_named(name: str) -> None:
    accepted = said(("diagrams.recursions", [name])) is None
    try:
        shape_from_name(name)
    except ValueError:
        assert not accepted
    else:
        assert accepted or name == "V.0"  # another name of V


@pytest.mark.parametrize("powers", [[0], [-1.0], []])
def test_powers_are_refused_that_signals_refuse(powers: list[float]) -> None:
    with pytest.raises(ValueError, match="one positive finite number or more"):
        channel_labels(powers)
    assert said(("molecules.signals.powers", powers)) is not None


def test_networks_are_refused_that_cannot_be_sampled() -> None:
    x, wide = np.eye(2), {"width": 4, "n_networks": 1, "seed": 0}
    with pytest.raises(ValueError, match="depth = 1 is refused"):
        nf.sample_statistics(nf.MLP(1, "relu"), x, **wide)
    with pytest.raises(ValueError, match=r"inputs = \[\[1, 2\], \[1\]\] is refused"):
        nf.sample_statistics(nf.MLP(2, "relu"), [[1, 2], [1]], **wide)
    with pytest.raises(OverflowError):
        jax.random.PRNGKey(2**63)
    jax.random.PRNGKey(2**63 - 1)


def test_every_study_of_the_default_config_has_settings() -> None:
    fields = list(model().model_fields)
    assert set(fields) == set(DEFAULT)
    assert fields[5:] == sorted(DEFAULT["studies"])
