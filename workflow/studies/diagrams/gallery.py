import job

job.start(snakemake)

from pathlib import Path

import pandas as pd

from ntkfield.diagrams.key import draw_key
from ntkfield.diagrams.recursions import recursion
from ntkfield.figures import gallery, style
from ntkfield.tensors import TENSORS

entries = []
for name, path in zip(snakemake.params.recursions, snakemake.input.pictures, strict=True):
    found = recursion(name)
    kinds = ", ".join(found.kinds)
    about = TENSORS[name].meaning if name in TENSORS else f"order 1/n^{found.order} of the cumulant of {kinds}"
    formulas = found.latex(), found.latex("expanded")
    entries.append(gallery.Entry(name, about[0].upper() + about[1:] + ".", *formulas, Path(path).read_text()))
network = snakemake.params.network
setting = (
    f"Compared on networks of {network['depth']} weight layers and {snakemake.params.inputs} inputs, "
    f"weight variance {network['weight_variance']:g}, bias variance {network['bias_variance']:g}, "
    f"rates {network['weight_rate']:g} and {network['bias_rate']:g}. "
    "Each route integrates smooth activations for itself; at a kink both use the same closed forms. "
    "A kink, as in ReLU, makes R, S, T and U infinite at equal inputs: they have no value there."
)
table = pd.read_csv(snakemake.input.table, index_col="recursion")
page = gallery.page(entries, table, style.svg(draw_key()), setting)
Path(snakemake.output.page).write_text(page, encoding="utf-8")
style.note(gallery.finding(table), snakemake.output.finding)
