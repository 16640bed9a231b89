"""Token caches: one exchange for several processes; a failing cache never fails a call."""

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


class MemoryCache:
    """A cache in memory whose chosen steps fail."""

    def __init__(self, **failing: Exception) -> None:
        self.texts: dict[str, str] = {}
        self._failing = failing

    def load(self, key: str) -> str | None:
        """Return an entry, or fail."""
        self._may_fail("load")
        return self.texts.get(key)

    def store(self, key: str, text: str, lifetime: float) -> None:
        """Store an entry, or fail."""
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
    """Return a separate server for each test."""
    return Emulator()


def fetch_token(emulator: Emulator, cache: TokenCache) -> str:
    """Return the token of a new client with this cache."""
    with emulator.admin(token_cache=cache) as admin:
        return admin.token().value


def test_a_second_client_makes_no_exchange(emulator: Emulator) -> None:
    """A second client finds the token of the first, and the secret is in neither key nor entry."""
    cache = MemoryCache()
    assert fetch_token(emulator, cache) == fetch_token(emulator, cache)
    (key,) = cache.texts
    assert emulator.client_secret not in key + cache.texts[key]


def test_another_secret_has_another_entry(emulator: Emulator) -> None:
    """The token of an old secret is not found after a rotation."""
    cache = MemoryCache()
    with emulator.admin(token_cache=cache) as admin:
        (account,) = [a for a in admin.service_accounts.list() if a.client_id == emulator.client_id]
        admin.service_accounts.rotate_secret(service_account_id=account.id)
        assert admin.projects.list() == []
    assert len(cache.texts) == 2


def test_a_rejected_token_is_replaced_in_the_cache(emulator: Emulator) -> None:
    """A token that the API rejects is replaced in the cache."""
    cache = MemoryCache()
    first = fetch_token(emulator, cache)
    (key,) = cache.texts
    cache.texts[key] = cache.texts[key].replace(first, "revoked")
    with emulator.admin(token_cache=cache) as admin:
        assert admin.projects.list() == []
    assert json.loads(cache.texts[key])["access_token"] not in {first, "revoked"}


def make_entry(**changes: object) -> str:
    """Return an entry that is 100 s old, with changes."""
    fields = {"access_token": "kept", "expires_at": time.time() + 1700, "lifetime": 1800}
    return json.dumps(fields | changes)


def make_unusable_entries() -> dict[str, tuple[str, bool]]:
    """Return entries that are no fresh token, each with whether it causes a warning."""
    # The numbers are what Python's json reads, beyond what JSON has.
    return {
        "nothing": ("", True),
        "an empty object": ("{}", True),
        "HTML": ("<html>", True),
        "a list": ("[1]", True),
        "no text": (make_entry(access_token=5), True),
        "a token with a line break": (make_entry(access_token="kept\r\nx: y"), True),
        "an empty token": (make_entry(access_token=""), True),
        **{
            f"{name} {number}": (make_entry(**{name: number}), True)
            for name in ("expires_at", "lifetime")
            for number in (float("nan"), float("inf"), float("-inf"), 1e308, 10**400, True, "1800", None)
        },
        "a lifetime of zero": (make_entry(lifetime=0), True),
        "a lifetime below zero": (make_entry(lifetime=-1800), True),
        "a lifetime above a day": (make_entry(expires_at=time.time() + 99_000, lifetime=100_000), True),
        "expired": (make_entry(expires_at=1), False),
        "an expiry before all time": (make_entry(expires_at=-5), False),
        "about to expire": (make_entry(expires_at=time.time() + 100), False),
        "a clock that runs far ahead": (make_entry(expires_at=time.time() + 1900), False),
        "a far future": (make_entry(expires_at=1e11), False),
    }


@pytest.mark.parametrize("name", make_unusable_entries())
def test_an_unusable_entry_is_replaced(name: str, emulator: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    """An expired entry causes an exchange, and an invalid one a warning as well."""
    cache, (text, warned) = MemoryCache(), make_unusable_entries()[name]
    fetch_token(emulator, cache)
    (key,) = cache.texts
    cache.texts[key] = text
    fresh = fetch_token(emulator, cache)
    assert json.loads(cache.texts[key])["access_token"] == fresh != "kept"
    lines = [record.getMessage() for record in caplog.records]
    assert (
        lines
        == ["the token cache failed, and later failures are not logged: its entry is not a token of this client"]
        * warned
    )


@pytest.mark.parametrize("ahead", [0, 20])
def test_small_clock_differences_are_accepted(ahead: float, emulator: Emulator) -> None:
    """A token whose expiry is up to 20 s ahead of its lifetime is used."""
    cache = MemoryCache()
    fetch_token(emulator, cache)
    (key,) = cache.texts
    cache.texts[key] = make_entry(expires_at=time.time() + 1800 + ahead)
    assert fetch_token(emulator, cache) == "kept"


@pytest.mark.parametrize("step", ["load", "store", "lock", "release"])
def test_a_failing_cache_fails_no_call(step: str, emulator: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    """An exception of a cache causes a warning that hides it, and the call proceeds."""
    cache = MemoryCache(**{step: ConnectionError("redis://user:canary@host")})
    with emulator.admin(token_cache=cache) as admin:
        assert admin.projects.list() == []
    lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert lines == ["the token cache failed, and later failures are not logged: ConnectionError"]


def test_files_are_private(emulator: Emulator, tmp_path: Path) -> None:
    """The folder has mode 0700 and the file 0600, and another process finds the token."""
    folder = tmp_path / "made" / "here"
    cache = FileTokenCache(folder)
    assert fetch_token(emulator, cache) == fetch_token(emulator, FileTokenCache(folder))
    (path,) = folder.glob("*.json")
    assert (folder.stat().st_mode & 0o777, path.stat().st_mode & 0o777) == (0o700, 0o600)
    assert list(folder.glob("tmp*")) == []


def move_away(path: Path) -> Path:
    """Rename a file or folder, and return the path that is now free."""
    path.rename(path.with_name("elsewhere"))
    return path


# What is altered → how, and the reason in the warning.
ALTERATIONS: dict[str, tuple[Callable[[Path], object], str]] = {
    "folder readable by others": (
        lambda path: path.parent.chmod(0o755),
        "is accessible to other users: its mode is 755",
    ),
    "folder replaced with a link": (
        lambda path: move_away(path.parent).symlink_to(path.parent.with_name("elsewhere")),
        "tokens is a link or has an unexpected file type",
    ),
    "folder replaced with a file": (
        lambda path: move_away(path.parent).touch(),
        "tokens cannot be used: File exists",
    ),
    "readable by others": (lambda path: path.chmod(0o644), "is accessible to other users: its mode is 644"),
    "replaced with a link": (
        lambda path: move_away(path).symlink_to(path.with_name("elsewhere")),
        "cannot be opened safely: Too many levels of symbolic links",
    ),
    "replaced with a folder": (
        lambda path: move_away(path).mkdir(mode=0o700),
        "is a link or has an unexpected file type",
    ),
    "replaced with a pipe": (  # whose reader would block
        lambda path: os.mkfifo(move_away(path), 0o600),
        "is a link or has an unexpected file type",
    ),
    "too large": (lambda path: os.truncate(path, 200 * 1024 * 1024), "is too large to hold a token"),
    "empty": (lambda path: path.write_bytes(b""), "its entry is not a token of this client"),  # as after a full disk
    "binary": (lambda path: path.write_bytes(bytes(range(256))), "its entry is not a token of this client"),
}
if os.geteuid() == 0:  # nobody else may change an owner
    ALTERATIONS["of another owner"] = (lambda path: os.chown(path, 12345, -1), "belongs to another user")


@pytest.mark.parametrize(("alter", "reason"), ALTERATIONS.values(), ids=ALTERATIONS)
def test_an_altered_file_is_not_used(
    alter: Callable[[Path], object], reason: str, emulator: Emulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """An altered file or folder causes one warning with the reason, and the call proceeds."""
    cache = FileTokenCache(tmp_path / "tokens")
    first = fetch_token(emulator, cache)
    (path,) = (tmp_path / "tokens").glob("*.json")
    alter(path)
    assert fetch_token(emulator, cache) != first
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 1
    assert reason in lines[0]


@pytest.mark.parametrize("is_folder", [False, True], ids=["the file", "the folder"])
def test_a_file_that_others_can_read_is_replaced_unless_they_can_access_the_folder(
    is_folder: bool, emulator: Emulator, tmp_path: Path
) -> None:
    """The new file is private; in a folder that is not, nothing is written."""
    cache = FileTokenCache(tmp_path / "tokens")
    fetch_token(emulator, cache)
    (path,) = (tmp_path / "tokens").glob("*.json")
    former = path.read_bytes()
    path.parent.chmod(0o755 if is_folder else 0o700)
    path.chmod(0o644)
    fetch_token(emulator, cache)
    assert (path.read_bytes() == former, path.stat().st_mode & 0o777) == (is_folder, 0o644 if is_folder else 0o600)


@pytest.mark.parametrize("place", ["/proc/1/nowhere", "/dev/full/tokens"])
def test_an_unwritable_path_fails_no_call(place: str, emulator: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    """A path that cannot be written causes one warning that names it, and the call proceeds."""
    assert fetch_token(emulator, FileTokenCache(place))
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith(f"the token cache failed, and later failures are not logged: {place} cannot be used: ")


def test_a_full_disk_fails_no_call(
    emulator: Emulator, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk the call proceeds, and no partial file remains."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    cache = FileTokenCache(tmp_path / "tokens")
    monkeypatch.setattr("os.replace", full)
    assert fetch_token(emulator, cache)
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.endswith(".json cannot be used: No space left on device")
    assert [path.suffix for path in (tmp_path / "tokens").iterdir()] == [".lock"]


def test_a_user_without_a_home_gets_no_cache(
    emulator: Emulator, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a user without a home folder, no folder named with a tilde is created."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: Path(f"~/.cache/{name}"))
    assert fetch_token(emulator, FileTokenCache())
    assert "the user has no home folder" in caplog.text
    assert list(tmp_path.iterdir()) == []


HOLD_LOCK = (
    "import fcntl, sys; f = open(sys.argv[1]); fcntl.flock(f, fcntl.LOCK_EX); print(flush=True); sys.stdin.read()"
)


def test_a_lock_is_waited_for_with_a_limit(
    emulator: Emulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A held lock is waited for during a quarter of the timeout, and the lock of a killed process is free."""
    cache = FileTokenCache(tmp_path)
    tmp_path.chmod(0o700)
    first = fetch_token(emulator, cache)
    (path,) = tmp_path.glob("*.lock")
    (tmp_path / f"{path.stem}.json").unlink()
    command = [sys.executable, "-c", HOLD_LOCK, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with emulator.admin(token_cache=cache, timeout=6.0) as admin:
            second = admin.token().value
        holder.kill()
    assert second != first
    (line,) = [record.getMessage() for record in caplog.records]
    assert line == f"the token cache failed, and later failures are not logged: {path} is locked by another process"
    with emulator.admin(token_cache=cache) as admin:
        assert admin.token().value == second
    assert len(caplog.records) == 1


def test_the_default_is_the_users_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The default folder is the cache folder of the user, and is empty until a token is stored."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert FileTokenCache().load("0" * 64) is None
    assert [path.name for path in tmp_path.iterdir()] == ["pinecone-admin"]


def test_clients_without_a_cache_share_no_token(emulator: Emulator) -> None:
    """Clients without a cache have different tokens."""
    with emulator.admin() as one, emulator.admin() as two:
        assert isinstance(one, Admin)
        assert one.token() != two.token()


@pytest.mark.parametrize("missing", ["filelock", "platformdirs"])
def test_a_missing_extra_is_named(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the packages of the extra, the ImportError says what to install."""
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=rf'{missing} is not installed: .*pip install "\.\[cache\]"'):
        FileTokenCache()
