"""The result of the changes of a command, and its exit code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pinecone_admin.cli import exit_codes
from pinecone_admin.cli.ending import choose_exit, conclude
from pinecone_admin.cli.error_output import CommandFailure
from pinecone_admin.cli.ledger import Ledger, SecretEntry, SecretState, describe_changes
from pinecone_admin.workflows.sent_changes import SentChange, find_effects

REASON = CommandFailure("it failed", exit_codes.NOT_ALLOWED, {"help_code": "PA204", "outcome": "rejected"})


def sent(operation: str, outcome: Any = "done", **facts: Any) -> SentChange:
    """Return a change; ``target`` is what it is about, and ``made`` what it created."""
    verb, _, _ = operation.partition("_")
    posts, deletes = {"create", "add", "rotate"}, {"delete", "remove"}
    method = "POST" if verb in posts else "DELETE" if verb in deletes else "PATCH"
    known = {name: facts.pop(name) for name in ("target", "ids", "undoes") if name in facts}
    change = SentChange(operation, method=method, path="/", **known)
    change.outcome = outcome
    for name, value in facts.items():
        setattr(change, name, value)
    return change


MADE = {"made": "k"}
CREATED = sent("create_api_key", **MADE)
LOST = sent("create_api_key", "unknown")
# The changes, the exit code after an error that alone has 10, and the fields of the effects that are not empty.
CASES: tuple[tuple[str, Sequence[SentChange], int, set[str]], ...] = (
    ("nothing was sent", [], 10, set()),
    ("the server refused it", [sent("create_project", "rejected")], 10, {"rejected"}),
    ("it was not sent", [sent("create_project", "not_sent")], 10, {"rejected"}),
    ("a part is done", [CREATED], 9, {"done"}),
    ("a create may be done", [LOST], 6, {"unknown"}),
    ("a deletion may be done", [sent("delete_project", "unknown", target="p")], 6, {"unknown"}),
    ("a create without a readable response", [sent("create_project", is_readable=False)], 6, {"unread"}),
    ("an update without a readable response", [sent("update_project", target="p", is_readable=False)], 9, {"unread"}),
    ("made and deleted", [CREATED, sent("delete_api_key", target="k")], 10, {"undone"}),
    (
        "made and gone",
        [CREATED, sent("delete_api_key", "rejected", target="k", is_api_404=True)],
        10,
        {"undone", "rejected"},
    ),
    (
        "made, changed and deleted",
        [CREATED, sent("update_api_key", target="k"), sent("delete_api_key", target="k")],
        10,
        {"undone"},
    ),
    ("its deletion may have failed", [CREATED, sent("delete_api_key", "unknown", target="k")], 6, {"done", "unknown"}),
    ("another one is deleted", [CREATED, sent("delete_api_key", target="other")], 9, {"done"}),
    ("what was lost is deleted", [LOST, sent("delete_api_key", target="k", undoes=True)], 10, {"undone"}),
    (
        "what was added and lost is removed",
        [sent("add_policy_member", "unknown"), sent("remove_policy_member", target="m", undoes=True)],
        10,
        {"undone"},
    ),
    (
        "what may have been changed is not what is deleted",
        [sent("rotate_secret", "unknown", target="a"), sent("delete_secret", target="k", undoes=True)],
        9,
        {"done", "unknown"},
    ),
    ("a leftover is deleted after a lost create", [LOST, sent("delete_api_key", target="k")], 9, {"done", "unknown"}),
    (
        "what was lost is of another kind",
        [LOST, sent("delete_project", target="k", undoes=True)],
        9,
        {"done", "unknown"},
    ),
    (
        "only one of two is deleted",
        [sent("create_api_key", "unknown"), LOST, sent("delete_api_key", target="k", undoes=True)],
        6,
        {"undone", "unknown"},
    ),
    ("it was repeated", [sent("rotate_secret", "unknown", target="a"), sent("rotate_secret", target="a")], 9, {"done"}),
    (
        "another was changed",
        [sent("update_x", "unknown", target="a"), sent("update_x", target="b")],
        9,
        {"done", "unknown"},
    ),
    (
        "it is gone after all",
        [sent("delete_x", "unknown", target="a"), sent("delete_x", "rejected", target="a", is_api_404=True)],
        9,
        {"done", "rejected"},
    ),
    (
        "a key in what was deleted",
        [
            sent("create_project", made="p"),
            sent("create_api_key", made="k", ids={"project_id": "p"}),
            sent("delete_api_key", "unknown", target="k"),
            sent("delete_project", target="p"),
        ],
        10,
        {"undone"},
    ),
    (
        "a role on what was deleted",
        [
            sent("create_project", made="p"),
            sent("create_role_binding", made="b", ids={"resource_id": "p"}),
            sent("delete_project", target="p"),
        ],
        10,
        {"undone"},
    ),
)


def test_what_the_changes_of_a_command_come_to() -> None:
    """The table has what remains of changes, and the exit code of a command that ends in an error after them."""
    for name, changes, exit_code, fields in CASES:
        ledger = Ledger()
        ledger.changes.extend(changes)
        effects = find_effects(changes)
        assert {each for each in effects._fields if getattr(effects, each)} == fields, name
        assert sum(map(len, effects)) == len(changes), name
        assert choose_exit(exit_codes.NOT_ALLOWED, effects, ledger) == exit_code, name
        ended = conclude(REASON, ledger, says_if_unchanged=True)
        assert ended.message.endswith("Nothing was changed.") == (not fields - {"rejected"}), name
        assert (
            ended.details["outcome"]
            == {
                6: "done" if "unread" in fields else "unknown",
                9: "done",
                10: "undone" if "undone" in fields else ended.details["outcome"],
            }[exit_code]
        ), name
        assert not ended.details["worth_retrying"]


def test_a_command_whose_work_is_done_need_not_be_repeated() -> None:
    """If only its result is lost, it ends with 6, and its line says that the change was made."""
    ledger = Ledger()
    ledger.changes.append(sent("update_project", target="p"))
    ledger.is_complete = True
    ended = conclude(CommandFailure("no room", exit_codes.USAGE, {"help_code": "PA101"}), ledger)
    assert (ended.exit, ended.details["help_code"], ended.details["worth_retrying"]) == (6, "exit-6", False)
    assert (
        ended.message
        == "no room. Project p was changed. Only the result could not be shown. Do not run the command again."
    )


RESCUED = "could not be stored, so it is in /x, which only you can read. Store it, then delete the file."


def test_a_line_says_where_new_secrets_are_unless_what_they_belong_to_is_gone() -> None:
    """Stored, shown, rescued or lost; of what was deleted again, the secret is of no use."""
    ledger = Ledger()
    ledger.changes.append(CREATED)
    entry = SecretEntry("key reader", "k")
    ledger.secrets.append(entry)
    entry.place = "/x"
    lines: tuple[tuple[SecretState, str], ...] = (
        ("stored", " The value of key reader is stored."),
        ("shown", " The value of key reader was written to stdout."),
        ("rescued", f" The new value of key reader {RESCUED}"),
        ("lost", " The new value of key reader could not be kept anywhere, and is lost. Rotate the key again. /x."),
        ("undelivered", " The new value of key reader may not be stored."),
    )
    for state, words in lines:
        entry.state = state
        assert conclude(REASON, ledger).message == f"it failed. API key k was created.{words}"
    ledger.secrets.append(SecretEntry("service account ci", "s"))
    ledger.secrets[-1].state = "stored"
    assert conclude(REASON, ledger).message.endswith(" The secret of service account ci is stored.")
    ledger.secrets.pop()
    said = CommandFailure("no. API key k is kept because its value is stored.", exit=1)
    for state, words in lines:
        entry.state = state
        is_said = state in {"stored", "shown"}
        assert conclude(said, ledger).message == f"{said.message}{'' if is_said else words}"
    ledger.changes.append(sent("delete_api_key", target="k"))
    assert conclude(REASON, ledger).message == "it failed."


def test_of_many_changes_only_the_first_are_named() -> None:
    """The line stays short, and a change that was sent twice is named once."""
    changes = [sent("delete_index", target=str(number % 8)) for number in range(16)]
    names = ", ".join(f"index {number}" for number in range(5))
    assert describe_changes(find_effects(changes)) == [f"I{names[1:]} and 3 more were deleted."]


def test_a_name_does_not_hide_what_remains() -> None:
    """Only a deletion that failed shows that the error names what is left, and not the words of the error."""
    said = "The server refused: project 'could not be deleted, may not have been deleted' (p) is not empty."
    made = sent("create_project", made="p", name="could not be deleted, may not have been deleted")
    (line,) = describe_changes(find_effects([made]), said)
    assert line.endswith(" was created.")
    undo = sent("delete_project", "rejected", target="p", undoes=True)
    assert describe_changes(find_effects([made, undo]), said) == []
