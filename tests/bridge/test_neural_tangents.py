"""neural-tangents on a JAX younger than itself."""

import importlib.metadata
import pathlib
import sys
import tomllib

import jax
import pytest

from ntkfield.bridge import _neural_tangents

TOP = pathlib.Path(__file__).parents[2]


def test_jax_is_left_as_it_was():
    assert "jax.util" not in sys.modules
    assert not hasattr(jax.core, "Var")


@pytest.mark.parametrize(("package", "version"), [("jax", "0.11.0"), ("neural-tangents", "0.6.6")])
def test_other_versions_are_refused(monkeypatch, package, version):
    true = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: version if name == package else true(name))
    with pytest.raises(ImportError, match=f"needs {package} 0.*and {version} is installed"):
        _neural_tangents._check_versions()


def test_the_declared_jax_begins_with_the_locked_one():
    project = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
    locked = next(line for line in (TOP / "envs/lock.txt").read_text().splitlines() if line.startswith("jax=="))
    version = locked.split()[0].removeprefix("jax==")
    bridge = project["optional-dependencies"]["bridge"]
    assert f"jax>={version},<0.11" in project["dependencies"]
    assert f"jax>={version},<0.11" in bridge
    assert f"neural-tangents=={_neural_tangents.WRITTEN_FOR['neural-tangents']}" in bridge
    assert version.startswith(_neural_tangents.WRITTEN_FOR["jax"])
