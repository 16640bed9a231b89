"""Organizations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from pinecone_admin._text.counts import count_noun
from pinecone_admin._text.quoting import describe_resource, quote_name
from pinecone_admin.cli.commands import Noun, argument, limit
from pinecone_admin.cli.parameters import NameOrId, NewName

if TYPE_CHECKING:
    from pinecone_admin.cli.calls.pipeline import Call
    from pinecone_admin.errors import PineconeError
    from pinecone_admin.models import Organization

NOUN = Noun("organization")

_own = argument(
    "organization_id", "Name or id of the organization.", type=NameOrId("organization"), metavar="ORGANIZATION"
)


@NOUN.command("reads", example="pinecone-admin organization list")
@limit
def list_(call: Call) -> object:
    """List the organizations that the account belongs to."""
    return call.admin.organizations.list()


@NOUN.command("reads", example="pinecone-admin organization describe 'Emulated Organization'")
@_own
def describe(call: Call, *, organization_id: str) -> object:
    """Show one organization."""
    return call.admin.organizations.describe(organization_id=organization_id)


@NOUN.command("changes", example="pinecone-admin organization update 'Emulated Organization' --name Acme --yes")
@_own
@click.option("--name", type=NewName("UpdateOrganizationRequest"), required=True, help="New name, 1 to 512 characters.")
def update(call: Call, *, organization_id: str, name: str) -> object:
    """Rename an organization."""
    return call.admin.organizations.update(organization_id=organization_id, name=name)


def _find_contents(call: Call) -> list[str]:
    """Return what is deleted with an organization, as sentences.

    Raises:
        RefusedError: The server would refuse the deletion, because of the plan, the payment status or the projects.
    """
    from pinecone_admin._sync.workflows.read_people import PeopleList, read_people  # noqa: PLC0415 - loads the client
    from pinecone_admin.cli.calls.confirmation import find_parts, join_first_names  # noqa: PLC0415 - as above
    from pinecone_admin.cli.calls.naming import Thing  # noqa: PLC0415 - as above
    from pinecone_admin.cli.identity.caller import read_if_allowed  # noqa: PLC0415 - as above
    from pinecone_admin.cli.sentences import list_words  # noqa: PLC0415 - as above
    from pinecone_admin.errors import ForbiddenError, RefusedError  # noqa: PLC0415 - as above

    assert call.own is not None  # noqa: S101 - the command is about an organization that exists
    found: Organization = call.names.read(call.own)
    call.own = call.remember(Thing(call.own.noun, found.id, found.name))
    whole = describe_resource("Organization", found.name, None)
    admin = call.admin

    def read(kind: PeopleList) -> Sequence[Any] | PineconeError:
        try:
            return list(admin.invites.list() if kind == "invites" else admin.users.list())
        except ForbiddenError as error:
            return error

    invites, users = read_people(read)
    lists: dict[str, Callable[[], Iterable[object]]] = {
        "invite": partial(_return_or_raise, invites),
        "user": partial(_return_or_raise, users),
        "service account": admin.service_accounts.list,
    }
    projects = read_if_allowed(lambda: [quote_name(each.name) for each in admin.projects.list()])
    reasons = [] if found.plan == "Free" else [f"its plan is {found.plan} (not Free)"]
    reasons += (
        [] if found.payment_status == "Active" else [f"its payment status is {found.payment_status} (not Active)"]
    )
    reasons += [f"it has {count_noun(len(projects), 'project')} ({join_first_names(projects)})"] if projects else []
    if reasons:
        raise RefusedError(f"organization {quote_name(found.name)} cannot be deleted, because {list_words(reasons)}")
    hidden = f"{whole} may have projects that this account cannot see, and can be deleted only when it has none."
    return [*([hidden] if projects is None else []), *find_parts(call, whole, lists)]


def _return_or_raise(listed: Sequence[Any] | PineconeError) -> Sequence[Any]:
    if isinstance(listed, Exception):
        raise listed
    return listed


@NOUN.command(
    "deletes",
    example="pinecone-admin organization delete 'Emulated Organization' --dry-run",
    confirms=True,
    finds_more=_find_contents,
)
@_own
def delete(call: Call, *, organization_id: str) -> None:
    """Delete an organization.

    It must have no projects, be on the Free plan and have the payment status Active. You are asked for its name.
    """
    call.admin.organizations.delete(organization_id=organization_id)
