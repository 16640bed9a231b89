"""``service-account rotate-due``: the destination is tried first, and no new secret is lost."""

from __future__ import annotations

import json
import pkgutil
import signal
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from pinecone_admin.cli.interruption import Interruptions
from pinecone_admin.cli.secrets.target_files import rescue_folders
from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.model.records import ServiceAccountRecord
from tests.cli.command_line import Run, example_organization, run

ROTATE = "rotate_service_account_secret"
NAMES = ("deploy", "nightly", "report")


def rotate(*more: str, store: str = "file:{name}.json") -> Run:
    """Run the command."""
    return run("service-account", "rotate-due", "--older-than", "90d", "--store", store, "--yes", *more)


def find(emulator: Emulator, name: str) -> ServiceAccountRecord:
    """Return an account by its name."""
    return next(each for each in emulator.state.service_accounts.listing if each.name == name)


def stored(name: str) -> str:
    """Return the secret in the file of an account."""
    return str(json.loads(Path(f"{name}.json").read_text())["client_secret"])


def read_rescued() -> list[str]:
    """Return the contents of the rescue files."""
    return [each.read_text() for each in next(rescue_folders()).glob("pinecone-admin-rescue-*")]


@pytest.fixture
def emulator() -> Generator[Emulator]:
    """Emulate an organization with three old accounts, whose secrets are in files."""
    with example_organization() as emulator:
        date = emulator.clock.now() - timedelta(days=91)
        for name in NAMES:
            account = emulator.state.add_service_account(name, date)
            path = Path(f"{name}.json")
            path.touch(mode=0o600)
            path.write_text(json.dumps({"client_id": account.client_id, "client_secret": account.client_secret}))
        emulator.requests.clear()
        yield emulator


def test_old_secrets_are_replaced_where_they_are(emulator: Emulator) -> None:
    """Each new secret is in its file, in no output, and the next run finds nothing due."""
    preview = rotate("--dry-run")
    assert (preview.exit, {each.method for each in emulator.requests if each.operation_id != "get_token"}) == (
        0,
        {"GET"},
    )
    before = [stored(each) for each in NAMES]
    done = rotate()
    assert (done.exit, done.stderr) == (0, "")
    assert [each["name"] for each in done.json["rotated"]] == [*NAMES]
    for name, old in zip(NAMES, before, strict=True):
        assert stored(name) == find(emulator, name).client_secret != old
        assert stored(name) not in done.stdout
    again = rotate("--output", "table")
    assert again.exit == 0
    assert again.stdout.startswith("No service account is due.\nService account emulator (")


def test_a_name_needs_no_age(emulator: Emulator) -> None:
    """Without both, the command is refused before any request."""
    command = ("service-account", "rotate-due", "--store", "file:{name}.json", "--yes")
    refused = run(*command)
    said = "Which secrets are to be rotated? Add --older-than, or --name."
    assert (refused.exit, said in refused.said, [*emulator.requests]) == (2, True, []), refused
    done = run(*command, "--name", "report")
    assert (done.exit, [each["name"] for each in done.json["rotated"]]) == (0, ["report"]), done


def test_a_destination_that_does_not_hold_the_secret_fails_alone(emulator: Emulator) -> None:
    """Exit code 9; what was not tried keeps its secret."""
    kept = find(emulator, "deploy").client_secret
    Path("deploy.json").unlink()
    done = rotate()
    assert (done.exit, [each["name"] for each in done.json["failed"]]) == (9, ["deploy"])
    assert find(emulator, "deploy").client_secret == kept
    assert [stored(each) for each in NAMES[1:]] == [find(emulator, each).client_secret for each in NAMES[1:]]


def _spoil(name: str, content: str | None, mode: int = 0o600) -> None:
    path = Path(f"{name}.json")
    path.unlink()
    if content is None:
        path.mkdir()
    else:
        path.write_text(content)
        path.chmod(mode)


OTHERS = '{"client_id": "someone", "client_secret": "s"}'


@pytest.mark.parametrize("content", [None, "hello", "pcsk_abc_" + "x" * 60, OTHERS, '{"client_id": 5}', "readable"])
def test_a_place_that_a_rotation_refuses_is_found_before_the_first_change(
    emulator: Emulator, content: str | None
) -> None:
    """In the words of the command for one account, and in those of the dry run; the accounts before it are rotated."""
    _spoil("report", content, 0o644 if content == "readable" else 0o600)
    alone = run("service-account", "rotate", "report", "--store", "file:{name}.json", "--yes")
    assert alone.exit in {2, 5}, alone
    emulator.requests.clear()
    shown = rotate("--dry-run", "--output", "table")
    assert (" is not rotated: " in shown.stdout, "was not rotated" in shown.stdout) == (True, False), shown
    planned, done = rotate("--dry-run"), rotate()
    reasons = [each["reason"] for run in (planned.json["report"], done.json) for each in run["failed"]]
    assert (planned.exit, done.exit, len(reasons)) == (9, 9, 2)
    (reason,) = set(reasons)
    *_, cause = reason.partition("report: ")
    assert cause in alone.said, (cause, alone.said)
    assert [each["name"] for each in done.json["rotated"]] == [*NAMES[:2]]
    touched = {
        each.path.split("/")[3]
        for each in emulator.requests
        if each.method in {"PATCH", "POST"} and "admin" in each.path
    }
    assert find(emulator, "report").id not in touched


def test_a_command_needs_allow_unreadable(emulator: Emulator) -> None:
    """Nothing shows whether the secrets that it stored are the present ones."""
    refused = rotate(store="exec:cat {name}")
    assert (refused.exit, "--store cannot be read back" in refused.stderr) == (2, True), refused
    assert "pass --allow-unreadable" in refused.stderr
    assert {each.operation_id for each in emulator.requests} <= {"get_token"}
    done = rotate("--allow-unreadable", "--name", "deploy", store="exec:sh -c 'cat > {name}.secret'")
    assert (done.exit, Path("deploy.secret").read_text()) == (0, find(emulator, "deploy").client_secret)


def test_the_own_account_is_listed_and_fails_if_it_is_due(emulator: Emulator) -> None:
    """Exit code 9; a token alone needs the client id."""
    emulator.clock.advance(91 * 86_400)
    done = rotate()
    own = next(each for each in emulator.state.service_accounts.listing if each.client_id == emulator.client_id)
    assert (done.exit, [each["name"] for each in done.json["failed"] if each["id"] == own.id]) == (
        9,
        [own.name],
    )
    with emulator.admin() as admin:
        env = {
            "PINECONE_ACCESS_TOKEN": admin.token().value,
            "PINECONE_CLIENT_ID": None,
            "PINECONE_CLIENT_SECRET": None,
        }
    words = ("service-account", "rotate-due", "--older-than", "90d", "--store", "file:{name}.json", "--yes")
    refused = run(*words, env=env)
    assert (refused.exit, "--own-client-id" in refused.stderr) == (5, True)
    assert run(*words, "--own-client-id", own.client_id, env=env).exit == 9


def test_an_account_whose_secret_may_be_older_is_rotated_as_the_line_says(emulator: Emulator) -> None:
    """It was changed in the meantime, perhaps only renamed; the line has the option that rotates it."""
    find(emulator, NAMES[0]).updated_at = emulator.clock.now()
    before = stored(NAMES[0])
    done = rotate("-o", "table")
    assert "To rotate it, add --name with its name." in " ".join(done.stdout.split()), done
    assert stored(NAMES[0]) == before
    assert rotate("--name", NAMES[0]).exit == 0
    assert stored(NAMES[0]) != before


def test_a_secret_that_cannot_be_stored_is_rescued_and_ends_the_command(emulator: Emulator) -> None:
    """The file of the error has it, and the other accounts keep their secrets."""
    kept = find(emulator, "report").client_secret
    failing = "exec:sh -c 'cat > {name}.out; test {name} != nightly'"
    done = rotate("--allow-unreadable", store=failing)
    assert done.exit == 9, done
    rescued = next(each for each in done.stderr.replace(",", " ").split() if "pinecone-admin-rescue" in each)
    document = json.loads(Path(rescued.rstrip(".;:")).read_text())
    account = find(emulator, "nightly")
    assert document == {
        "service_account": {"id": account.id, "client_id": account.client_id},
        "client_secret": account.client_secret,
    }
    assert Path("deploy.out").read_text() == find(emulator, "deploy").client_secret
    assert find(emulator, "report").client_secret == kept
    assert find(emulator, "nightly").client_secret not in done.stderr + done.stdout


@pytest.mark.parametrize("moment", ["_keep_interrupted", "_find_handed_out", "RescueFile.write"])
def test_an_interruption_does_not_lose_a_secret_that_is_being_rescued(
    emulator: Emulator, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The context in which signals wait for the secret has ended by then."""
    place = f"pinecone_admin.cli.secrets.delivery.{moment}"
    real = pkgutil.resolve_name(place)

    def interrupt(*args: object) -> object:
        monkeypatch.setattr(place, real)
        signal.raise_signal(signal.SIGINT)
        return real(*args)

    monkeypatch.setattr(place, interrupt)
    done = rotate("--allow-unreadable", store="exec:false {name}")
    assert [find(emulator, "deploy").client_secret in each for each in read_rescued()] == [True], done
    assert "could not be stored, so it is in" in done.stderr


def test_an_interruption_on_the_way_to_the_rescue_does_not_lose_a_secret(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The interruption replaces the error that hands the secret out."""
    real = Interruptions.held_by_one_secret

    @contextmanager
    def interrupt_after(interruptions: Interruptions) -> Generator[None]:
        try:
            with real(interruptions):
                yield
        finally:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Interruptions, "held_by_one_secret", interrupt_after)
    done = rotate("--allow-unreadable", store="exec:false {name}")
    assert done.exit == 130
    assert [find(emulator, "deploy").client_secret in each for each in read_rescued()] == [True], done


@pytest.mark.parametrize("store", ["file:one.json", "env-file:.env#SECRET", "file:{project}-{name}.json"])
def test_a_template_that_works_for_none_is_refused(emulator: Emulator, store: str) -> None:
    """Before any request, with a template that works."""
    done = rotate(store=store)
    assert (done.exit, [*emulator.requests]) == (2, [])
    assert "service account" in done.stderr
    assert "{name}" in done.stderr
    assert "'file:{project}-{name}" not in done.stderr


def test_the_command_says_why_nothing_is_rotated() -> None:
    """Where an update with its own name does not move the date, each run would rotate all of them."""
    with example_organization() as emulator:
        emulator.configure(same_name_changes_updated_at=False)
        account = emulator.state.add_service_account("deploy", emulator.clock.now() - timedelta(days=91))
        content = {"client_id": account.client_id, "client_secret": account.client_secret}
        Path("deploy.json").touch(mode=0o600)
        Path("deploy.json").write_text(json.dumps(content))
        done = rotate("--output", "table")
        assert (done.exit, stored("deploy")) == (9, account.client_secret)
        assert "The run ended early" in done.stdout
        assert ROTATE not in [each.operation_id for each in emulator.requests]


def test_only_the_secret_that_was_stored_is_said_to_be_somewhere(emulator: Emulator) -> None:
    """The line of a first try whose response was lost names no place, since nobody has that secret."""
    emulator.faults.add(ROTATE, status=500, after_change=True, times=1)
    done = rotate("--name", "deploy", "-o", "table")
    lines = [line for line in done.stdout.splitlines() if "otate" in line and "deploy" in line]
    assert [line.count("deploy.json") for line in lines if line.startswith("Failed")] == [0]
    assert [line.count("deploy.json") for line in lines if line.startswith("Rotated")] == [1]
    assert stored("deploy") == find(emulator, "deploy").client_secret
