# The page to open first: each question with its figures and what they show.
include: "index_plan.smk"


rule index:
    input:
        study_targets(),
        [figure[what] for entry in index_entries() for figure in entry["figures"] for what in ("picture", "finding")],
    output:
        "<results>/index.html",
    log:
        "<logs>/index.log",
    benchmark:
        "<benchmarks>/index.tsv"
    localrule: True  # no work for a cluster
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        entries=index_entries(),
        # A function of the input, so that the same config under another name is no reason to run again.
        configs=lambda wildcards, input: config_names(),
    script:
        "../scripts/index.py"
