"""What ``ensure`` says of the secret of something that exists: nobody can read it, but its place can be looked at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from pinecone_admin.emulator import Emulator
from tests.cli.command_line import example_organization, run
from tests.cli.secret_makers import MAKERS, ROTATES_ACCOUNT, words_of

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
EXISTS = "No new secret was created, and the present one cannot be shown again. To replace it, use {} rotate."


@pytest.mark.parametrize("name", PLACES)
def test_ensure_says_whether_the_place_of_a_secret_that_exists_has_one(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It claims no more than it saw: that there is a value, and whose it is only beside a client id.

    That there is none is a warning, because the next step of a script needs the value.
    """
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
        told = json.loads(run(*words, "--store", store, "-o", "json").stderr)
    assert (done.exit, done.stderr) == (0, f"{EXISTS.format(words[0])} {expected}\n")
    is_missing = "has no value" in expected or "something else" in expected
    assert list(told) == ["warning" if is_missing else "note"]
    assert done.json.get("stored_in") is None


@pytest.mark.parametrize("name", [name for name, spec in MAKERS.items() if spec.makes and not spec.makes.is_new])
def test_reveal_has_the_same_fields_for_what_is_new_and_for_what_exists(name: str) -> None:
    """The secret is null or left out, what else was done is on stderr, and raw, which has nothing else, fails."""
    if name == ROTATES_ACCOUNT:  # whose secret is always new
        return
    secret_of = "client_secret" if "account" in name else "value"
    with example_organization() as emulator:
        words = words_of(name, "--reveal")
        words = [emulator_key_id(emulator) if word == "reader" and "rotate" in name else word for word in words]
        new = run(*words, "-o", "json")
        existing = run(*words, "-o", "json")
        headers = [run(*words, "-o", "csv").stdout.splitlines()[0]]
        assert list(existing.json) == list(new.json)
        assert existing.json[secret_of] is None
        assert headers == [",".join(name_fields(new.json))]
        raw, table = run(*words, "-o", "raw"), run(*words, "-o", "table")
    assert (new.exit, existing.exit) == (0, 9 if "rotate" in name else 0)
    assert (raw.exit, raw.stdout) == (9, "")
    assert "No new secret was created" in raw.stderr
    assert "steps" not in table.stdout


def emulator_key_id(emulator: Emulator) -> str:
    """Return the id of the only key, by which its rotation can be repeated."""
    (key,) = emulator.state.api_keys
    return key


def name_fields(document: Mapping[str, object]) -> list[str]:
    """Return the columns of a document."""
    return [
        f"{name}.{each}" if each else name
        for name, value in document.items()
        for each in (value if isinstance(value, dict) else [""])
    ]


def test_ensure_says_nothing_of_a_place_where_there_is_none() -> None:
    """With --reveal, a secret that exists is not shown."""
    with example_organization():
        done = run(*KEY, "--reveal")
    assert (done.exit, done.stderr) == (0, f"{EXISTS.format('api-key')}\n")


def test_what_ensure_has_changed_is_told_beside_a_secret_that_exists() -> None:
    """With --reveal, the output has no steps, so stderr names them."""
    with example_organization():
        done = run(*KEY, "--role", "DataPlaneEditor", "--if-different", "update", "--reveal")
    assert (done.exit, done.json["roles"]) == (0, ["DataPlaneEditor"])
    assert "DataPlaneEditor" in done.stderr.replace(EXISTS.format("api-key"), "")
