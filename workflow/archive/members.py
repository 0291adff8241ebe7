"""The files of a stranger's zip archive, read as streams within bounds; nothing is unpacked."""

import copy
import hashlib
import stat
import zipfile
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from layout import RefusedError, check_names, shown

BLOCK = 1 << 20
LIST_BYTES = 100_000_000  # of a file that is read into memory
SMALL = 10_000_000  # bytes of a file to which no ratio applies
ENTRY_BYTES = 300  # of the archive's own directory for each file, on average
END_BYTES, END64_BYTES, LOCATOR_BYTES = 22, 56, 20  # of the records at a zip file's end
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # others unpack without bounds on memory


class Limits(NamedTuple):
    """How much an archive may hold, unpacked."""

    gigabytes: float = 20.0
    files: int = 100_000
    ratio: float = 200.0  # of a file's size to what it takes in the archive


class Members:
    """The files of an archive by name, once its directory was found to be sound and within limits."""

    def __init__(self, file: BinaryIO, limits: Limits) -> None:
        whole = file.seek(0, 2)
        if _directory_bytes(file, whole) > ENTRY_BYTES * limits.files:
            raise RefusedError(_too_many(limits))
        self._zip = zipfile.ZipFile(file)
        entries = self._zip.infolist()
        if len(entries) > limits.files:
            raise RefusedError(_too_many(limits))
        check_names(entry.orig_filename for entry in entries)
        for entry in entries:
            _check_entry(entry, limits)
        _check_extent(entries, self._zip.start_dir)
        self._entries = {entry.filename: entry for entry in entries}
        self.size = sum(entry.file_size for entry in entries)
        if self.size > limits.gigabytes * 1e9:
            raise RefusedError(
                f"the archive is refused: it states that it unpacks to {self.size / 1e9:,.2f} GB, more than "
                f"{limits.gigabytes:g} (MAX_GB)"
            )
        self.names = list(self._entries)

    def blocks(self, name: str) -> Iterator[bytes]:
        """A file's content, to its true end: refused once it is longer than stated, or if it is shorter."""
        entry = self._entries[name]
        unbounded = copy.copy(entry)
        unbounded.file_size = entry.file_size + 2 * BLOCK  # zipfile would stop at what is stated, silently
        length = 0
        with self._zip.open(unbounded) as file:
            while block := file.read(BLOCK):
                length += len(block)
                if length > entry.file_size:
                    break
                yield block
        if length != entry.file_size:
            raise RefusedError(f"{shown(name)} in the archive does not unpack to its stated {entry.file_size:,} bytes")

    def read(self, name: str) -> bytes:
        """The content of one of the archive's lists."""
        if self._entries[name].file_size > LIST_BYTES:
            raise RefusedError(f"{name} in the archive is refused: expected no more than {LIST_BYTES / 1e6:.0f} MB")
        return b"".join(self.blocks(name))

    def length(self, name: str) -> int:
        """Bytes of a file."""
        return self._entries[name].file_size

    def digest(self, name: str) -> str:
        """A file's SHA-256."""
        digest = hashlib.sha256()
        for block in self.blocks(name):
            digest.update(block)
        return digest.hexdigest()


def _too_many(limits: Limits) -> str:
    return f"the archive is refused: expected no more than {limits.files:,} files in it (MAX_FILES)"


def _directory_bytes(file: BinaryIO, whole: int) -> int:
    """Size of the archive's directory, which zipfile reads at once, by the records at its end."""
    start = max(whole - END_BYTES - LOCATOR_BYTES - END64_BYTES, 0)
    file.seek(start)
    tail = file.read()
    end, locator = tail[-END_BYTES:], tail[-END_BYTES - LOCATOR_BYTES : -END_BYTES]
    if len(end) < END_BYTES or end[:4] != b"PK\5\6" or end[-2:] != b"\0\0":
        raise RefusedError("the archive is no zip file, or the end of one is missing")
    if locator[:4] != b"PK\6\7":
        return int.from_bytes(end[12:16], "little")
    if tail[:4] != b"PK\6\6" or int.from_bytes(locator[8:16], "little") != start:
        raise RefusedError("the archive is no zip file, or the end of one is damaged")
    return int.from_bytes(tail[40:48], "little")


def _check_entry(entry: zipfile.ZipInfo, limits: Limits) -> None:
    name, mode = shown(entry.orig_filename), stat.S_IFMT(entry.external_attr >> 16)
    if mode not in (0, stat.S_IFREG) or entry.filename != entry.orig_filename:
        raise RefusedError(f"{name} in the archive is refused: expected a plain file, no link, folder or device")
    if entry.flag_bits & 0x1 or entry.compress_type not in METHODS:
        raise RefusedError(f"{name} in the archive is refused: expected a file stored or deflated, not encrypted")
    if entry.file_size > max(SMALL, limits.ratio * entry.compress_size):
        raise RefusedError(
            f"{name} in the archive is refused: it states that {entry.compress_size:,} bytes unpack to "
            f"{entry.file_size:,}, more than {limits.ratio:g} times as many (MAX_RATIO)"
        )


def _check_extent(entries: list[zipfile.ZipInfo], end: int) -> None:
    """Refuse entries that share bytes, as in bombs, and anything before the first."""
    if not entries:
        return
    ordered = sorted(entries, key=lambda entry: entry.header_offset)
    starts = [entry.header_offset for entry in ordered]
    for entry, start, following in zip(ordered, starts, [*starts[1:], end], strict=True):
        if start + 30 + entry.compress_size > following:
            raise RefusedError(f"{shown(entry.filename)} in the archive is refused: it reaches into the file behind it")
    if starts[0]:
        raise RefusedError(
            f"the archive is refused: expected its first file at its beginning, not {starts[0]:,} bytes behind"
        )
