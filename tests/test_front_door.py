"""What `import ntkfield` offers and what it costs."""

import subprocess
import sys

import pytest

import ntkfield as nf

LATE = ("ase", "pandas", "s2fft", "scipy", "sympy", "tqdm", "xarray")


def test_every_name_is_found_where_it_is_said_to_be():
    assert sorted(nf.__all__) == sorted(nf._HOMES)
    for name in nf.__all__:
        assert getattr(nf, name).__module__.startswith("ntkfield."), name
        assert name in dir(nf)
    assert nf.infinite.molecules.molecule_kernels is nf.molecule_kernels
    with pytest.raises(AttributeError, match="no attribute 'recursoin'"):
        _ = nf.recursoin


def test_importing_the_package_imports_little_more_than_jax():
    program = f"""
import sys, jax
before = set(sys.modules)
import ntkfield
added = set(sys.modules) - before
print(sorted(name for name in added if name.startswith({LATE!r}) or "ntkfield." in name))
import jax.numpy
print(jax.numpy.zeros(1).dtype)
ntkfield.MLP(2, "relu"), ntkfield.GroupCNN("so3", 1, "relu", bandlimit=3)
print(sorted({{"ase", "s2fft", "xarray"}} & set(sys.modules)))
"""
    run = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert run.stdout.split() == ["[]", "float64", "[]"]
