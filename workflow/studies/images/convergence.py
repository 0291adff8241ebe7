import job

job.start(snakemake)

from ntkfield import store
from ntkfield.networks.group_cnn import GroupCNN
from ntkfield.sampling.empirical_kernels import convergence

settings, network = job.plain(snakemake.params.settings), job.plain(snakemake.params.network)
images = store.load(snakemake.input[0])["image"].values[: settings["images"]]
result = convergence(GroupCNN(**network), images, settings["widths"], settings["n_networks"], settings["seed"])
result = result.assign_coords(network=snakemake.wildcards.network, group=network["group"])
store.save(result, snakemake.output[0], config={"network": network, **settings}, seed=settings["seed"])
