"""The tables of QM9 are found."""

from ntkfield.datasets import qm9

assert (qm9._qm9pack_folder() / "qm9_part1.csv").is_file()
