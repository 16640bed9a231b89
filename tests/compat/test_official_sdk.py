"""The official pinecone SDK, unmodified, against the emulator's HTTP server."""

import re
import socket
from collections.abc import Iterator
from threading import Thread

import pytest
import uvicorn
from pinecone import Admin
from pinecone.errors.exceptions import (
    ApiError,
    ConflictError,
    FailedPreconditionError,
    ForbiddenError,
    NotFoundError,
    PaymentRequiredError,
)

from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.asgi import application
from pinecone_admin.emulator.call import Request, Response
from pinecone_admin.emulator.rules import OPERATIONS, TOKEN_PATH

MEMBER = {"resource_type": "organization", "role": "OrgMember"}


class ServedEmulator(Emulator):
    """An emulator that listens on loopback and notes which operations were called."""

    def __init__(self) -> None:
        super().__init__()
        self.called: set[str] = set()
        self.host = ""

    def answer(self, request: Request) -> Response:
        """Answer a request and note its operation."""
        self.called.update(
            operation.id
            for operation in OPERATIONS
            if operation.method == request.method
            and re.fullmatch(re.sub(r"{\w+}", "[^/]+", operation.path), request.path)
        )
        return self.handle(request)

    def sdk(self) -> Admin:
        """Return the official client of this emulator."""
        return Admin(
            client_id=self.client_id,
            client_secret=self.client_secret,
            host=self.host,
            oauth_url=self.host + TOKEN_PATH,
        )


@pytest.fixture
def emulator() -> Iterator[ServedEmulator]:
    """Serve an emulator over HTTP for the length of a test."""
    emulator = ServedEmulator()
    config = uvicorn.Config(application(emulator.answer), log_config=None, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        emulator.host = f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread = Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield emulator
        server.should_exit = True
        thread.join()


@pytest.fixture
def admin(emulator: ServedEmulator) -> Iterator[Admin]:
    """Return the official client, with nothing set but where to connect and as whom."""
    with emulator.sdk() as admin:
        yield admin


def test_all_operations(emulator: ServedEmulator, admin: Admin) -> None:
    """Each of the 32 operations goes through the official SDK and does what it says."""
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
    emulator.state.accept_invite(emulator.state.invites[invite.id], emulator.clock.now(), "Alice")
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
    emulator.state.organization.plan = "Free"
    admin.organizations.delete(organization_id=organization_id)
    assert emulator.called == {operation.id for operation in OPERATIONS}
    with pytest.raises(ApiError, match="wrong credentials"):
        admin.organizations.list()


def test_refusals(emulator: ServedEmulator, admin: Admin) -> None:
    """The official SDK raises the class that it has for each refusal."""
    project_id = admin.projects.create(name="search").id
    admin.invites.create(email="a@example.com", role_bindings=[MEMBER])
    with pytest.raises(NotFoundError, match="there is no project"):
        admin.projects.describe(project_id="4f6a1e0c-8f2b-4c1a-9d3e-1b2c3d4e5f60")
    with pytest.raises(ConflictError, match="is pending"):
        admin.invites.create(email="A@example.com", role_bindings=[MEMBER])
    emulator.state.projects[project_id].contents["indexes"].add("movies")
    with pytest.raises(FailedPreconditionError, match="1 indexes"):
        admin.projects.delete(project_id=project_id)
    with pytest.raises(ApiError, match="max_pods"):
        admin.projects.update(project_id=project_id, max_pods=1)
    emulator.state.settings.project_quota = 1
    with pytest.raises(ForbiddenError, match="1 projects already"):
        admin.projects.create(name="second")
    emulator.state.organization.payment_status = "Suspended"
    with pytest.raises(PaymentRequiredError, match="Suspended"):
        admin.api_keys.create(project_id=project_id, name="ci")


def test_expired_token_is_replaced(emulator: ServedEmulator, admin: Admin) -> None:
    """The official SDK meets an expired token with one exchange, until its secret was rotated away."""
    emulator.clock.advance(1800)
    (own,) = admin.service_accounts.list()
    admin.service_accounts.rotate_secret(service_account_id=own.id)
    with pytest.raises(ApiError, match="wrong credentials"):
        admin.projects.list()
