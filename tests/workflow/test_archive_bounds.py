"""Names and sizes in a stranger's archive: what would lead elsewhere or fill the disk is refused before it is read."""

import re
import stat
import struct
import zipfile
import zlib
from pathlib import Path

import pytest
from archives import FILES, by_hand, check, deflated, entries, refused, run_main, sound, write
from layout import CONFIG, MANIFEST, METADATA, WORKFLOW, RefusedError, check_names
from members import Limits


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return write(tmp_path / "run.zip", sound())


# Names and kinds of files.


@pytest.mark.parametrize(
    "name",
    [
        *("/etc/passwd", "../up", "a/../../up", "./a", "a//b", "a/", "", "C:/a", "a\\b", "..\\up", "a\nb", "a\x1b[2Jb"),
        *("a\x00b", "a\u202eb", "<script>", 'a"b', "a|b", "a*b", "a?b", " a", "a ", "a.", "a./b"),
        *("cafe\u0301", "x" * 256, "a/" * 501 + "a"),
    ],
)
def test_names_that_lead_elsewhere_or_are_odd_are_refused(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / "run.zip", {name.replace("\x00", "0") or "none": b"", **sound()})
    if "\x00" in name:  # zipfile would cut the name there, when it writes and when it reads
        path.write_bytes(path.read_bytes().replace(b"a0b", b"a\0b"))
    if not name:
        path = by_hand(path, [("", b"\3\0", 0, 0)])
    sentence = refused(path)
    assert "in the archive is refused" in sentence
    with pytest.raises(RefusedError):
        check_names([name])


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["a", "a"], "two files have it"),
        (["results/A.csv", "results/a.csv"], "some systems take it for 'results/A.csv'"),
        (["straße", "STRASSE"], "some systems take it for"),
        (["a", "b", "a/c/d"], "it is the folder of 'a/c/d', too"),
        (["a/c", "A"], "it is the folder of"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_that_are_one_on_some_system_are_refused(names: list[str], reason: str, tmp_path: Path) -> None:
    path = tmp_path / "run.zip"
    with zipfile.ZipFile(path, "w") as opened:
        for name in names:
            opened.writestr(name, b"")
    assert reason in refused(path)


def test_names_of_today_are_accepted() -> None:
    check_names(
        ["Snakefile", "config/my study (2).yaml", "results/K1.svg", "envs/größe.txt", ".a/b,c=d~e", "a", "ab/c"]
    )


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFDIR, stat.S_IFCHR, stat.S_IFIFO])
def test_links_folders_and_devices_are_refused(kind: int, tmp_path: Path) -> None:
    path = tmp_path / "run.zip"
    with zipfile.ZipFile(path, "w") as opened:
        entry = zipfile.ZipInfo("results/a.csv")
        entry.external_attr = (kind | 0o777) << 16
        opened.writestr(entry, b"/etc/passwd")
    assert "'results/a.csv' in the archive is refused: expected a plain file" in refused(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_without_bounds_are_refused(method: int, tmp_path: Path) -> None:
    path = tmp_path / "run.zip"
    with zipfile.ZipFile(path, "w", method) as opened:
        opened.writestr("a", b"0" * 1000)
    assert "expected a file stored or deflated" in refused(path)


# Sizes.


def test_a_bomb_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """64 MB of zeros in 64 kB, files that state 24 GB together, and 60 files that are one."""
    bomb = write(tmp_path / "bomb.zip", {"zeros": bytes(1 << 26)})
    assert bomb.stat().st_size < 100_000
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_, **__: pytest.fail("it was read"))
    assert "more than 200 times as many (MAX_RATIO)" in refused(bomb)
    stream = bytes(100)
    many = by_hand(tmp_path / "many.zip", [(f"file{k}", stream, 4_000_000_000, 0) for k in range(6)])
    assert "states that it unpacks to 24.00 GB, more than 20 (MAX_GB)" in refused(many, None, Limits(ratio=1e9))
    shared = by_hand(tmp_path / "shared.zip", [(f"file{k}", stream, 1000, 0) for k in range(60)], overlap=True)
    assert "it reaches into the file behind it" in refused(shared)


@pytest.mark.parametrize("stated", [1, 1000, 1 << 25, (1 << 26) + 1])
def test_a_size_that_lies_is_found_while_reading(stated: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """64 MB of zeros under another stated size, with the checksum that zipfile would find for it."""
    read = []
    original = zipfile.ZipExtFile.read
    monkeypatch.setattr(zipfile.ZipExtFile, "read", lambda *a: read.append(len(block := original(*a))) or block)
    crc = zlib.crc32(bytes(min(stated, 1 << 26)))
    sound = {CONFIG: (deflated(0), 0), WORKFLOW: (deflated(0), 0), METADATA: (deflated(0), 0)}
    files = [(name, stream, size, 0) for name, (stream, size) in sound.items()]
    path = by_hand(tmp_path / "lie.zip", [(MANIFEST, deflated(1 << 26), stated, crc), *files])
    # zipfile itself is content where less is stated
    if stated < 1 << 26:
        with zipfile.ZipFile(path) as opened:
            assert len(opened.read(MANIFEST)) == stated
    read.clear()
    sentence = refused(path, None, Limits(ratio=2000))
    assert f"'{MANIFEST}' in the archive does not unpack to its stated {stated:,} bytes" in sentence
    assert sum(read) <= stated + (1 << 20)


def test_limits_are_the_users_to_choose(archive: Path, tmp_path: Path) -> None:
    zeros = write(tmp_path / "zeros.zip", entries(FILES | {"results/zeros.log": bytes(1 << 24)}))
    assert "(MAX_RATIO)" in refused(zeros)
    assert check(zeros, None, Limits(ratio=2000)) is None
    assert "(MAX_GB)" in refused(zeros, None, Limits(gigabytes=0.01, ratio=2000))
    assert f"expected no more than {len(sound()) - 1} files in it (MAX_FILES)" in refused(
        archive, None, Limits(files=len(sound()) - 1)
    )
    assert check(archive, None, Limits(files=len(sound()))) is None
    for option in ("--max-gb=nan", "--max-files=0", "--max-ratio=-1"):
        done = run_main(option, path=archive)
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
        assert re.match(r"verify: --max-\w+ = \S+ is refused: expected a number above 0", done.stderr)


def test_a_directory_that_fills_the_memory_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever its size is stated: zipfile would hold all of it, entry by entry, before anything could be refused."""
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("it was read"))
    end = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, 50_000_000, 0, 0)
    (tmp_path / "small.zip").write_bytes(end)
    assert "(MAX_FILES)" in refused(tmp_path / "small.zip")
    record = b"PK\6\6" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, 1, 1, 50_000_000, 0)
    locator = b"PK\6\7" + struct.pack("<IQI", 0, 0, 1)
    (tmp_path / "large.zip").write_bytes(record + locator + end.replace(struct.pack("<I", 50_000_000), b"\xff" * 4))
    assert "(MAX_FILES)" in refused(tmp_path / "large.zip")


def test_an_archive_above_four_gigabytes_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 10)  # so that this one is written as they are
    path = write(tmp_path / "run.zip", sound())
    assert b"PK\6\7" in path.read_bytes()
    monkeypatch.undo()
    assert check(path) is None
