# The checked config and helpers that every rule file may use. No rules here.
import sys

from snakemake.exceptions import WorkflowError

sys.path.append(str(Path(workflow.basedir) / "workflow"))
from blocks import block_count, tile_indices
from settings import RefusedError, check

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


def study_targets():
    """Files of the studies that the config asks for."""
    return [target for study in config["studies"] for target in STUDIES[study]]


def growing(amount):
    """Memory or time of a job: as much again for each try after the first."""
    return lambda wildcards, attempt: amount * attempt


try:
    check(config, files=workflow.is_main_process)  # what files hold not again in each job
except RefusedError as refused:
    raise WorkflowError(str(refused))
