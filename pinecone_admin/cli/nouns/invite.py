"""Invites."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pinecone_admin.cli.commands import Noun, argument, if_different, limit, revoke_others, roles
from pinecone_admin.cli.parameters import Email, NameOrId
from pinecone_admin.errors import ConflictError

if TYPE_CHECKING:
    from pinecone_admin.cli.calls.pipeline import Call
    from pinecone_admin.models import RoleBindingInput
    from pinecone_admin.workflows import OnDifference

NOUN = Noun("invite")

_own = argument("invite_id", "Email address or id of the invite.", type=NameOrId("invite"), metavar="INVITE")
_email = argument(
    "email", "Email address, at most 254 characters; capital letters do not matter.", type=Email(), metavar="EMAIL"
)


@NOUN.command("reads", example="pinecone-admin invite list")
@limit
def list_(call: Call) -> object:
    """List the pending and expired invites."""
    return call.admin.invites.list(limit=call.page_size)


@NOUN.command("reads", example="pinecone-admin invite describe bob@example.com")
@_own
def describe(call: Call, *, invite_id: str) -> object:
    """Show one invite."""
    return call.admin.invites.describe(invite_id=invite_id)


@contextmanager
def _naming_other_way() -> Generator[None]:
    """Name the command for a person who has joined, or is invited."""
    try:
        yield
    except ConflictError as error:
        from pinecone_admin.cli.calls.preconditions import NAMES_OTHER_WAY  # noqa: PLC0415 - loads the models

        error.add_note(NAMES_OTHER_WAY)
        raise


@NOUN.command(
    "changes", example="pinecone-admin invite create eve@example.com --role OrgMember --role search:ProjectViewer --yes"
)
@_email
@roles(required=True)
def create(call: Call, *, email: str, role_bindings: Sequence[RoleBindingInput]) -> object:
    """Invite a person by email.

    One of the roles must be on the organization, such as OrgMember.
    """
    with _naming_other_way():
        return call.admin.invites.create(email=email, role_bindings=role_bindings)


@NOUN.command(
    "changes", example="pinecone-admin invite ensure eve@example.com --role OrgMember --yes", is_workflow=True
)
@_email
@roles(required=True)
@if_different
@revoke_others()
def ensure(
    call: Call,
    *,
    email: str,
    role_bindings: Sequence[RoleBindingInput],
    on_difference: OnDifference = "report",
    revoke_unlisted: bool = False,
) -> object:
    """Invite a person, unless an invite for the address is pending.

    One of the roles must be on the organization, such as OrgMember. An expired invite is sent again, or replaced if it
    has other roles. A person who is a member is refused: use user ensure, which gives members and others their roles.
    """
    with _naming_other_way():
        return call.admin.invites.ensure(
            email=email,
            role_bindings=role_bindings,
            on_difference=on_difference,
            revoke_unlisted=revoke_unlisted,
            dry_run=call.is_dry_run,
        )


@NOUN.command("deletes", example="pinecone-admin invite delete bob@example.com --yes")
@_own
def delete(call: Call, *, invite_id: str) -> None:
    """Withdraw an invite."""
    call.admin.invites.delete(invite_id=invite_id)


@NOUN.command("changes", example="pinecone-admin invite resend bob@example.com --yes")
@_own
def resend(call: Call, *, invite_id: str) -> object:
    """Send an invite again, for 7 more days.

    An expired invite becomes pending again.
    """
    return call.admin.invites.resend(invite_id=invite_id)
