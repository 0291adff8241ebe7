# The checked config and helpers that every rule file may use. No rules here.
import sys

from snakemake.exceptions import WorkflowError

sys.path.append(str(Path(workflow.basedir) / "workflow"))
import code_hash
from blocks import block_count, tile_indices
from settings import RefusedError, check

# Where this run's results lie; rules write <results>.
RESULTS = f"results/{config['run']}"

# Adds a study's targets to the default target, under the study's name.
STUDIES = {}

# What each study answers: the headings of the report and of the index page.
QUESTIONS = {}


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
