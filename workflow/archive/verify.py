"""Check an archive without unpacking it or running anything of it; compute one result of it again only if asked."""

import argparse
import contextlib
import hashlib
import json
import math
import re
import signal
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote

from layout import CONFIG, MANIFEST, METADATA, WORKFLOW, RefusedError, shown
from members import Limits, Members

SHA256 = re.compile("[0-9a-f]{64}")
# What zipfile, zlib and json say of a damaged file.
DAMAGE = (
    *(OSError, ValueError, EOFError, IndexError, OverflowError, RuntimeError, MemoryError),
    *(zipfile.BadZipFile, zlib.error, struct.error),
)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--sha256", help="what the whole file's SHA-256 must be; compared before anything else")
    parser.add_argument("--max-gb", type=float, default=Limits().gigabytes, help="refuse what unpacks to more")
    parser.add_argument("--max-files", type=int, default=Limits().files, help="refuse more files")
    parser.add_argument("--max-ratio", type=float, default=Limits().ratio, help="refuse files that were packed tighter")
    parser.add_argument(
        "--recompute",
        metavar="RESULT",
        help="run the archive's code: compute a stored result again and compare; 'yes' for one at random",
    )
    parser.add_argument("--cores", default="1", help="for --recompute")
    asked = parser.parse_args()
    for stop in {signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)}:  # Windows has no SIGHUP
        signal.signal(stop, signal.default_int_handler)  # as Ctrl-C: what was unpacked is removed
    try:
        limits = _limits(asked.max_gb, asked.max_files, asked.max_ratio)
        with opened(asked.archive) as file:
            with damage_told(asked.archive):
                whole = check_whole(file, asked.sha256)
                members = check(file, limits)
            size = f"{len(members.names)} files, {members.size / 1e6:,.1f} MB"
            print(f"verify: {size}, all as they were archived; none of it was run")
            if asked.sha256 is None:
                print(f"verify: sha256 of the whole: {whole}; compare it with the published one")
            if asked.recompute is not None:
                from recompute import recompute  # it imports the library, which a check does without

                recompute(members, asked.recompute, asked.cores)
    except RefusedError as refused:
        sys.exit(f"verify: {refused}")
    except KeyboardInterrupt:
        print("verify: interrupted", file=sys.stderr)
        sys.exit(130)


def _limits(gigabytes: float, files: int, ratio: float) -> Limits:
    for name, value in (("--max-gb", gigabytes), ("--max-files", files), ("--max-ratio", ratio)):
        if not (math.isfinite(value) and value > 0):
            raise RefusedError(f"{name} = {value} is refused: expected a number above 0")
    return Limits(gigabytes, files, ratio)


def opened(path: Path) -> BinaryIO:
    """A file that may be an archive."""
    try:
        if path.is_file():
            return open(path, "rb")
        kind = "is a folder" if path.is_dir() else "is no plain file" if path.exists() else "does not exist"
    except (OSError, ValueError) as error:
        kind = f"cannot be opened ({error})"
    raise RefusedError(f"{shown(str(path))} {kind}: expected the path of an archive")


@contextlib.contextmanager
def damage_told(path: Path) -> Iterator[None]:
    """Whatever shows that a file is damaged, in one sentence."""
    try:
        yield
    except DAMAGE as error:
        raise RefusedError(f"{shown(str(path))} cannot be read, it may be damaged ({shown(str(error))})") from error


def check_whole(file: BinaryIO, expected: str | None) -> str:
    """The whole file's SHA-256; refused if another one was expected."""
    if expected is not None and not SHA256.fullmatch(expected := expected.strip().lower()):
        raise RefusedError(f"SHA256 = {shown(expected)} is refused: expected 64 hexadecimal digits")
    found = hashlib.file_digest(file, "sha256").hexdigest()
    if expected not in (None, found):
        raise RefusedError(
            f"the archive is another file than the one asked for: its SHA-256 begins with {found[:12]}, expected was "
            f"{expected[:12]}"
        )
    return found


def check(file: BinaryIO, limits: Limits) -> Members:
    """All that can be told of an archive without its code: structure, names, sizes, its two lists against its files."""
    members = Members(file, limits)
    for needed in (MANIFEST, METADATA, CONFIG, WORKFLOW):
        if needed not in members.names:
            raise RefusedError(f"the archive holds no {needed}: it is no archive of a run")
    sums = _manifest(members.read(MANIFEST))
    for name in sorted(sums.keys() - set(members.names)):
        raise RefusedError(f"{shown(name)} is in {MANIFEST}, but missing from the archive")
    for name in sorted(set(members.names) - sums.keys() - {MANIFEST}):
        raise RefusedError(f"{shown(name)} is in the archive, but not in its {MANIFEST}")
    for name, expected in sums.items():
        if members.digest(name) != expected:
            raise RefusedError(f"{shown(name)} is not the file that was archived: its checksum is another")
    _check_description(members, sums)
    return members


def _manifest(content: bytes) -> dict[str, str]:
    """Checksums by name."""
    sums: dict[str, str] = {}
    for number, line in enumerate(content.decode().split("\n")[:-1], 1):
        digest, _, name = line.partition("  ")
        if not SHA256.fullmatch(digest) or not name or name in sums:
            raise RefusedError(f"line {number} of {MANIFEST} is refused: expected a checksum and the name of one file")
        sums[name] = digest
    return sums


def _check_description(members: Members, sums: dict[str, str]) -> None:
    """Compare the RO-Crate's entities with the files: each described once, by its checksum and size, and no others."""
    try:
        entities = _entities(json.loads(members.read(METADATA)))
        root = entities[entities[METADATA]["about"]["@id"]]
        parts = [unquote(part["@id"]) for part in root["hasPart"]]
        workflow = root["mainEntity"]["@id"]
        files = {name: one for name, one in entities.items() if "File" in _kinds(one)}
        facts = {name: (one["sha256"], int(one["contentSize"])) for name, one in files.items()}
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise RefusedError(f"{METADATA} is no RO-Crate of a run ({shown(repr(error))})") from error
    expected = sums.keys() - {METADATA}
    for name in sorted(facts.keys() ^ expected):
        place = "in the archive, but not described" if name in expected else "described, but not in the archive:"
        raise RefusedError(f"{shown(name)} is {place} in {METADATA}")
    if sorted(parts) != sorted(facts) or workflow != WORKFLOW:
        raise RefusedError(f"{METADATA} does not have all files as parts of the crate, and {WORKFLOW} as its workflow")
    for name, (digest, length) in facts.items():
        if digest != sums[name]:
            raise RefusedError(f"{shown(name)} has another checksum in {METADATA} than in {MANIFEST}")
        if length != members.length(name):
            raise RefusedError(f"{shown(name)} has another size in {METADATA} than in the archive")


def _entities(described: Any) -> dict[str, Any]:
    entities = {unquote(entity["@id"]): entity for entity in described["@graph"]}  # names stand as in addresses
    if len(entities) != len(described["@graph"]):
        raise ValueError("an entity is described twice")
    return entities


def _kinds(entity: dict[str, Any]) -> list[str]:
    kinds = entity["@type"]
    return kinds if isinstance(kinds, list) else [kinds]


if __name__ == "__main__":
    main()
