# Derived from tests/_async/test_workflow_reconcile.py by scripts/unasync.py: change that, not this file.
"""What ``ensure`` does about differences, and what a dry run of it says."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from pinecone_admin import (
    Admin,
    ConflictError,
    PineconeValueError,
    RefusedError,
    ServiceError,
    UnprocessableEntityError,
    on_organization,
    on_project,
)
from pinecone_admin.emulator import Emulator
from pinecone_admin.models import RoleBindingInput
from pinecone_admin.workflows import Ensured
from tests.support.errors import raises
from tests.support.fault_injection import FaultyTransport, InjectedFault
from tests.support.steps import as_planned, describe_roles, describe_steps

pytestmark = pytest.mark.anyio

ROLES = [on_organization("OrgMember"), on_organization("OrgBillingAdmin")]


def ensure_project(admin: Admin, _: str, **more: Any) -> Ensured[Any]:
    """Ensure a project that requires an encryption key."""
    return admin.projects.ensure(name="p", force_encryption_with_cmek=True, **more)


def ensure_key(admin: Admin, project_id: str, **more: Any) -> Ensured[Any]:
    """Ensure a key that is ProjectViewer and DataPlaneEditor."""
    return admin.api_keys.ensure(project_id=project_id, name="k", roles=["ProjectViewer", "DataPlaneEditor"], **more)


def ensure_account(admin: Admin, project_id: str, **more: Any) -> Ensured[Any]:
    """Ensure a service account that has two roles."""
    return admin.service_accounts.ensure(name="s", role_bindings=roles_on(project_id), **more)


def ensure_invite(admin: Admin, project_id: str, **more: Any) -> Ensured[Any]:
    """Ensure an invite that has two roles."""
    return admin.invites.ensure(email="a@example.com", role_bindings=roles_on(project_id), **more)


def roles_on(project_id: str) -> list[RoleBindingInput]:
    """Return the wanted roles: one on the organization, and one on the project."""
    return [on_organization("OrgMember"), on_project(project_id, "ProjectViewer")]


ENSURE: dict[str, Callable[..., Any]] = {
    "project": ensure_project,
    "key": ensure_key,
    "account": ensure_account,
    "invite": ensure_invite,
}
STEPS = {
    "project": ["updated project p ({id}): force_encryption_with_cmek from False to True"],
    "key": ["updated key k ({id}) in project {project}: roles from ProjectEditor to ProjectViewer and DataPlaneEditor"],
    "account": ["granted ProjectViewer on project {project} to service account s ({id})"],
    "invite": ["granted ProjectViewer on project {project} to invite for a@example.com ({id})"],
}
REVOKE: dict[str, Any] = {"revoke_unlisted": True}
each_kind = pytest.mark.parametrize("kind", ENSURE)


def create_different(admin: Admin) -> str:
    """Create a resource of each kind that differs from the wanted one, and return the id of the project."""
    project = admin.projects.create(name="p")
    admin.api_keys.create(project_id=project.id, name="k", roles=["ProjectEditor"])
    admin.service_accounts.create(name="s", role_bindings=ROLES)
    admin.invites.create(email="a@example.com", role_bindings=ROLES)
    return project.id


def list_roles(admin: Admin, kind: str, id: str) -> list[str]:
    """Return the roles of a service account or an invite, sorted."""
    principal_type: Any = {"account": "service_account", "invite": "invite"}[kind]
    bindings = admin.role_bindings.list(principal_type=principal_type, principal_id=id)
    return sorted([binding.role for binding in bindings])


@each_kind
def test_an_update_removes_the_differences_and_reports_them(kind: str, admin: Admin) -> None:
    """An update changes what differs, and reports what was found and done; a second one finds nothing to do."""
    project_id = create_different(admin)
    first = ENSURE[kind](admin, project_id, on_difference="update")
    assert (first.created, len(first.differences)) == (False, 1)
    names = {"id": first.value.id, "project": project_id}
    assert describe_steps(first.steps) == [step.format(**names) for step in STEPS[kind]]
    second = ENSURE[kind](admin, project_id, on_difference="update")
    assert (second.value, second.steps) == (first.value, [])
    if kind in {"account", "invite"}:  # what is bound beyond the wish is reported, and kept
        assert list_roles(admin, kind, first.value.id) == ["OrgBillingAdmin", "OrgMember", "ProjectViewer"]
        assert len(second.differences) == 1
    else:
        assert second.differences == []


@each_kind
def test_a_difference_raises_before_any_change(kind: str, admin: Admin, emulator: Emulator) -> None:
    """With ``"raise"``, a difference raises an error that names it, and nothing is changed."""
    project_id = create_different(admin)
    transport = FaultyTransport(emulator)
    with raises(RefusedError, match="differs: .*: found ") as caught:
        ENSURE[kind](transport.admin(), project_id, on_difference="raise")
    assert caught.value.operation is not None
    assert all(request.startswith("GET") for request in transport.requests)
    ENSURE[kind](admin, project_id, on_difference="update", **({} if kind in {"project", "key"} else REVOKE))
    assert (ENSURE[kind](admin, project_id, on_difference="raise")).differences == []


@pytest.mark.parametrize("kind", ["account", "invite"])
def test_unlisted_roles_are_revoked_after_granting(kind: str, admin: Admin, emulator: Emulator) -> None:
    """With ``revoke_unlisted``, an update grants first, and then revokes."""
    project_id = create_different(admin)
    transport = FaultyTransport(emulator)
    ensured = ENSURE[kind](transport.admin(), project_id, on_difference="update", **REVOKE)
    assert list_roles(admin, kind, ensured.value.id) == ["OrgMember", "ProjectViewer"]
    principal = {"account": "service account s", "invite": "invite for a@example.com"}[kind]
    assert describe_steps(ensured.steps) == [
        f"granted ProjectViewer on project {project_id} to {principal} ({ensured.value.id})",
        f"revoked OrgBillingAdmin on the organization from {principal} ({ensured.value.id})",
    ]
    changes = [request.split()[0] for request in transport.requests if not request.startswith("GET")]
    assert changes == ["POST", "DELETE"]


@pytest.mark.parametrize("kind", ["account", "invite"])
def test_a_refused_revocation_keeps_what_was_granted(kind: str, emulator: Emulator) -> None:
    """If a role cannot be revoked, the granted ones are kept, a note says so, and another run completes the update."""
    project_id = create_different(emulator.admin())
    faults = dict.fromkeys(range(1, 99), InjectedFault.UNAVAILABLE)
    admin = FaultyTransport(emulator, faults, only_method="DELETE").admin()
    with raises(ServiceError) as caught:
        ENSURE[kind](admin, project_id, on_difference="update", **REVOKE)
    assert "roles that were granted are kept" in caught.value.__notes__[0]
    ensured = ENSURE[kind](emulator.admin(), project_id, on_difference="update", **REVOKE)
    assert describe_roles(ensured.steps) == [("revoke", ["OrgBillingAdmin"])]


def test_a_failed_grant_revokes_those_before_it(admin: Admin, emulator: Emulator) -> None:
    """If a role cannot be granted, the roles that the call granted before are revoked again."""
    project_id = create_different(admin)
    wanted = [*ROLES, on_project(project_id, "ProjectViewer"), on_project("nowhere", "ProjectViewer")]
    with pytest.raises(Exception, match="404"):
        admin.service_accounts.ensure(name="s", role_bindings=wanted, on_difference="update")
    _, account = emulator.state.service_accounts.listing
    assert list_roles(admin, "account", account.id) == ["OrgBillingAdmin", "OrgMember"]


def test_roles_of_the_caller_are_never_revoked(admin: Admin, emulator: Emulator) -> None:
    """Roles of the client's own account are kept."""
    (own,) = emulator.state.service_accounts.listing
    wanted: dict[str, Any] = {"name": own.name, "role_bindings": [on_organization("OrgMember")]}
    ensured = admin.service_accounts.ensure(**wanted, on_difference="update", **REVOKE)
    who = f"service account {own.name} ({own.id})"
    assert describe_steps(ensured.steps) == [
        f"granted OrgMember on the organization to {who}",
        f"skipped: revoke OrgOwner on the organization from {who}, because this client authenticates as the account",
    ]
    assert list_roles(admin, "account", own.id) == ["OrgMember", "OrgOwner"]
    called = Admin(client_id=lambda: own.client_id, client_secret=own.client_secret, transport=emulator.transport)
    assert called.service_accounts.ensure(**wanted, on_difference="update", **REVOKE)
    assert list_roles(admin, "account", own.id) == ["OrgMember", "OrgOwner"]


def test_a_client_with_a_token_revokes_no_role_of_an_account(admin: Admin, emulator: Emulator) -> None:
    """With only a token, however it is given, the account may be the caller's own: nothing is changed."""
    made = admin.service_accounts.create(name="robot", role_bindings=[on_organization("OrgOwner")])
    credentials = (made.service_account.client_id, made.client_secret)
    robot = Admin(client_id=credentials[0], client_secret=credentials[1], transport=emulator.transport)
    token = (robot.token()).value
    headers = {"Authorization": f"Bearer {token}"}
    transport = FaultyTransport(emulator)
    for client in (
        Admin(access_token=token, transport=transport),
        Admin(additional_headers=headers, transport=transport),
        transport.admin().with_options(additional_headers=headers),
    ):
        with raises(RefusedError, match="may be the caller's own, because an access token .*; nothing was changed"):
            client.service_accounts.ensure(name="robot", role_bindings=[], on_difference="update", **REVOKE)
    assert all(request.startswith("GET") for request in transport.requests)
    own = Admin(access_token=token, transport=transport).service_accounts.ensure(
        name="robot", role_bindings=[], on_difference="update", client_id=credentials[0], **REVOKE
    )
    assert [each.state for each in own.steps] == ["skipped"]


def test_the_last_organization_role_of_an_invite_stays(admin: Admin) -> None:
    """If the server refuses to revoke a role, its error is raised unchanged."""
    admin.invites.create(email="a@example.com", role_bindings=ROLES[:1])
    invite = admin.invites.ensure(
        email="a@example.com", role_bindings=ROLES[1:], on_difference="update", revoke_unlisted=True
    )
    assert list_roles(admin, "invite", invite.value.id) == ["OrgBillingAdmin"]
    with raises(ConflictError):
        for binding in admin.role_bindings.list(principal_type="invite", principal_id=invite.value.id).to_list():
            admin.role_bindings.delete(role_binding_id=binding.id)


@pytest.mark.parametrize("kind", ["account", "invite"])
def test_revoking_without_updating_is_a_contradiction(kind: str, emulator: Emulator) -> None:
    """``revoke_unlisted`` raises unless differences are to be removed, before any request."""
    transport = FaultyTransport(emulator)
    with raises(PineconeValueError, match="revoke_unlisted requires on_difference 'update'"):
        ENSURE[kind](transport.admin(), "p", revoke_unlisted=True)
    assert transport.requests == []


@each_kind
@pytest.mark.parametrize("exists", [False, True])
def test_a_dry_run_says_what_a_real_run_does(kind: str, exists: bool, admin: Admin, emulator: Emulator) -> None:
    """A dry run sends only GET requests, and its report is that of the real run after it."""
    project_id = create_different(admin) if exists else (admin.projects.create(name="other")).id
    options = {"on_difference": "update"} | (REVOKE if kind in {"account", "invite"} else {})
    transport = FaultyTransport(emulator)
    preview = ENSURE[kind](transport.admin(), project_id, **options, dry_run=True)
    assert all(request.startswith("GET") for request in transport.requests)
    real = ENSURE[kind](admin, project_id, **options)
    assert (preview.created, preview.differences) == (real.created, real.differences)
    assert as_planned(preview.steps) == as_planned(real.steps)
    assert real.created is not exists
    if exists:
        assert preview.value == real.value
    else:
        assert "value=None" in repr(preview)
        with raises(PineconeValueError, match="dry run"):
            _ = preview.value


def test_a_dry_run_of_provision_says_what_a_real_run_does(admin: Admin, emulator: Emulator) -> None:
    """A dry run of ``provision`` sends only GET requests, whatever exists already."""
    account = (admin.service_accounts.create(name="robot")).service_account
    arguments: dict[str, Any] = {"name": "tenant", "key_roles": ["ProjectViewer"], "store": print}
    for role in ("ProjectViewer", "ProjectEditor"):
        admin.projects.ensure(name="tenant")
        arguments["bindings"] = [{"principal_type": "service_account", "principal_id": account.id, "role": role}]
        transport = FaultyTransport(emulator)
        preview = transport.admin().projects.provision(**arguments, dry_run=True)
        assert all(request.startswith("GET") for request in transport.requests)
        real = admin.projects.provision(**arguments)
        assert as_planned(preview.steps) == as_planned(real.steps)
        assert [each.created for each in preview.bindings] == [each.created for each in real.bindings]


def test_a_dry_run_of_a_tenant_that_does_not_exist(admin: Admin, emulator: Emulator) -> None:
    """If the project does not exist, a dry run lists everything that would be created."""
    binding: Any = {"principal_type": "user", "principal_id": "u", "role": "ProjectViewer"}
    preview = admin.projects.provision(
        name="tenant", key_roles=["ProjectViewer"], store=print, bindings=[binding], dry_run=True
    )
    assert describe_steps(preview.steps) == [
        "would create project tenant",
        "would grant ProjectViewer on new project tenant to user u",
        "would create key tenant in new project tenant with ProjectViewer",
        "would rename key '~makes:c0b48860 tenant' in new project tenant to tenant",
    ]
    assert not emulator.state.projects


def test_dry_runs_of_a_role_change_and_of_a_rotation_of_a_secret(admin: Admin, emulator: Emulator) -> None:
    """Both send only GET requests; the report of a role change is that of the real run after it."""
    made = admin.service_accounts.create(name="robot", role_bindings=[on_organization("OrgManager")])
    account = made.service_account
    change: dict[str, Any] = {
        "principal_type": "service_account",
        "principal_id": account.id,
        "resource_type": "organization",
        "from_role": "OrgManager",
        "to_role": "OrgMember",
    }
    transport = FaultyTransport(emulator)
    dry = transport.admin()
    preview = dry.role_bindings.change_role(**change, dry_run=True)
    assert preview.binding.role == "OrgManager"
    assert dry.service_accounts.rotate(service_account_id=account.id, store=print, dry_run=True) == account
    assert all(request.startswith("GET") for request in transport.requests)
    assert as_planned(preview.steps) == as_planned((admin.role_bindings.change_role(**change)).steps)
    again = dry.role_bindings.change_role(**change, dry_run=True)
    assert (again.steps, again.binding.role) == ([], "OrgMember")


@pytest.mark.parametrize("who", ["user", "invite", "service_account"])
@pytest.mark.parametrize("fails", ["create_role_binding", "delete_role_binding"])
def test_roles_are_revoked_again_until_the_first_other_role_is_revoked(who: Any, fails: str) -> None:
    """As the docstrings of the three methods say: a failed grant undoes the earlier ones, a failed revocation none."""
    emulator = Emulator(seed=1)
    admin, former = emulator.admin(), [on_organization("OrgManager")]
    wanted = [on_organization("OrgMember"), on_organization("OrgBillingAdmin")]
    call: Callable[[], Any]
    if who == "user":
        id = emulator.add_user("a@example.com", roles=["OrgManager"]).id
        call = partial(admin.users.ensure, email="a@example.com", role_bindings=wanted, revoke_unlisted=True)
    elif who == "invite":
        id = (admin.invites.create(email="a@example.com", role_bindings=former)).id
        call = partial(
            admin.invites.ensure,
            email="a@example.com",
            role_bindings=wanted,
            on_difference="update",
            revoke_unlisted=True,
        )
    else:
        id = (admin.service_accounts.create(name="s", role_bindings=former)).service_account.id
        call = partial(
            admin.service_accounts.ensure, name="s", role_bindings=wanted, on_difference="update", revoke_unlisted=True
        )
    emulator.faults.add(fails, status=422, skip=int(fails == "create_role_binding"))
    with raises(UnprocessableEntityError) as caught:
        call()
    held = sorted([each.role for each in admin.role_bindings.list(principal_type=who, principal_id=id)])
    granted = ["OrgBillingAdmin", "OrgMember"] if fails == "delete_role_binding" else []
    assert (held, caught.value.outcome) == (sorted(["OrgManager", *granted]), "done" if granted else "undone")
