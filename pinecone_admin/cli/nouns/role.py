"""Roles that somebody holds, which the API calls role bindings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pinecone_admin.cli.commands import Noun, argument, key_scope, limit, own_client_id, principal
from pinecone_admin.cli.parameters import ORGANIZATION, ROLES, BareRole, NameOrId, Reference, Role, RolePlace

if TYPE_CHECKING:
    from pinecone_admin.cli.calls.naming import Thing
    from pinecone_admin.cli.calls.pipeline import Call
    from pinecone_admin.cli.session import Session
    from pinecone_admin.models import RoleBindingInput, RoleName

NOUN = Noun("role")

_own = argument(
    "role_binding_id",
    "Id of the role binding, or TYPE:WHO:ROLE, or TYPE:WHO:PROJECT:ROLE.",
    type=NameOrId("role-binding"),
    metavar="ROLE-BINDING",
)
_wanted_role = click.option(
    "--role",
    type=Role(may_be_of_key=True),
    required=True,
    help="The role, such as OrgMember or search:ProjectEditor; for an API key, without a project.",
)
_REVOKES_OWN = "This is a role of the account you are using. Without it, later commands may be refused."


def _find_lost_membership(call: Call) -> list[str]:
    from pinecone_admin.cli.calls.lost_access import find_lost_membership  # noqa: PLC0415 - loads the models

    return find_lost_membership(call)


def _search_project_for_key(context: click.Context, _: click.Parameter, value: object) -> object:
    """Search for the name of the key in the project of the roles."""
    if isinstance(value, Reference):
        context.obj.settings["scope"] = value
    return value


@NOUN.command("reads", example="pinecone-admin role list --user ada@example.com")
@principal
@click.option(
    "--on",
    type=RolePlace(),
    metavar="organization|PROJECT",
    callback=_search_project_for_key,
    help="Only roles on the organization, or only roles on this project, given by its name or id.",
)
@click.option("--role", type=BareRole(ROLES), help="Only this role.")
@limit
def list_(call: Call, *, principal: Thing | None = None, on: str | None = None, role: RoleName | None = None) -> object:
    """List who holds which role.

    Names that the account may not see are left out. If it may not see all roles, a warning shows this. --output raw
    lists ids alone, and reads no names.
    """
    from pinecone_admin.cli.reports.inventory_report import end_with_missing  # noqa: PLC0415 - as below
    from pinecone_admin.workflows.inventory import find_hidden_bindings  # noqa: PLC0415 - loads the models

    if not call.session.is_row:
        owners = call.admin.role_bindings.list(principal_type="user", role="OrgOwner", limit=1)
        hidden = find_hidden_bindings(owners.pages().__next__().items)
        end_with_missing(call.session, "Not shown", [*map(str, hidden)])
    project_id = None if on == ORGANIZATION else on
    bindings = call.admin.role_bindings.list(
        principal_type=None if principal is None else principal.api_type,
        principal_id=None if principal is None else principal.id,
        resource_type="organization" if on == ORGANIZATION else "project" if project_id else None,
        resource_id=project_id,
        role=role,
        limit=call.page_size,
    )
    if _shows_ids_alone(call.session):
        return bindings
    from pinecone_admin.cli.calls.binding_names import name_bindings  # noqa: PLC0415 - a help needs no models

    return name_bindings(call.admin, bindings)


def _shows_ids_alone(session: Session) -> bool:
    return session.output == "raw" and "query" not in session.settings


@NOUN.command("reads", example="pinecone-admin role describe bf9cc545-6355-48f7-8f6f-a985b732d46f")
@_own
def describe(call: Call, *, role_binding_id: str) -> object:
    """Show one role binding.

    A role binding is a role that somebody holds: user:ada@example.com:OrgMember is one on the organization, and
    user:ada@example.com:search:ProjectViewer on a project. The types are user, service-account, api-key and invite.
    The fields are those of role list.
    """
    binding = call.admin.role_bindings.describe(role_binding_id=role_binding_id)
    if _shows_ids_alone(call.session):
        return binding
    from pinecone_admin.cli.calls.binding_names import name_binding  # noqa: PLC0415 - a help needs no models

    return name_binding(call.admin, binding)


@NOUN.command(
    "changes",
    example="pinecone-admin role grant --user ada@example.com --role search:ProjectEditor --yes",
    is_workflow=True,
)
@_wanted_role
@principal
@key_scope
def grant(call: Call, *, principal: Thing, role: RoleBindingInput) -> object:
    """Grant a role, unless it is held already."""
    return call.admin.role_bindings.ensure(
        principal_type=principal.api_type,
        principal_id=principal.id,
        resource_type=role.resource_type,
        role=role.role,
        resource_id=role.resource_id,
        dry_run=call.is_dry_run,
    )


@NOUN.command(
    "deletes",
    example="pinecone-admin role revoke user:ada@example.com:search:ProjectViewer --yes",
    own_warning=_REVOKES_OWN,
    finds_more=_find_lost_membership,
)
@_own
@own_client_id
def revoke(call: Call, *, role_binding_id: str) -> None:
    """Revoke a role.

    A role binding is a role that somebody holds: user:ada@example.com:OrgMember is one on the organization, and
    user:ada@example.com:search:ProjectViewer on a project. The types are user, service-account, api-key and invite.
    To give another role in place of one, use role change.

    Without its only role, a user may no longer be in the organization. For such a role, and for a role of the account
    you are using, you are asked to type the role binding, as the question shows it.
    """
    call.admin.role_bindings.delete(role_binding_id=role_binding_id)


@NOUN.command(
    "changes",
    example="pinecone-admin role change --user ada@example.com --from search:ProjectViewer --to ProjectEditor --yes",
    is_workflow=True,
    own_warning=_REVOKES_OWN,
)
@click.option(
    "--from",
    "from_role",
    type=Role(may_be_of_key=True),
    required=True,
    help="The present role, such as OrgMember or search:ProjectViewer; for an API key, without a project.",
)
@click.option("--to", "to_role", type=BareRole(ROLES), required=True, help="Role to grant, without its project.")
@principal
@key_scope
@own_client_id
def change(call: Call, *, principal: Thing, from_role: RoleBindingInput, to_role: RoleName) -> object:
    """Replace one role by another.

    The new role is granted first, so access is never lost in between. For a role of the account you are using, you
    are asked to type the value of --service-account.
    """
    return call.admin.role_bindings.change_role(
        principal_type=principal.api_type,
        principal_id=principal.id,
        resource_type=from_role.resource_type,
        from_role=from_role.role,
        to_role=to_role,
        resource_id=from_role.resource_id,
        client_id=call.session.client_id,
        allow_own=call.concerns_caller,  # then the command has asked for the name of the account
        dry_run=call.is_dry_run,
    )
