"""What is told of a stranger's archive without its code: small ones, sound, damaged and with lists that lie."""

import hashlib
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from archives import ARCHIVE, FILES, POISON, STORE, check, entries, refused, run_main, sound, write

# isort: split
# the folder where these lie is known from here on
import pack
import recompute
import verify
from layout import CONFIG, MANIFEST, METADATA, WORKFLOW, RefusedError
from members import Limits


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return write(tmp_path / "run.zip", sound())


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
import pathlib, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have started all tests without it
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
def test_lists_that_are_none_are_refused(name: str, content: bytes, sentence: str, tmp_path: Path) -> None:
    contents = sound() | {name: content}
    if name == METADATA:
        before, after = (hashlib.sha256(each).hexdigest().encode() for each in (sound()[METADATA], content))
        contents[MANIFEST] = sound()[MANIFEST].replace(before, after)
    assert sentence in refused(write(tmp_path / "run.zip", contents))
