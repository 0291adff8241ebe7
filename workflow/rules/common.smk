# The checked config and helpers that every rule file may use. No rules here.
import os
import sys

from snakemake.exceptions import WorkflowError

SCRIPTS = Path(workflow.basedir) / "workflow/scripts"
sys.path.append(str(SCRIPTS.parent))
from blocks import block_count, members, parts, tile_indices
from cost.expected import Work, memory_to_ask, minutes_to_ask
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


# What a job has to do, by its rule's name: functions of its wildcards, for the rules whose jobs a config makes larger.
WORK = {}


def memory_for_work(wildcards, attempt, rulename):
    """Megabytes that a job of a rule in WORK asks for."""
    return doubled(memory_to_ask(WORK[rulename](wildcards)), attempt)


def minutes_for_work(wildcards, threads, attempt, rulename):
    """Minutes that a job of a rule in WORK asks for."""
    return doubled(minutes_to_ask(WORK[rulename](wildcards), threads), attempt)


def growing(amount):
    """Memory or minutes of a job of any other rule that may outgrow what it asks for."""
    return lambda wildcards, attempt: doubled(amount, attempt)


def doubled(amount, attempt):
    """Twice as much at each try after the first."""
    return amount * 2 ** (attempt - 1)
