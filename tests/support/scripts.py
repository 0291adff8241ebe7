"""One script of the workflow run in this process, as Snakemake would run it: for tests that need no graph."""

import logging
import os
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from runs import ROOT

SCRIPTS = ROOT / "workflow/scripts"


class Stated(list):
    """What a rule states, as scripts see it: a list, the items of which may have names."""

    def __init__(self, given: list | dict[str, Any]) -> None:
        named = given if isinstance(given, dict) else {}
        self.__dict__.update(named)
        for value in named.values() if named else given:
            self.extend(value if isinstance(value, list) else [value])

    def items(self) -> Any:
        return self.__dict__.items()


def run_script(name: str, log: Path, **job: Any) -> None:
    """Run ``workflow/scripts/<name>.py``.

    Args:
        name: the script.
        log: its log file.
        job: what the rule states: input and output (a list, or names with files), params and wildcards (names with
            values).
    """
    stated = {key: Stated(job.get(key, [])) for key in ("input", "output", "params", "wildcards")}
    before = sys.stdout, sys.stderr, sys.excepthook, dict(os.environ)
    sys.path.insert(0, str(SCRIPTS))
    try:
        runpy.run_path(str(SCRIPTS / f"{name}.py"), {"snakemake": SimpleNamespace(log=[str(log)], threads=1, **stated)})
    finally:
        sys.path.remove(str(SCRIPTS))
        if sys.stdout is not before[0]:
            sys.stdout.close()
        sys.stdout, sys.stderr, sys.excepthook, environment = before
        os.environ.clear()
        os.environ.update(environment)
        logging.getLogger("ntkfield").setLevel(logging.NOTSET)
