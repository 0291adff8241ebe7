"""How far a run is: its jobs done of how many by study, which run now, and about how long it takes still.

Only files are read: the list of jobs that the run wrote when it started (joblist.py), the benchmark that every finished
job leaves, and the last words in the logs of jobs that have none yet. So it works from any machine that sees them, on
Slurm as well, and costs a run nothing.
"""

import argparse
import contextlib
import datetime
import os
import re
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import joblist

from ntkfield.progress import duration

SAMPLE = 20  # finished jobs of a rule whose times are averaged
SHOWN = 8  # running jobs of a study that are listed
REPEAT = 5.0  # seconds
UNITS = {"s": 1, "min": 60, "h": 3600}
STAMP = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"  # of logging
STARTED = re.compile(rf"({STAMP}),\d+ started on ")
WORD = re.compile(rf"(?:{STAMP},\d+ )?(.+): (\d+) %(?:, ([\d.]+) (s|min|h) left)?$")  # what `track` says
FAILED = "failed: "  # how job.py begins the last line of a job that ends in an error


class Word(NamedTuple):
    """What the log of a job says that has started and not finished."""

    elapsed: float  # seconds since it started
    silent: float  # seconds since it said anything
    label: str  # what it was computing, with a percentage; empty if it did not say
    left: float  # seconds that this takes still, by its own account
    error: str  # the sentence it failed with; empty if it did not


class State:
    """A run's jobs by what became of them, at one moment."""

    def __init__(self, results: Path, listed: joblist.Listed) -> None:
        self.results, self.listed, self.now = results, listed, time.time()
        self.ended, self.alive = joblist.has_ended(results), joblist.alive(listed)
        start = joblist.since(results)
        stamps = _stamps(results, ("logs", "benchmarks"))
        self.last_sign = max([start, *stamps.values()])
        self.seconds = _mean_seconds(results, listed.jobs, stamps)
        self.done = [job for job in listed.jobs if job.kept or stamps.get(job.benchmark, 0.0) >= start]
        finished = set(self.done)
        missing = [job for job in listed.jobs if job not in finished]
        started = [job for job in missing if stamps.get(job.log, 0.0) >= start]
        words = {job: _word(results / job.log, stamps[job.log], self.now) for job in started}
        self.failed = {job: word.error for job, word in words.items() if word.error}
        self.running = {job: word for job, word in words.items() if not word.error}
        self.waiting = [job for job in missing if job not in words]

    @property
    def going(self) -> bool:
        """Whether anything may still come: the run has not said that it ended, and its process is not known dead."""
        return not self.ended and self.alive is not False and len(self.done) < len(self.listed.jobs)

    def work(self, study: str | None = None) -> tuple[float, bool]:
        """Seconds of one core that running and waiting jobs need, and whether they are known of all of them."""
        jobs = [job for job in (*self.running, *self.waiting) if study in (None, job.study)]
        return sum(map(self._rest, jobs)), all(job.rule in self.seconds for job in jobs)

    def left(self) -> str:
        """About how long the run takes still."""
        work, known = self.work()
        if not work:
            return "about to end" if known else "time left unknown until a job of each kind has finished"
        at_once = self.listed.slots or max(len(self.running), 1)
        longest = max((self._rest(job) for job in self.running), default=0.0)
        return f"{'about' if known else 'more than'} {duration(max(work / at_once, longest))} left"

    def _rest(self, job: joblist.Job) -> float:
        """Seconds that a job still takes: by the mean of its rule's, and no less than its log says of what it does."""
        mean, word = self.seconds.get(job.rule, 0.0), self.running.get(job)
        return max(mean - word.elapsed, word.left - word.silent, 0.0) if word else mean


def look(results: Path) -> tuple[str, bool]:
    """What to print of a run's progress, and whether it goes on."""
    listed = joblist.read(results)
    if listed is None:
        return f"There is no run in {results} yet: make results starts one.", False
    state = State(results, listed)
    table = _table(state) if len(state.done) < len(listed.jobs) else []
    return "\n".join([_headline(state), *table]), state.going


def _headline(state: State) -> str:
    done, total = len(state.done), len(state.listed.jobs)
    name = state.results.resolve().name
    if done == total:
        return f"{name}: finished, all {total} jobs are done"
    count = f"{done} of {total} jobs done ({100 * done // total} %)"
    failed = f", {len(state.failed)} failed" if state.failed else ""
    if not state.going:
        what = "failed" if state.failed else "stopped"
        return f"{name}: {what}, {count}{failed}, nothing runs: the same command goes on from there"
    where = ""
    if state.alive is None:
        where = f"; it runs on {state.listed.host}, whose last sign of life is {_ago(state.now - state.last_sign)} old"
    return f"{name}: {count}{failed}, {len(state.running)} running, {state.left()}{where}"


def _table(state: State) -> list[str]:
    """A line for each study, and under it the jobs that run or have failed."""
    rows, said = {}, []
    for study in sorted({job.study for job in state.listed.jobs}):
        jobs = [job for job in state.listed.jobs if job.study == study]
        done = sum(job.study == study for job in state.done)
        work, known = state.work(study)
        left = "?" if not work else duration(work) if known else f"> {duration(work)}"
        left = "" if done == len(jobs) else left
        rows[study] = (study, f"{done}/{len(jobs)}", left, _parts(state, study))
    header = ("study", "jobs", "work left", "of them")
    widths = [max(map(len, column)) for column in zip(header, *rows.values(), strict=True)]
    said.append(_row(header, widths))
    for study, row in rows.items():
        said.append(_row(row, widths))
        running = {job: word for job, word in state.running.items() if job.study == study} if state.going else {}
        listed = sorted(running, key=lambda job: -running[job].elapsed)
        said += [f"  {_name(job)}: {_told(running[job])}" for job in listed[:SHOWN]]
        if len(listed) > SHOWN:
            said.append(f"  and {len(listed) - SHOWN} more that run")
        said += [f"  {state.results / job.log}: {text}" for job, text in state.failed.items() if job.study == study]
    return said


def _parts(state: State, study: str) -> str:
    """Of the rules with many jobs, such as tiles and ensembles, which are under way: done of how many."""
    counts = defaultdict(lambda: [0, 0])
    done = {*state.done}
    for job in state.listed.jobs:
        if job.study == study:
            counts[job.rule][0] += job in done
            counts[job.rule][1] += 1
    return ", ".join(f"{rule} {some}/{total}" for rule, (some, total) in counts.items() if total > 1 and some < total)


def _told(word: Word) -> str:
    since = f"runs for {duration(word.elapsed)}"
    if not word.label:
        return since
    left = f", {duration(word.left)} left" if word.left else ""
    return f"{word.label}{left}, said {_ago(word.silent)} ago; {since}"


def _ago(seconds: float) -> str:
    return duration(max(seconds, 0.0))


def _name(job: joblist.Job) -> str:
    return job.log.removeprefix("logs/").removesuffix(".log")


def _row(cells: Iterable[str], widths: list[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _stamps(results: Path, folders: Iterable[str]) -> dict[str, float]:
    """When each file under these folders was last written, by its path seen from the results: a walk, not a look at
    every job's, most of which are not there yet.
    """
    found, waiting = {}, [*folders]
    while waiting:
        folder = waiting.pop()
        with contextlib.suppress(FileNotFoundError):
            for entry in os.scandir(results / folder):
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(f"{folder}/{entry.name}")
                else:
                    with contextlib.suppress(FileNotFoundError):  # it was a temporary one
                        found[f"{folder}/{entry.name}"] = entry.stat().st_mtime
    return found


def _mean_seconds(results: Path, jobs: list[joblist.Job], stamps: dict[str, float]) -> dict[str, float]:
    """Mean time of each rule's jobs, of those that were finished last."""
    written = defaultdict(list)
    for job in jobs:
        if job.benchmark in stamps:
            written[job.rule].append(job.benchmark)
    means = {}
    for rule, paths in written.items():
        latest = sorted(paths, key=lambda path: -stamps[path])[:SAMPLE]
        times = [seconds for path in latest if (seconds := _seconds(results / path)) is not None]
        if times:
            means[rule] = fmean(times)
    return means


def _seconds(benchmark: Path) -> float | None:
    """Wall-clock seconds in a benchmark file; None if it is being written."""
    try:
        names, values, *_ = (line.split("\t") for line in benchmark.read_text().splitlines())
        return float(dict(zip(names, values, strict=True))["s"])
    except (FileNotFoundError, ValueError, KeyError):
        return None


def _word(log: Path, written: float, now: float) -> Word:
    """What a log says of its job, from its first line and its last ones."""
    try:
        with open(log, "rb") as file:
            first = file.readline(200).decode(errors="replace")
            file.seek(max(file.seek(0, os.SEEK_END) - 4096, 0))
            last = file.read().decode(errors="replace").splitlines()
    except FileNotFoundError:  # removed since it was listed
        first, last = "", []
    began = STARTED.match(first)
    start = datetime.datetime.fromisoformat(began[1]).timestamp() if began else written
    error = last[-1].removeprefix(FAILED) if last and last[-1].startswith(FAILED) else ""
    said = next(filter(None, (WORD.fullmatch(line) for line in reversed(last))), None)
    label = f"{said[1]} {said[2]} %" if said else ""
    left = float(said[3]) * UNITS[said[4]] if said and said[3] else 0.0
    return Word(max(now - start, 0.0), max(now - written, 0.0), _plain(label), left, _plain(error))


def _plain(text: str) -> str:
    """Text that may stem from data, without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def main() -> None:
    """Read the command line and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="folder of a run's results, results/NAME")
    parser.add_argument("--watch", action="store_true", help="again every few seconds, until nothing runs")
    arguments = parser.parse_args()
    clear = "\033[2J\033[H" if sys.stdout.isatty() else ""
    try:
        while True:
            said, going = look(arguments.results)
            print(clear * arguments.watch + said, flush=True)
            if not (arguments.watch and going):
                return
            time.sleep(REPEAT)
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
