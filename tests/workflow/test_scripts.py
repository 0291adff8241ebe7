"""Scripts of the workflow on settings that the schema allows and no default has."""

import ast
import importlib
import io
import subprocess
import sys
from pathlib import Path

import ase.io
import numpy as np
import pandas as pd
import pytest
from ase.build import molecule
from scripts import SCRIPTS, WORKFLOW, run_script

from ntkfield import store


def test_a_gpu_that_is_not_there_is_said_before_work_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAX_PLATFORMS", raising=False)
    with pytest.raises(
        ValueError, match="gpus = 1 is refused: expected 0, or JAX_PLATFORMS=cpu, where JAX sees no GPU"
    ):
        run_script("studies/molecules/own", tmp_path / "log", input=["no.extxyz"], output=["no"], resources={"gpu": 1})


def test_a_file_of_own_molecules_is_learned_from(tmp_path: Path) -> None:
    """Six molecules in blocks of four, each network in one model only."""
    log, molecules = tmp_path / "log", [molecule(name) for name in ("H2O", "CH4", "NH3", "CO2", "CH3OH", "N2")]
    for k, atoms in enumerate(molecules):
        atoms.info = {"atomization_energy": -3.0 * len(atoms) - k}
    ase.io.write(tmp_path / "own.extxyz", molecules)
    own = str(tmp_path / "own.zarr.zip")
    run_script("studies/molecules/own", log, input=[str(tmp_path / "own.extxyz")], output=[own])
    blocks = [str(tmp_path / f"{block}.zarr.zip") for block in (0, 1)]
    for block, path in enumerate(blocks):
        run_script(
            "studies/molecules/block",
            log,
            input={"molecules": own},
            output=[path],
            params={"pool_seed": 0, "size": 4},
            wildcards={"block": block},
        )
    drawn = [store.load(path)["atomization_energy"].values for path in blocks]
    assert [len(part) for part in drawn] == [4, 2]
    assert sorted(np.concatenate(drawn)) == sorted(atoms.info["atomization_energy"] for atoms in molecules)
    signals = {"bandlimit": 2, "cutoff_angle": 45, "powers": [2]}
    shared = {"depth": 2, "activation": "relu", "weight_variance": 1.0, "bias_variance": 0.0}
    networks = {"so3": shared | {"group": "so3", "quadrature": 2}, "mlp": shared | {"group": "none"}}
    tiles = []
    for name, network in networks.items():
        for i, j in ((0, 0), (0, 1), (1, 1)):
            tiles.append(str(tmp_path / "tiles" / name / f"{i}_{j}.zarr.zip"))
            run_script(
                "studies/molecules/tile",
                log,
                input={"rows": blocks[i], "columns": blocks[j]},
                output=[tiles[-1]],
                params={"network": network, "matchings": ["element"], "signals": signals},
                wildcards={"network": name, "i": i, "j": j},
            )
    curve, table = str(tmp_path / "curve.zarr.zip"), str(tmp_path / "curve.csv")
    run_script(
        "studies/molecules/learning_curve",
        log,
        input={"blocks": blocks, "tiles": tiles, "rivals": []},
        output={"dataset": curve, "table": table},
        params={
            "models": [
                {"network": name, "matching": "element", "composition": True, "diag_reg": 1e-4} for name in networks
            ],
            **{"networks": networks, "signals": dict.fromkeys(networks, signals), "rivals": {}},
            **{"tile_size": 4, "train_sizes": [3, 4], "test_size": 2, "split_seeds": [0, 1, 2]},
            **{"diag_reg": 1e-4, "composition": True, "dense": 3},
        },
    )
    figure = {name: str(tmp_path / f"curve.{name}") for name in ("pdf", "png")} | {"finding": str(tmp_path / "said")}
    run_script("studies/molecules/learning_curve_figure", log, input=[curve], output=figure)
    said = Path(figure["finding"]).read_text()
    assert "the SO(3)-invariant network errs by" in said
    assert "the MLP that compares the same atoms errs by" in said
    assert store.load(curve).attrs["source"] == "molecule files"
    assert len(pd.read_csv(table)) == 2 * 2 * 3 * 2  # models, kernels, splits, training sizes


def test_caps_are_given_in_degrees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(WORKFLOW / "studies/molecules"))
    monkeypatch.delitem(sys.modules, "inputs", raising=False)
    settings = {"group": "so3", "depth": 2, "activation": "relu", "support": 60, "group_support": 90}
    network = importlib.import_module("inputs").network(settings, {"bandlimit": 3})
    assert (network.support, network.group_support) == (np.pi / 3, np.pi / 2)
    # `inputs` of other studies are others
    monkeypatch.delitem(sys.modules, "inputs")


def test_a_damaged_input_is_said_to_be_moved_aside_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    job = importlib.import_module("job")
    tile, terminal = tmp_path / "tile.zarr.zip", io.StringIO()
    tile.write_bytes(b"damaged")
    with pytest.raises(store.DamagedStoreError) as raised:
        store.load(tile)
    job._end(terminal, [tile], raised.type, raised.value, raised.tb)
    moved = f"{tile} is damaged and was moved to {tile}.damaged: run again, and it is made anew\n"
    assert terminal.getvalue() == moved
    log = capsys.readouterr().err
    assert log.endswith(moved)
    assert "delete" not in log
    assert (tmp_path / "tile.zarr.zip.damaged").exists()
    assert not tile.exists()


def test_figures_are_drawn_without_jax() -> None:
    """What the scripts that draw import leaves JAX alone, whose import takes as long as a figure."""
    drawing = [path for path in WORKFLOW.rglob("*.py") if "from ntkfield.figures" in path.read_text()]
    drawing = [path for path in drawing if path.stem != "signals_figure"]  # it computes the signals, too
    assert len(drawing) > 10
    program = [f"import sys; sys.path += {sorted({str(SCRIPTS), *(str(path.parent) for path in drawing)})}"]
    for path in drawing:
        lines = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.Import | ast.ImportFrom)]
        program += [*map(ast.unparse, lines), f"assert 'jax' not in sys.modules, {path.stem!r}"]
    run = subprocess.run([sys.executable, "-c", "\n".join(program)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
