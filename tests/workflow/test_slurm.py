"""The workflow on a real Slurm without accounting, through the profile, against the same study on this machine."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import slurm_node
from runs import Run

pytestmark = [
    pytest.mark.workflow,
    pytest.mark.slow,
    pytest.mark.skipif(bool(slurm_node.missing()), reason=str(slurm_node.missing())),
]

WITHOUT_ACCOUNTING = ("--slurm-no-account", "--slurm-status-command", "squeue")
IMPATIENT = ("--slurm-init-seconds-before-status-checks", "1", "--seconds-between-status-checks", "1")


@pytest.fixture(scope="module")
def slurm() -> Iterator[dict[str, str]]:
    with slurm_node.running() as environment:
        yield environment


def test_the_stores_are_those_of_a_local_run(
    slurm: dict[str, str], finished: Callable[[str], Run], tmp_path: Path
) -> None:
    # the node's GPUs are counted and are none
    run = Run(tmp_path, "molecules", cores=1, profile="slurm", environment=slurm | {"JAX_PLATFORMS": "cpu"})
    command = run.command(*WITHOUT_ACCOUNTING, *IMPATIENT, change={"gpus": 1})
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, env=run.environment, text=True, **streams) as process:  # waits more than it computes
        local = finished("molecules").stores()
        output = process.communicate(timeout=900)[0]
    assert process.returncode == 0, output
    stores = run.stores()
    assert len(stores) == 19  # QM9, 2 blocks, 2 * 3 tiles, as many of rivals, the curve, 2 candidates, the search
    assert stores == local

    told = subprocess.run(
        [sys.executable, str(run.root / "workflow/progress.py"), str(tmp_path / "results/ci")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == "ci: finished, all 23 jobs are done\n"

    # 23 jobs in 9 submissions: the blocks together, tiles by four, rivals and candidates, the curve with its figures.
    submitted = re.findall(r"submitted with SLURM jobid (\d+)", output)
    assert len(submitted) == len(set(submitted)) == 9
    # What Slurm was asked for: four tiles one after the other, on one core, in the time of four, and with one GPU.
    columns = "--Format=NumCPUs,MinMemory,TimeLimit,tres-per-job,State"
    listed = subprocess.run(
        ["squeue", "--states=all", "--noheader", columns], env=slurm, capture_output=True, text=True, check=True
    )
    assert sorted(" ".join(line.split()) for line in listed.stdout.splitlines()) == sorted(
        [
            "1 4000M 10:00 N/A COMPLETED",  # QM9
            "1 2000M 10:00 N/A COMPLETED",  # two blocks
            "1 2000M 40:00 gres:gpu:1 COMPLETED",  # four tiles
            "1 2000M 20:00 gres:gpu:1 COMPLETED",  # two tiles
            "1 2000M 1:00:00 N/A COMPLETED",  # six tiles of rivals
            "1 2000M 20:00 gres:gpu:1 COMPLETED",  # two candidates
            "1 2000M 20:00 N/A COMPLETED",  # learning curve and two figures
            "1 1000M 5:00 N/A COMPLETED",  # signals
            "1 1000M 5:00 N/A COMPLETED",  # search
        ]
    )
