# Derived from tests/_async/test_operations.py by scripts/unasync.py: change that, not this file.
"""The operations: through the namespaces, through send with builders, and with operations made by hand."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from datetime import UTC, timedelta
from typing import Any, get_type_hints

import pytest

from generation.api_document import Endpoint, iter_operations
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
from pinecone_admin._http.codec import encode_body
from pinecone_admin.emulator import Emulator
from pinecone_admin.models import (
    Project,
    ProjectList,
)
from tests.support.api_documents import load_document
from tests.support.errors import raises
from tests.support.resources import METHODS, fill_ids, find_method, populate
from tests.support.scripted_transport import ScriptedResponse, ScriptedTransport

pytestmark = pytest.mark.anyio

MEMBER = {"resource_type": "organization", "role": "OrgMember"}
MANAGER = {"resource_type": "organization", "role": "OrgManager"}
MANAGER_OF_NONE: Any = MANAGER | {"resource_id": None}
VIEWER = {"resource_type": "project", "resource_id": "p", "role": "ProjectViewer"}

# Calls whose requests do not follow from their arguments alone → method, path with query, body.
REQUESTS: list[tuple[Callable[[Admin], Any], str, str, object]] = [
    (
        lambda a: a.organizations.update(organization_id="-Nx", name="é"),
        "PATCH",
        "/admin/organizations/-Nx",
        {"name": "é"},
    ),
    (lambda a: a.projects.create(name="x"), "POST", "/admin/projects", {"name": "x"}),
    (lambda a: a.projects.describe_by_name(name="x"), "GET", "/admin/projects", None),
    (lambda a: a.projects.exists(project_id="p"), "GET", "/admin/projects/p", None),
    (lambda a: a.projects.exists(name="x"), "GET", "/admin/projects", None),
    (lambda a: a.projects.update(project_id="p", max_pods=2), "PATCH", "/admin/projects/p", {"max_pods": 2}),
    (
        lambda a: a.api_keys.create(project_id="p", name="x", roles=("ProjectViewer",)),
        "POST",
        "/admin/projects/p/api-keys",
        {"name": "x", "roles": ["ProjectViewer"]},
    ),
    (
        lambda a: a.api_keys.update(api_key_id="k", roles=["ProjectViewer"]),
        "PATCH",
        "/admin/api-keys/k",
        {"roles": ["ProjectViewer"]},
    ),
    (
        lambda a: a.users.list(email="a+b@c.d", limit=7, pagination_token="t&").to_list(),
        "GET",
        "/admin/users?email=a%2Bb%40c.d&limit=7&paginationToken=t%26",
        None,
    ),
    (lambda a: a.invites.list(limit=1).to_list(), "GET", "/admin/invites?limit=1", None),
    (
        lambda a: a.service_accounts.create(
            name="x",
            role_bindings=(
                {"resource_type": "organization", "role": "OrgMember"},
                on_project("p", "ProjectViewer"),
                MANAGER_OF_NONE,
            ),
        ),
        "POST",
        "/admin/service-accounts",
        {"name": "x", "role_bindings": [MEMBER, VIEWER, MANAGER]},
    ),
    (
        lambda a: a.role_bindings.create(
            principal_type="user", principal_id="u", resource_type="organization", role="OrgMember"
        ),
        "POST",
        "/admin/role-bindings",
        {"principal_type": "user", "principal_id": "u"} | MEMBER,
    ),
]
ENDPOINTS: dict[str, Endpoint] = {endpoint.label: endpoint for endpoint in iter_operations(load_document("admin"))}


@pytest.mark.parametrize(
    ("call", "method", "target", "body"), REQUESTS, ids=[f"{method} {target}" for _, method, target, _ in REQUESTS]
)
def test_a_method_sends_what_it_was_given(
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


@pytest.mark.parametrize("name", ENDPOINTS)
def test_the_method_of_every_operation_sends_its_request(name: str, make_client: Callable[..., Admin]) -> None:
    """Each operation of the document has a method, which sends its verb, path and query, and a body, as described."""
    method = find_method(name)
    assert method in METHODS, f"{name} has no method: run scripts/new_namespace {method.partition('.')[0]}"
    namespace, _, verb = method.partition(".")
    script = ScriptedTransport(ScriptedResponse(400))
    given = {argument: row.valid for argument, row in METHODS[method].items()}
    with raises(BadRequestError):
        result = getattr(getattr(make_client(script), namespace), verb)(**given)
        (result.to_list() if hasattr(result, "to_list") else result)
    endpoint, sent = ENDPOINTS[name], script.request
    assert sent.method == endpoint.method.upper()
    assert sent.url.path == re.sub(r"\{(\w+)\}", lambda found: given[found[1]], endpoint.path)
    queries = [each["name"] for each in endpoint.operation["parameters"] if each["in"] == "query"]
    assert dict(sent.url.params) == {each: str(given[re.sub("(?=[A-Z])", "_", each).lower()]) for each in queries}
    body = {argument: row.valid for argument, row in METHODS[method].items() if row.place == "body"}
    assert (json.loads(sent.content) if sent.content else {}) == json.loads(encode_body(body))


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


@pytest.mark.parametrize("name", ENDPOINTS)
def test_send_executes_the_operation_of_every_builder(name: str) -> None:
    """``send`` returns the type of the operation that each builder returns."""
    emulator = Emulator(seed=1)
    ids = populate(emulator)
    namespace, _, verb = find_method(name).partition(".")
    if verb == "create":  # neither an invite nor a role binding can be created twice
        getattr(emulator.admin(), namespace).delete(**fill_ids(f"{namespace}.delete", ids))
    if name == "delete_organization":
        emulator.admin().projects.delete(project_id=ids["project_id"])
        emulator.configure(plan="Free")
    build, given = getattr(operations, name), fill_ids(f"{namespace}.{verb}", ids)
    names = inspect.signature(build).parameters
    if "body" in names:
        fields = {each: value for each, value in given.items() if each not in names}
        given = {each: value for each, value in given.items() if each in names}
        given["body"] = get_type_hints(build)["body"](**fields)
    operation = build(**given)
    result = emulator.admin().send(operation)
    assert operation.id == name
    returns: Any = operation.returns or type(None)
    assert isinstance(result, returns)


def test_every_operation_has_a_builder() -> None:
    """The operations of the document are those that can be sent."""
    assert ENDPOINTS.keys() == set(operations.__all__) - {"API_VERSION", "Operation"}


def test_an_operation_can_be_constructed(admin: Admin) -> None:
    """``send`` executes an operation that the caller constructs; a model or a function decodes the response."""
    body = {"name": "by hand", "max_pods": 0}
    create = Operation(id="make", method="POST", path="/admin/projects", returns=Project, body=body)
    project = admin.send(create)
    assert project.name == "by hand"
    read = Operation(
        id="read",
        method="GET",
        path="/admin/projects/{project_id}",
        returns=lambda body: body["id"],
        path_parameters={"project_id": project.id},
    )
    assert admin.send(read) == project.id
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
