"""Blocks and tiles, as the graph and the planner count them."""

import sys

from runs import ROOT

sys.path.insert(0, str(ROOT / "workflow"))

import blocks


def test_more_blocks_only_append_tiles() -> None:
    few, many = list(blocks.tile_indices(3)), list(blocks.tile_indices(5))
    assert many[: len(few)] == few
    assert len(set(many)) == len(many) == 15
    assert all(i <= j for i, j in many)


def test_blocks_are_whole() -> None:
    assert [blocks.block_count(n, 8) for n in (1, 8, 9, 16)] == [1, 1, 2, 2]


def test_parts_hold_every_member_once() -> None:
    ensembles = {"members": 12, "part_size": 4}
    assert [blocks.members(ensembles, str(part)) for part in blocks.parts(ensembles)] == [[0, 4], [4, 8], [8, 12]]
