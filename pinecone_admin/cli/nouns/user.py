"""Users."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from pinecone_admin.cli.commands import Noun, argument, limit, out, revoke_others, roles
from pinecone_admin.cli.parameters import Email, NameOrId

if TYPE_CHECKING:
    from pinecone_admin.cli.calls.pipeline import Call
    from pinecone_admin.cli.session import Session
    from pinecone_admin.models import RoleBindingInput

NOUN = Noun("user")

_own = argument("user_id", "Email address or id of the user.", type=NameOrId("user"), metavar="USER")


@NOUN.command("reads", example="pinecone-admin user list")
@click.option("--email", help="Only the user with this address.")
@limit
def list_(call: Call, *, email: str | None = None) -> object:
    """List the users of the organization."""
    return call.admin.users.list(email=email, limit=call.page_size)


@NOUN.command("reads", example="pinecone-admin user describe ada@example.com")
@_own
def describe(call: Call, *, user_id: str) -> object:
    """Show one user."""
    return call.admin.users.describe(user_id=user_id)


@NOUN.command("changes", example="pinecone-admin user ensure eve@example.com --role OrgMember --yes", is_workflow=True)
@argument(
    "email", "Email address, at most 254 characters; capital letters do not matter.", type=Email(), metavar="EMAIL"
)
@roles(required=True)
@revoke_others("")
def ensure(
    call: Call, *, email: str, role_bindings: Sequence[RoleBindingInput], revoke_unlisted: bool = False
) -> object:
    """Give a person these roles: a member gets what is missing, anyone else an invite.

    One role must be on the organization, such as OrgMember. Missing roles are added at once, also to a pending invite,
    and none is revoked without --revoke-others. An expired invite is replaced. The JSON has the same fields for a user
    and an invite, and kind shows which it is.
    """
    return call.admin.users.ensure(
        email=email, role_bindings=role_bindings, revoke_unlisted=revoke_unlisted, dry_run=call.is_dry_run
    )


@NOUN.command("deletes", example="pinecone-admin user delete ada@example.com --yes")
@_own
def delete(call: Call, *, user_id: str) -> None:
    """Remove a user from the organization, with all roles."""
    from pinecone_admin.cli.calls.lost_access import require_another_owner  # noqa: PLC0415 - loads the models

    require_another_owner(call, user_id)
    call.admin.users.delete(user_id=user_id)


@NOUN.session_command(
    "deletes", example="pinecone-admin user offboard ada@example.com --yes", is_workflow=True, makes_plan=True
)
@argument("email", "Email address or id of one person.", required=False, metavar="[USER]")
@click.option("--people", metavar="FILE", help="CSV file with a column email: make a plan for these people.")
@out("Write the report, or the plan of --people, to a file.")
def offboard(session: Session, *, email: str | None = None, people: str | None = None, out: str | None = None) -> None:
    """Remove a person, and show which secrets to rotate.

    All roles and invites of the person are removed. Keep the output: afterwards nothing can show what the person could
    reach.

    For many people: --people FILE --out PLAN removes nobody and writes a plan. The plan has an entry for each person,
    in its list "reports". Delete the entries of the people who must stay, then apply it. A warning names addresses
    without a user or an invite.
    """
    from pinecone_admin.cli.plans import offboarding  # noqa: PLC0415 - loads the models

    offboarding.offboard(session, email=email, people=people, out=out)
