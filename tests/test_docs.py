"""What the pages under docs/ show must run."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from ntkfield.sampling import products
from ntkfield.sampling.draws import Setting

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").glob("*.md"))


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "python")], ids=lambda page: page.stem)
def test_python_runs_from_top_to_bottom(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    for block in blocks(page, "python"):
        exec(block, names)
    if page.stem in STATED:
        STATED[page.stem](names)


def molecule(names: dict) -> None:
    smiles = list(names["first"]["smiles"].values)
    assert names["first"]["atomization_energy"].values[smiles.index("CCO")] == pytest.approx(-33.01, abs=0.005)
    assert "CCO" not in names["known"]["smiles"].values
    # the page says that half of them come out within an eV; three in four are within two
    assert names["predicted"][0] == pytest.approx(-33.01, abs=2)


def finite_width(names: dict) -> None:
    """The page's numbers as it rounds them; the seed fixes them but for rounding."""
    assert names["limit"] == pytest.approx({"K": 250, "Theta": 63}, rel=0.02)
    assert names["first_order"] == pytest.approx({"K": -7, "Theta": -0.6}, rel=0.1)
    assert names["above"] == pytest.approx({64: 0.19, 32: 0.41}, abs=0.005)
    assert names["apart"] == pytest.approx(23, abs=0.5)
    assert names["left"] == pytest.approx(-1.2, abs=0.05)


def tensors(names: dict) -> None:
    """The covariance of the NTK of one channel that the page puts together, against sampled networks."""
    network, x, n = names["network"], names["x"], 64
    setting, rng = Setting(network.activation, (n, n)), np.random.default_rng(0)
    size = products.noise_size(setting, *x.shape)
    noise = (rng.normal(size=(1000, size)) for _ in range(20))
    ntk = [products.draw(setting, network.scales, jnp.asarray(x), each).ntk[:, 0, 0] for each in noise]
    off = np.concatenate(ntk) - np.mean(ntk, axis=(0, 1))
    pairs = n * np.einsum("nab,ncd->nabcd", off, off)
    # 6 different numbers: four errors, and 2 % of the largest for the next order in 1/n
    allowed = 4 * pairs.std(0) / len(pairs) ** 0.5 + 0.02 * names["covariance"].max()
    assert np.all(abs(pairs.mean(0) - names["covariance"]) <= allowed)
    assert np.any(abs(pairs.mean(0) - names["output"].A.values) > 5 * allowed)


def equivariant_finite_width(names: dict) -> None:
    """Equal to the tolerance asked for, or apart by what the page rounds."""
    found, plain = names["equivariant"], names["averaged"]
    for name in ("V", "B", "U"):
        assert found[name].item() == pytest.approx(plain[name].item(), rel=2e-4)
    assert (found.K1.item(), plain.K1.item()) == pytest.approx((-0.00615, 0.00490), abs=6e-6)
    assert (found.Theta1.item(), plain.Theta1.item()) == pytest.approx((0.0532, 0.0920), abs=6e-5)


def bridge(names: dict) -> None:
    # 3 numbers of one sign, nearly the same; the next order in 1/32 is below one error, a tenth
    assert np.all(abs(names["deviation"]) <= 4)


STATED = {check.__name__: check for check in (molecule, finite_width, tensors, equivariant_finite_width, bridge)}


@pytest.mark.workflow
@pytest.mark.slow
@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "sh")], ids=lambda page: page.stem)
def test_commands_are_valid(page: Path) -> None:
    """Every command runs as it stands, but for what would take long: make then only says what it would run."""
    mine, aside = ROOT / "mine.yaml", ROOT / "runs/mine"
    assert not mine.exists()
    assert not aside.exists()
    env = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    try:
        for text in blocks(page, "yaml"):
            mine.write_text(text)
        for block in blocks(page, "sh"):
            for command in block.replace("\\\n", " ").splitlines():
                if command.startswith("."):
                    continue  # activates what is active here
                shown = re.sub(r"^make ", "make --dry-run ", command)
                run = subprocess.run(
                    shown,
                    shell=True,
                    cwd=ROOT,
                    capture_output=True,
                    text=True,
                    check=False,
                    env=env,
                )
                assert run.returncode == 0, (command, run.stdout[-1000:], run.stderr[-1000:])
    finally:
        mine.unlink(missing_ok=True)
        shutil.rmtree(aside, ignore_errors=True)
        with contextlib.suppress(OSError):  # others' runs may lie there
            aside.parent.rmdir()


def test_every_link_leads_somewhere() -> None:
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / link).exists(), (page.name, link)
