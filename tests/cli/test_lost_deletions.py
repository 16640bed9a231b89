"""Commands that delete one thing, whose first response was lost, and whose next attempt got a 404."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from pinecone_admin.cli import exit_codes
from pinecone_admin.cli.commands import Command
from tests.cli.command_line import COMMANDS, Run, example_organization, run

DELETING = [each for each in COMMANDS if each.effect == "deletes" and not each.is_workflow and each.path != ("send",)]
_AGREE = {"organization delete": "--confirm 'Emulated Organization'"}
"""What takes the place of the dry run of an example."""
_FALSE_404: Sequence[Mapping[str, Any]] = ({"drop": "before"}, {"status": 404})
"""The first attempt does not arrive, and a 404 that is not true comes to the next one."""


def delete(spec: Command, *faults: Mapping[str, Any], hides: bool = False, words: str = "") -> Run:
    """Run the example of a command, with faults of its deletion, and perhaps without any read after it."""
    line = words or spec.example.removeprefix("pinecone-admin ").replace("--dry-run", _AGREE.get(spec.full_name, ""))
    with example_organization(spec) as emulator:
        for fault in faults:
            emulator.faults.add("*", method="DELETE", **fault)

        def is_hidden(_: object) -> bool:
            return hides and any(each.method == "DELETE" for each in emulator.requests)

        emulator.faults.add("*", method="GET", status=403, times=None, where=is_hidden)
        return run("--output", "json", *shlex.split(line))


@pytest.mark.parametrize("spec", DELETING, ids=lambda spec: str(spec.full_name))
def test_what_is_still_listed_is_not_said_to_be_deleted(spec: Command) -> None:
    """A 404 to the second attempt that is not true ends with exit code 1, and the line says what a list showed."""
    done = delete(spec, *_FALSE_404)
    assert (done.exit, done.stdout, done.error["outcome"]) == (exit_codes.REFUSED, "", "rejected")
    assert "still exists, because a list contains it" in done.error["message"]
    assert "may have been" not in done.error["message"]
    assert (done.error["status"], bool(done.error["request_id"])) == (404, True)


@pytest.mark.parametrize("spec", DELETING, ids=lambda spec: str(spec.full_name))
def test_what_nobody_can_see_is_not_said_to_be_deleted(spec: Command) -> None:
    """If no list can be read, the outcome stays unknown."""
    done = delete(spec, *_FALSE_404, hides=True)
    assert (done.exit, done.stdout, done.error["outcome"]) == (exit_codes.UNKNOWN_OUTCOME, "", "unknown")
    assert "Whether it still exists is not known." in done.error["message"]
    assert "may have been deleted" in done.error["message"]


@pytest.mark.parametrize("spec", DELETING, ids=lambda spec: str(spec.full_name))
def test_what_no_list_contains_is_deleted(spec: Command) -> None:
    """If the first attempt was processed, the command succeeds; nobody can look for an organization that is gone."""
    done = delete(spec, {"drop": "after"})
    is_visible = spec.full_name != "organization delete"
    assert done.exit == (exit_codes.DONE if is_visible else exit_codes.UNKNOWN_OUTCOME), done
    assert not is_visible or done.json["done"] == spec.full_name


@pytest.mark.parametrize("spec", DELETING, ids=lambda spec: str(spec.full_name))
def test_a_404_to_the_only_attempt_changes_nothing(spec: Command) -> None:
    """Nothing was lost, so the 404 is what the server says, and no list is asked."""
    done = delete(spec, {"status": 404}, hides=True)
    assert (done.exit, done.error["outcome"]) == (exit_codes.NOT_FOUND, "rejected")


def test_a_request_written_by_hand_has_no_list() -> None:
    """``send`` does not know what a path is about, so the outcome of its lost deletion stays unknown."""
    (spec,) = (each for each in COMMANDS if each.path == ("send",))
    words = "send DELETE /admin/api-keys/no-key --confirm no-key"
    done = delete(spec, *_FALSE_404, words=words)
    assert (done.exit, done.error["outcome"]) == (exit_codes.UNKNOWN_OUTCOME, "unknown")


@pytest.mark.parametrize(
    ("email", "operation"), [("ada@example.com", "delete_user"), ("bob@example.com", "delete_invite")]
)
def test_an_offboarding_whose_last_deletion_was_lost_is_not_to_be_repeated(email: str, operation: str) -> None:
    """The next run would find nobody and fail, so the exit code is not the one that lets a job try again."""
    with example_organization() as emulator:
        emulator.faults.add(operation, drop="after", times=None)
        done = run("--output", "json", "user", "offboard", email, "--yes")
    assert (done.exit, done.error["outcome"]) == (exit_codes.UNKNOWN_OUTCOME, "unknown"), done
    assert "may have been deleted" in done.error["message"]
