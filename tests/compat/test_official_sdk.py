"""The official SDK, unmodified, over HTTP and within `emulate()`."""

import os
import re
from collections import UserDict
from collections.abc import Iterator

import pytest
from pinecone import Admin
from pinecone._internal import http_client
from pinecone.errors.exceptions import (
    ApiError,
    ConflictError,
    FailedPreconditionError,
    ForbiddenError,
    NotFoundError,
    PaymentRequiredError,
    RateLimitError,
    UnauthorizedError,
)

import pinecone_admin
from pinecone_admin.emulator import Emulator, serving
from pinecone_admin.emulator.api import dispatch
from pinecone_admin.emulator.api.oauth import TOKEN_OPERATION, TOKEN_PATH
from pinecone_admin.testing import emulate
from tests.compat.official_operations import CLIENTS
from tests.support.contract import record_breaches
from tests.support.recipes import read_page

MEMBER = {"resource_type": "organization", "role": "OrgMember"}
NOBODY = "4f6a1e0c-8f2b-4c1a-9d3e-1b2c3d4e5f60"


@pytest.fixture(autouse=True)
def contract(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Check every response that the SDK receives against the API documents."""
    breaches: list[str] = []
    monkeypatch.setattr(dispatch, "handle", record_breaches(dispatch.handle, breaches))
    yield
    assert breaches == []


@pytest.fixture(autouse=True)
def retry_delays(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Record the retry delays of the SDK instead of sleeping."""
    retry_delays: list[float] = []
    monkeypatch.setattr(http_client, "_retry_sleep", retry_delays.append)
    return retry_delays


@pytest.fixture
def emulator() -> Emulator:
    """Return an emulator with its defaults."""
    return Emulator()


@pytest.fixture(params=["http", "emulate"])
def admin(request: pytest.FixtureRequest, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Admin]:
    """Return the official client, configured by arguments over HTTP, and by nothing within emulate()."""
    for name in [name for name in os.environ if name.startswith("PINECONE_")]:
        monkeypatch.delenv(name)
    if request.param == "emulate":
        with emulate(emulator), Admin() as admin:
            yield admin
        return
    with (
        serving(emulator) as url,
        Admin(
            client_id=emulator.client_id,
            client_secret=emulator.client_secret,
            host=url,
            oauth_url=url + TOKEN_PATH,
        ) as admin,
    ):
        yield admin


def test_all_operations(emulator: Emulator, admin: Admin) -> None:
    """Each operation that it has succeeds through the official SDK."""
    organization_id = emulator.organization_id
    assert [each.id for each in admin.organizations.list()] == [organization_id]
    renamed = admin.organizations.update(organization_id=organization_id, name="Acme")
    assert admin.organizations.describe(organization_id=organization_id).name == renamed.name == "Acme"

    project_id = admin.projects.create(name="search").id
    admin.projects.update(project_id=project_id, name="product-search", force_encryption_with_cmek=True)
    assert admin.projects.describe(project_id=project_id).force_encryption_with_cmek
    assert admin.projects.describe_by_name(name="product-search").id == project_id
    assert admin.projects.exists(name="product-search")
    assert len(admin.projects.list()) == 1

    key = admin.api_keys.create(project_id=project_id, name="ci", roles=["DataPlaneViewer"])
    assert key.value.startswith("pcsk_")
    admin.api_keys.update(api_key_id=key.key.id, roles=["ProjectViewer"])
    described = admin.api_keys.describe(api_key_id=key.key.id)
    assert [each.id for each in admin.api_keys.list(project_id=project_id)] == [described.id]
    assert [str(role.value) for role in described.roles] == ["ProjectViewer"]
    admin.api_keys.delete(api_key_id=key.key.id)

    invite = admin.invites.create(email="a@example.com", role_bindings=[MEMBER])
    other = admin.invites.create(email="b@example.com", role_bindings=[MEMBER])
    assert admin.invites.resend(invite_id=invite.id).status == "pending"
    assert [each.id for each in admin.invites.list(limit=1)] == [invite.id, other.id]
    admin.invites.delete(invite_id=other.id)
    emulator.accept_invite(invite.id, name="Alice")
    assert admin.invites.describe(invite_id=invite.id).status == "processed"

    (user,) = admin.users.list(email="A@example.com")
    assert admin.users.describe(user_id=user.id).name == "Alice"

    account = admin.service_accounts.create(name="ci", role_bindings=[MEMBER])
    account_id = account.service_account.id
    assert len(list(admin.service_accounts.list(limit=1))) == 2
    assert admin.service_accounts.update(service_account_id=account_id, name="new").name == "new"
    rotated = admin.service_accounts.rotate_secret(service_account_id=account_id)
    assert rotated.client_secret != account.client_secret
    assert admin.service_accounts.describe(service_account_id=account_id).client_id == (
        account.service_account.client_id
    )

    binding = admin.role_bindings.create(
        principal_type="user",
        principal_id=user.id,
        resource_type="project",
        resource_id=project_id,
        role="ProjectEditor",
    )
    assert admin.role_bindings.describe(role_binding_id=binding.id).role == "ProjectEditor"
    assert len(list(admin.role_bindings.list(principal_type="user", principal_id=user.id, limit=1))) == 2
    admin.role_bindings.delete(role_binding_id=binding.id)

    admin.users.delete(user_id=user.id)
    admin.service_accounts.delete(service_account_id=account_id)
    admin.projects.delete(project_id=project_id)
    emulator.configure(plan="Free")
    admin.organizations.delete(organization_id=organization_id)
    succeeded = {received.operation_id for received in emulator.requests if received.status in {200, 201, 202}}
    assert succeeded == {TOKEN_OPERATION, *CLIENTS["P10"][1]}
    assert len(succeeded) == 33
    with pytest.raises(ApiError, match="wrong credentials"):
        admin.organizations.list()


def test_refusals(emulator: Emulator, admin: Admin) -> None:
    """The official SDK raises its class for each refusal, with the code and the request id."""
    project_id = admin.projects.create(name="search").id
    admin.invites.create(email="a@example.com", role_bindings=[MEMBER])
    with pytest.raises(ApiError, match="max_pods") as bad_request:
        admin.projects.update(project_id=project_id, max_pods=1)
    assert (bad_request.value.status_code, bad_request.value.error_code) == (400, "INVALID_ARGUMENT")
    assert bad_request.value.request_id == emulator.requests[-1].request_id
    with pytest.raises(NotFoundError, match=r"Project .* not found"):
        admin.projects.describe(project_id=NOBODY)
    with pytest.raises(ConflictError, match="pending invite already exists"):
        admin.invites.create(email="A@example.com", role_bindings=[MEMBER])
    emulator.hold(project_id, "indexes", "movies")
    with pytest.raises(FailedPreconditionError, match="1 index "):
        admin.projects.delete(project_id=project_id)
    emulator.configure(project_quota=1)
    with pytest.raises(ForbiddenError, match="the max projects allowed in organization") as forbidden:
        admin.projects.create(name="second")
    assert forbidden.value.error_code == "QUOTA_EXCEEDED"
    emulator.configure(payment_status="Suspended")
    with pytest.raises(PaymentRequiredError, match="Suspended"):
        admin.api_keys.create(project_id=project_id, name="ci")


def test_rate_limit(emulator: Emulator, admin: Admin, retry_delays: list[float]) -> None:
    """The official SDK waits as Retry-After says, and raises its class in the end."""
    emulator.configure(invite_mails_per_hour=1)
    invite = admin.invites.create(email="a@example.com", role_bindings=[MEMBER])
    emulator.clock.advance(3590)
    emulator.configure(token_lifetime=3600)
    with pytest.raises(RateLimitError, match="with 1 invite mail;") as limited:
        admin.invites.resend(invite_id=invite.id)
    assert (limited.value.status_code, limited.value.error_code) == (429, "RESOURCE_EXHAUSTED")
    assert retry_delays
    assert all(10 <= delay <= 15 for delay in retry_delays)


def test_expired_token_is_replaced(emulator: Emulator, admin: Admin) -> None:
    """The official SDK replaces an expired token by one exchange, until its secret is rotated."""
    admin.projects.list()
    emulator.clock.advance(1800)
    admin.projects.list()
    operations = [(received.operation_id, received.status) for received in emulator.requests]
    assert operations == [
        ("get_token", 200),
        ("list_projects", 200),
        ("list_projects", 401),
        ("get_token", 200),
        ("list_projects", 200),
    ]
    (own,) = admin.service_accounts.list()
    admin.service_accounts.rotate_secret(service_account_id=own.id)
    with pytest.raises(ApiError, match="wrong credentials"):
        admin.projects.list()


def test_permanent_401(emulator: Emulator, admin: Admin) -> None:
    """Where every token is rejected, the official SDK raises after one exchange."""
    emulator.faults.add("list_projects", revoke_token=True, times=None)
    with pytest.raises(UnauthorizedError):
        admin.projects.list()


def test_lost_responses_are_visible(emulator: Emulator, admin: Admin) -> None:
    """The official SDK repeats a create whose response is lost, and the emulator shows the duplicate."""
    emulator.faults.add("create_project", drop="after")
    admin.projects.create(name="search")
    assert len(emulator.state.projects) == 2


def test_unknown_fields(emulator: Emulator, admin: Admin) -> None:
    """The official SDK accepts unknown fields."""
    admin.projects.create(name="search")
    emulator.faults.add(unknown_fields=True, times=None)
    assert [project.name for project in admin.projects.list()] == ["search"]


class RecordingEnvironment(UserDict[str, str]):
    """An environment that records the names that are read."""

    def __init__(self) -> None:
        super().__init__(os.environ)
        self.names: set[str] = set()

    def __contains__(self, name: object) -> bool:
        self.names.add(str(name))
        return super().__contains__(name)

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        return super().__getitem__(name)


def test_the_page_names_the_variables_that_it_does_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """What our clients read from the environment and this one does not is in the table for those who move."""
    with emulate():
        Admin().projects.list()  # the first responses load their validators, which read variables, too
        for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)  # else it does not look for the folder
        environment = RecordingEnvironment()
        monkeypatch.setattr(os, "environ", environment)
        with Admin() as admin:
            admin.projects.list()
        monkeypatch.undo()
    rows = re.findall(r"^\| [^|]* \| ([^|]+) \|", read_page("docs/configuration.md"), re.MULTILINE)
    ours = set(re.findall(r"`([A-Z_]{4,})", "".join(rows)))
    (row,) = re.findall(r"^\| reads no (.*?) \|", read_page("docs/coming-from-the-official-sdk.md"), re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", row)) == ours - environment.names - {"PINECONE_ADMIN_ALLOW_HTTP"}


def test_the_page_says_how_the_dicts_of_both_clients_differ() -> None:
    """Of equal resources, only the text of dates differs, and what is around a list."""
    with emulate(), Admin() as admin, pinecone_admin.Admin() as ours:
        admin.projects.create(name="p")
        (old,), (new,) = admin.projects.list().to_dict().pop("data"), pinecone_admin.to_dict(ours.projects.list())
    assert {name for name in old if old[name] != new[name]} == {"created_at"}
    assert (old["created_at"][-1], new["created_at"][-6:]) == ("Z", "+00:00")
    page = read_page("docs/coming-from-the-official-sdk.md")
    for text in ("text that ends in `Z`", "text that ends in `+00:00`", '`.to_dict()` (`{"data": […]}`)'):
        assert text in page
