"""No command misses a person who accepts an invite while it reads who is in the organization."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from pinecone_admin import on_organization
from pinecone_admin.emulator import Emulator
from pinecone_admin.testing import emulate
from tests.cli.command_line import Run, run

ADA = "ada@example.com"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Yield an emulator that the commands use."""
    with emulate() as emulator:
        yield emulator


def run_while_joining(emulator: Emulator, number: int, *words: str) -> Run:
    """Run a command, and let Ada accept her invite before a request, by its number from 1."""
    with emulator.admin() as admin:
        invite = admin.invites.create(email=ADA, role_bindings=[on_organization("OrgManager")])
    numbers = count(1)

    def join(_: object) -> bool:
        if next(numbers) == number:
            emulator.accept_invite(invite.id)
        return False

    emulator.configure(plan="Free")
    emulator.faults.add(where=join, times=None, status=500)
    return run(*words)


@pytest.mark.parametrize("number", range(1, 12))
@pytest.mark.parametrize(
    "words",
    [
        ("user", "describe", ADA),
        ("user", "delete", ADA, "--dry-run"),
        ("user", "offboard", ADA, "--dry-run"),
        ("user", "ensure", ADA, "--role", "OrgBillingAdmin", "--dry-run"),
        ("invite", "describe", ADA),
        ("inventory",),
        ("access",),
        ("export",),
        ("organization", "delete", "Emulated Organization", "--dry-run"),
        ("each", "users.csv", "--", "user", "delete", "{email}", "--dry-run"),
    ],
    ids=" ".join,
)
def test_a_command_finds_who_joins_meanwhile(emulator: Emulator, words: tuple[str, ...], number: int) -> None:
    """Whichever request is next when a person joins, the output has the address, and not as one that nobody has."""
    Path("users.csv").write_text(f"email\n{ADA}\n")
    done = run_while_joining(emulator, number, *words)
    assert ADA in done.stdout + done.stderr, done
    assert "that this account can see." not in done.stdout + done.stderr, done


@pytest.mark.parametrize("number", range(1, 6))
def test_a_dry_run_of_an_invite_finds_who_joins_meanwhile(emulator: Emulator, number: int) -> None:
    """Whichever request is next when a person joins, a dry run does not promise an invite that would be refused."""
    done = run_while_joining(emulator, number, "invite", "create", ADA, "--role", "OrgMember", "--dry-run")
    assert done.exit == 5, done


@pytest.mark.parametrize("number", range(1, 12))
def test_who_joins_before_an_organization_is_deleted_is_counted_once(emulator: Emulator, number: int) -> None:
    """Whichever request is next when a person joins, the question names an invite or a user, and not both."""
    done = run_while_joining(emulator, number, "organization", "delete", "Emulated Organization")
    assert done.exit == 2, done
    counted = [each for each in ("has 1 invite, 1 user,", "has 2 users,") if each in done.stderr]
    assert len(counted) == 1, done
