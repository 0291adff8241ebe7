"""The list of a run's jobs, written when it starts, for workflow/progress.py to compare with the files that appear.

It stands in the run's logs: `jobs.json`, and beside it `jobs.ended` once that run has come to its end, good or bad.
"""

import contextlib
import json
import os
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import psutil

STUDIES = Path(__file__).parent / "studies"


class Job(NamedTuple):
    """One job: paths are seen from the run's folder."""

    rule: str
    study: str
    kept: bool  # its results stood when the run started
    log: str
    benchmark: str


class Listed(NamedTuple):
    """A run as it started."""

    host: str
    pid: int
    created: float  # when that process started: a number of a process is used again
    slots: int | None  # jobs at once; None where a cluster decides
    jobs: list[Job]


def write(results: Path, jobs: Iterable[Job], slots: int | None) -> None:
    """Note a run of this process; a run of that name that goes on keeps its list."""
    listed, ended = _paths(results)
    known = read(results)
    if known and not ended.exists() and alive(known) and known.pid != os.getpid():
        return  # it makes other files, or Snakemake's lock would have refused this one
    own = psutil.Process()
    content = Listed(socket.gethostname(), own.pid, own.create_time(), slots, list(jobs))
    listed.parent.mkdir(parents=True, exist_ok=True)
    part = listed.with_name(f"{listed.name}.{own.pid}.part")
    part.write_text(json.dumps(content._asdict()))
    ended.unlink(missing_ok=True)
    part.replace(listed)


def read(results: Path) -> Listed | None:
    """The run that was started last; None if there was none."""
    try:
        content = json.loads(_paths(results)[0].read_text())
    except FileNotFoundError:
        return None
    return Listed(**content | {"jobs": [Job(*job) for job in content["jobs"]]})


def since(results: Path) -> float:
    """When the list was written, by the clock of the disk, which stamps the results, too."""
    return _paths(results)[0].stat().st_mtime


def has_ended(results: Path) -> bool:
    """Whether the run has said that it ended."""
    return _paths(results)[1].exists()


def alive(listed: Listed) -> bool | None:
    """Whether the process of a run still runs; None for one on another machine, of which nothing is known."""
    if listed.host != socket.gethostname():
        return None
    try:
        return abs(psutil.Process(listed.pid).create_time() - listed.created) < 1
    except psutil.NoSuchProcess:
        return False


def begin(results: str, workflow: Any) -> None:
    """Write the list from Snakemake's workflow, and let each job be told in a line or two instead of a dozen.

    A disk that cannot be written is for the jobs to tell: without the list only the progress is unknown.
    """
    jobs = (
        Job(
            job.rule.name,
            study(job),
            not workflow.dag.needrun(job),
            os.path.relpath(job.log[0], results),
            os.path.relpath(job.benchmark, results),
        )
        for job in workflow.dag.jobs
        if job.log and job.benchmark
    )
    for each in workflow.rules:
        each.message = each.message or " ".join([each.name, *["{wildcards}"] * bool(each.wildcard_names)])
    if workflow.touch:
        return  # it makes nothing
    with contextlib.suppress(OSError):
        write(Path(results), jobs, workflow.cores if workflow.local_exec else None)


def end(results: str) -> None:
    """Note that the run of this process has ended."""
    with contextlib.suppress(OSError):
        known = read(Path(results))
        if known and known.pid == os.getpid():
            _paths(Path(results))[1].touch()


def study(job: Any) -> str:
    """The study of a Snakemake job: its rule's room, or named by its wildcards; the rule itself where it has none."""
    room = Path(str(job.rule.snakefile)).parent
    return room.name if room.parent == STUDIES else job.wildcards_dict.get("study", job.rule.name)


def _paths(results: Path) -> tuple[Path, Path]:
    return results / "logs/jobs.json", results / "logs/jobs.ended"
