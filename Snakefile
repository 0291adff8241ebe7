from pathlib import Path

from snakemake.utils import min_version

min_version("9.5")


# Read from the repository, whatever the working directory; --configfile and --config override it key by key.
configfile: Path(workflow.basedir) / "config/default.yaml"


report: "workflow/report/index.rst"


# Used only with --sdm apptainer; build it from envs/Containerfile.
container: "envs/ntkfield.sif"


include: "workflow/rules/common.smk"
include: "workflow/rules/molecules.smk"
include: "workflow/rules/finite.smk"
include: "workflow/rules/images.smk"
include: "workflow/rules/sine.smk"
include: "workflow/rules/augmentation.smk"
include: "workflow/rules/diagrams.smk"
include: "workflow/rules/index.smk"


rule all:
    default_target: True
    input:
        study_targets(),
        "results/index.html",


if workflow.is_main_process:  # it alone compares with what made the results; its jobs need not know
    import code_hash

    code_hash.note(workflow.rules)
