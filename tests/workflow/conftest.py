"""Finished runs, made once for all test modules, whichever processes run them."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from runs import Run


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Run]:
    """A study of config/ci.yaml, run to its end on two cores; to be looked at and left as it is."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def make(study: str) -> Run:
        folder = shared / f"finished-{study}"
        done = Path(f"{folder}.done")
        with open(f"{folder}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            folder.mkdir(exist_ok=True)
            if not done.exists():
                Run(folder, study).make()
                done.touch()
        return Run(folder, study)

    return make
