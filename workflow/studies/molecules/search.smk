# Which network: candidates judged by leave-one-out errors and evidence on molecules that no other study touches.
SEARCH = MOLECULES["search"]

STUDIES["molecules"] += ["<results>/molecules/search.pdf", "<results>/molecules/search.csv"]


def candidate_network(name):
    """A candidate's entry without its signals."""
    return {key: value for key, value in SEARCH["candidates"][name].items() if key != "signals"}


def molecules_candidate_work(wildcards):
    """Pairs of molecules at each node of the quadrature over rotations."""
    candidate, pairs = SEARCH["candidates"][wildcards.candidate], SEARCH["molecules"] ** 2 / 2
    signals = candidate.get("signals", MOLECULES["signals"])
    side = candidate.get("quadrature", signals["bandlimit"]) if candidate["group"] == "so3" else 1
    return Work("molecules_tile", pairs * side**3, pairs, 2 * pairs)


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
        network=lambda wildcards: candidate_network(wildcards.candidate),
        signals=lambda wildcards: SEARCH["candidates"][wildcards.candidate].get("signals", MOLECULES["signals"]),
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
