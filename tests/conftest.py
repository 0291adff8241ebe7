"""What several test modules share, and an account of what each file compiled."""

import gc
import os
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

COMPILED = "/jax/core/compile/backend_compile_duration"
# Compiling is half of what all tests take. Without LLVM's optimiser and XLA's own emitters it takes a third: the same
# operations, now and then rounded another way. Wheel, site and workflow of `.ci/run` are compiled as users' are.
QUICK = "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false"
# Linux gives a process 65,530 maps of memory, and a compiled program takes a dozen: all tests in one process, as on a
# machine with one core, would end in a segmentation fault.
MAPS = Path("/proc/self/maps")
MOST_MAPS = 20_000

_files: dict[str, Counter] = {}  # by file: compilations, their seconds, and processor seconds in all
_state = {"file": "", "listening": False}


def pytest_configure(config):
    """Compile quickly, and once for all workers and the runs of the workflow that tests start."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # there is a worker for every core
    os.environ.setdefault("XLA_FLAGS", QUICK)
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(config.cache.mkdir("programs")))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    gc.set_threshold(10_000, 20, 20)  # tracing makes objects by the million that stay


@pytest.fixture(scope="session")
def neural_tangents():
    """The package neural-tangents, as the bridge imports it."""
    from ntkfield.bridge import _neural_tangents

    return _neural_tangents.neural_tangents


def _compiled(event: str, seconds: float, **_: object) -> None:
    if event == COMPILED:
        _files.setdefault(_state["file"], Counter()).update({"programs": 1, "compiling": seconds})


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item, nextitem):
    """Book what a test compiles on its file, and forget all programs between two files when they are many."""
    if "jax" in sys.modules and not _state["listening"]:
        _state["listening"] = True
        sys.modules["jax"].monitoring.register_event_duration_secs_listener(_compiled)
    _state["file"], start = item.nodeid.split("::")[0], time.process_time()
    result = yield
    if _state["listening"] and (nextitem is None or nextitem.path != item.path) and _maps() > MOST_MAPS:
        sys.modules["jax"].clear_caches()
    _files.setdefault(_state["file"], Counter()).update({"seconds": time.process_time() - start})
    return result


def _maps() -> int:
    return len(MAPS.read_bytes().splitlines()) if MAPS.exists() else 0


def pytest_sessionfinish(session):
    """Hand a worker's account to the process that prints."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["compiled"] = {file: dict(counts) for file, counts in _files.items()}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    for file, counts in getattr(node, "workeroutput", {}).get("compiled", {}).items():
        _files.setdefault(file, Counter()).update(counts)


def pytest_terminal_summary(terminalreporter):
    """Compilations and processor seconds of the files that compile longest: a new static argument shows here."""
    total = sum(_files.values(), Counter())
    if not total["programs"]:
        return
    terminalreporter.section("compilations")
    row = "{:>9} {:>12} {:>12}  {}"
    terminalreporter.write_line(row.format("programs", "compiling/s", "processor/s", "file"))
    longest = sorted(_files, key=lambda file: -_files[file]["compiling"])
    for file, counts in [*((file, _files[file]) for file in longest), ("all files", total)]:
        numbers = (f"{counts['programs']}", f"{counts['compiling']:.1f}", f"{counts['seconds']:.1f}")
        terminalreporter.write_line(row.format(*numbers, file))


def pytest_collection_modifyitems(items):
    """Long files first, so that none is left alone at the end: those that run the workflow, then the slow ones."""
    long = {mark: {item.path for item in items if item.get_closest_marker(mark)} for mark in ("workflow", "slow")}
    items.sort(key=lambda item: (item.path not in long["workflow"], item.path not in long["slow"]))
