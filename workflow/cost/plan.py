"""What a run will cost before it starts: jobs, core-hours, memory and disk for a config, from measured costs."""

import argparse
import sys
from pathlib import Path

import pandas as pd

sys.path.append(str(Path(__file__).parents[1]))
from cost import graph
from cost.expected import REST, Cost, Work, expected, measured, memory_to_ask, minutes_to_ask


def asked(work: Work) -> tuple[int, int]:
    """Memory in MB and minutes that a job asks for at its first try, on one thread."""
    return memory_to_ask(work), minutes_to_ask(work)


def plan(jobs: list[graph.Job]) -> pd.DataFrame:
    """A row for each kind of job.

    How many jobs, how many of them without results yet, CPU hours, those of the latter, memory of one job in MB, what
    one asks for, and disk in MB. Jobs of no kind share what all of them took when measured, and what they ask for is
    left out: their rules state it.
    """
    rest, small = measured()[REST].cost, sum(job.work is None for job in jobs)
    rows = []
    for job in jobs:
        cost = expected(job.work) if job.work else Cost(rest.seconds / small, rest.memory, 0.0)
        if cost is None:
            sys.exit(f"plan: no job of {job.rule} was measured: measure a run that has one (workflow/cost/measure.py)")
        kind, asks = (job.work.kind, asked(job.work)) if job.work else (REST, (None, None))
        hours, missing = cost.seconds / 3600, not all(path.exists() for path in job.outputs)
        rows.append((kind, 1, missing, hours, hours * missing, cost.memory, *asks, cost.bytes / 1e6))
    ways = {
        **{"jobs": "sum", "missing": "sum", "core_hours": "sum", "missing_core_hours": "sum"},
        **{"memory_MB": "max", "asked_MB": "max", "asked_minutes": "max", "disk_MB": "sum"},
    }
    table = pd.DataFrame(rows, columns=["kind", *ways]).astype({"asked_MB": "Int64", "asked_minutes": "Int64"})
    found = table.groupby("kind", sort=False).agg(ways)
    return found.loc[sorted(found.index, key=REST.__eq__)]  # the rest last


def main() -> None:
    """Read the command line and print the plan."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--configfile", nargs="+", default=[], help="as for Snakemake")
    found = plan(graph.jobs(parser.parse_args().configfile))
    with pd.option_context("display.width", 160, "display.max_rows", 500, "display.float_format", "{:,.2f}".format):
        asks = dict.fromkeys(["asked_MB", "asked_minutes"], "string")
        print(found.drop(columns="missing_core_hours").astype(asks).fillna("").to_string())
    print(
        f"in all {found['jobs'].sum():,} jobs, {found['core_hours'].sum():,.2f} core-hours, "
        f"{found['disk_MB'].sum() / 1000:,.2f} GB on disk, at most {found['memory_MB'].max():,.0f} MB in one job\n"
        f"without results so far: {found['missing'].sum():,} jobs, {found['missing_core_hours'].sum():,.2f} core-hours"
    )


if __name__ == "__main__":
    main()
