"""The life of a client: closing, copies, read-only mode, repr and transports."""

from __future__ import annotations

import copy
import pickle
import pprint
import re
import traceback
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from pinecone_admin import (
    AsyncAdmin,
    ClientClosedError,
    Operation,
    PineconeError,
    PineconeTimeoutError,
    PineconeTypeError,
    PineconeValueError,
    ReadOnlyError,
    RetryPolicy,
    ServiceError,
    on_organization,
)
from tests.support.clock import VirtualClock
from tests.support.errors import SECRET, raises
from tests.support.scripted_transport import ScriptedResponse, ScriptedTransport

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
    "users.describe_by_email": lambda a: a.users.describe_by_email(email="a@b"),
    "invites.list": lambda a: a.invites.list().to_list(),
    "invites.describe": lambda a: a.invites.describe(invite_id="i"),
    "invites.describe_by_email": lambda a: a.invites.describe_by_email(email="a@b"),
    "service_accounts.list": lambda a: a.service_accounts.list().to_list(),
    "service_accounts.describe": lambda a: a.service_accounts.describe(service_account_id="s"),
    "service_accounts.describe_by_name": lambda a: a.service_accounts.describe_by_name(name="x"),
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
SENT = {name: call for name, call in {**READS, **WRITES}.items() if name != "send get"}  # its method is no method
CALLS = READS | WRITES | {"token": lambda a: a.token()}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_every_call_after_close_raises(
    call: Callable[[AsyncAdmin], Any], make_client: Callable[..., AsyncAdmin]
) -> None:
    """A closed client and every copy of it send nothing."""
    script = ScriptedTransport()
    admin = make_client(script, lazy=True)
    before = admin.with_options(timeout=5)
    await admin.aclose()
    for closed in (admin, before, admin.with_options(timeout=5)):
        with raises(ClientClosedError, match="the client is closed"):
            await call(closed)
    assert (script.requests, script.exchanges) == ([], [])


async def test_update_secret_after_close_raises(make_client: Callable[..., AsyncAdmin]) -> None:
    """A closed client accepts no new secret."""
    admin = make_client(ScriptedTransport())
    await admin.aclose()
    with raises(ClientClosedError):
        admin.update_secret("new")


@pytest.mark.parametrize("identity", [{}, {"access_token": "x"}, {"additional_headers": {"Authorization": "x"}}])
async def test_leaving_the_context_closes_the_client(
    identity: dict[str, Any], make_client: Callable[..., AsyncAdmin]
) -> None:
    """Leaving the context closes a client with any kind of credentials; closing it again does nothing."""
    async with make_client(ScriptedTransport(), **identity) as admin:
        await admin.projects.list()
    with raises(ClientClosedError):
        await admin.projects.list()
    await admin.aclose()


async def test_iterating_a_list_after_close_raises(make_client: Callable[..., AsyncAdmin]) -> None:
    """Iterating a list after the client is closed raises, and fetches no further page."""
    script = ScriptedTransport(
        ScriptedResponse(body={"data": [{"id": "u", "email": "a@b.c"}], "pagination": {"next": "t"}})
    )
    admin = make_client(script)
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
async def test_closing_ends_a_retry_wait(
    call: Callable[[AsyncAdmin], Any],
    status: int,
    outcome: str,
    make_client: Callable[..., AsyncAdmin],
    clock: VirtualClock,
) -> None:
    """Closing ends the wait for the next attempt; the error has the outcome of the attempts before."""
    script = ScriptedTransport(ScriptedResponse(status), ScriptedResponse(body={"data": []}))
    admin = make_client(script)
    clock.on_sleep = admin.aclose
    with raises(ClientClosedError, match="closed during the call") as caught:
        await call(admin)
    assert (caught.value.outcome, caught.value.attempts) == (outcome, 1)
    assert len(script.requests) == 1


async def test_a_transport_of_the_caller_stays_open(make_client: Callable[..., AsyncAdmin]) -> None:
    """Closing the client leaves a transport that the caller passed open."""
    script = ScriptedTransport()
    async with make_client(script) as admin:
        await admin.projects.list()
    assert script.close_count == 0


async def test_a_copy_shares_token_and_transport(make_client: Callable[..., AsyncAdmin]) -> None:
    """A client and its copies share one exchange and one transport, and closing a copy does nothing."""
    script = ScriptedTransport()
    admin = make_client(script)
    async with admin.with_options(timeout=5) as clone:
        await clone.projects.list()
    await clone.projects.list()
    await admin.projects.list()
    assert (len(script.requests), len(script.exchanges)) == (3, 1)
    assert type(clone) is type(admin)


async def test_a_copy_has_its_own_options(make_client: Callable[..., AsyncAdmin], clock: VirtualClock) -> None:
    """with_options keeps what is omitted, and leaves the original unchanged."""
    script = ScriptedTransport(ScriptedResponse(503))
    admin = make_client(script, retry=RetryPolicy(max_attempts=2))
    once = admin.with_options(retry=RetryPolicy(max_attempts=1))
    for client, attempts in ((once, 1), (once.with_options(timeout=9), 1), (admin, 2)):
        with raises(ServiceError) as caught:
            await client.projects.list()
        assert caught.value.attempts == attempts
    clock.slept.clear()
    with raises(ServiceError):
        await admin.with_options(timeout=0.01).projects.list()
    assert clock.slept == []


@pytest.mark.parametrize("call", SENT.values(), ids=SENT)
async def test_a_copy_without_remaining_time_sends_nothing(
    call: Callable[[AsyncAdmin], Any], make_client: Callable[..., AsyncAdmin]
) -> None:
    """With a timeout of 0, as after a deadline, a call raises PineconeTimeoutError, and its outcome is known."""
    script = ScriptedTransport()
    with raises(PineconeTimeoutError) as caught:
        await call(make_client(script).with_options(timeout=0))
    assert (caught.value.outcome, caught.value.attempts, script.requests) == ("not_sent", 0, [])


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"timeout": -0.1}, PineconeValueError),
        ({"timeout": True}, PineconeTypeError),
        ({"retry": 3}, PineconeTypeError),
        ({"read_only": "yes"}, PineconeTypeError),
    ],
    ids=str,
)
async def test_invalid_options_of_a_copy_raise(
    options: dict[str, Any], error: type[PineconeValueError], make_client: Callable[..., AsyncAdmin]
) -> None:
    """with_options checks its arguments like the constructor."""
    with raises(error, match=next(iter(options))):
        make_client(ScriptedTransport()).with_options(**options)


@pytest.mark.parametrize("on_copy", [False, True])
@pytest.mark.parametrize("call", WRITES.values(), ids=WRITES)
async def test_a_read_only_client_refuses_every_write(
    call: Callable[[AsyncAdmin], Any], on_copy: bool, make_client: Callable[..., AsyncAdmin]
) -> None:
    """A read-only client refuses any method but GET before a request and before an exchange."""
    script = ScriptedTransport()
    admin = make_client(script, lazy=True, read_only=not on_copy)
    with raises(ReadOnlyError, match="read-only") as caught:
        await call(admin.with_options(read_only=True) if on_copy else admin)
    assert caught.value.outcome == "not_sent"
    assert (script.requests, script.exchanges) == ([], [])


@pytest.mark.parametrize("call", WRITES.values(), ids=WRITES)
async def test_an_overridden_send_gets_every_write(
    call: Callable[[AsyncAdmin], Any], make_client: Callable[..., AsyncAdmin], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All methods send their changes through ``send``, so that a subclass can record or refuse them."""

    async def refuse(_: AsyncAdmin, operation: Operation[object]) -> None:
        raise LookupError(operation.id)

    script = ScriptedTransport()
    admin = make_client(script, lazy=True)
    monkeypatch.setattr(AsyncAdmin, "send", refuse)
    with pytest.raises(LookupError):
        await call(admin)
    assert script.requests == []


async def test_wrong_arguments_are_refused_before_the_state_of_the_client(
    make_client: Callable[..., AsyncAdmin],
) -> None:
    """A wrong argument is named even if the client could not send it anyway."""
    closed, read_only = make_client(ScriptedTransport(), lazy=True), make_client(ScriptedTransport(), read_only=True)
    await closed.aclose()
    for admin in (closed, read_only):
        with raises(PineconeValueError, match="name must have 1 to 512 characters") as caught:
            await admin.projects.create(name="")
        assert caught.value.operation == "create_project"


@pytest.mark.parametrize("call", READS.values(), ids=READS)
async def test_a_read_only_client_sends_every_read(
    call: Callable[[AsyncAdmin], Any], make_client: Callable[..., AsyncAdmin]
) -> None:
    """A read-only client sends GET requests, and the POST of the token exchange."""
    script = ScriptedTransport(ScriptedResponse(503))
    with raises(ServiceError):
        await call(make_client(script, read_only=True, retry=RetryPolicy(max_attempts=1)))
    assert (script.request.method, len(script.exchanges)) == ("GET", 1)


async def test_the_repr_has_namespaces_and_no_credentials(make_client: Callable[..., AsyncAdmin]) -> None:
    """The repr names the host and the namespaces, and contains no credentials."""
    admin = make_client(ScriptedTransport(), host="api.example.com", additional_headers={"X-Key": SECRET})
    await admin.token()
    text = repr(admin)
    assert text == (
        f"<{type(admin).__name__} of https://api.example.com: organizations, projects, api_keys, users, invites, "
        "service_accounts, role_bindings>"
    )
    everything = f"{admin} {pprint.pformat(admin)} {pprint.pformat(vars(admin))} {pprint.pformat(vars(admin.projects))}"
    assert SECRET not in everything
    assert "token-1" not in everything


async def test_an_object_whose_constructor_failed_has_a_repr(make_client: Callable[..., AsyncAdmin]) -> None:
    """A traceback that shows local variables can show the client and the list that could not be constructed."""
    admin = make_client(ScriptedTransport())
    failing: list[Callable[[], object]] = [
        lambda: make_client(ScriptedTransport(), timeout=0),
        lambda: make_client(ScriptedTransport(), transport=5),
        lambda: admin.users.list(limit=0),
    ]
    for construct in failing:
        with pytest.raises(PineconeError) as caught:
            construct()
        frames = traceback.TracebackException.from_exception(caught.value, capture_locals=True).stack
        shown = [frame.locals["self"] for frame in frames if frame.name == "__init__" and frame.locals]
        assert all(re.fullmatch(r"<\w*Admin, not constructed>|<\w+ of list_users: [\w ,()]+>", text) for text in shown)
        assert shown


@pytest.mark.parametrize("duplicate", [pickle.dumps, copy.copy, copy.deepcopy])
async def test_a_client_cannot_be_pickled_or_copied(
    duplicate: Callable[[object], object], make_client: Callable[..., AsyncAdmin]
) -> None:
    """Pickling or copying a client raises, because it would duplicate its credentials."""
    with raises(PineconeTypeError, match="cannot be copied or pickled: share it"):
        duplicate(make_client(ScriptedTransport()))


# <async only>
class AsyncOnlyTransport(httpx.AsyncBaseTransport):
    """A transport without a synchronous side."""

    def __init__(self, script: ScriptedTransport) -> None:
        self._script = script

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass the request on to the script."""
        return await self._script.handle_async_request(request)


async def test_an_async_only_transport_needs_an_oauth_transport() -> None:
    """The synchronous exchange needs an oauth_transport beside an async-only transport."""
    script = ScriptedTransport()
    credentials: dict[str, Any] = {"client_id": "id", "client_secret": SECRET}
    with raises(PineconeValueError, match="oauth_transport is missing"):
        AsyncAdmin(**credentials, transport=AsyncOnlyTransport(script))
    await AsyncAdmin(**credentials, transport=AsyncOnlyTransport(script), oauth_transport=script).projects.list()
    await AsyncAdmin(access_token="x", transport=AsyncOnlyTransport(script)).projects.list()
    assert (len(script.requests), len(script.exchanges)) == (2, 1)


# </async only>
async def test_one_transport_serves_api_and_exchange() -> None:
    """A transport that is sync and async serves both the API and the exchange."""
    script = ScriptedTransport()
    async with AsyncAdmin(client_id="id", client_secret=SECRET, transport=script) as admin:
        await admin.projects.list()
    assert (len(script.requests), len(script.exchanges)) == (1, 1)


async def test_oauth_transport_receives_only_the_exchanges() -> None:
    """oauth_transport receives the exchanges and nothing else."""
    api, oauth = ScriptedTransport(), ScriptedTransport()
    admin = AsyncAdmin(client_id="id", client_secret=SECRET, transport=api, oauth_transport=oauth)
    await admin.projects.list()
    assert (len(api.requests), len(api.exchanges)) == (1, 0)
    assert (len(oauth.requests), len(oauth.exchanges)) == (0, 1)
