"""The table of tensors against what the diagrams derive from externals and pairs."""

import runpy

import pytest

from ntkfield import tensors
from ntkfield.diagrams import FIRST_ORDER, recursion
from ntkfield.diagrams.tensors import KINDS, SIZE
from ntkfield.sampling.estimators import _ESTIMATORS
from ntkfield.tensors import DIFFERENTIALS, FLUCTUATIONS, KERNELS, NAMES, TENSORS


def generated(permutations, size):
    """The group that permutations of `size` axes generate."""
    group, new = set(), {tuple(range(size))}
    while new:
        group |= new
        new = {tuple(p[k] for k in q) for p in permutations for q in group} - group
    return group


@pytest.mark.parametrize("name", FIRST_ORDER)
def test_symmetries_are_those_of_the_trees(name):
    tensor = TENSORS[name]
    # The recursion's shape finds them from exchanges of externals and automorphisms of trees that keep the pairs.
    assert generated(tensor.symmetries, len(tensor.subscripts)) == set(recursion(name).shape.symmetries)


@pytest.mark.parametrize("name", NAMES)
def test_a_row_is_consistent(name):
    tensor = TENSORS[name]
    axes = list(range(len(tensor.subscripts)))
    assert sorted(axis for _, some in tensor.externals for axis in some) == axes
    assert sorted(axis for pair in tensor.pairs for axis in pair) == axes
    assert all(kind in KINDS and SIZE[kind] == len(some) for kind, some in tensor.externals)
    # An external's labels rise along its outputs, and those of several externals from the first to the last.
    labels = [tensor.subscripts[axis] for _, some in tensor.externals for axis in some]
    assert labels == sorted(labels)
    if tensor.order:
        assert "".join(map(str, recursion(name).subscripts)) == tensor.subscripts


def test_groups_are_parts_of_the_whole():
    assert KERNELS + FLUCTUATIONS + DIFFERENTIALS == NAMES
    assert set(_ESTIMATORS) == set(NAMES)
    assert set(FIRST_ORDER) == {*NAMES} - {"K", "Theta"}


def test_the_file_stands_alone():
    """As the workflow reads it."""
    assert runpy.run_path(tensors.__file__)["NAMES"] == NAMES
