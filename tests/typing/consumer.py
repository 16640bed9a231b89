"""Code as users write it: type-checked in strict mode by mypy and basedpyright, and never run."""

from __future__ import annotations

import json
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, assert_type
from unittest import TestCase

import httpx
from pinecone.models.admin import role_binding as official

from pinecone_admin import (
    AccessToken,
    Admin,
    ApiError,
    AsyncAdmin,
    AsyncPaginator,
    AttemptEvent,
    NotFoundError,
    Operation,
    Page,
    Paginator,
    PineconeError,
    ResponseParsingError,
    RetryPolicy,
    RoleBindingDict,
    Unlisted,
    on_organization,
    on_project,
    to_dict,
)
from pinecone_admin.emulator import Emulator
from pinecone_admin.models import (
    API_KEY_ROLES,
    ORGANIZATION_ROLES,
    PROJECT_ROLES,
    APIKey,
    APIKeyRole,
    APIKeyWithSecret,
    CreateProjectRequest,
    Invite,
    Organization,
    OrganizationRoleName,
    Project,
    ProjectRoleName,
    RoleBinding,
    RoleBindingInput,
    ServiceAccount,
    ServiceAccountWithSecret,
    User,
)
from pinecone_admin.operations import API_VERSION, create_project, delete_project
from pinecone_admin.retry import AsyncRetryTransport, RetryTransport
from pinecone_admin.testing import emulate
from pinecone_admin.workflows import (
    CleanupReport,
    Difference,
    DueAccountRotations,
    DueRotations,
    Ensured,
    FailedAccountRotation,
    FailedRotation,
    Inventory,
    InventoryChange,
    Left,
    OffboardPlan,
    OffboardReport,
    Progress,
    ProjectRole,
    RetiredKeys,
    Rotation,
    StalePlan,
    Step,
)


def constructors(context: ssl.SSLContext) -> None:
    """Pass every argument of the constructors."""

    def secret() -> str:
        return "secret"

    def on_attempt(event: AttemptEvent) -> int:
        return len(f"{event.method} {event.delay} {event.status_code} {event.error}")

    Admin()
    Admin(client_id="id", client_secret=secret, additional_headers={"x-team": "search"}, source_tag="team")
    Admin(access_token=secret, proxy_url="http://proxy:3128", ssl_verify=context, lazy=True, read_only=True)
    Admin(host="http://localhost:8080", oauth_url="http://localhost:8080/oauth/token", allow_http=False, timeout=5)
    Admin(retry=RetryPolicy(max_attempts=2), on_attempt=on_attempt, transport=httpx.MockTransport(respond))
    AsyncAdmin(transport=httpx.MockTransport(respond), oauth_transport=httpx.MockTransport(respond))
    AsyncAdmin(on_attempt=list[AttemptEvent]().append, ssl_verify="ca.pem", max_connections=5)
    httpx.Client(transport=RetryTransport(httpx.HTTPTransport(), retry=RetryPolicy()))
    httpx.AsyncClient(transport=AsyncRetryTransport(httpx.AsyncHTTPTransport(), timeout=10.0, on_attempt=on_attempt))


def respond(request: httpx.Request) -> httpx.Response:
    """Return an empty response."""
    return httpx.Response(204, request=request)


def namespaces(admin: Admin) -> None:
    """Call every kind of method."""
    assert_type(admin.organizations.list(), list[Organization])
    assert_type(admin.organizations.update(organization_id="o", name="n"), Organization)
    assert_type(admin.projects.list(), list[Project])
    assert_type(admin.projects.create(name="n", max_pods=1, force_encryption_with_cmek=True), Project)
    assert_type(admin.projects.describe_by_name(name="n"), Project)
    assert_type(admin.users.describe_by_email(email="a@b.co"), User)
    assert_type(admin.invites.describe_by_email(email="a@b.co"), Invite)
    assert_type(admin.service_accounts.describe_by_name(name="n"), ServiceAccount)
    assert_type(admin.projects.exists(project_id="p"), bool)
    assert_type(admin.projects.describe(project_id="p").created_at, datetime | None)
    roles: list[APIKeyRole] = ["ProjectEditor", Unlisted("NewRole")]
    assert_type(admin.api_keys.create(project_id="p", name="n", roles=roles), APIKeyWithSecret)
    assert_type(admin.api_keys.create(project_id="p", name="n", roles=("ProjectViewer",)).value, str)
    assert_type(admin.api_keys.list(project_id="p"), list[APIKey])
    assert_type(admin.users.list(email="a@b.co"), Paginator[User])
    assert_type(admin.invites.resend(invite_id="i"), Invite)
    assert_type(admin.service_accounts.list().to_list(), list[ServiceAccount])
    assert_type(admin.service_accounts.rotate_secret(service_account_id="s"), ServiceAccountWithSecret)
    assert_type(admin.role_bindings.list(role="OrgOwner", principal_type="user"), Paginator[RoleBinding])
    for page in admin.role_bindings.list(resource_type="project", resource_id="p").pages():
        assert_type(page, Page[RoleBinding])
        assert_type(page.pagination_token, str | None)
    for user in admin.users.list():
        assert_type(user, User)
    admin.projects.delete(project_id="p")
    assert_type(admin.token(), AccessToken)
    assert_type(admin.with_options(timeout=1, read_only=True), Admin)


def bindings(admin: Admin, role: ProjectRoleName, binding: official.RoleBindingInput) -> None:
    """Pass role bindings as models, as mappings and as models of the official SDK."""
    mapping: RoleBindingDict = {"resource_type": "organization", "role": "OrgMember"}
    admin.invites.create(
        email="a@b.co",
        role_bindings=[
            on_organization("OrgMember"),
            on_project("p", role),
            RoleBindingInput(resource_type="project", resource_id="p", role="ProjectViewer"),
            {"resource_type": "project", "resource_id": "p", "role": "ProjectEditor"},
            mapping,
            binding,
        ],
    )
    on_organization(Unlisted("OrgAuditor"))
    on_project("p", Unlisted("IndexOwner"))
    roles = (ORGANIZATION_ROLES[0], PROJECT_ROLES[0], API_KEY_ROLES[0])
    assert_type(roles, tuple[OrganizationRoleName, ProjectRoleName, APIKeyRole])
    admin.service_accounts.create(name="n", role_bindings=())
    admin.role_bindings.create(principal_type="user", principal_id="u", resource_type="organization", role=role)


def unlisted(binding: RoleBinding) -> str:
    """Reach the branch for a value that the type does not list."""
    if binding.role == "OrgOwner":
        return "owner"
    return f"other: {binding.role}"


@dataclass
class Size:
    """A class of a caller."""

    pods: int

    @classmethod
    def parse(cls, value: Any) -> Size:
        """Return the size in a JSON value."""
        return cls(pods=value["max_pods"])


def operations(admin: Admin) -> None:
    """Send operations of the builders, and constructed ones."""
    assert_type(create_project(body=CreateProjectRequest(name="n")), Operation[Project])
    assert_type(admin.send(create_project(body=CreateProjectRequest(name="n"))), Project)
    admin.send(delete_project(project_id="p"))
    nothing = Operation(id="x", method="DELETE", path="/admin/x", returns=None)
    assert_type(nothing, Operation[None])
    free = Operation(id="x", method="GET", path="/admin/x", returns=json.dumps, api_version=API_VERSION)
    assert_type(admin.send(free), str)
    own = Operation(id="x", method="GET", path="/admin/x", returns=Size.parse, query={"limit": 5, "all": True})
    assert_type(admin.send(own), Size)


def workflows(admin: Admin) -> None:
    """Call the workflows, and narrow the type of a secret."""
    assert_type(admin.projects.ensure(name="n"), Ensured[Project])
    ensured = admin.api_keys.ensure(project_id="p", name="n", roles=["ProjectViewer"], store=store)
    assert_type(ensured, Ensured[APIKeyWithSecret | APIKey])
    if isinstance(ensured.value, APIKeyWithSecret):
        assert_type(ensured.value.value, str)
    else:
        assert_type(ensured.value, APIKey)
    account = admin.service_accounts.ensure(name="n", role_bindings=[on_organization("OrgMember")])
    assert_type(account, Ensured[ServiceAccountWithSecret | ServiceAccount])
    assert_type(account.differences, list[Difference])
    person = admin.users.ensure(email="a@b.co", role_bindings=[on_organization("OrgMember")], revoke_unlisted=True)
    assert_type(person, Ensured[User | Invite])
    assert_type(admin.invites.ensure(email="a@b.co", role_bindings=[on_organization("OrgMember")]), Ensured[Invite])
    assert_type(admin.projects.ensure(name="n", on_difference="update", dry_run=True).steps, list[Step])
    binding = admin.role_bindings.ensure(
        principal_type="user", principal_id="u", resource_type="organization", role="OrgMember"
    )
    assert_type(binding, Ensured[RoleBinding])
    assert_type(admin.api_keys.rotate(api_key_id="k", store=store, keep_old_for=timedelta(hours=1)), Rotation)
    assert_type(admin.api_keys.rotate(api_key_id="k", store=put_secret_value).delete_after, datetime | None)
    assert_type(admin.api_keys.delete_retired(project_id="p", dry_run=True), RetiredKeys)
    nightly = admin.api_keys.rotate_due(
        older_than=timedelta(days=90), keep_old_for=timedelta(days=7), store=put_secret_value
    )
    assert_type(nightly, DueRotations)
    assert_type(nightly.failed[0], FailedRotation)
    assert_type(admin.api_keys.describe_by_name(project_id="p", name="n"), APIKey)
    assert_type(admin.service_accounts.rotate(service_account_id="s", store=print), ServiceAccount)
    weekly = admin.service_accounts.rotate_due(older_than=timedelta(days=90), store=print, allow_unreadable=True)
    assert_type(weekly, DueAccountRotations)
    assert_type(weekly.failed[0], FailedAccountRotation)
    tenant = admin.projects.provision(
        name="n",
        key_roles=["ProjectViewer"],
        store=store,
        bindings=[
            ProjectRole(principal_type="user", principal_id="u", role="ProjectViewer"),
            {"principal_type": "user", "principal_id": "u", "role": "ProjectMember"},
        ],
    )
    assert_type(tenant.key, Ensured[APIKeyWithSecret | APIKey])
    assert_type(tenant.bindings, list[Ensured[RoleBinding]])
    assert_type(admin.users.offboard(email="a@b.co").refusal, str | None)
    leavers = admin.users.offboard_many(emails=["a@b.co", "c@b.co"])
    assert_type(admin.users.offboard_many(plan=OffboardPlan.from_json(leavers.to_json())).reports, list[OffboardReport])
    stale = admin.projects.delete_stale(name_pattern="ci-*", older_than=timedelta(days=7), progress=print)
    assert_type(admin.projects.delete_stale(plan=StalePlan.from_json(stale.to_json())).left, list[Left])
    assert_type(admin.projects.delete_with_cleanup(project_id="p", progress=print_progress), CleanupReport)
    inventory = admin.inventory(concurrency=4, progress=print_progress)
    assert_type(Inventory.from_dict(inventory.to_dict()), Inventory)
    assert_type(inventory.diff(inventory).added, list[InventoryChange])
    assert_type(inventory.access().to_html(), str)


def store(made: APIKeyWithSecret) -> None:
    """Store a secret."""


def put_secret_value(made: APIKeyWithSecret) -> dict[str, str]:
    """Store a secret, and return what the vault returns, as boto3 does."""
    return {"Name": made.key.name}


async def store_async(made: APIKeyWithSecret) -> None:
    """Store a secret asynchronously."""


def print_progress(progress: Progress) -> None:
    """Print the progress."""
    print(progress.done, progress.total, progress.step)


def errors(admin: Admin) -> None:
    """Read the attributes of errors."""
    try:
        admin.projects.describe(project_id="p")
    except NotFoundError as error:
        print(error.status_code, error.error_code, error.retry_after, error.headers["x-request-id"])
    except ResponseParsingError as error:
        print(error.path, error.raw.reveal())
    except ApiError as error:
        print(error.details, error.body)
    except PineconeError as error:
        print(error.outcome == "unknown", error.safe_to_retry, error.worth_retrying)
        print(error.attempts, error.operation, error.request_id)
        assert_type(error.status_code, int | None)
        assert_type(error.error_code, str | None)
        assert_type(error.retry_after, float | None)


def convert(project: Project) -> None:
    """Convert a model to JSON types."""
    assert_type(to_dict(project, reveal=True), dict[str, Any])
    assert_type(to_dict([project]), list[dict[str, Any]])


async def asynchronous() -> None:
    """Call the async client."""
    async with AsyncAdmin() as admin:
        assert_type(await admin.projects.list(), list[Project])
        assert_type(await admin.projects.create(name="n"), Project)
        assert_type(admin.users.list(), AsyncPaginator[User])
        assert_type(await admin.users.list(), list[User])
        assert_type(await admin.users.list().to_list(max_items=5), list[User])
        async for page in admin.role_bindings.list().pages():
            assert_type(page, Page[RoleBinding])
        async for user in admin.users.list():
            assert_type(user, User)
        assert_type(await admin.send(create_project(body=CreateProjectRequest(name="n"))), Project)
        assert_type(await admin.api_keys.rotate(api_key_id="k", store=store), Rotation)
        assert_type(await admin.api_keys.rotate(api_key_id="k", store=store_async), Rotation)
        day = timedelta(days=1)
        nightly = await admin.api_keys.rotate_due(older_than=day, keep_old_for=day, store=store_async)
        assert_type(nightly.rotated, list[Rotation])
        assert_type(await admin.token(), AccessToken)
        assert_type(await admin.projects.ensure(name="n"), Ensured[Project])
        key = await admin.api_keys.ensure(project_id="p", name="n", store=store)
        assert_type(key, Ensured[APIKeyWithSecret | APIKey])
        assert_type(await admin.service_accounts.rotate(service_account_id="s", store=print), ServiceAccount)
        assert_type(await admin.inventory(progress=print_progress), Inventory)
        assert_type(admin.with_options(timeout=1), AsyncAdmin)


@emulate(plan="Standard")
class EmulatedTest(TestCase):
    """Declare the emulator of a test class."""

    emulator: Emulator

    def test_state(self) -> None:
        """Read the emulator of the test."""
        assert_type(self.emulator, Emulator)
        assert self.emulator.state.projects == {}


assert_type(EmulatedTest, type[EmulatedTest])
