# Derived from tests/_async/test_operations.py by scripts/unasync.py: change that, not this file.
"""The 32 operations: through the namespaces, through send with builders, and with operations made by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, timedelta
from typing import Any

import pytest

from pinecone_admin import (
    Admin,
    BadRequestError,
    ConflictError,
    FailedPreconditionError,
    NotFoundError,
    Operation,
    PineconeValueError,
    on_organization,
    on_project,
    operations,
)
from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.model.records import Grant, Principal
from pinecone_admin.models import (
    CreateAPIKeyRequest,
    CreateInviteRequest,
    CreateProjectRequest,
    CreateRoleBindingRequest,
    CreateServiceAccountRequest,
    Project,
    ProjectList,
    RoleBindingInput,
    UpdateAPIKeyRequest,
    UpdateOrganizationRequest,
    UpdateProjectRequest,
    UpdateServiceAccountRequest,
)
from tests.support.errors import raises
from tests.support.scripted_transport import ScriptedResponse, ScriptedTransport

pytestmark = pytest.mark.anyio

USER = {"principal_type": "user", "principal_id": "u"}
MEMBER = {"resource_type": "organization", "role": "OrgMember"}
MEMBER_OF_NONE: Any = MEMBER | {"resource_id": None}
VIEWER = {"resource_type": "project", "resource_id": "p", "role": "ProjectViewer"}

# Call → method, path with query, body.
REQUESTS: list[tuple[Callable[[Admin], Any], str, str, object]] = [
    (lambda a: a.organizations.list(), "GET", "/admin/organizations", None),
    (lambda a: a.organizations.describe(organization_id="-Nx"), "GET", "/admin/organizations/-Nx", None),
    (
        lambda a: a.organizations.update(organization_id="-Nx", name="é"),
        "PATCH",
        "/admin/organizations/-Nx",
        {"name": "é"},
    ),
    (lambda a: a.organizations.delete(organization_id="-Nx"), "DELETE", "/admin/organizations/-Nx", None),
    (lambda a: a.projects.list(), "GET", "/admin/projects", None),
    (lambda a: a.projects.create(name="x"), "POST", "/admin/projects", {"name": "x"}),
    (
        lambda a: a.projects.create(name="x", max_pods=0, force_encryption_with_cmek=False),
        "POST",
        "/admin/projects",
        {"name": "x", "max_pods": 0, "force_encryption_with_cmek": False},
    ),
    (lambda a: a.projects.describe(project_id="p"), "GET", "/admin/projects/p", None),
    (lambda a: a.projects.describe_by_name(name="x"), "GET", "/admin/projects", None),
    (lambda a: a.projects.exists(project_id="p"), "GET", "/admin/projects/p", None),
    (lambda a: a.projects.exists(name="x"), "GET", "/admin/projects", None),
    (lambda a: a.projects.update(project_id="p", max_pods=2), "PATCH", "/admin/projects/p", {"max_pods": 2}),
    (
        lambda a: a.projects.update(project_id="p", name="x", force_encryption_with_cmek=True),
        "PATCH",
        "/admin/projects/p",
        {"name": "x", "force_encryption_with_cmek": True},
    ),
    (lambda a: a.projects.delete(project_id="p"), "DELETE", "/admin/projects/p", None),
    (lambda a: a.api_keys.list(project_id="p"), "GET", "/admin/projects/p/api-keys", None),
    (lambda a: a.api_keys.create(project_id="p", name="x"), "POST", "/admin/projects/p/api-keys", {"name": "x"}),
    (
        lambda a: a.api_keys.create(project_id="p", name="x", roles=("ProjectViewer",)),
        "POST",
        "/admin/projects/p/api-keys",
        {"name": "x", "roles": ["ProjectViewer"]},
    ),
    (lambda a: a.api_keys.describe(api_key_id="k"), "GET", "/admin/api-keys/k", None),
    (lambda a: a.api_keys.update(api_key_id="k", roles=[]), "PATCH", "/admin/api-keys/k", {"roles": []}),
    (lambda a: a.api_keys.delete(api_key_id="k"), "DELETE", "/admin/api-keys/k", None),
    (lambda a: a.users.list().to_list(), "GET", "/admin/users", None),
    (
        lambda a: a.users.list(email="a+b@c.d", limit=7, pagination_token="t&").to_list(),
        "GET",
        "/admin/users?email=a%2Bb%40c.d&limit=7&paginationToken=t%26",
        None,
    ),
    (lambda a: a.users.describe(user_id="u"), "GET", "/admin/users/u", None),
    (lambda a: a.users.delete(user_id="u"), "DELETE", "/admin/users/u", None),
    (lambda a: a.invites.list(limit=1).to_list(), "GET", "/admin/invites?limit=1", None),
    (
        lambda a: a.invites.create(email="a@b.c", role_bindings=[on_organization("OrgMember")]),
        "POST",
        "/admin/invites",
        {"email": "a@b.c", "role_bindings": [MEMBER]},
    ),
    (lambda a: a.invites.describe(invite_id="i"), "GET", "/admin/invites/i", None),
    (lambda a: a.invites.delete(invite_id="i"), "DELETE", "/admin/invites/i", None),
    (lambda a: a.invites.resend(invite_id="i"), "POST", "/admin/invites/i/resend", None),
    (lambda a: a.service_accounts.list().to_list(), "GET", "/admin/service-accounts", None),
    (lambda a: a.service_accounts.create(name="x"), "POST", "/admin/service-accounts", {"name": "x"}),
    (
        lambda a: a.service_accounts.create(
            name="x",
            role_bindings=(
                {"resource_type": "organization", "role": "OrgMember"},
                on_project("p", "ProjectViewer"),
                MEMBER_OF_NONE,
            ),
        ),
        "POST",
        "/admin/service-accounts",
        {"name": "x", "role_bindings": [MEMBER, VIEWER, MEMBER]},
    ),
    (lambda a: a.service_accounts.describe(service_account_id="s"), "GET", "/admin/service-accounts/s", None),
    (
        lambda a: a.service_accounts.update(service_account_id="s", name="x"),
        "PATCH",
        "/admin/service-accounts/s",
        {"name": "x"},
    ),
    (lambda a: a.service_accounts.delete(service_account_id="s"), "DELETE", "/admin/service-accounts/s", None),
    (
        lambda a: a.service_accounts.rotate_secret(service_account_id="s"),
        "POST",
        "/admin/service-accounts/s/rotate-secret",
        None,
    ),
    (lambda a: a.role_bindings.list().to_list(), "GET", "/admin/role-bindings", None),
    (
        lambda a: a.role_bindings.list(
            principal_type="user",
            principal_id="u",
            resource_type="project",
            resource_id="p",
            role="ProjectViewer",
        ).to_list(),
        "GET",
        "/admin/role-bindings?principal_type=user&principal_id=u&resource_type=project&resource_id=p&role=ProjectViewer",
        None,
    ),
    (
        lambda a: a.role_bindings.create(
            principal_type="user",
            principal_id="u",
            resource_type="project",
            resource_id="p",
            role="ProjectViewer",
        ),
        "POST",
        "/admin/role-bindings",
        USER | VIEWER,
    ),
    (
        lambda a: a.role_bindings.create(
            principal_type="user", principal_id="u", resource_type="organization", role="OrgMember"
        ),
        "POST",
        "/admin/role-bindings",
        USER | MEMBER,
    ),
    (lambda a: a.role_bindings.describe(role_binding_id="b"), "GET", "/admin/role-bindings/b", None),
    (lambda a: a.role_bindings.delete(role_binding_id="b"), "DELETE", "/admin/role-bindings/b", None),
]


@pytest.mark.parametrize(
    ("call", "method", "target", "body"), REQUESTS, ids=[f"{method} {target}" for _, method, target, _ in REQUESTS]
)
def test_every_method_sends_its_request(
    call: Callable[[Admin], Any], method: str, target: str, body: object, make_client: Callable[..., Admin]
) -> None:
    """A method sends one request with its verb, path and query, and a JSON body of the arguments given."""
    script = ScriptedTransport(ScriptedResponse(400))
    with raises(BadRequestError):
        call(make_client(script))
    assert (script.request.method, script.request.url.raw_path.decode()) == (method, target)
    content = script.request.content
    assert (json.loads(content) if content else None) == body
    assert script.request.headers.get("content-type") == ("application/json" if content else None)


def test_organization_lifecycle() -> None:
    """The caller's organization can be listed, described, renamed and, on the Free plan, deleted."""
    emulator = Emulator(plan="Free")
    admin = emulator.admin()
    (organization,) = admin.organizations.list()
    assert organization.id == emulator.organization_id
    renamed = admin.organizations.update(organization_id=organization.id, name="Ünï")
    assert renamed.name == "Ünï"
    assert admin.organizations.describe(organization_id=organization.id) == renamed
    admin.organizations.delete(organization_id=organization.id)


def test_a_refused_delete_raises_its_error(admin: Admin, emulator: Emulator) -> None:
    """A refused delete of an organization raises the error of its status and code."""
    with raises(FailedPreconditionError) as caught:
        admin.organizations.delete(organization_id=emulator.organization_id)
    assert caught.value.error_code == "FAILED_PRECONDITION"
    assert caught.value.outcome == "rejected"


def test_project_lifecycle(admin: Admin) -> None:
    """A project is created, described, updated, listed and deleted, and is then not found."""
    project = admin.projects.create(name="search")
    assert (project.name, project.max_pods, project.force_encryption_with_cmek) == ("search", 0, False)
    assert project.created_at is not None
    assert project.created_at.tzinfo == UTC
    assert admin.projects.describe(project_id=project.id) == project
    changed = admin.projects.update(project_id=project.id, name="find", force_encryption_with_cmek=True)
    assert (changed.name, changed.force_encryption_with_cmek) == ("find", True)
    assert admin.projects.list() == [changed]
    admin.projects.delete(project_id=project.id)
    with raises(NotFoundError):
        admin.projects.describe(project_id=project.id)
    with raises(NotFoundError):
        admin.projects.delete(project_id=project.id)
    assert admin.projects.list() == []


def test_api_key_lifecycle(admin: Admin) -> None:
    """An API key is created with its value, described, updated, listed and deleted."""
    project = admin.projects.create(name="search")
    created = admin.api_keys.create(project_id=project.id, name="app")
    assert created.value.startswith("pcsk_")
    assert created.key.roles == ["ProjectEditor"]
    assert admin.api_keys.describe(api_key_id=created.key.id) == created.key
    changed = admin.api_keys.update(api_key_id=created.key.id, name="web", roles=["ProjectViewer", "DataPlaneEditor"])
    assert (changed.name, set(changed.roles)) == ("web", {"ProjectViewer", "DataPlaneEditor"})
    assert admin.api_keys.list(project_id=project.id) == [changed]
    admin.api_keys.delete(api_key_id=created.key.id)
    with raises(NotFoundError):
        admin.api_keys.describe(api_key_id=created.key.id)


def test_user_lifecycle(admin: Admin, emulator: Emulator) -> None:
    """An invited user is listed by email in any case, described and deleted."""
    invite = admin.invites.create(email="ann@example.com", role_bindings=[on_organization("OrgMember")])
    emulator.state.accept_invite(emulator.state.invites[invite.id], emulator.clock.now())
    (user,) = admin.users.list(email="ANN@example.com").to_list()
    assert (user.email, user.name) == ("ann@example.com", None)
    assert admin.users.describe(user_id=user.id) == user
    assert (admin.invites.describe(invite_id=invite.id)).status == "processed"
    admin.users.delete(user_id=user.id)
    with raises(NotFoundError):
        admin.users.describe(user_id=user.id)
    assert user not in admin.users.list().to_list()


def test_invite_lifecycle(admin: Admin, emulator: Emulator) -> None:
    """An invite expires after 7 days, is pending again once it is resent, and can be deleted."""
    invite = admin.invites.create(email="ann@example.com", role_bindings=[on_organization("OrgOwner")])
    with raises(ConflictError, match=invite.id):
        admin.invites.create(email="ann@example.com", role_bindings=[on_organization("OrgOwner")])
    emulator.clock.advance(8 * 24 * 3600)
    admin = emulator.admin()
    (expired,) = admin.invites.list().to_list()
    assert expired.status == "expired"
    resent = admin.invites.resend(invite_id=invite.id)
    assert resent.status == "pending"
    assert resent.expires_at is not None
    assert abs(resent.expires_at - emulator.clock.now() - timedelta(days=7)) < timedelta(seconds=1)
    admin.invites.delete(invite_id=invite.id)
    with raises(NotFoundError):
        admin.invites.describe(invite_id=invite.id)


def test_service_account_lifecycle(admin: Admin, emulator: Emulator) -> None:
    """A service account is created, renamed, rotated and deleted, and its new secret authenticates."""
    created = admin.service_accounts.create(name="ci", role_bindings=[on_organization("OrgMember")])
    account = created.service_account
    assert admin.service_accounts.describe(service_account_id=account.id) == account
    renamed = admin.service_accounts.update(service_account_id=account.id, name="cd")
    assert renamed in admin.service_accounts.list().to_list()
    rotated = admin.service_accounts.rotate_secret(service_account_id=account.id)
    assert rotated.client_secret != created.client_secret
    other = Admin(
        client_id=account.client_id,
        client_secret=rotated.client_secret,
        transport=emulator.transport,
        oauth_transport=emulator.transport,
    )
    assert len(other.organizations.list()) == 1
    admin.service_accounts.delete(service_account_id=account.id)
    with raises(NotFoundError):
        admin.service_accounts.describe(service_account_id=account.id)


def test_role_binding_lifecycle(admin: Admin, emulator: Emulator) -> None:
    """A role binding is created, found by every filter, and deleted."""
    project = admin.projects.create(name="search")
    account = (admin.service_accounts.create(name="ci")).service_account
    binding = admin.role_bindings.create(
        principal_type="service_account",
        principal_id=account.id,
        resource_type="project",
        resource_id=project.id,
        role="ProjectViewer",
    )
    assert admin.role_bindings.describe(role_binding_id=binding.id) == binding
    found = admin.role_bindings.list(
        principal_type="service_account",
        principal_id=account.id,
        resource_type="project",
        resource_id=project.id,
        role="ProjectViewer",
    ).to_list()
    assert found == [binding]
    owner = admin.role_bindings.list(role="OrgOwner").to_list()
    assert {each.resource_id for each in owner} == {emulator.organization_id}
    admin.role_bindings.delete(role_binding_id=binding.id)
    with raises(NotFoundError):
        admin.role_bindings.describe(role_binding_id=binding.id)


class SampleRecords:
    """An emulator with one record of each kind."""

    def __init__(self) -> None:
        self.emulator = Emulator(plan="Free", seed=1)
        state, now = self.emulator.state, self.emulator.clock.now()
        state.organization.plan = "Enterprise"
        self.project = state.add_project("p", now)
        self.api_key = state.add_api_key(self.project, "k")
        self.user = state.add_user("u@example.com")
        self.invite = state.add_invite("i@example.com", now)
        self.account = state.add_service_account("s", now)
        grant = Grant("OrgMember", "organization", self.emulator.organization_id)
        (self.binding,) = state.bind(Principal("service_account", self.account.id), [grant], now)


ROLE = RoleBindingInput(resource_type="organization", role="OrgMember")

BUILDERS: dict[str, Callable[[SampleRecords], Operation[Any]]] = {
    "create_api_key": lambda records: operations.create_api_key(
        project_id=records.project.id, body=CreateAPIKeyRequest(name="x")
    ),
    "create_invite": lambda _: operations.create_invite(body=CreateInviteRequest(email="a@b.c", role_bindings=[ROLE])),
    "create_project": lambda _: operations.create_project(body=CreateProjectRequest(name="x")),
    "create_role_binding": lambda records: operations.create_role_binding(
        body=CreateRoleBindingRequest(
            principal_type="service_account",
            principal_id=records.account.id,
            resource_type="project",
            resource_id=records.project.id,
            role="ProjectViewer",
        )
    ),
    "create_service_account": lambda _: operations.create_service_account(
        body=CreateServiceAccountRequest(name="x", role_bindings=[ROLE])
    ),
    "delete_api_key": lambda records: operations.delete_api_key(api_key_id=records.api_key.id),
    "delete_invite": lambda records: operations.delete_invite(invite_id=records.invite.id),
    "delete_organization": lambda records: operations.delete_organization(
        organization_id=records.emulator.organization_id
    ),
    "delete_project": lambda records: operations.delete_project(project_id=records.project.id),
    "delete_role_binding": lambda records: operations.delete_role_binding(role_binding_id=records.binding.id),
    "delete_service_account": lambda records: operations.delete_service_account(service_account_id=records.account.id),
    "delete_user": lambda records: operations.delete_user(user_id=records.user.id),
    "fetch_api_key": lambda records: operations.fetch_api_key(api_key_id=records.api_key.id),
    "fetch_invite": lambda records: operations.fetch_invite(invite_id=records.invite.id),
    "fetch_organization": lambda records: operations.fetch_organization(
        organization_id=records.emulator.organization_id
    ),
    "fetch_project": lambda records: operations.fetch_project(project_id=records.project.id),
    "fetch_role_binding": lambda records: operations.fetch_role_binding(role_binding_id=records.binding.id),
    "fetch_service_account": lambda records: operations.fetch_service_account(service_account_id=records.account.id),
    "fetch_user": lambda records: operations.fetch_user(user_id=records.user.id),
    "list_invites": lambda _: operations.list_invites(limit=5),
    "list_organizations": lambda _: operations.list_organizations(),
    "list_project_api_keys": lambda records: operations.list_project_api_keys(project_id=records.project.id),
    "list_projects": lambda _: operations.list_projects(),
    "list_role_bindings": lambda _: operations.list_role_bindings(role="OrgOwner"),
    "list_service_accounts": lambda _: operations.list_service_accounts(),
    "list_users": lambda _: operations.list_users(email="u@example.com"),
    "resend_invite": lambda records: operations.resend_invite(invite_id=records.invite.id),
    "rotate_service_account_secret": lambda records: operations.rotate_service_account_secret(
        service_account_id=records.account.id
    ),
    "update_api_key": lambda records: operations.update_api_key(
        api_key_id=records.api_key.id, body=UpdateAPIKeyRequest(roles=["ProjectViewer"])
    ),
    "update_organization": lambda records: operations.update_organization(
        organization_id=records.emulator.organization_id, body=UpdateOrganizationRequest(name="x")
    ),
    "update_project": lambda records: operations.update_project(
        project_id=records.project.id, body=UpdateProjectRequest(name="x")
    ),
    "update_service_account": lambda records: operations.update_service_account(
        service_account_id=records.account.id, body=UpdateServiceAccountRequest(name="x")
    ),
}


@pytest.mark.parametrize("name", BUILDERS)
def test_send_executes_the_operation_of_every_builder(name: str) -> None:
    """``send`` returns the type of the operation that each of the 32 builders returns."""
    records = SampleRecords()
    if name == "delete_organization":
        records.emulator.state.remove_project(records.project)
        records.emulator.state.organization.plan = "Free"
    operation = BUILDERS[name](records)
    result = records.emulator.admin().send(operation)
    assert operation.id == name
    assert isinstance(result, operation.returns or type(None))


def test_every_builder_is_covered() -> None:
    """The table above has all 32 builders."""
    assert sorted(BUILDERS) == sorted(set(operations.__all__) - {"API_VERSION", "Operation"})
    assert len(BUILDERS) == 32


def test_an_operation_can_be_constructed(admin: Admin) -> None:
    """``send`` executes an operation that the caller constructs, with a typed result or free-form JSON."""
    body = {"name": "by hand", "max_pods": 0}
    create = Operation(id="make", method="POST", path="/admin/projects", returns=Project, body=body)
    project = admin.send(create)
    assert project.name == "by hand"
    read = Operation(
        id="read",
        method="GET",
        path="/admin/projects/{project_id}",
        returns=dict[str, Any],
        path_parameters={"project_id": project.id},
    )
    assert (admin.send(read))["id"] == project.id
    everything = Operation(id="all", method="GET", path="/admin/projects", returns=ProjectList)
    assert (admin.send(everything)).data == [project]


def test_a_constructed_operation_is_encoded(make_client: Callable[..., Admin]) -> None:
    """Path parameters are quoted, query values are written as JSON writes them, and None is omitted."""
    script = ScriptedTransport(ScriptedResponse(204))
    operation = Operation(
        id="probe",
        method="PUT",
        path="/admin/{one}/x/{two}",
        returns=None,
        path_parameters={"two": "a/b?c#d%2F", "one": "é .."},
        query={"flag": True, "n": 3, "many": ["a", "b&"], "none": None, "text": "ü"},
        body={"nested": [None, {"a": "ü"}]},
        api_version="2031-01",
    )
    make_client(script).send(operation)
    assert script.request.url.raw_path == (
        b"/admin/%C3%A9%20../x/a%2Fb%3Fc%23d%252F?flag=true&n=3&many=a&many=b%26&text=%C3%BC"
    )
    assert json.loads(script.request.content) == {"nested": [None, {"a": "ü"}]}
    assert script.request.headers["x-pinecone-api-version"] == "2031-01"


INVALID: list[tuple[dict[str, Any], str]] = [
    ({"path": "/admin/{a}"}, "path_parameters"),
    ({"path_parameters": {"a": "b"}}, "path_parameters"),
    ({"path": "/admin/../x"}, "path"),
    ({"path": "admin"}, "path"),
    ({"path": "/admin?x=1"}, "path"),
    ({"path": "/admin/é"}, "path"),
    ({"path": "/admin\r\nX: y"}, "path"),
    ({"path": "/{a}", "path_parameters": {"a": ".."}}, "a is '..'"),
    ({"method": ""}, "method"),
    ({"method": "GE T"}, "method"),
    ({"method": "GET\r\nX: y"}, "method"),
    ({"method": "get"}, "method"),
    ({"api_version": "2026\r\n"}, "api_version"),
    ({"api_version": ""}, "api_version"),
    ({"api_version": "é"}, "api_version"),
    ({"query": {"q": "\ud800"}}, "q contains"),
    ({"method": "POST", "body": {"a": float("nan")}}, "body"),
    ({"method": "POST", "body": {"a": "\ud800"}}, "body"),
]


@pytest.mark.parametrize(("changes", "message"), INVALID, ids=[str(changes) for changes, _ in INVALID])
def test_an_invalid_operation_raises(changes: dict[str, Any], message: str, make_client: Callable[..., Admin]) -> None:
    """An invalid operation raises before any request, with its id on the error."""
    script = ScriptedTransport(ScriptedResponse(204))
    fields: dict[str, Any] = {"id": "probe", "method": "GET", "path": "/admin/x", "returns": None}
    with raises(PineconeValueError, match=message) as caught:
        make_client(script).send(Operation(**fields | changes))
    assert caught.value.operation == "probe"
    assert not script.requests
