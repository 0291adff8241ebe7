"""What every script of the workflow does first: log to its file, keep to its threads, and end in a clear message."""

import contextlib
import errno
import functools
import gc
import hashlib
import logging
import os
import platform
import socket
import sys
from pathlib import Path

PROGRAMS = ".snakemake/programs"
"""Where JAX keeps compiled programs, which most jobs of a rule share; in the folder that a run works in."""
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def start(snakemake) -> None:
    """Send prints, warnings and errors to the rule's log; bound the thread pools before JAX and NumPy start them."""
    gc.set_threshold(10_000, 20, 20)  # what follows are imports, which make objects by the million that stay
    for variable in ("NPROC", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(snakemake.threads)
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(PROGRAMS, _processor()).absolute()))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    sys.excepthook = functools.partial(_end, sys.stderr, [Path(path) for path in snakemake.input])
    log = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115 - lives as long as the job
    sys.stdout = sys.stderr = log
    logging.basicConfig(stream=log, level=logging.WARNING, format="%(asctime)s %(message)s")
    logger = logging.getLogger("ntkfield")
    logger.setLevel(logging.INFO)
    logger.info("started on %s", socket.gethostname())
    asked = snakemake.resources.get("gpu", 0)
    if asked and os.environ.get("JAX_PLATFORMS") != "cpu":
        _find_gpu(asked)


def _processor() -> str:
    """A name of what this machine's processor can do: a program compiled for another may not run here."""
    described = Path("/proc/cpuinfo")
    lines = described.read_text().splitlines() if described.exists() else []
    features = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return hashlib.sha256(f"{platform.machine()} {features}".encode()).hexdigest()[:12]


def _find_gpu(asked) -> None:
    """End the job where it would compute on a CPU for days what a GPU was asked for."""
    import jax

    if all(device.platform == "cpu" for device in jax.devices()):
        from ntkfield import checks

        raise checks.refuse(
            "gpus", asked, f"0, or JAX_PLATFORMS=cpu, where JAX sees no GPU, as on {socket.gethostname()}"
        )


def _end(terminal, inputs, kind, error, trace) -> None:
    """Log an error that ends the job, and say on the terminal, too, what happened and what to do.

    A damaged input is moved aside, so that the next run makes it anew.
    """
    from ntkfield.store import DamagedStoreError

    sentence = f"{kind.__name__}: {error}"
    if isinstance(error, DamagedStoreError) and error.path in inputs:
        aside = error.path.with_name(f"{error.path.name}.damaged")
        with contextlib.suppress(FileNotFoundError):  # another job that reads it was faster
            error.path.replace(aside)
        sentence = f"{error.path} is damaged and was moved to {aside}: run again, and it is made anew"
    elif isinstance(error, OSError) and error.errno in NO_ROOM:
        sentence = f"no room to write {error.filename or 'a result'} ({error.strerror}): make some and run again"
    with contextlib.suppress(OSError):  # the log's disk may be the full one
        sys.__excepthook__(kind, error, trace)
    told = sentence if issubclass(kind, KeyboardInterrupt) else f"failed: {sentence}"  # workflow/progress.py reads it
    for stream, text in ((sys.stderr, told), (terminal, sentence)):
        with contextlib.suppress(OSError):
            print(text, file=stream, flush=True)


def plain(value):
    """Config values as built-in types, as a record of what made a result."""
    if hasattr(value, "items"):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value
