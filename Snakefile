from pathlib import Path

from snakemake.utils import min_version

min_version("9.5")


# Read from the repository, whatever the working directory; --configfile and --config override it key by key.
configfile: Path(workflow.basedir) / "config/default.yaml"


report: "workflow/report/index.rst"


# Used only with --sdm apptainer; build it from envs/Containerfile.
container: "envs/ntkfield.sif"


include: "workflow/rules/common.smk"


# Every run has its own results under its name, so that two configs live side by side.
pathvars:
    results=RESULTS,
    shared="results/shared",
    logs="<results>/logs",
    benchmarks="<results>/benchmarks",


# What several studies share.
include: "workflow/finite/rules.smk"


# Each study is a room: its folder has rules.smk and all else that makes it.
for room in sorted(Path(workflow.basedir).glob("workflow/studies/*/rules.smk")):

    include: room


include: "workflow/rules/index.smk"


rule all:
    default_target: True
    input:
        study_targets(),
        "<results>/index.html",


if workflow.is_main_process:  # it alone compares with what made the results; its jobs need not know
    import code_hash

    code_hash.note(workflow.rules)


onstart:
    import joblist

    joblist.begin(RESULTS, workflow)


onsuccess:
    import joblist

    joblist.end(RESULTS)


onerror:
    import joblist

    joblist.end(RESULTS)
