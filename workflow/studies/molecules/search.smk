# Which network: candidates judged by leave-one-out errors and evidence on molecules that no other study touches.
SEARCH = MOLECULES["search"]

STUDIES["molecules"] += ["<results>/molecules/search.pdf", "<results>/molecules/search.csv"]


def molecules_candidate_work(wildcards):
    """As of a tile, but of the pairs on and above the diagonal alone."""
    pairs = SEARCH["molecules"] ** 2 / 2
    return Work("molecules_tile", pairs * network_nodes(SEARCH["candidates"][wildcards.candidate]), pairs, 2 * pairs)


WORK["molecules_candidate"] = molecules_candidate_work


rule molecules_candidate:
    input:
        molecule_dataset(),
    output:
        "<results>/molecules/candidates/{candidate}.zarr.zip",
    log:
        "<logs>/molecules_candidate/{candidate}.log",
    benchmark:
        "<benchmarks>/molecules_candidate/{candidate}.tsv"
    threads: 1
    resources:
        mem_mb=memory_for_work,
        runtime=minutes_for_work,
        gpu=config["gpus"],
    params:
        network=lambda wildcards: network_settings(SEARCH["candidates"][wildcards.candidate]),
        signals=lambda wildcards: network_signals(SEARCH["candidates"][wildcards.candidate]),
        molecules=SEARCH["molecules"],
        diag_reg=SEARCH["diag_reg"],
        pool_seed=MOLECULES["pool_seed"],
    script:
        "candidate.py"


rule molecules_search:
    input:
        [f"<results>/molecules/candidates/{name}.zarr.zip" for name in SEARCH["candidates"]],
    output:
        dataset="<results>/molecules/search.zarr.zip",
        table=report(
            "<results>/molecules/search.csv",
            caption="search_table.rst",
            category=QUESTIONS["molecules"],
            labels={"result": "Candidate networks", "form": "table"},
        ),
        pdf="<results>/molecules/search.pdf",
        finding="<results>/molecules/search.txt",
        png=report(
            "<results>/molecules/search.png",
            caption="search.rst",
            category=QUESTIONS["molecules"],
            labels={"result": "Candidate networks", "form": "figure"},
        ),
    log:
        "<logs>/molecules_search.log",
    benchmark:
        "<benchmarks>/molecules_search.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        candidates=list(SEARCH["candidates"]),
    script:
        "search.py"
