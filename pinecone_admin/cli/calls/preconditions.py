"""What a dry run reads to find changes that the server would refuse."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

from pinecone_admin.cli.calls.naming import Thing
from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.sentences import as_sentences
from pinecone_admin.errors import ConflictError
from pinecone_admin.models import Invite
from pinecone_admin.workflows.changes import Change, Step
from pinecone_admin.workflows.ending import refer_to

if TYPE_CHECKING:
    from pinecone_admin.cli.calls.pipeline import Call

_Check: TypeAlias = "Callable[[Call, Change, Sequence[Change]], None]"

NAMES_OTHER_WAY = "to give roles to a member or an invited person, use user ensure"
"""The command for a person who has joined, or is invited."""


def require_accepted(call: Call, steps: Sequence[Step]) -> None:
    """Raise CLIError if the server would refuse a step that a dry run has planned.

    Roles, plans and quotas are not looked at: which of them the server requires is not published.
    """
    changes = [each.change for each in steps if each.state == "planned"]
    for change in changes:
        check = _CHECKS.get((change.action, change.target.kind))
        if check is not None:
            check(call, change, changes)


def _require_free_address(call: Call, change: Change, changes: Sequence[Change]) -> None:
    """Require an address that neither a member has nor an invite that an earlier change does not delete."""
    email = change.target.name or ""
    deleted = {each.target.id for each in changes if each.action == "delete"}
    for each in chain.from_iterable(call.names.list_people(email).values()):
        if each.id not in deleted:
            state = each.status if isinstance(each, Invite) else "in the organization already"
            raise _describe_conflict(f"{refer_to(each)} is {state}; {NAMES_OTHER_WAY}")


def _require_open_invite(call: Call, change: Change, _: Sequence[Change]) -> None:
    """Require an invite that nobody has accepted, and to send it again, that nobody has joined another way."""
    id = change.target.id or ""
    invite: Invite = call.names.read(Thing("invite", id))
    if invite.status == "processed":
        raise _describe_conflict(f"{refer_to(invite)} was accepted already; change the user in place of the invite")
    if change.action == "resend" and invite.status != "pending" and call.names.list_people(invite.email)["user"]:
        raise _describe_conflict(f"{invite.email} is in the organization already; {NAMES_OTHER_WAY}")


def _describe_conflict(reason: str) -> CLIError:
    """Return the error with the code of the run, in which the server has this reason."""
    return CLIError(as_sentences(reason), cause=ConflictError)


_CHECKS: Mapping[tuple[str, str], _Check] = {
    ("invite", "invite"): _require_free_address,
    ("resend", "invite"): _require_open_invite,
    ("delete", "invite"): _require_open_invite,
    ("grant", "invite"): _require_open_invite,
}
"""The check of a change, by its action and the kind of its target."""
