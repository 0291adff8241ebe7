"""The workflow run for real on the smallest config, one study in one folder: what the tests of this folder share."""

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Run:
    """One study of config/ci.yaml in a folder of its own."""

    folder: Path
    study: str
    root: Path = ROOT  # a repository
    cores: int = 2
    profile: str = "default"
    environment: dict[str, str] | None = None  # None: this process's
    targets: tuple[str, ...] = ()  # files to make; none: all

    def command(self, *arguments: str, change: dict | None = None) -> list[str]:
        """What starts Snakemake; `change` are keys of a user's own config file."""
        own = self.folder / f"change-{os.getpid()}.yaml"  # several processes may look at one finished run
        own.write_text(yaml.safe_dump({"studies": [self.study]} | (change or {})))
        return [
            *(sys.executable, "-m", "snakemake", "--snakefile", str(self.root / "Snakefile")),
            *("--profile", str(self.root / "workflow/profiles" / self.profile)),
            *("--configfile", str(self.root / "config/ci.yaml"), str(own)),
            *("--directory", str(self.folder), "--cores", str(self.cores)),
            *self.targets,
            *arguments,
        ]

    def attempt(self, *arguments: str, change: dict | None = None) -> subprocess.CompletedProcess[str]:
        command = self.command(*arguments, change=change)
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=900, check=False)

    def make(self, *arguments: str, change: dict | None = None) -> str:
        """What a run prints that must succeed."""
        run = self.attempt(*arguments, change=change)
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout + run.stderr

    def planned(self, change: dict | None = None) -> dict[str, int]:
        """Jobs that a dry run names, by rule."""
        output = self.make("--dry-run", change=change)
        if "Nothing to be done" in output:
            return {}
        table = output.split("Job stats:")[1].split("total")[0]
        found = re.findall(r"^(\w+)\s+(\d+)$", table, re.MULTILINE)
        jobs = {rule: int(count) for rule, count in found if rule != "all"}
        if len(jobs) > 1:  # the page of results follows whatever else is made
            jobs.pop("index", None)
        return jobs

    def kill_when(self, pattern: str) -> None:
        """Start, and kill -9 Snakemake and all its jobs as soon as a file of that pattern is there."""
        process = subprocess.Popen(
            self.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        deadline = time.monotonic() + 300
        try:
            while not list(self.folder.glob(pattern)):
                assert process.poll() is None, "the run ended before it could be interrupted"
                assert time.monotonic() < deadline, f"no {pattern} within five minutes"
                time.sleep(0.05)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.make("--unlock")

    def stores(self) -> dict[str, bytes]:
        """Every zarr store under results/, by name."""
        results = self.folder / "results"
        return {str(path.relative_to(results)): path.read_bytes() for path in sorted(results.rglob("*.zarr.zip"))}

    def stamps(self) -> dict[Path, int]:
        """When each store was written."""
        return {path: path.stat().st_mtime_ns for path in self.folder.rglob("*.zarr.zip")}
