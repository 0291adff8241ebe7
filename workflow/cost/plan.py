"""What a run will cost before it starts: jobs, core-hours, memory and disk for a config, from measured costs.

A job's time is that of starting Python and compiling, plus its work at the measured speed (`items.py`, `measure.py`).
"""

import argparse
from pathlib import Path

import pandas as pd
from items import Item, items
from measure import MEASURED, read_config

SPEED = 5e9  # operations on dense matrices in a second on one core
MATRICES = 3  # held at once


def plan(config: dict, costs: pd.DataFrame) -> pd.DataFrame:
    """Expected jobs, CPU hours, memory of one job in MB and disk in MB, a row for each kind of job."""
    known = costs.drop(index="everything else")
    start = known["cpu_seconds"].min()
    rows = []
    for item in items(config):
        cost = known.loc[_nearest(item, known)]
        seconds = start + (cost["cpu_seconds"] - start) * item.work / cost["work"]
        growth = item.size / cost["size"]
        memory = cost["memory_MB"] + MATRICES * 16e-6 * max(item.size - cost["size"], 0.0)
        if item.dense:  # of what was measured nearly all is starting and compiling
            seconds = cost["cpu_seconds"] + item.work / SPEED
            memory = cost["memory_MB"] + MATRICES * 8e-6 * item.size
        rows.append(
            (item.name, item.jobs, item.jobs * seconds / 3600, memory, item.jobs * cost["bytes"] * growth / 1e6)
        )
    rest = costs.loc["everything else"]
    rows.append(("everything else", 1, rest["cpu_seconds"] / 3600, rest["memory_MB"], 0.0))
    columns = ["kind", "jobs", "core_hours", "memory_MB", "disk_MB"]
    return pd.DataFrame(rows, columns=columns).set_index("kind")


def _nearest(item: Item, known: pd.DataFrame) -> str:
    """The measured kind to scale: the same one, or the same rule's with the nearest work."""
    if item.name in known.index:
        return item.name
    words = item.name.split()
    for length in range(len(words) - 1, 0, -1):
        prefix = " ".join(words[:length])
        alike = known[[name == prefix or name.startswith(f"{prefix} ") for name in known.index]]
        if len(alike):
            return (alike["work"] / item.work).map(lambda ratio: max(ratio, 1 / ratio)).idxmin()
    raise SystemExit(
        f"plan: no measured job is like {item.name!r}: measure a run that has one with workflow/cost/measure.py"
    )


def main() -> None:
    """Read the command line and print the plan."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--configfile", nargs="+", default=[], help="as for Snakemake")
    parser.add_argument("--measured", type=Path, default=MEASURED, help="costs from workflow/cost/measure.py")
    arguments = parser.parse_args()
    config = read_config(arguments.configfile)
    found = plan(config, pd.read_csv(arguments.measured, index_col="kind"))
    with pd.option_context("display.width", 140, "display.max_rows", 500, "display.float_format", "{:,.2f}".format):
        print(found.to_string())
    print(
        f"in all {found['jobs'].sum() - 1:,} jobs and some small ones, {found['core_hours'].sum():,.2f} core-hours, "
        f"{found['disk_MB'].sum() / 1000:,.2f} GB on disk, at most {found['memory_MB'].max():,.0f} MB in one job"
    )


if __name__ == "__main__":
    main()
