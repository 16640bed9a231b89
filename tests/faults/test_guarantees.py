"""Guarantees to the caller: nothing is created twice, no result is invented, and clients do not affect each other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

import pytest

from pinecone_admin import PineconeError, ResponseParsingError
from pinecone_admin.models import on_organization
from tests.faults.cases import CLIENT_KINDS, ClientKind, make_operation, send_and_close
from tests.faults.clients import AnyClient
from tests.faults.server import Action, RequestContext, Server, format_head, send_response
from tests.support.sampling import some_daily

AdminCall = Callable[[Any], Any]

NON_IDEMPOTENT_CALLS: Mapping[str, AdminCall] = {
    "projects.create": lambda a: a.projects.create(name="n"),
    "api_keys.create": lambda a: a.api_keys.create(project_id="p", name="n"),
    "invites.create": lambda a: a.invites.create(email="a@b.c", role_bindings=[on_organization("OrgMember")]),
    "invites.resend": lambda a: a.invites.resend(invite_id="i"),
    "service_accounts.create": lambda a: a.service_accounts.create(name="n"),
    "service_accounts.rotate_secret": lambda a: a.service_accounts.rotate_secret(service_account_id="s"),
    "role_bindings.create": lambda a: a.role_bindings.create(
        principal_type="user", principal_id="u", resource_type="organization", role="OrgMember"
    ),
}
LOST_RESPONSES: Mapping[str, Action] = {
    "lost": send_and_close(b""),
    "reset": send_and_close(b"", RequestContext.reset),
    "408": send_response(408),
    "500": send_response(500),
    "503 Retry-After": send_response(503, b"", "Retry-After: 1"),
    "broken": send_and_close(format_head(201, 99) + b"{"),
}


@pytest.mark.parametrize("name", some_daily(NON_IDEMPOTENT_CALLS, 3))
def test_lost_response_is_not_retried(name: str) -> None:
    """A create, rotation or mail whose response is lost is sent once, and the error reports an unknown outcome."""
    for fault, client_kind in product(LOST_RESPONSES, CLIENT_KINDS):
        check_lost_response(name, fault, client_kind)


def check_lost_response(name: str, fault: str, client_kind: ClientKind) -> None:
    """Check a call whose response is lost."""
    with (
        Server(api_actions=[LOST_RESPONSES[fault]]) as server,
        AnyClient(client_kind, host=server.url, access_token="supplied") as client,
    ):
        error = client.run_call(lambda: NON_IDEMPOTENT_CALLS[name](client.admin))
        assert server.count_requests("POST") == len(server.requests) == 1
    assert isinstance(error, PineconeError)
    assert (error.outcome, error.safe_to_retry) == ("done" if fault == "broken" else "unknown", False)
    assert error.attempts == 1


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_exists_raises_on_failure(client_kind: ClientKind) -> None:
    """A failure is raised by exists() and not returned as False."""
    for step in (send_response(401), send_response(403), send_response(429), send_response(500), send_and_close(b"")):
        with (
            Server(api_actions=[step]) as server,
            AnyClient(client_kind, host=server.url, access_token="supplied") as client,
        ):
            assert isinstance(client.run_call(lambda: client.admin.projects.exists(project_id="p")), PineconeError)
            assert isinstance(client.run_call(lambda: client.admin.projects.exists(name="n")), PineconeError)


LISTS: Mapping[str, AdminCall] = {
    "organizations": lambda a: a.organizations.list(),
    "projects": lambda a: a.projects.list(),
    "api_keys": lambda a: a.api_keys.list(project_id="p"),
    "users": lambda a: a.users.list().to_list(),
    "invites": lambda a: a.invites.list().to_list(),
    "service_accounts": lambda a: a.service_accounts.list().to_list(),
    "role_bindings": lambda a: a.role_bindings.list().to_list(),
}


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
@pytest.mark.parametrize("name", LISTS)
def test_response_without_list_is_an_error(name: str, client_kind: ClientKind) -> None:
    """A response without a list raises an error and is not read as an empty list."""
    with (
        Server(api_actions=[send_response(200, b"{}")]) as server,
        AnyClient(client_kind, host=server.url, access_token="supplied") as client,
    ):
        assert isinstance(client.run_call(lambda: LISTS[name](client.admin)), ResponseParsingError)


@pytest.mark.parametrize("client_kind", some_daily(CLIENT_KINDS, 3))
def test_clients_have_independent_attempts(client_kind: ClientKind) -> None:
    """A client has all its attempts, however often another client of the same host has failed."""
    with Server(api_actions=[send_response(503)]) as server:
        for _ in range(30):
            with AnyClient(client_kind, host=server.url, access_token="supplied") as client:
                error = client.run_call(lambda: client.admin.send(make_operation("PUT")))
            assert isinstance(error, PineconeError)
            assert error.attempts == 4
        assert server.count_requests("PUT") == 30 * 4


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_logs_omit_filter_values(client_kind: ClientKind, caplog: pytest.LogCaptureFixture) -> None:
    """No log record at any level contains the email in a query, and nothing is logged at INFO."""
    caplog.set_level(1)
    body = b'{"data": [], "pagination": {"next": null}}'
    with (
        Server(api_actions=[send_response(503), send_response(200, body), send_response(400)]) as server,
        AnyClient(client_kind, host=server.url, access_token="supplied") as client,
    ):
        for _ in range(2):
            client.run_call(lambda: client.admin.users.list(email="ada@example.com").to_list())
        assert [request.path for request in server.requests] == ["/admin/users"] * 3
    for record in caplog.records:
        assert "example.com" not in f"{record.getMessage()} {vars(record)}"
        assert record.levelno != logging.INFO or not record.name.startswith(("pinecone_admin", "httpx", "httpcore"))
    assert [record.name for record in caplog.records].count("pinecone_admin") == 3
