"""What `make progress` says of runs: before, under way, ended in every way, and on another machine."""

import importlib
import io
import json
import logging
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from runs import ROOT
from scripts import SCRIPTS

from ntkfield.progress import track

sys.path.insert(0, str(ROOT / "workflow"))

import joblist
import progress

START = time.time() - 1000.0  # of every run here


def job(rule: str, name: str = "", kept: bool = False, study: str = "sine") -> joblist.Job:
    stem = f"{rule}/{name}" if name else rule
    return joblist.Job(rule, study, kept, f"logs/{stem}.log", f"benchmarks/{stem}.tsv")


TRAIN = [job("sine_train", f"16/{part}", kept=part < 2) for part in range(8)]
SUMMARY, TILE = job("sine_summary"), job("images_tile", "c4/0_1", study="images")
JOBS = [*TRAIN, SUMMARY, TILE]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A run of this process: two jobs are older, two are done, of 40 s each; two ensembles and a tile have begun.

    One more ensemble is made anew whose log and benchmark are still there.
    """
    results = tmp_path / "results/ci"
    joblist.write(results, JOBS, slots=4)
    os.utime(results / "logs/jobs.json", (START, START))
    for part, age in ((0, -5000.0), (1, -5000.0), (2, 100.0), (3, 200.0), (6, -8000.0)):
        put(results / TRAIN[part].benchmark, "s\th:m:s\tcpu_time\n40.0\t0:00:40\t39.0\n", START + age)
    put(results / TRAIN[4].log, started(30), time.time() - 30)
    word = f"{stamp(20)} training 8 networks: 40 %, 25 s left\n"
    put(results / TRAIN[5].log, started(70) + word, time.time() - 20)
    put(results / TRAIN[6].log, started(9000), START - 8000)  # of an earlier run
    put(results / TILE.log, started(400), time.time() - 400)
    return results


def put(path: Path, text: str, when: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (when, when))


def stamp(age: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S,000", time.localtime(time.time() - age))


def started(age: float) -> str:
    return f"{stamp(age)} started on node7\n"


def change(results: Path, **entries: object) -> None:
    """Alter what the run noted when it started."""
    path = results / "logs/jobs.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))
    os.utime(path, (START, START))


def headline(results: Path) -> str:
    return progress.look(results)[0].splitlines()[0]


def near(text: str, *seconds: int) -> bool:
    """Whether the text holds one of these numbers of seconds: the clock may turn while a test looks."""
    return any(f"{second} s" in text for second in seconds)


def test_before_any_run_it_says_so_in_a_sentence(tmp_path: Path) -> None:
    text, going = progress.look(tmp_path / "results/ci")
    assert text == f"There is no run in {tmp_path}/results/ci yet: make results starts one."
    assert not going


def test_a_run_under_way_says_what_is_done_what_runs_and_the_time_left(results: Path) -> None:
    text, going = progress.look(results)
    assert going
    first, header, images, tile, sine, *running = text.splitlines()
    # The ensembles need 10 and 5 seconds more, two that wait 40 each, on 4 cores; of two rules none has finished yet.
    assert first.startswith("ci: 4 of 10 jobs done (40 %), 3 running, more than ")
    assert near(first, 23, 24)
    assert header.split() == ["study", "jobs", "work", "left", "of", "them"]
    assert images.split() == ["images", "0/1", "?"]
    assert tile == "  images_tile/c4/0_1: runs for 7 min"
    assert sine.split()[:2] == ["sine", "4/9"]
    assert near(sine, 94, 95)
    assert sine.endswith("sine_train 4/8")
    assert running[0].startswith("  sine_train/16/5: training 8 networks 40 %, 25 s left, said 20 s ago; runs for 7")
    assert running[1].startswith("  sine_train/16/4: runs for 3")
    assert len(running) == 2


def test_many_running_jobs_are_cut_to_a_few_lines(results: Path) -> None:
    jobs = [job("sine_train", f"8/{part}") for part in range(50)]
    joblist.write(results, jobs, slots=None)
    for each in jobs:
        put(results / each.log, started(1), time.time())
    lines = progress.look(results)[0].splitlines()
    assert len(lines) == 3 + progress.SHOWN + 1
    assert lines[-1] == f"  and {50 - progress.SHOWN} more that run"


def test_on_a_cluster_the_jobs_that_run_now_share_the_work(results: Path) -> None:
    for name in (TRAIN[4], TRAIN[5], TILE):
        (results / name.log).unlink()
    change(results, slots=None)
    assert "0 running, more than 3 min left" in headline(results)  # four of 40 s, one by one


def test_a_killed_run_has_stopped(results: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    change(results, pid=ended.pid)
    text, going = progress.look(results)
    assert text.startswith("ci: stopped, 4 of 10 jobs done (40 %), nothing runs: the same command goes on from there\n")
    assert "runs for" not in text
    assert not going


def test_a_process_number_that_is_used_again_is_not_the_run(results: Path) -> None:
    change(results, created=psutil.Process().create_time() - 3600)
    assert headline(results).startswith("ci: stopped, ")


def ended_by(results: Path, error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one of the jobs that run end in an error."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    with open(results / TRAIN[4].log, "a") as log, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", log)
        importlib.import_module("job")._end(io.StringIO(), [], type(error), error, None)


def test_a_run_that_ended_in_a_failure_names_the_log_and_its_sentence(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended_by(results, ArithmeticError("they differ by\t1"), monkeypatch)
    assert "1 failed, 2 running" in headline(results)  # what does not depend on it goes on
    joblist.end(str(results))
    text, going = progress.look(results)
    assert text.startswith("ci: failed, 4 of 10 jobs done (40 %), 1 failed, nothing runs: ")
    assert text.splitlines()[-1] == f"  {results}/logs/sine_train/16/4.log: ArithmeticError: they differ by?1"
    assert not going


def test_a_run_that_was_interrupted_has_stopped_and_not_failed(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended_by(results, KeyboardInterrupt(), monkeypatch)
    joblist.end(str(results))
    assert headline(results).startswith("ci: stopped, 4 of 10 jobs done (40 %), nothing runs: ")


def test_a_finished_run_is_one_line(results: Path) -> None:
    for each in JOBS:
        put(results / each.benchmark, "s\n1\n", time.time())
    joblist.end(str(results))
    assert progress.look(results) == ("ci: finished, all 10 jobs are done", False)


def test_a_run_on_another_machine_tells_its_last_sign_of_life(results: Path) -> None:
    change(results, host="login2", pid=1)
    text, going = progress.look(results)
    assert going
    assert "; it runs on login2, whose last sign of life is 2" in text  # the ensemble's word 20 s ago
    (results / "logs/jobs.ended").touch()
    assert headline(results).startswith("ci: stopped, ")


def test_runs_of_two_names_are_told_apart(results: Path) -> None:
    other = results.with_name("paper")
    joblist.write(other, [SUMMARY], slots=1)
    assert headline(results).startswith("ci: 4 of 10 jobs done")
    assert headline(other).startswith("paper: 0 of 1 jobs done")


def test_a_small_run_beside_one_that_goes_on_does_not_hide_it(results: Path) -> None:
    parent = psutil.Process().parent()
    assert parent is not None
    change(results, pid=parent.pid, created=parent.create_time())
    joblist.write(results, [SUMMARY], slots=1)
    joblist.end(str(results))  # of this process, not of that run
    assert headline(results).startswith("ci: 4 of 10 jobs done (40 %), 3 running")
    (results / "logs/jobs.ended").touch()
    joblist.write(results, [SUMMARY], slots=1)
    assert headline(results).startswith("ci: 0 of 1 jobs done (0 %), 0 running")


def test_what_long_work_logs_is_understood(results: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "ntkfield"):
        for _ in track(range(2), "SO(3) kernels of 36 pairs"):
            pass
    put(results / TILE.log, started(30) + f"{stamp(0)} {caplog.records[-1].getMessage()}\n", time.time())
    assert "  images_tile/c4/0_1: SO(3) kernels of 36 pairs 50 %" in progress.look(results)[0]


def test_a_disk_that_cannot_be_written_stops_no_run(tmp_path: Path) -> None:
    (tmp_path / "results").touch()  # no folder
    flow = SimpleNamespace(dag=SimpleNamespace(jobs=[]), rules=[], local_exec=True, cores=1, touch=False)
    joblist.begin(str(tmp_path / "results/ci"), flow)
    joblist.end(str(tmp_path / "results/ci"))
