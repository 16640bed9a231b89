"""Whether what the account of a client does not see does not exist either."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from pinecone_admin._async.workflows.client_state import own_client_id
from pinecone_admin.errors import NotFoundError, PineconeError
from pinecone_admin.models import PrincipalType, RoleBinding
from pinecone_admin.workflows.changes import Ref, RoleAt
from pinecone_admin.workflows.guard import Caller
from pinecone_admin.workflows.reports import key_of_binding
from pinecone_admin.workflows.roles import is_ownership
from pinecone_admin.workflows.sent_changes import is_api_404

if TYPE_CHECKING:
    from pinecone_admin._async.client import AsyncAdmin


async def is_listed(
    admin: AsyncAdmin, target: Ref, *, binding_id: str | None = None, roles: Collection[RoleAt] = ()
) -> bool | None:
    """Return whether something is listed, or, if its id is given, a role binding of it; None if that cannot be seen.

    Another binding with one of the roles counts as well: somebody may have revoked the role, and granted it again.

    That it is not shows the list of the keys of its project, if that is given, or another list that an OrgOwner reads.
    Contents of a project have no ids; who deletes them has a key of the project.
    """
    if target.id is None:
        return False
    try:
        if target.project is not None:
            return any(each.id == target.id for each in await admin.api_keys.list(project_id=target.project.id or ""))
        if await _find_in_list(admin, target, binding_id, roles):
            return True
        return False if await owns_organization(admin) else None
    except NotFoundError as lost:
        is_gone = target.project is not None and await shows_deletion(admin, lost, target.project)
        return False if is_gone else None
    except PineconeError:
        return None


async def _find_in_list(admin: AsyncAdmin, target: Ref, binding_id: str | None, roles: Collection[RoleAt]) -> bool:
    if binding_id is not None:
        kind = cast("PrincipalType", target.kind)
        bindings = await admin.role_bindings.list(principal_type=kind, principal_id=target.id).to_list()
        places = {(each.role, None if each.project is None else each.project.id) for each in roles}
        return any(each.id == binding_id or _locate(each) in places for each in bindings)
    if target.kind == "api_key":
        projects = admin.projects.list()
        return target.id in {key.id async for each in projects async for key in admin.api_keys.list(project_id=each.id)}
    lists: dict[str, Any] = {
        "organization": admin.organizations.list,
        "project": admin.projects.list,
        "user": admin.users.list,
        "invite": admin.invites.list,
        "service_account": admin.service_accounts.list,
        "role_binding": admin.role_bindings.list,
    }
    return target.id in {each.id async for each in lists[target.kind]()}


def _locate(binding: RoleBinding) -> tuple[str, str | None]:
    """Return the role of a binding, and the id of its project; None for the organization."""
    key = key_of_binding(binding.role, binding.resource_type, binding.resource_id)
    return key.role, key.project_id


async def find_gone_projects(admin: AsyncAdmin, unseen: Collection[str]) -> set[str]:
    """Return which of the projects that got a 404 are gone: those that no list has which an OrgOwner reads.

    Args:
        admin: The client.
        unseen: Ids of the projects.
    """
    if not unseen or not await owns_organization(admin):
        return set()
    return {*unseen} - {each.id for each in await admin.projects.list()}


async def owns_organization(admin: AsyncAdmin) -> bool:
    """Return whether the account visibly owns the organization, so that what it does not see is not there.

    It is False where that is unknown: a token from elsewhere does not say whose it is, and a list may fail.
    """
    client_id = own_client_id(admin)
    if client_id is None:
        return False
    with suppress(PineconeError):
        own = {each.id async for each in admin.service_accounts.list() if Caller(client_id).owns(each)}
        bindings = admin.role_bindings.list(principal_type="service_account", role="OrgOwner")
        return bool(own & {each.principal_id async for each in bindings if is_ownership(each)})
    return False


async def shows_deletion(admin: AsyncAdmin, error: PineconeError, target: Ref) -> bool:
    """Return whether an error shows that something was deleted.

    A 404 of the API alone does not show that: to an account that has lost its role, nothing exists, and a copy of the
    server that is behind may not have it yet. So a list must lack it, too.
    """
    return is_api_404(error) and await is_listed(admin, target) is False
