"""A real Slurm of one node, this machine, on loopback addresses only: for tests, as root, with nothing left behind."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

# Where commands look without SLURM_CONF in their environment, as inside the jobs of Snakemake's plugin.
OTHERS = Path("/etc/slurm/slurm.conf")
OURS = Path("/run/slurm/conf/slurm.conf")
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "sinfo", "scancel", "scontrol", "setpriv")

# Two GPUs are counted, and none is used: their devices are no GPUs.
GPUS = "".join(f"NodeName=localhost Name=gpu File=/dev/{device}\n" for device in ("null", "zero"))

# Processes are followed through /proc and not confined, so that no control groups are needed; the node claims more
# memory than jobs ask for, whatever the machine has.
CONFIG = """\
ClusterName=one
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerParameters=sched_min_interval=100000
SlurmdParameters=config_overrides
MailProg=/bin/true
MinJobAge=3600
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
GresTypes=gpu
NodeName=localhost NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=100000 Gres=gpu:2 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> str | None:
    """Why no Slurm can be started here; None if it can."""
    if os.geteuid() != 0:
        return "a Slurm node is started as root, which this user is not"
    absent = [name for name in PROGRAMS if not _program(name)]
    if absent:
        return f"Slurm is not installed ({', '.join(absent)} missing): run envs/install_slurm.sh"
    taken = [str(path) for path in (OTHERS, OURS) if os.path.lexists(path) and not _left_behind(path)]
    return f"this machine belongs to a Slurm already: there is {taken[0]}" if taken else None


@contextlib.contextmanager
def running() -> Iterator[dict[str, str]]:
    """Slurm until the end of the block; gives the environment in which its commands work."""
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    folder.chmod(0o755)  # munge's clients must reach its socket
    for name in ("state", "spool"):
        (folder / name).mkdir()
    (folder / "owner").write_text(str(os.getpid()))
    key, config = folder / "munge.key", folder / "slurm.conf"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    controller, node = _free_ports(2)
    config.write_text(
        CONFIG.format(folder=folder, controller_port=controller, node_port=node, cpus=len(os.sched_getaffinity(0)))
    )
    environment = os.environ | {"SLURM_CONF": str(config)}
    config.with_name("gres.conf").write_text(GPUS)
    daemons = (
        [
            *("munged", "--foreground", "--num-threads=1", f"--key-file={key}", f"--socket={folder}/munge.sock"),
            *(f"--pid-file={folder}/munged.pid", f"--log-file={folder}/munged.log", f"--seed-file={folder}/seed"),
        ],
        ["slurmctld", "-D"],
        ["slurmd", "-D", "-N", "localhost"],
    )
    with contextlib.ExitStack() as cleanup:
        cleanup.callback(shutil.rmtree, folder, ignore_errors=True)
        OURS.parent.mkdir(parents=True, exist_ok=True)
        if _left_behind(OURS):
            OURS.unlink()
        OURS.symlink_to(config)
        cleanup.callback(OURS.unlink)
        for command in daemons:
            log = cleanup.enter_context(open(folder / f"{command[0]}.out", "wb"))
            process = subprocess.Popen(
                # The kernel stops it, too, if this process is killed.
                ["setpriv", "--pdeathsig", "TERM", _program(command[0]), *command[1:]],
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            cleanup.callback(_stop, process)
            if command[0] == "munged":
                _wait(lambda: (folder / "munge.sock").exists(), folder, 10)
        _wait(lambda: _ask(environment, "sinfo", "--noheader", "--format=%T") == "idle", folder, 60)
        cleanup.callback(_cancel_everything, environment)
        yield environment


def _left_behind(link: Path) -> bool:
    """Whether a link of ours is from a process that was killed before it could remove it."""
    if not link.is_symlink():
        return False
    owner = Path(os.readlink(link)).with_name("owner")
    return not owner.exists() or not Path("/proc", owner.read_text()).exists()


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _ask(environment: dict[str, str], *command: str) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout.strip()


def _wait(ready, folder: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            logs = {path.name: path.read_text(errors="replace")[-2000:] for path in folder.glob("*.out")}
            raise TimeoutError(f"Slurm did not start within {seconds} s: {logs}")
        time.sleep(0.2)


def _cancel_everything(environment: dict[str, str]) -> None:
    _ask(environment, "scancel", "--user=root")
    deadline = time.monotonic() + 30
    while _ask(environment, "squeue", "--noheader") and time.monotonic() < deadline:
        time.sleep(0.5)


def _stop(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
