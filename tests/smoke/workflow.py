"""The graph of a clone, with the package installed and not the clone."""

import subprocess
import sys
import tempfile

repository = sys.argv[1]
with tempfile.TemporaryDirectory() as folder:
    graph = ("--snakefile", f"{repository}/Snakefile", "--configfile", f"{repository}/config/ci.yaml")
    options = ("--directory", folder, "--dry-run", "--quiet", "all")
    subprocess.run([sys.executable, "-m", "snakemake", *graph, *options], check=True)
