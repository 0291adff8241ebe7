import job

job.start(snakemake)

from ntkfield import store
from ntkfield.datasets import images

settings = job.plain(snakemake.params.dataset)
name, path, folder = settings["name"], settings.get("path"), settings.get("folder")
dataset = images.digits() if name == "digits" else getattr(images, name)(path, folder)
store.save(dataset, snakemake.output[0], config={"name": name})
