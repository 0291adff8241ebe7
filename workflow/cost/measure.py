"""Measured costs of a finished run's jobs, by kind, for `plan.py` to scale: workflow/cost/measured.csv."""

import argparse
import sys
from pathlib import Path

import pandas as pd
from items import items

WORKFLOW = Path(__file__).parents[1]
sys.path.append(str(WORKFLOW))
from settings import RefusedError, check, layered  # noqa: E402 - it lies beside this folder

MEASURED = Path(__file__).with_name("measured.csv")


def read_config(paths: list[str]) -> dict:
    """Config files laid over one another and over config/default.yaml, checked; ends the program if one is refused."""
    try:
        config = layered(paths)
        check(config)
    except RefusedError as refused:
        raise SystemExit(str(refused)) from None
    return config


def measured(config: dict, results: Path) -> pd.DataFrame:
    """CPU seconds, memory and bytes of one job of each kind, with its units of work; the rest in one row."""
    rows, seen = [], set()
    for item in items(config):
        files = sorted((results / "benchmarks").glob(item.benchmarks))
        if not files:
            raise SystemExit(
                f"cost: the run under {str(results)!r} has no benchmark file {item.benchmarks}: finish it first"
            )
        jobs = pd.concat([pd.read_csv(path, sep="\t", na_values="-") for path in files]).fillna(0.0)
        stores = [path.stat().st_size for path in results.glob(item.outputs)] if item.outputs else [0]
        seen.update(files)
        mean = jobs["cpu_time"].mean()
        rows.append((item.name, mean, jobs["max_rss"].max(), sum(stores) / len(stores), item.work, item.size))
    rest = [pd.read_csv(p, sep="\t", na_values="-") for p in (results / "benchmarks").rglob("*.tsv") if p not in seen]
    others = pd.concat(rest).fillna(0.0)
    rows.append(("everything else", others["cpu_time"].sum(), others["max_rss"].max(), 0, 1, 1))
    columns = ["kind", "cpu_seconds", "memory_MB", "bytes", "work", "size"]
    return pd.DataFrame(rows, columns=columns).set_index("kind")


def main() -> None:
    """Read the command line and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--configfile", nargs="+", default=[])
    parser.add_argument("--results", type=Path, default=Path("results"))
    arguments = parser.parse_args()
    measured(read_config(arguments.configfile), arguments.results).to_csv(MEASURED, float_format="%.6g")
    print(f"wrote {MEASURED}")


if __name__ == "__main__":
    main()
