"""Tokens shared between processes: one exchange serves them all, and no trouble with the cache stops a call."""

from __future__ import annotations

import errno
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import pytest

from pinecone_admin import Admin
from pinecone_admin.auth import FileTokenCache, TokenCache
from pinecone_admin.emulator import Emulator


class Memory:
    """A cache in memory that can be told to fail."""

    def __init__(self, **failing: Exception) -> None:
        self.texts: dict[str, str] = {}
        self._failing = failing

    def load(self, key: str) -> str | None:
        """Give a text, or fail."""
        self._may_fail("load")
        return self.texts.get(key)

    def store(self, key: str, text: str, lifetime: float) -> None:
        """Keep a text, or fail."""
        self._may_fail("store")
        assert lifetime == 1800
        self.texts[key] = text

    def lock(self, key: str, timeout: float) -> AbstractContextManager[object]:
        """Lock nothing, or fail at either end."""
        assert len(key) == 64
        assert timeout == pytest.approx(15, abs=1)
        self._may_fail("lock")
        return self._release() if "release" in self._failing else nullcontext()

    @contextmanager
    def _release(self) -> Generator[None, None, None]:
        yield
        self._may_fail("release")

    def _may_fail(self, step: str) -> None:
        if step in self._failing:
            raise self._failing[step]


@pytest.fixture
def emulator() -> Emulator:
    """A server of its own for each test."""
    return Emulator()


def token(emulator: Emulator, cache: TokenCache) -> str:
    """Make a client with a cache, as another process would, and give its token."""
    with emulator.admin(token_cache=cache) as admin:
        return admin.token().value


def test_the_second_client_mints_nothing(emulator: Emulator) -> None:
    """It finds the token of the first one, under a key from which no secret can be told."""
    cache = Memory()
    assert token(emulator, cache) == token(emulator, cache)
    (key,) = cache.texts
    assert emulator.client_secret not in key + cache.texts[key]


def test_another_secret_has_another_token(emulator: Emulator) -> None:
    """After a rotation the old secret's token is not found."""
    cache = Memory()
    with emulator.admin(token_cache=cache) as admin:
        (account,) = [a for a in admin.service_accounts.list() if a.client_id == emulator.client_id]
        admin.service_accounts.rotate_secret(service_account_id=account.id)
        assert admin.projects.list() == []
    assert len(cache.texts) == 2


def test_a_rejected_token_is_not_taken_from_the_cache_again(emulator: Emulator) -> None:
    """After a 401 the one that was rejected is replaced for everybody."""
    cache = Memory()
    first = token(emulator, cache)
    (key,) = cache.texts
    cache.texts[key] = cache.texts[key].replace(first, "revoked")
    with emulator.admin(token_cache=cache) as admin:
        assert admin.projects.list() == []
    assert json.loads(cache.texts[key])["access_token"] not in {first, "revoked"}


def entry(**changes: object) -> str:
    """Write what a client stores, with some of it changed; the token has lived for 100 s of its 1,800."""
    fields = {"access_token": "kept", "expires_at": time.time() + 1700, "lifetime": 1800}
    return json.dumps(fields | changes)


def entries() -> dict[str, tuple[str, bool]]:
    """Write entries as of now that are no fresh token, each with whether it costs a warning, too."""
    # The numbers are what Python's json reads, beyond what JSON has.
    return {
        "nothing": ("", True),
        "an empty object": ("{}", True),
        "HTML": ("<html>", True),
        "a list": ("[1]", True),
        "no text": (entry(access_token=5), True),
        "a token with a line break": (entry(access_token="kept\r\nx: y"), True),
        "an empty token": (entry(access_token=""), True),
        **{
            f"{name} {number}": (entry(**{name: number}), True)
            for name in ("expires_at", "lifetime")
            for number in (float("nan"), float("inf"), float("-inf"), 1e308, 10**400, True, "1800", None)
        },
        "a lifetime of zero": (entry(lifetime=0), True),
        "a lifetime below zero": (entry(lifetime=-1800), True),
        "a lifetime above a day": (entry(expires_at=time.time() + 99_000, lifetime=100_000), True),
        "expired": (entry(expires_at=1), False),
        "an expiry before all time": (entry(expires_at=-5), False),
        "about to expire": (entry(expires_at=time.time() + 100), False),
        "a clock that runs far ahead": (entry(expires_at=time.time() + 1900), False),
        "a far future": (entry(expires_at=1e11), False),
    }


@pytest.mark.parametrize("name", entries())
def test_what_is_no_fresh_token_is_replaced(name: str, emulator: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    """A broken entry, or one that has expired, costs an exchange; a broken one a warning, too."""
    cache, (text, warned) = Memory(), entries()[name]
    token(emulator, cache)
    (key,) = cache.texts
    cache.texts[key] = text
    fresh = token(emulator, cache)
    assert json.loads(cache.texts[key])["access_token"] == fresh != "kept"
    lines = [record.getMessage() for record in caplog.records]
    assert lines == ["the token cache is not used: what it holds is not a token of this client"] * warned


@pytest.mark.parametrize("ahead", [0, 20])
def test_clocks_of_a_fleet_may_differ_a_little(ahead: float, emulator: Emulator) -> None:
    """A token that another machine's clock dates a little into the future is used."""
    cache = Memory()
    token(emulator, cache)
    (key,) = cache.texts
    cache.texts[key] = entry(expires_at=time.time() + 1800 + ahead)
    assert token(emulator, cache) == "kept"


@pytest.mark.parametrize("step", ["load", "store", "lock", "release"])
def test_a_cache_that_fails_stops_no_call(step: str, emulator: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    """It costs one warning, which shows nothing of what was raised, and an exchange."""
    cache = Memory(**{step: ConnectionError("redis://user:canary@host")})
    with emulator.admin(token_cache=cache) as admin:
        assert admin.projects.list() == []
    lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert lines == ["the token cache is not used: ConnectionError"]


def test_files_are_for_their_owner_only(emulator: Emulator, tmp_path: Path) -> None:
    """The folder has mode 0700, the file 0600, and the next process finds the token in it."""
    folder = tmp_path / "made" / "here"
    cache = FileTokenCache(folder)
    assert token(emulator, cache) == token(emulator, FileTokenCache(folder))
    (path,) = folder.glob("*.json")
    assert (folder.stat().st_mode & 0o777, path.stat().st_mode & 0o777) == (0o700, 0o600)
    assert list(folder.glob("tmp*")) == []


def open_folder(path: Path) -> str:
    """Let others into the folder."""
    path.parent.chmod(0o755)
    return "is open to other users: its mode is 755"


def open_file(path: Path) -> str:
    """Let others read the file."""
    path.chmod(0o644)
    return "is open to other users: its mode is 644"


def link(path: Path) -> str:
    """Put a link in the file's place."""
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))
    return "cannot be opened safely: Too many levels of symbolic links"


def folder(path: Path) -> str:
    """Put a folder in the file's place."""
    path.unlink()
    path.mkdir(mode=0o700)
    return "is a link or something else than it should be"


def pipe(path: Path) -> str:
    """Put a pipe in the file's place, which whoever opens it would wait for."""
    path.unlink()
    os.mkfifo(path, 0o600)
    return "is a link or something else than it should be"


def huge(path: Path) -> str:
    """Write far more than a token."""
    os.truncate(path, 200 * 1024 * 1024)
    return "is too large to hold a token"


def empty(path: Path) -> str:
    """Leave the file without anything in it, as a full disk does."""
    path.write_bytes(b"")
    return "what it holds is not a token of this client"


def binary(path: Path) -> str:
    """Write what is no text."""
    path.write_bytes(bytes(range(256)))
    return "what it holds is not a token of this client"


def linked_folder(path: Path) -> str:
    """Put a link in the folder's place."""
    path.parent.rename(path.parent.with_name("elsewhere"))
    path.parent.symlink_to(path.parent.with_name("elsewhere"))
    return "tokens is a link or something else than it should be"


def no_folder(path: Path) -> str:
    """Put a file in the folder's place."""
    path.parent.rename(path.parent.with_name("elsewhere"))
    path.parent.touch()
    return "tokens cannot be used: File exists"


def foreign(path: Path) -> str:
    """Give the file to another user, where that can be done."""
    if os.geteuid() == 0:
        os.chown(path, 12345, -1)
        return "belongs to another user"
    return open_file(path)


@pytest.mark.parametrize(
    "spoil",
    [open_folder, open_file, link, folder, foreign, pipe, huge, empty, binary, linked_folder, no_folder],
)
def test_a_file_that_is_not_as_it_was_written_is_not_used(
    spoil: Callable[[Path], str], emulator: Emulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One warning says what is wrong, and the call goes on with a token of its own."""
    cache = FileTokenCache(tmp_path / "tokens")
    first = token(emulator, cache)
    (path,) = (tmp_path / "tokens").glob("*.json")
    reason = spoil(path)
    assert token(emulator, cache) != first
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 1
    assert reason in lines[0]


@pytest.mark.parametrize("place", ["/proc/1/nowhere", "/dev/full/tokens"])
def test_a_place_that_cannot_be_written_to_stops_no_call(
    place: str, emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    """One warning says which."""
    assert token(emulator, FileTokenCache(place))
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith(f"the token cache is not used: {place} cannot be used: ")


def test_a_full_disk_stops_no_call(
    emulator: Emulator, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token is used, the half of a file is gone, and the one that was there is left alone."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    cache = FileTokenCache(tmp_path / "tokens")
    monkeypatch.setattr("os.replace", full)
    assert token(emulator, cache)
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.endswith(".json cannot be used: No space left on device")
    assert [path.suffix for path in (tmp_path / "tokens").iterdir()] == [".lock"]


def test_a_user_without_a_home_gets_no_folder(
    emulator: Emulator, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tilde that stands for it is made nowhere."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: Path(f"~/.cache/{name}"))
    assert token(emulator, FileTokenCache())
    assert "the user has no home folder" in caplog.text
    assert list(tmp_path.iterdir()) == []


HOLD = "import fcntl, sys; f = open(sys.argv[1]); fcntl.flock(f, fcntl.LOCK_EX); print(flush=True); sys.stdin.read()"


def test_a_lock_is_waited_for_while_there_is_time(
    emulator: Emulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Of a process that hangs the others wait a quarter of a call's time; a dead one holds nothing."""
    cache = FileTokenCache(tmp_path)
    tmp_path.chmod(0o700)
    first = token(emulator, cache)
    (path,) = tmp_path.glob("*.lock")
    (tmp_path / f"{path.stem}.json").unlink()
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with emulator.admin(token_cache=cache, timeout=2.0) as admin:
            second = admin.token().value
        holder.kill()
    assert second != first
    (line,) = [record.getMessage() for record in caplog.records]
    assert line == f"the token cache is not used: {path} is held by another process"
    with emulator.admin(token_cache=cache) as admin:
        assert admin.token().value == second
    assert len(caplog.records) == 1


def test_the_default_is_the_users_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing is written before a token is kept."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert FileTokenCache().load("0" * 64) is None
    assert [path.name for path in tmp_path.iterdir()] == ["pinecone-admin"]


def test_a_client_without_a_cache_keeps_its_token_to_itself(emulator: Emulator) -> None:
    """Nothing is shared unless asked for."""
    with emulator.admin() as one, emulator.admin() as two:
        assert isinstance(one, Admin)
        assert one.token() != two.token()


@pytest.mark.parametrize("missing", ["filelock", "platformdirs"])
def test_a_missing_extra_says_what_to_install(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra's packages the error names the extra."""
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=rf"{missing} is not installed: pip install 'pinecone-admin\[cache\]'"):
        FileTokenCache()
