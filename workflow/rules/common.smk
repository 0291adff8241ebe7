# The validated config and helpers that every rule file may use. No rules here.
import sys

from snakemake.exceptions import WorkflowError
from snakemake.common.configfile import load_configfile

sys.path.append(str(Path(workflow.basedir) / "workflow"))
from blocks import block_count, tile_indices
from config_check import drop_nulls, refusal, sentence

# Adds a study's targets to the default target, under the study's name.
STUDIES = {}

# What each study answers: the headings of the report and of the index page.
QUESTIONS = {
    "molecules": "What do infinitely wide SO(3)-invariant networks predict on molecules?",
    "images": "What does invariance to quarter turns buy on images?",
    "augmentation": "Is data augmentation the same as equivariance?",
    "sine": "How far is a trained network from the infinite-width theory?",
    "corrections": "What is the first correction to infinite width?",
    "criticality": "What does depth do to kernels and their corrections?",
    "scale": "Which activations have no correction for one input?",
    "diagrams": "Where do the recursions of the corrections come from?",
}


def refuse(field, value, accepted):
    """End before any work, in one sentence."""
    raise WorkflowError(sentence(field, value, accepted))


def check_config():
    """Refuse a config that the schema does not allow, naming the field, the value and what is accepted."""
    problem = refusal(config, load_configfile(Path(workflow.basedir) / "workflow/schemas/config.schema.yaml"))
    if problem:
        raise WorkflowError(problem)


def check_path(field, path, is_kind, kind):
    """Refuse a path in the config that does not lead to a `kind`."""
    if path is not None and not is_kind(Path(path)):
        refuse(field, path, f"the path of {kind}")


def is_qm9(folder):
    """Whether the tables of the package qm9pack lie there."""
    return all((folder / f"qm9_part{part}.csv").is_file() for part in (1, 2, 3))


def study_targets():
    """Files of the studies that the config asks for."""
    return [target for study in config["studies"] for target in STUDIES[study]]


def growing(amount):
    """Memory or time of a job: as much again for each try after the first."""
    return lambda wildcards, attempt: amount * attempt


drop_nulls(config)
check_config()
check_path("qm9.path", config["qm9"].get("path"), is_qm9, "a folder with qm9_part1.csv to qm9_part3.csv, or null")
check_path("images.dataset.path", config["images"]["dataset"].get("path"), Path.is_file, "an existing file, or null")
