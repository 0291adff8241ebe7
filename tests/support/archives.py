"""Small archives made by hand, and what checking them says, in this process."""

import hashlib
import json
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

from runs import ROOT

ARCHIVE = ROOT / "workflow/archive"
sys.path.insert(0, str(ARCHIVE))

import crate  # noqa: E402
import verify  # noqa: E402
from layout import CONFIG, MANIFEST, METADATA, WORKFLOW, RefusedError  # noqa: E402
from members import Limits  # noqa: E402

RUN = {
    "citation": ROOT / "CITATION.cff",
    "config": CONFIG,
    "versions": {"python": "3.11.0", "snakemake": "9.5.0"},
    "commit": None,
    "start": "2026-01-01T00:00:00+00:00",
    "end": "2026-01-01T00:01:00+00:00",
}
STORE = "results/a.zarr.zip"
POISON = "import os; open(os.environ['SENTINEL'], 'w').write('ran')\n"
FILES = {
    WORKFLOW: POISON,
    CONFIG: "studies: [sine]\n",
    "config/my own study.yaml": "studies: [sine]\n",
    "envs/lock.txt": "--index-url http://127.0.0.1:9/ntkfield\n",
    "pyproject.toml": "[build-system]\nrequires = []\nbuild-backend = 'setup'\nbackend-path = ['.']\n",
    "sitecustomize.py": POISON,
    "workflow/archive/layout.py": POISON,
    "workflow/archive/recompute.py": POISON,
    "src/ntkfield/__init__.py": POISON,
    "src/ntkfield/store.py": POISON,
    STORE: "a store is but bytes here\n",
}


def entries(files: dict[str, str | bytes], describe: Callable[[dict], None] = lambda _: None) -> dict[str, bytes]:
    """All files of an archive, with their lists; `describe` changes the RO-Crate's description."""
    contents = {name: text.encode() if isinstance(text, str) else text for name, text in files.items()}
    facts = {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "contentSize": len(content)}
        for name, content in contents.items()
    }
    described = json.loads(crate.describe(facts, RUN))
    describe(described)
    contents[METADATA] = json.dumps(described).encode()
    contents[MANIFEST] = "".join(
        f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in contents.items()
    ).encode()
    return contents


def write(path: Path, contents: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return path


@cache
def sound() -> dict[str, bytes]:
    """All files of an archive with nothing wrong in it."""
    return entries(FILES)


def deflated(size: int) -> bytes:
    """That many zeros, packed."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(size >> 20)), packer.flush()])


def by_hand(path: Path, files: list[tuple[str, bytes, int, int]], overlap: bool = False) -> Path:
    """A zip of deflated streams with whatever sizes and checksums are stated; all at one place if they overlap."""
    body, directory = b"", b""
    for name, stream, stated, crc in files:
        common = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 33, crc, len(stream), stated, len(name), 0)
        offset = 0 if overlap else len(body)
        if not overlap or not body:
            body += b"PK\3\4" + common + name.encode() + stream
        rest = struct.pack("<HHHII", 0, 0, 0, 0, offset)
        directory += b"PK\1\2" + struct.pack("<H", 20) + common + rest + name.encode()
    counts = struct.pack("<HHHHIIH", 0, 0, len(files), len(files), len(directory), len(body), 0)
    path.write_bytes(body + directory + b"PK\5\6" + counts)
    return path


def check(path: Path, sha256: str | None = None, limits: Limits = Limits()) -> str | None:  # noqa: B008
    """What is wrong with an archive; None if nothing."""
    try:
        with verify.opened(path) as file, verify.damage_told(path):
            verify.check_whole(file, sha256)
            verify.check(file, limits)
    except RefusedError as error:
        return str(error)
    return None


def refused(path: Path, *arguments: object) -> str:
    sentence = check(path, *arguments)  # pyright: ignore
    assert sentence is not None, "it passed"
    assert sentence.isprintable()  # one line, and nothing that a terminal would obey
    return sentence


def run_main(*arguments: str, path: Path, **more: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ARCHIVE / "verify.py"), *arguments, "--", str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **more)  # pyright: ignore
