import job

job.start(snakemake)

import numpy as np
from inputs import environments

from ntkfield import store
from ntkfield.datasets.qm9 import molecule
from ntkfield.figures import spheres, style
from ntkfield.signals.harmonics import Harmonics
from ntkfield.signals.molecules import QM9_ELEMENTS

signals = job.plain(snakemake.params.signals)
block = store.load(snakemake.input[0])
atoms = molecule(block, snakemake.params.molecule)
everything = environments(snakemake.input[0], signals)
own = everything.molecule == snakemake.params.molecule
central = int(np.argmin(atoms.get_all_distances().sum(axis=1)))
mine = Harmonics(everything.signals.coefficients[own])
style.save(
    spheres.plot(atoms, central, mine, signals["powers"], list(QM9_ELEMENTS)),
    snakemake.output.pdf,
    snakemake.output.png,
)
style.note(spheres.finding(atoms, central), snakemake.output.finding)
