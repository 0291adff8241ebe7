"""Pack a finished run into one self-contained archive: an RO-Crate in a zip file, with a checksum for every file."""

import argparse
import csv
import datetime
import hashlib
import io
import os
import platform
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import yaml
from crate import describe
from layout import CONFIG, MANIFEST, METADATA, WORKFLOW, RefusedError, check_names
from members import Limits, Members

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "workflow"))
from settings import layered  # noqa: E402 - it lies beside this folder

CODE = (WORKFLOW, "Makefile", "pyproject.toml", "README.md", "CHANGELOG.md", "CITATION.cff", "LICENSE")
CODE_FOLDERS = ("config", "envs", "src", "workflow")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--configfile", type=Path, nargs="+", default=[ROOT / "config/default.yaml"])
    parser.add_argument("--directory", type=Path, default=ROOT, help="where the run's results/ lies")
    parser.add_argument("--output", type=Path, required=True, help="the archive, ending in .zip")
    arguments = parser.parse_args()
    try:
        pack(arguments.configfile, arguments.directory, arguments.output)
    except RefusedError as refused:
        sys.exit(f"archive: {refused}")


def pack(configfiles: list[Path], directory: Path, output: Path) -> None:
    """Write the archive of a finished run; nothing partial ever lies under its name."""
    if output.suffix != ".zip":
        raise RefusedError(f"--output = {str(output)!r} is refused: expected a name that ends in .zip")
    made = made_files(configfiles, directory)
    sources = {name: ROOT / name for name in code_files()}
    sources |= {name: directory / name for name in (*made, *records(made, directory))}
    check_names([*sources, CONFIG, METADATA, MANIFEST])
    config = complete_config(configfiles)
    stamps = [(directory / name).stat().st_mtime for name in made]
    files = {name: checksum(path) | made.get(name, {}) for name, path in sources.items()}
    files[CONFIG] = {"sha256": hashlib.sha256(config).hexdigest(), "contentSize": len(config)}
    run = {
        "citation": ROOT / "CITATION.cff",
        "config": CONFIG,
        "versions": {"python": platform.python_version(), "snakemake": version("snakemake")},
        "commit": commit(),
        "start": iso(min(stamps)),
        "end": iso(max(stamps)),
    }
    description = describe(files, run).encode()
    sums = {name: facts["sha256"] for name, facts in files.items()} | {
        METADATA: hashlib.sha256(description).hexdigest()
    }
    manifest = "".join(f"{sums[name]}  {name}\n" for name in sorted(sums)).encode()
    output.parent.mkdir(parents=True, exist_ok=True)
    temporary = output.with_name(f".{output.name}.part")
    try:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in ((METADATA, description), (MANIFEST, manifest), (CONFIG, config)):
                archive.writestr(name, content)
            for name in sorted(sources):
                kind = zipfile.ZIP_STORED if name.endswith((".zip", ".png", ".pdf")) else zipfile.ZIP_DEFLATED
                archive.write(sources[name], name, compress_type=kind)
        os.replace(temporary, output)
    finally:
        temporary.unlink(missing_ok=True)
    print(f"archive: {len(files)} files of {len(made)} results in {output}, {output.stat().st_size / 1e6:.1f} MB")
    print(f"archive: sha256 of the whole, to publish beside it: {checksum(output)['sha256']}")
    try:
        with open(output, "rb") as file:
            Members(file, Limits())
    except RefusedError as refused:
        print(f"archive: whoever checks it must allow for more: {refused}")


def made_files(configfiles: list[Path], directory: Path) -> dict[str, dict]:
    """What the config's rules make, by name, as Snakemake lists it; refused unless all is there and up to date."""
    command = [
        *(sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")),
        *("--profile", str(ROOT / "workflow/profiles/default")),
        *("--configfile", *(str(path.resolve()) for path in configfiles)),
        *("--directory", str(directory), "--cores", "1", "--detailed-summary"),
    ]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        raise RefusedError(
            f"Snakemake cannot list the run's files: {(run.stderr.strip().splitlines() or ['no reason'])[-1]}"
        )
    rows = list(csv.DictReader(io.StringIO(run.stdout[run.stdout.index("output_file\t") :]), delimiter="\t"))
    for row in rows:
        if row["plan"] != "no update":
            raise RefusedError(
                f"{row['output_file']} is missing or out of date: make the results with this config first"
            )
    return {row["output_file"]: {"rule": row["rule"], "log": row["log-file(s)"]} for row in rows}


def records(made: dict[str, dict], directory: Path) -> Iterator[str]:
    """Logs and benchmarks of the rules that made the results, and the report, as far as they are there."""
    logs = {facts.pop("log") for facts in made.values()}
    benchmarks = {log.replace("/logs/", "/benchmarks/", 1).replace(".log", ".tsv") for log in logs}
    reports = {f"{folder}/report.html" for name in made for folder in ["/".join(name.split("/")[:2])]}
    for name in sorted({*logs, *benchmarks, *reports}):
        if name and (directory / name).is_file():
            yield name


def code_files() -> list[str]:
    """All that a run needs of the repository."""
    found = [path for folder in CODE_FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()]
    names = [str(path.relative_to(ROOT)) for path in found if path.suffix not in (".pyc", ".sif")]
    return [*CODE, *(name for name in sorted(names) if name != CONFIG)]


def complete_config(configfiles: list[Path]) -> bytes:
    """The default config with the run's own files over it, as Snakemake puts them together."""
    return yaml.safe_dump(layered(configfiles), sort_keys=False, allow_unicode=True).encode()


def checksum(path: Path) -> dict:
    """A file's checksum and size, by their names in the crate."""
    with open(path, "rb") as file:
        return {"sha256": hashlib.file_digest(file, "sha256").hexdigest(), "contentSize": path.stat().st_size}


def commit() -> str | None:
    """The commit of the code, with a mark if files differ from it; None outside git."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def iso(stamp: float) -> str:
    """A time stamp as ISO 8601 in UTC."""
    return datetime.datetime.fromtimestamp(stamp, datetime.UTC).isoformat(timespec="seconds")


if __name__ == "__main__":
    main()
