"""Measured costs of a finished run's jobs, by kind, for `expected.py` to scale: workflow/cost/measured.csv."""

import argparse
import sys
from pathlib import Path

import pandas as pd

sys.path.append(str(Path(__file__).parents[1]))
from cost import graph
from cost.expected import MEASURED, REST

# Seconds by the clock: a rule computes on one thread, and Snakemake reads processor time every half minute only.
COLUMNS = ["seconds", "memory_MB", "bytes", "work", "size", "held"]


def measured(jobs: list[graph.Job]) -> pd.DataFrame:
    """Seconds, memory and bytes of one job of each kind, with its units of work; the rest in one row."""
    rows = []
    for job in jobs:
        if not job.benchmark.exists():
            sys.exit(f"cost: the run has no benchmark file {job.benchmark}: finish it first")
        took = pd.read_csv(job.benchmark, sep="\t", na_values="-").fillna(0.0)
        kind, *units = job.work[:4] if job.work else (REST, 1, 1, 1)
        bytes_ = sum(path.stat().st_size for path in job.outputs) if job.work else 0
        rows.append((kind, took["s"].mean(), took["max_rss"].max(), bytes_, *units))
    each = pd.DataFrame(rows, columns=["kind", *COLUMNS])
    each = each.groupby(["kind", *COLUMNS[3:]], sort=False)
    found = each.agg({"seconds": "mean", "memory_MB": "max", "bytes": "mean"}).reset_index()
    found.loc[found["kind"] == REST, "seconds"] = each["seconds"].sum().loc[REST].item()
    found = found.set_index("kind")[COLUMNS]
    return found.loc[sorted(found.index, key=REST.__eq__)]  # the rest last


def main() -> None:
    """Read the command line and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--configfile", nargs="+", default=[], help="of the finished run, as for Snakemake")
    measured(graph.jobs(parser.parse_args().configfile)).to_csv(MEASURED, float_format="%.6g")
    print(f"wrote {MEASURED}")


if __name__ == "__main__":
    main()
