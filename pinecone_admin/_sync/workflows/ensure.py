# Derived from pinecone_admin/_async/workflows/ensure.py by scripts/unasync.py: change that, not this file.
"""Ensure that something exists, and create it only if it does not.

Search; if nothing is found, create; if the response to that is lost, search again. Two processes that ensure the same
project at the same moment can still create two: names are not unique, and the API has no idempotency key.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from pinecone_admin._concurrency.clock import PollBackoff
from pinecone_admin._http.argument_checks import copy_bindings
from pinecone_admin._http.lookup import require_single
from pinecone_admin._http.validation import check_operation
from pinecone_admin._sync.workflows.create_with_secret import (
    may_have_been_processed,
    poll_until_listed,
)
from pinecone_admin.errors import ConflictError, PineconeError
from pinecone_admin.models import (
    CreateInviteRequest,
    CreateProjectRequest,
    CreateRoleBindingRequest,
    Invite,
    PrincipalType,
    Project,
    ResourceType,
    RoleBinding,
    RoleBindingDict,
    RoleBindingInput,
    RoleBindingLike,
    RoleName,
)
from pinecone_admin.operations import (
    create_invite,
    create_project,
    create_role_binding,
)
from pinecone_admin.workflows.reports import (
    Ensured,
    compare_settings,
    describe_bindings,
    describe_wanted_bindings,
)

if TYPE_CHECKING:
    from pinecone_admin._sync.client import Admin

_T = TypeVar("_T")


def ensure_project(
    admin: Admin, *, name: str, max_pods: int | None = None, force_encryption_with_cmek: bool | None = None
) -> Ensured[Project]:
    """Ensure that a project with this name exists."""
    body = CreateProjectRequest(name=name, max_pods=max_pods, force_encryption_with_cmek=force_encryption_with_cmek)
    operation = create_project(body=body)
    check_operation(operation)

    def find_existing() -> Project | None:
        named = [project for project in admin.projects.list() if project.name == name]
        return require_single(named, f"projects named {name!r}") if named else None

    def create() -> Project:
        return admin.send(operation)

    project, created = _find_or_create(admin, find_existing, create, unique=False)
    differing = compare_settings(
        max_pods=(project.max_pods, max_pods),
        force_encryption_with_cmek=(project.force_encryption_with_cmek, force_encryption_with_cmek),
    )
    return Ensured(value=project, created=created, differences=differing)


def ensure_invite(
    admin: Admin, *, email: str, role_bindings: Sequence[RoleBindingInput | RoleBindingDict | RoleBindingLike]
) -> Ensured[Invite]:
    """Ensure that a pending invite for this address exists; an expired one is sent again."""
    wanted = copy_bindings(role_bindings)
    operation = create_invite(body=CreateInviteRequest(email=email, role_bindings=wanted))
    check_operation(operation)
    expired: list[Invite] = []

    def find_existing() -> Invite | None:
        invites = [each for each in admin.invites.list() if each.email.casefold() == email.casefold()]
        pending = [each for each in invites if each.status == "pending"]
        expired[:] = [each for each in invites if each.status == "expired"]
        return require_single(pending, f"invites for {email}") if pending else None

    def create() -> Invite:
        if expired:
            return admin.invites.resend(invite_id=expired[-1].id)
        return admin.send(operation)

    invite, created = _find_or_create(admin, find_existing, create, unique=True)
    bindings = admin.role_bindings.list(principal_type="invite", principal_id=invite.id).to_list()
    differing = compare_settings(role_bindings=(describe_bindings(bindings), describe_wanted_bindings(wanted)))
    return Ensured(value=invite, created=created, differences=differing)


def ensure_role_binding(
    admin: Admin,
    *,
    principal_type: PrincipalType,
    principal_id: str,
    resource_type: ResourceType,
    role: RoleName,
    resource_id: str | None = None,
) -> Ensured[RoleBinding]:
    """Ensure that a principal holds a role."""
    body = CreateRoleBindingRequest(
        principal_type=principal_type,
        principal_id=principal_id,
        resource_type=resource_type,
        resource_id=resource_id,
        role=role,
    )
    operation = create_role_binding(body=body)
    check_operation(operation)

    def find_existing() -> RoleBinding | None:
        bindings = admin.role_bindings.list(
            principal_type=principal_type,
            principal_id=principal_id,
            resource_type=resource_type,
            resource_id=resource_id,
            role=role,
        )
        found = bindings.to_list(max_items=1)
        return found[0] if found else None

    def create() -> RoleBinding:
        return admin.send(operation)

    binding, created = _find_or_create(admin, find_existing, create, unique=True)
    return Ensured(value=binding, created=created)


def _find_or_create(
    admin: Admin,
    find_existing: Callable[[], _T | None],
    create: Callable[[], _T],
    *,
    unique: bool,
) -> tuple[_T, bool]:
    """Return the thing and whether this call created it.

    If it is unique, the create may be repeated, since the server refuses a second one.

    Raises:
        PineconeError: The create failed, or its response was lost and nothing new appeared before the deadline.
    """
    backoff = PollBackoff(admin.timeout)
    lost_response: PineconeError | None = None
    while (found := find_existing()) is None:
        try:
            if unique or lost_response is None:
                return create(), True
        except ConflictError:
            if (found := poll_until_listed(find_existing)) is None:
                raise
            break
        except PineconeError as error:
            if not may_have_been_processed(error):
                raise
            lost_response = error
        if not backoff.wait():
            assert lost_response is not None  # noqa: S101 - otherwise the create would have returned
            raise lost_response
    return found, lost_response is not None
