# The checked config and helpers that every rule file may use. No rules here.
import os
import sys

from snakemake.exceptions import WorkflowError

SCRIPTS = Path(workflow.basedir) / "workflow/scripts"
sys.path.append(str(SCRIPTS.parent))
from blocks import block_count, tile_indices
from settings import RefusedError, check, unwritable

try:
    check(config, files=workflow.is_main_process)  # what files hold not again in each job
except RefusedError as refused:
    raise WorkflowError(str(refused))

# What every script may import stands here.
os.environ.update(PYTHONPATH=os.pathsep.join([str(SCRIPTS), *filter(None, [os.environ.get("PYTHONPATH")])]))

# Where this run's results lie: rules write <results>, functions of theirs that give text to a script in_run.
RESULTS = f"results/{config['run']}"

if workflow.is_main_process and (refused := unwritable(Path(RESULTS))):
    raise WorkflowError(f"{refused} cannot be written: expected a folder for results, or one where it can be made")

# Adds a study's targets to the default target, under the study's name.
STUDIES = {}

# What each study answers: the headings of the report and of the index page.
QUESTIONS = {}


def study_targets():
    """Files of the studies that the config asks for."""
    return [target for study in config["studies"] for target in STUDIES[study]]


def in_run(path):
    """A path as rules write it, as it lies in this run."""
    return path.replace("<results>", RESULTS)


def growing(amount):
    """Memory or time of a job: as much again for each try after the first."""
    return lambda wildcards, attempt: amount * attempt
