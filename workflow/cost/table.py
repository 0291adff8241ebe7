"""One table of what a run cost, from Snakemake's benchmark files: rule, jobs, seconds, CPU seconds, memory."""

import argparse
from pathlib import Path

import pandas as pd


def table(results: Path) -> pd.DataFrame:
    """A row for each rule: number of jobs, their seconds in all, CPU seconds, longest job, and largest memory in MB."""
    rows = []
    for path in sorted((results / "benchmarks").rglob("*.tsv")):
        measured = pd.read_csv(path, sep="\t", na_values="-").iloc[0]
        rule = path.relative_to(results / "benchmarks").parts[0].removesuffix(".tsv")
        rows.append(
            {"rule": rule, "seconds": measured["s"], "cpu": measured["cpu_time"], "memory": measured["max_rss"]}
        )
    if not rows:
        raise SystemExit(
            f"cost: there are no benchmark files under {str(results / 'benchmarks')!r}: run the workflow first"
        )
    rules = pd.DataFrame(rows).fillna(0.0).groupby("rule")
    found = pd.DataFrame(
        {
            "jobs": rules.size(),
            "seconds": rules["seconds"].sum(),
            "cpu_seconds": rules["cpu"].sum(),
            "longest_seconds": rules["seconds"].max(),
            "memory_MB": rules["memory"].max(),
        }
    )
    return found.sort_values("cpu_seconds", ascending=False)


def main() -> None:
    """Read the command line, write and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=Path("results"))
    results = parser.parse_args().results
    found = table(results)
    found.to_csv(results / "costs.csv", float_format="%.1f")
    with pd.option_context("display.width", 120):
        print(found.round(1).to_string())
    hours = found["cpu_seconds"].sum() / 3600
    print(f"in all {found['jobs'].sum()} jobs, {hours:.2f} core-hours: {results / 'costs.csv'}")


if __name__ == "__main__":
    main()
