"""What pip installs: the wheel built from the sdist, in an environment of its own, extra by extra.

Run by ``make wheel-check`` with the .venv's Python. Versions are those of envs/lock.txt. Each extra is added to the
ones before it, and its script in tests/smoke/ runs outside the repository, where only what is installed is imported.
"""

import re
import shlex
import subprocess
import sys
import tempfile
import time
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SMOKE = ROOT / "tests/smoke"
PIP = ("-m", "pip", "--disable-pip-version-check", "--quiet")
START = time.perf_counter()
TOOLS = ("docs", "dev")  # extras for work on the repository itself, which .venv has


def main() -> None:
    """Build, install and check; a failing step ends it."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        wheel = build(scratch)
        check_contents(wheel)
        (scratch / "constraints.txt").write_text(constraints((ROOT / "envs/lock.txt").read_text()))
        run(sys.executable, "-m", "venv", scratch / "venv")
        python = scratch / "venv/bin/python"
        pip = (python, *PIP, "install", "--no-compile", "-c", scratch / "constraints.txt")
        run(*pip, wheel)
        smoke(python, scratch, "missing", "core")
        for extra in extras:
            if extra in TOOLS:
                continue
            for arguments in without_tensorflow() if extra == "bridge" else [[f"ntkfield[{extra}]"]]:
                run(*pip, *(argument.replace("ntkfield", str(wheel)) for argument in arguments))
            smoke(python, scratch, extra)


def build(scratch: Path) -> Path:
    """The wheel, from the sdist."""
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", scratch, cwd=ROOT)
    (source,) = scratch.glob("ntkfield-*.tar.gz")
    run(sys.executable, *PIP, "wheel", "--no-deps", "--no-build-isolation", "-w", scratch, source)
    (wheel,) = scratch.glob("ntkfield-*.whl")
    return wheel


def check_contents(wheel: Path) -> None:
    """The wheel holds the whole package, its marker of types and the licence, and nothing else."""
    names = set(zipfile.ZipFile(wheel).namelist())
    files = (path for path in (ROOT / "src").rglob("*") if path.is_file() and path.suffix != ".pyc")
    package = {str(path.relative_to(ROOT / "src")) for path in files}
    about = {name.partition("/")[2] for name in names - package}
    assert "ntkfield/py.typed" in package <= names, package - names
    assert about == {"METADATA", "WHEEL", "RECORD", "licenses/LICENSE"}, about


def constraints(lock: str) -> str:
    """A lock's versions without the hashes, which pip would ask of the wheel as well."""
    return "".join(f"{line}\n" for line in re.findall(r"^([a-z0-9][^\\\n]*?) *\\?$", lock, flags=re.MULTILINE))


def without_tensorflow() -> list[list[str]]:
    """What docs/bridge.md gives to ``pip install``."""
    lines = (ROOT / "docs/bridge.md").read_text().splitlines()
    return [shlex.split(line)[2:] for line in lines if line.startswith("pip install ")]


def smoke(python: Path, scratch: Path, *names: str) -> None:
    """Run scripts of tests/smoke/ with what is installed."""
    for name in names:
        run(python, "-I", SMOKE / f"{name}.py", ROOT, cwd=scratch)
        print(f"wheel: {name} passed after {time.perf_counter() - START:.0f} s", flush=True)


def run(*command: object, cwd: Path | None = None) -> None:
    """Run a command, and end where it fails."""
    if subprocess.run([str(part) for part in command], cwd=cwd).returncode:
        sys.exit(f"wheel: failed: {' '.join(map(str, command))}")


if __name__ == "__main__":
    main()
