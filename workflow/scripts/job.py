"""What every script of the workflow does first: log to its file, and keep to its threads."""

import logging
import os
import sys


def start(snakemake) -> None:
    """Send prints, warnings and errors to the rule's log; bound the thread pools before JAX and NumPy start them."""
    for variable in ("NPROC", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(snakemake.threads)
    log = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115 - lives as long as the job
    sys.stdout = sys.stderr = log
    logging.basicConfig(stream=log, level=logging.WARNING, format="%(asctime)s %(message)s")
    logging.getLogger("ntkfield").setLevel(logging.INFO)


def plain(value):
    """Config values as built-in types, as a record of what made a result."""
    if hasattr(value, "items"):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value
