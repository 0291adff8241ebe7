"""One script of the workflow run in this process, as Snakemake would run it: for tests that need no graph."""

import logging
import os
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from runs import ROOT

WORKFLOW = ROOT / "workflow"
SCRIPTS = WORKFLOW / "scripts"  # what every script may import


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
    """Run a script of the workflow.

    Args:
        name: the script, such as "studies/sine/train".
        log: its log file.
        job: what the rule states: input and output (a list, or names with files), params, wildcards and resources
            (names with values).
    """
    stated = {key: Stated(job.get(key, [])) for key in ("input", "output", "params", "wildcards")}
    before = sys.stdout, sys.stderr, sys.excepthook, dict(os.environ)
    script = WORKFLOW / f"{name}.py"
    beside = [str(SCRIPTS), str(script.parent)]
    sys.path[:0] = beside
    try:
        always = {"log": [str(log)], "threads": 1, "resources": job.get("resources", {})}
        runpy.run_path(str(script), {"snakemake": SimpleNamespace(**always, **stated)})
    finally:
        for folder in beside:
            sys.path.remove(folder)
        if sys.stdout is not before[0]:
            sys.stdout.close()
        sys.stdout, sys.stderr, sys.excepthook, environment = before
        os.environ.clear()
        os.environ.update(environment)
        logging.getLogger("ntkfield").setLevel(logging.NOTSET)
