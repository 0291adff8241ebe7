"""What may be told of a stranger's archive without its code: small ones made by hand, sound, damaged and hostile."""

import hashlib
import json
import os
import re
import signal
import stat
import struct
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from runs import ROOT

ARCHIVE = ROOT / "workflow/archive"
sys.path.insert(0, str(ARCHIVE))

import crate  # noqa: E402
import pack  # noqa: E402
import recompute  # noqa: E402
import verify  # noqa: E402
from layout import CONFIG, MANIFEST, METADATA, WORKFLOW, RefusedError, check_names  # noqa: E402
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


@pytest.fixture(scope="module")
def sound() -> dict[str, bytes]:
    return entries(FILES)


@pytest.fixture
def archive(sound: dict[str, bytes], tmp_path: Path) -> Path:
    return write(tmp_path / "run.zip", sound)


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


# What runs.

WATCHED = """
import sys
sys.path.remove("")  # a program has its own folder there
import encodings.cp437, locale  # of Python itself
events = []
STARTS = ("subprocess.", "os.", "shutil.", "socket.", "tempfile.", "exec", "compile")
def watch(event, arguments):
    opened = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wxa+")
    if opened or event.startswith(STARTS):
        events.append((event, str(arguments)[:200]))
sys.path.insert(0, sys.argv.pop(1))
import verify
known = set(sys.modules)
sys.addaudithook(watch)
try:
    verify.main()
finally:
    print("EVENTS", events)
    print("IMPORTED", sorted(name for name in set(sys.modules) - known))
    print("HEAVY", sorted({"snakemake", "rocrate", "yaml", "numpy", "xarray", "ntkfield", "pack"} & set(sys.modules)))
"""


def test_a_check_runs_nothing_starts_nothing_and_writes_nothing(archive: Path, tmp_path: Path) -> None:
    sentinel, here = tmp_path / "sentinel", tmp_path / "unpacked"
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(here)  # even from within it
    for folder in (here, tmp_path):
        folder.chmod(0o555)
    command = [sys.executable, "-B", "-c", WATCHED, str(ARCHIVE), str(archive)]
    environment = os.environ | {"SENTINEL": str(sentinel)}
    done = subprocess.run(command, cwd=here, env=environment, capture_output=True, text=True, timeout=60, check=False)
    for folder in (here, tmp_path):
        folder.chmod(0o755)
    assert done.returncode == 0, done.stderr
    assert "all as they were archived; none of it was run" in done.stdout
    assert "EVENTS []" in done.stdout
    assert "IMPORTED []" in done.stdout
    assert "HEAVY []" in done.stdout
    assert not sentinel.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.zip", "unpacked"]


def run_main(*arguments: str, path: Path, **more: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ARCHIVE / "verify.py"), *arguments, "--", str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **more)  # pyright: ignore


def test_only_yes_or_a_stored_result_runs_code(archive: Path, tmp_path: Path) -> None:
    for asked in ("", "0", "YES", "results/b.zarr.zip", WORKFLOW):
        with pytest.raises(RefusedError, match=f"RECOMPUTE = '{asked}' is refused: expected yes, or a stored result"):
            recompute._target(list(FILES), asked)
    environment = os.environ | {"SENTINEL": str(tmp_path / "sentinel"), "TMPDIR": str(tmp_path)}
    done = run_main("--recompute=no", path=archive, env=environment)
    assert done.returncode == 1
    assert done.stderr.startswith("verify: RECOMPUTE = 'no' is refused")
    assert "runs the archive's own workflow" not in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["run.zip"]


INTERRUPTED = """
import pathlib, sys
sys.path.insert(0, sys.argv.pop(1))
import recompute, verify
job = f"import os, sys, time; open({sys.argv.pop(1)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
starter = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {job!r}])"
recompute._command = lambda *_: [sys.executable, "-c", starter]
verify.main()
"""


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_computing_ends_its_jobs_and_leaves_nothing(archive: Path, tmp_path: Path, stop: int) -> None:
    scratch, note = tmp_path / "scratch", tmp_path / "job"
    scratch.mkdir()
    command = [sys.executable, "-c", INTERRUPTED, str(ARCHIVE), str(note), "--recompute=yes", str(archive)]
    process = subprocess.Popen(
        command, env=os.environ | {"TMPDIR": str(scratch)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not (note.exists() and note.read_text()):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    (unpacked,) = scratch.iterdir()
    assert (unpacked / WORKFLOW).read_text() == POISON
    process.send_signal(stop)
    said, complaint = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "this runs the archive's own workflow" in said
    assert complaint == "verify: interrupted\n"
    assert list(scratch.iterdir()) == []
    state = Path(f"/proc/{note.read_text()}/stat")  # killed; perhaps not yet reaped by init
    assert not state.exists() or state.read_text().split()[2] == "Z"


def test_there_is_room_before_anything_is_unpacked(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=10))
    with verify.opened(archive) as file:
        members = verify.check(file, Limits())
        with pytest.raises(RefusedError, match=r"unpacking takes .* GB, of which .* has 0.00: set TMPDIR"):
            recompute.unpack(members, tmp_path / "folder")
    assert not (tmp_path / "folder").exists()


# The whole file.


def test_the_whole_file_is_compared_first(archive: Path, tmp_path: Path) -> None:
    right = hashlib.sha256(archive.read_bytes()).hexdigest()
    assert check(archive, f" {right.upper()} ") is None
    wrong = "0" * 64
    nonsense = tmp_path / "nonsense.zip"  # were it opened as zip first, that would be said
    nonsense.write_bytes(b"no zip")
    for path in (archive, nonsense):
        begins = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
        assert f"its SHA-256 begins with {begins}, expected was {wrong[:12]}" in refused(path, wrong)
    assert "SHA256 = 'abc' is refused: expected 64 hexadecimal digits" in refused(archive, "abc")


def test_what_is_no_archive_is_said_in_a_sentence(archive: Path, tmp_path: Path) -> None:
    whole = archive.read_bytes()
    made = {
        "empty": (b"", "is no zip file, or the end of one is missing"),
        "text": (b"hello\n" * 100, "is no zip file, or the end of one is missing"),
        "cut": (whole[: len(whole) // 2], "is no zip file, or the end of one is missing"),
        "beheaded": (whole[100:], "expected its first file at its beginning, not -100 bytes"),
        "prefixed": (b"#!/bin/sh\n" + whole, "expected its first file at its beginning, not 10 bytes behind"),
        "nothing": (b"PK\5\6" + b"\0" * 18, f"the archive holds no {MANIFEST}"),
    }
    for name, (content, sentence) in made.items():
        path = tmp_path / name
        path.write_bytes(content)
        assert sentence in refused(path), name
    assert "does not exist" in refused(tmp_path / "missing.zip")
    assert "is a folder" in refused(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    assert "is no plain file" in refused(tmp_path / "pipe")
    done = run_main(path=tmp_path / "missing.zip")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)


def test_any_damage_ends_in_a_sentence(tmp_path: Path) -> None:
    """Every byte in turn: a traceback would fail here. What still passes has every content as it was."""
    archive = write(tmp_path / "run.zip", entries({name: FILES[name] for name in (WORKFLOW, CONFIG, STORE)}))
    whole, path = archive.read_bytes(), tmp_path / "damaged.zip"
    with zipfile.ZipFile(archive) as opened:
        contents = {name: opened.read(name) for name in opened.namelist()}
        directory = opened.start_dir
    structure = range(directory, len(whole))
    passed = 0
    for place in [*range(0, directory, 37), *structure]:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        if check(path) is None:
            passed += 1
            with zipfile.ZipFile(path) as opened:
                assert {name: opened.read(name) for name in opened.namelist()} == contents
    assert passed < len(structure) / 2  # dates, versions and comments may be anything
    for length in range(0, len(whole), 53):
        path.write_bytes(whole[:length])
        refused(path)


# What is packed can be checked.


def packed(names: dict[str, str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An archive of results that no rule made."""
    for name, text in names.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    monkeypatch.setattr(pack, "made_files", lambda *_: {name: {"rule": "own", "log": ""} for name in names})
    output = folder / "packed.zip"
    pack.pack([], folder, output)
    return output


def test_what_is_packed_passes_and_its_checksum_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    output = packed({"results/größe 1.csv": "1\n"}, tmp_path, monkeypatch)
    told = re.search(r"sha256 of the whole, to publish beside it: (\w+)", capsys.readouterr().out)
    assert told
    assert check(output, told[1]) is None


def test_what_would_not_pass_is_not_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RefusedError, match=r"the name 'results/a:b.csv' in the archive is refused"):
        packed({"results/a:b.csv": "1\n"}, tmp_path, monkeypatch)
    assert not list(tmp_path.glob("*.zip"))


def test_what_is_above_the_limits_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    packed({"results/zeros.csv": "0" * (1 << 24)}, tmp_path, monkeypatch)
    assert "whoever checks it must allow for more: 'results/zeros.csv'" in capsys.readouterr().out


# Names and kinds of files.


@pytest.mark.parametrize(
    "name",
    [
        *("/etc/passwd", "../up", "a/../../up", "./a", "a//b", "a/", "", "C:/a", "a\\b", "..\\up", "a\nb", "a\x1b[2Jb"),
        *("a\x00b", "a\u202eb", "<script>", 'a"b', "a|b", "a*b", "a?b", " a", "a ", "a.", "a./b"),
        *("cafe\u0301", "x" * 256, "a/" * 501 + "a"),
    ],
)
def test_names_that_lead_elsewhere_or_are_odd_are_refused(name: str, tmp_path: Path, sound: dict[str, bytes]) -> None:
    path = write(tmp_path / "run.zip", {name.replace("\x00", "0") or "none": b"", **sound})
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
def test_links_folders_and_devices_are_refused(kind: int, tmp_path: Path, sound: dict[str, bytes]) -> None:
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


# Lists against files.


def drop(name: str) -> Callable[[dict], None]:
    def change(described: dict) -> None:
        described["@graph"] = [entity for entity in described["@graph"] if entity["@id"] != name]

    return change


def entity(described: dict, name: str) -> dict:
    return next(each for each in described["@graph"] if each["@id"] == name)


def again(name: str) -> Callable[[dict], None]:
    return lambda described: described["@graph"].append({**entity(described, STORE), "@id": name})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (drop(STORE), f"'{STORE}' is in the archive, but not described in"),
        (again("more"), "'more' is described, but not in the archive"),
        (again(STORE), "an entity is described twice"),
        (again("results/%61.zarr.zip"), "an entity is described twice"),
        (lambda d: entity(d, STORE).update(sha256="0" * 64), f"'{STORE}' has another checksum in"),
        (lambda d: entity(d, STORE).update(contentSize="3"), f"'{STORE}' has another size in"),
        (lambda d: entity(d, STORE).update(contentSize="much"), "is no RO-Crate of a run"),
        (lambda d: entity(d, "./")["hasPart"].pop(), "does not have all files as parts"),
        (lambda d: entity(d, "./").update(mainEntity={"@id": "setup.py"}), "Snakefile as its workflow"),
        (drop("./"), "is no RO-Crate of a run"),
        (lambda d: d.clear(), "is no RO-Crate of a run"),
        (lambda d: d.update({"@graph": "text"}), "is no RO-Crate of a run"),
        (lambda d: d.update({"@graph": [1, None]}), "is no RO-Crate of a run"),
        (lambda d: entity(d, STORE).update({"@type": 3}), f"'{STORE}' is in the archive, but not described"),
    ],
)
def test_the_description_is_that_of_the_files(change: Callable, sentence: str, tmp_path: Path) -> None:
    assert sentence in refused(write(tmp_path / "run.zip", entries(FILES, change)))


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        (METADATA, b"[" * 100_000, "is no RO-Crate"),
        (METADATA, b"9" * 10_000, "is no RO-Crate"),
        (METADATA, b"{", "is no RO-Crate"),
        (METADATA, b"\xff", "is no RO-Crate"),
        (MANIFEST, b"\xff\n", "cannot be read"),
        (MANIFEST, b"abc\n", "line 1 of manifest-sha256.txt is refused"),
        (MANIFEST, b"0" * 64 + b"  a\n" + b"1" * 64 + b"  a\n", "line 2 of manifest-sha256.txt is refused"),
        (MANIFEST, b"0" * 64 + b"  \x1b[2J\n", r"'\x1b[2J' is in manifest-sha256.txt, but missing"),
    ],
)
def test_lists_that_are_none_are_refused(
    name: str, content: bytes, sentence: str, tmp_path: Path, sound: dict[str, bytes]
) -> None:
    contents = sound | {name: content}
    if name == METADATA:
        before, after = (hashlib.sha256(each).hexdigest().encode() for each in (sound[METADATA], content))
        contents[MANIFEST] = sound[MANIFEST].replace(before, after)
    assert sentence in refused(write(tmp_path / "run.zip", contents))


# Sizes.


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


def test_limits_are_the_users_to_choose(archive: Path, tmp_path: Path, sound: dict[str, bytes]) -> None:
    zeros = write(tmp_path / "zeros.zip", entries(FILES | {"results/zeros.log": bytes(1 << 24)}))
    assert "(MAX_RATIO)" in refused(zeros)
    assert check(zeros, None, Limits(ratio=2000)) is None
    assert "(MAX_GB)" in refused(zeros, None, Limits(gigabytes=0.01, ratio=2000))
    assert f"expected no more than {len(sound) - 1} files in it (MAX_FILES)" in refused(
        archive, None, Limits(files=len(sound) - 1)
    )
    assert check(archive, None, Limits(files=len(sound))) is None
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


def test_an_archive_above_four_gigabytes_is_read(
    tmp_path: Path, sound: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 10)  # so that this one is written as they are
    path = write(tmp_path / "run.zip", sound)
    assert b"PK\6\7" in path.read_bytes()
    monkeypatch.undo()
    assert check(path) is None
