import job

job.start(snakemake)

import numpy as np
import xarray as xr

from ntkfield import store
from ntkfield.diagrams.layers import propagate
from ntkfield.finite.solve import finite_width
from ntkfield.gaussian.expectations import TrapezoidExpectations
from ntkfield.networks.mlp import MLP

params = job.plain(dict(snakemake.params.items()))
inputs, depth = np.array(params["inputs"]), params["network"]["depth"]
coords = {"activation": params["activations"], "recursion": params["recursions"], "layer": np.arange(1, depth + 1)}
about = {"long_name": "largest difference over largest entry of the tensor", "units": "1"}
result = xr.DataArray(np.full([len(values) for values in coords.values()], np.nan), coords, list(coords), attrs=about)
for activation in params["activations"]:
    mlp = MLP(activation=activation, **params["network"])
    known = finite_width(mlp, inputs, rtol=params["rtol"])
    names = [name for name in params["recursions"] if name in known]
    first, scales = known.isel(layer=0), mlp.scales
    # For smooth activations a rule that finite_width does not use; at a kink there are closed forms only.
    engine = TrapezoidExpectations(mlp.activation) if mlp.activation.smooth else mlp.activation
    layers = propagate(first["K"].values, first["Theta"].values, depth, engine, names=names, scales=scales)
    for name in names:
        for layer, values in enumerate(layers):
            exact = known[name].values[layer]
            apart = np.max(abs(values[name] - exact)) / (np.max(abs(exact)) or 1.0)
            result.loc[{"activation": activation, "recursion": name, "layer": layer + 1}] = apart
store.save(result.to_dataset(name="difference"), snakemake.output[0], config=params)
