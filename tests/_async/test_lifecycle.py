"""Closing, copies, read-only clients, and what a client shows of itself."""

from __future__ import annotations

import copy
import pickle
import pprint
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from pinecone_admin import (
    AsyncAdmin,
    ClientClosedError,
    Operation,
    PineconeTypeError,
    PineconeValueError,
    ReadOnlyError,
    RetryPolicy,
    ServiceError,
    on_organization,
)
from tests.support.clock import VirtualClock
from tests.support.errors import SECRET, raises
from tests.support.scripted_transport import Answer, Script

pytestmark = pytest.mark.anyio

READS: dict[str, Callable[[AsyncAdmin], Any]] = {
    "organizations.list": lambda a: a.organizations.list(),
    "organizations.describe": lambda a: a.organizations.describe(organization_id="o"),
    "projects.list": lambda a: a.projects.list(),
    "projects.describe": lambda a: a.projects.describe(project_id="p"),
    "projects.describe_by_name": lambda a: a.projects.describe_by_name(name="x"),
    "projects.exists": lambda a: a.projects.exists(project_id="p"),
    "api_keys.list": lambda a: a.api_keys.list(project_id="p"),
    "api_keys.describe": lambda a: a.api_keys.describe(api_key_id="k"),
    "users.list": lambda a: a.users.list().to_list(),
    "users.describe": lambda a: a.users.describe(user_id="u"),
    "invites.list": lambda a: a.invites.list().to_list(),
    "invites.describe": lambda a: a.invites.describe(invite_id="i"),
    "service_accounts.list": lambda a: a.service_accounts.list().to_list(),
    "service_accounts.describe": lambda a: a.service_accounts.describe(service_account_id="s"),
    "role_bindings.list": lambda a: a.role_bindings.list().to_list(),
    "role_bindings.describe": lambda a: a.role_bindings.describe(role_binding_id="b"),
    "send": lambda a: a.send(Operation(id="x", method="GET", path="/x", returns=None)),
}
WRITES: dict[str, Callable[[AsyncAdmin], Any]] = {
    "organizations.update": lambda a: a.organizations.update(organization_id="o", name="x"),
    "organizations.delete": lambda a: a.organizations.delete(organization_id="o"),
    "projects.create": lambda a: a.projects.create(name="x"),
    "projects.update": lambda a: a.projects.update(project_id="p", name="x"),
    "projects.delete": lambda a: a.projects.delete(project_id="p"),
    "api_keys.create": lambda a: a.api_keys.create(project_id="p", name="x"),
    "api_keys.update": lambda a: a.api_keys.update(api_key_id="k", name="x"),
    "api_keys.delete": lambda a: a.api_keys.delete(api_key_id="k"),
    "users.delete": lambda a: a.users.delete(user_id="u"),
    "invites.create": lambda a: a.invites.create(email="a@b.c", role_bindings=[on_organization("OrgMember")]),
    "invites.delete": lambda a: a.invites.delete(invite_id="i"),
    "invites.resend": lambda a: a.invites.resend(invite_id="i"),
    "service_accounts.create": lambda a: a.service_accounts.create(name="x"),
    "service_accounts.update": lambda a: a.service_accounts.update(service_account_id="s", name="x"),
    "service_accounts.delete": lambda a: a.service_accounts.delete(service_account_id="s"),
    "service_accounts.rotate_secret": lambda a: a.service_accounts.rotate_secret(service_account_id="s"),
    "role_bindings.create": lambda a: a.role_bindings.create(
        principal_type="user", principal_id="u", resource_type="organization", role="OrgMember"
    ),
    "role_bindings.delete": lambda a: a.role_bindings.delete(role_binding_id="b"),
    **{
        f"send {method}": lambda a, method=method: a.send(  # type: ignore[misc]
            Operation(id="x", method=method, path="/x", returns=None)
        )
        for method in ("POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "get")
    },
}
CALLS = READS | WRITES | {"token": lambda a: a.token()}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_every_call_after_close_is_an_error(
    call: Callable[[AsyncAdmin], Any], connect: Callable[..., AsyncAdmin]
) -> None:
    """A closed client sends nothing, and neither does a copy of it, made before or after."""
    script = Script()
    admin = connect(script, lazy=True)
    before = admin.with_options(timeout=5)
    await admin.aclose()
    for closed in (admin, before, admin.with_options(timeout=5)):
        with raises(ClientClosedError, match="the client is closed"):
            await call(closed)
    assert (script.requests, script.exchanges) == ([], [])


async def test_a_secret_cannot_be_updated_after_close(connect: Callable[..., AsyncAdmin]) -> None:
    """Nor is there anything that it would be for."""
    admin = connect(Script())
    await admin.aclose()
    with raises(ClientClosedError):
        admin.update_secret("new")


@pytest.mark.parametrize("identity", [{}, {"access_token": "x"}, {"additional_headers": {"Authorization": "x"}}])
async def test_leaving_the_context_closes(identity: dict[str, Any], connect: Callable[..., AsyncAdmin]) -> None:
    """Whoever the caller is; closing again does nothing, and so does entering with nothing to mint."""
    async with connect(Script(), **identity) as admin:
        await admin.projects.list()
    with raises(ClientClosedError):
        await admin.projects.list()
    await admin.aclose()


async def test_an_open_list_ends_with_the_client(connect: Callable[..., AsyncAdmin]) -> None:
    """The page after the close is not fetched."""
    script = Script(Answer(body={"data": [{"id": "u", "email": "a@b.c"}], "pagination": {"next": "t"}}))
    admin = connect(script)
    with raises(ClientClosedError):
        async for _ in admin.users.list():
            await admin.aclose()
    assert len(script.requests) == 1


@pytest.mark.parametrize(
    ("call", "status", "outcome"),
    [
        (READS["projects.list"], 503, "unknown"),
        (WRITES["projects.create"], 429, "rejected"),
        (WRITES["projects.delete"], 500, "unknown"),
    ],
)
async def test_a_wait_for_the_next_attempt_ends_with_the_client(
    call: Callable[[AsyncAdmin], Any],
    status: int,
    outcome: str,
    connect: Callable[..., AsyncAdmin],
    clock: VirtualClock,
) -> None:
    """Closing wakes the call, which sends nothing more and says what is known of what it sent."""
    script = Script(Answer(status), Answer(body={"data": []}))
    admin = connect(script)
    clock.on_sleep = admin.aclose
    with raises(ClientClosedError, match="closed during the call") as caught:
        await call(admin)
    assert (caught.value.outcome, caught.value.attempts) == (outcome, 1)
    assert len(script.requests) == 1


async def test_transports_of_the_caller_stay_open(connect: Callable[..., AsyncAdmin]) -> None:
    """Whoever made them closes them."""
    script = Script()
    async with connect(script) as admin:
        await admin.projects.list()
    assert script.closed == 0


async def test_a_copy_shares_the_token_and_the_transport(connect: Callable[..., AsyncAdmin]) -> None:
    """with_options is light: one exchange serves the client and all its copies, and closing one does nothing."""
    script = Script()
    admin = connect(script)
    async with admin.with_options(timeout=5) as twin:
        await twin.projects.list()
    await twin.projects.list()
    await admin.projects.list()
    assert (len(script.requests), len(script.exchanges)) == (3, 1)
    assert type(twin) is type(admin)


async def test_a_copy_has_options_of_its_own(connect: Callable[..., AsyncAdmin], clock: VirtualClock) -> None:
    """What is not given stays as it was, and the original keeps its own."""
    script = Script(Answer(503))
    admin = connect(script, retry=RetryPolicy(max_attempts=2))
    once = admin.with_options(retry=RetryPolicy(max_attempts=1))
    for client, attempts in ((once, 1), (once.with_options(timeout=9), 1), (admin, 2)):
        with raises(ServiceError) as caught:
            await client.projects.list()
        assert caught.value.attempts == attempts
    clock.slept.clear()
    with raises(ServiceError):
        await admin.with_options(timeout=0.01).projects.list()
    assert clock.slept == []


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"timeout": 0}, PineconeValueError),
        ({"timeout": True}, PineconeTypeError),
        ({"retry": 3}, PineconeTypeError),
        ({"read_only": "yes"}, PineconeTypeError),
    ],
    ids=str,
)
async def test_the_options_of_a_copy_are_checked(
    options: dict[str, Any], error: type[PineconeValueError], connect: Callable[..., AsyncAdmin]
) -> None:
    """As those of the constructor are."""
    with raises(error, match=next(iter(options))):
        connect(Script()).with_options(**options)


@pytest.mark.parametrize("by_copy", [False, True])
@pytest.mark.parametrize("call", WRITES.values(), ids=WRITES)
async def test_a_read_only_client_changes_nothing(
    call: Callable[[AsyncAdmin], Any], by_copy: bool, connect: Callable[..., AsyncAdmin]
) -> None:
    """Everything that is not a GET is refused before a request and before an exchange."""
    script = Script()
    admin = connect(script, lazy=True, read_only=not by_copy)
    with raises(ReadOnlyError, match="read-only") as caught:
        await call(admin.with_options(read_only=True) if by_copy else admin)
    assert caught.value.outcome == "not_sent"
    assert (script.requests, script.exchanges) == ([], [])


@pytest.mark.parametrize("call", READS.values(), ids=READS)
async def test_a_read_only_client_reads(call: Callable[[AsyncAdmin], Any], connect: Callable[..., AsyncAdmin]) -> None:
    """Every GET passes, and the exchange, which is a POST, belongs to it."""
    script = Script(Answer(503))
    with raises(ServiceError):
        await call(connect(script, read_only=True, retry=RetryPolicy(max_attempts=1)))
    assert (script.request.method, len(script.exchanges)) == ("GET", 1)


async def test_a_client_shows_its_namespaces_and_no_credentials(connect: Callable[..., AsyncAdmin]) -> None:
    """The repr says where it goes and what it offers."""
    admin = connect(Script(), host="api.example.com", additional_headers={"X-Key": SECRET})
    await admin.token()
    shown = repr(admin)
    assert shown == (
        f"<{type(admin).__name__} of https://api.example.com: organizations, projects, api_keys, users, invites, "
        "service_accounts, role_bindings>"
    )
    everything = f"{admin} {pprint.pformat(admin)} {pprint.pformat(vars(admin))} {pprint.pformat(vars(admin.projects))}"
    assert SECRET not in everything
    assert "token-1" not in everything


@pytest.mark.parametrize("duplicate", [pickle.dumps, copy.copy, copy.deepcopy])
async def test_a_client_is_neither_pickled_nor_copied(
    duplicate: Callable[[object], object], connect: Callable[..., AsyncAdmin]
) -> None:
    """Its credentials would go along."""
    with raises(PineconeTypeError, match="cannot be pickled"):
        duplicate(connect(Script()))


# <async only>
class OnlyAsync(httpx.AsyncBaseTransport):
    """A transport without a synchronous side."""

    def __init__(self, script: Script) -> None:
        self._script = script

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Let the script answer."""
        return await self._script.handle_async_request(request)


async def test_an_asynchronous_transport_needs_another_for_the_exchange() -> None:
    """The exchange is synchronous, so without oauth_transport the error comes at once, unless nothing is minted."""
    script = Script()
    credentials: dict[str, Any] = {"client_id": "id", "client_secret": SECRET}
    with raises(PineconeValueError, match="oauth_transport is missing"):
        AsyncAdmin(**credentials, transport=OnlyAsync(script))
    await AsyncAdmin(**credentials, transport=OnlyAsync(script), oauth_transport=script).projects.list()
    await AsyncAdmin(access_token="x", transport=OnlyAsync(script)).projects.list()
    assert (len(script.requests), len(script.exchanges)) == (2, 1)


# </async only>
async def test_one_synchronous_transport_serves_both() -> None:
    """A transport that can do both is enough for the API and the exchange."""
    script = Script()
    async with AsyncAdmin(client_id="id", client_secret=SECRET, transport=script) as admin:
        await admin.projects.list()
    assert (len(script.requests), len(script.exchanges)) == (1, 1)


async def test_the_exchange_can_have_a_transport_of_its_own() -> None:
    """oauth_transport sees the exchanges and nothing else."""
    api, oauth = Script(), Script()
    admin = AsyncAdmin(client_id="id", client_secret=SECRET, transport=api, oauth_transport=oauth)
    await admin.projects.list()
    assert (len(api.requests), len(api.exchanges)) == (1, 0)
    assert (len(oauth.requests), len(oauth.exchanges)) == (0, 1)
