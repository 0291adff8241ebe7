"""What `import ntkfield` offers and what it costs."""

import os
import subprocess
import sys

import pytest

import ntkfield as nf
from ntkfield import diagrams, late, sampling


def test_every_name_is_found_where_it_is_said_to_be():
    for package in (nf, diagrams, sampling):
        assert sorted(package.__all__) == sorted(late.homes(package.__name__))
        for name in package.__all__:
            assert getattr(package, name) is not None
            assert name in dir(package)
    for name in nf.__all__:
        assert getattr(nf, name).__module__.startswith("ntkfield."), name
    assert nf.infinite.molecules.molecule_kernels is nf.molecule_kernels
    with pytest.raises(AttributeError, match="no attribute 'recursoin'"):
        _ = nf.recursoin


def printed(program: str, **environment: str) -> list[str]:
    """Words that a program prints in an interpreter of its own."""
    environment = {key: value for key, value in os.environ.items() if key != "JAX_ENABLE_X64"} | environment
    run = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, env=environment)
    return run.stdout.split()


def test_importing_the_package_imports_nothing_that_takes_time():
    program = """
import sys, ntkfield
print(sorted({"jax", "jaxlib", "numpy", "scipy", "sympy", "xarray"} & set(sys.modules)))
ntkfield.MLP(2, "relu"), ntkfield.GroupCNN("so3", 1, "relu", bandlimit=3)
print(sorted({"ase", "s2fft", "xarray"} & set(sys.modules)))
"""
    assert printed(program) == ["[]", "[]"]


@pytest.mark.parametrize("first", ["jax", "ntkfield"])
@pytest.mark.parametrize("asked", ["0", None])
def test_whatever_is_imported_first_jax_computes_in_double_precision(first: str, asked: str | None) -> None:
    program = f"import {first}, ntkfield, jax; print(jax.numpy.zeros(1).dtype)"
    environment = {"JAX_ENABLE_X64": asked} if asked else {}
    assert printed(program, **environment) == ["float64"]
