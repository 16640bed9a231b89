"""What ``ensure`` says of the secret of something that exists: nobody can read it, but its place can be looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command_line import example_organization, run

KEY = ("api-key", "ensure", "reader", "--project", "search", "--yes")
ACCOUNT = ("service-account", "ensure", "robot", "--role", "OrgMember", "--yes")
PLACES = {
    "no file": (KEY, "file:missing.key", "missing.key has no value."),
    "an empty file": (KEY, "file:empty", "empty has no value."),
    "no variable": (KEY, "env-file:.env#OTHER", "OTHER in .env has no value."),
    "an empty variable": (KEY, "env-file:.env#EMPTY", "EMPTY in .env has no value."),
    "a variable": (
        KEY,
        "env-file:.env#FULL",
        "FULL in .env has a value. Nothing shows whether it is that of this key.",
    ),
    "a file": (KEY, "file:some.key", "some.key has a value. Nothing shows whether it is that of this key."),
    "a command": (KEY, "exec:true", "exec:true cannot be read, so nothing shows whether it has the secret."),
    "its own credentials": (
        ACCOUNT,
        "file:robot.json",
        "robot.json has a secret beside the client id of this service account.",
    ),
    "credentials of another account": (
        ACCOUNT,
        "file:other.json",
        "other.json has a secret beside the client id of another service account.",
    ),
    "something else": (
        ACCOUNT,
        "file:some.key",
        "some.key cannot be read, or has something else than the secret of a service account.",
    ),
}
EXISTS = "No new secret was created, and the present one cannot be shown again. To replace it, use rotate."


@pytest.mark.parametrize("name", PLACES)
def test_ensure_says_whether_the_place_of_a_secret_that_exists_has_one(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It claims no more than it saw: that there is a value, and whose it is only beside a client id."""
    words, store, expected = PLACES[name]
    monkeypatch.chdir(tmp_path)
    files = {".env": "FULL=pcsk_x\nEMPTY=\n", "empty": "", "some.key": "pcsk_x", "other.json": ""}
    for file, text in files.items():
        Path(file).touch(mode=0o600)
        Path(file).write_text(text)
    Path("other.json").write_text('{"client_id": "other", "client_secret": "x"}')
    with example_organization():
        assert run(*ACCOUNT, "--store", "file:robot.json").exit == 0
        done = run(*words, "--store", store)
    assert (done.exit, done.stderr) == (0, f"{EXISTS} {expected}\n")
    assert done.json.get("stored_in") is None


def test_ensure_says_nothing_of_a_place_where_there_is_none() -> None:
    """With --reveal, a secret that exists is not shown."""
    with example_organization():
        done = run(*KEY, "--reveal")
    assert (done.exit, done.stderr) == (0, f"{EXISTS}\n")
