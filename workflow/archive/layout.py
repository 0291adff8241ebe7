"""What an archive is made of: the names of its parts, and the names that files in it may have."""

import unicodedata
from collections.abc import Iterable

METADATA = "ro-crate-metadata.json"
MANIFEST = "manifest-sha256.txt"
CONFIG = "config/archived.yaml"  # the run's complete config
WORKFLOW = "Snakefile"
ODD = '\\:*?"<>|'  # means something to a system, a shell or a page


class RefusedError(Exception):
    """Why there is no archive, or what is wrong with one, in one sentence."""


def check_names(names: Iterable[str]) -> None:
    """Refuse names unless each is that of one file below the archive's folder, and of another one, on every system."""
    files: dict[str, str] = {}
    for name in names:
        if not _is_proper(name):
            raise RefusedError(
                f"the name {shown(name)} in the archive is refused: expected the path of a file below its folder, "
                f"of printable characters without {ODD}"
            )
        key = _folded(name)
        if key in files:
            same = "two files have it" if files[key] == name else f"some systems take it for {shown(files[key])}"
            raise RefusedError(f"the name {shown(name)} in the archive is refused: {same}")
        files[key] = name
    for key, name in files.items():
        folder, slash, _ = key.rpartition("/")
        while slash:
            if folder in files:
                raise RefusedError(
                    f"the name {shown(files[folder])} in the archive is refused: it is the folder of {shown(name)}, too"
                )
            folder, slash, _ = folder.rpartition("/")


def _is_proper(name: str) -> bool:
    parts = name.split("/")
    return (
        len(name) <= 1000
        and name.isprintable()
        and not set(name) & set(ODD)
        and unicodedata.is_normalized("NFC", name)
        and all(part and part == part.strip(" ") and part[-1] != "." and len(part.encode()) <= 255 for part in parts)
    )


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name.casefold())


def shown(name: str) -> str:
    """A name that anyone may have chosen, for a terminal."""
    text = ascii(name)
    return text if len(text) <= 80 else f"{text[:77]}..."
