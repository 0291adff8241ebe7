import job

job.start(snakemake)

import xarray as xr
from inputs import environments, network

from ntkfield import store
from ntkfield.infinite.molecules import molecule_kernels

settings, signals = job.plain(snakemake.params.network), job.plain(snakemake.params.signals)
rows = environments(snakemake.input.rows, signals)
columns = None if snakemake.wildcards.i == snakemake.wildcards.j else environments(snakemake.input.columns, signals)
sampling = settings.get("sampling", "gl")
matchings = list(snakemake.params.matchings)
kernels = molecule_kernels(network(settings, signals), rows, columns, matchings, sampling)
tile = xr.Dataset(
    {
        kind: (("matching", "row", "column"), [getattr(kernels[matching], kind) for matching in matchings])
        for kind in ("nngp", "ntk")
    },
    coords={"matching": matchings},
)
store.save(tile, snakemake.output[0], config={"network": settings, "signals": signals})
