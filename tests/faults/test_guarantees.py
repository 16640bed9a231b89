"""What callers of an admin API fear most: things made twice, answers made up, clients in each other's way."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

import pytest

from pinecone_admin import PineconeError, ResponseParsingError, RetryPolicy
from pinecone_admin.models import on_organization
from tests.faults.cases import CLIENT_KINDS, ClientKind, make_operation, send_and_close
from tests.faults.clients import AnyClient
from tests.faults.server import Action, RequestContext, Server, format_head, send_response

Ask = Callable[[Any], Any]

CREATES: Mapping[str, Ask] = {
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
LOST: Mapping[str, Action] = {
    "lost": send_and_close(b""),
    "reset": send_and_close(b"", RequestContext.reset),
    "408": send_response(408),
    "500": send_response(500),
    "503 Retry-After": send_response(503, b"", "Retry-After: 1"),
    "broken": send_and_close(format_head(201, 99) + b"{"),
}


@pytest.mark.parametrize("name", CREATES)
def test_nothing_is_made_twice(name: str) -> None:
    """Whatever creates, rotates or mails goes out once where its answer is lost, and the caller is told."""
    for fault, client_kind in product(LOST, CLIENT_KINDS):
        check_lost(name, fault, client_kind)


def check_lost(name: str, fault: str, client_kind: ClientKind) -> None:
    """Lose the answer to a create."""
    with (
        Server(api_actions=[LOST[fault]]) as server,
        AnyClient(client_kind, host=server.url, access_token="supplied") as client,
    ):
        error = client.run_call(lambda: CREATES[name](client.admin))
        assert server.count_requests("POST") == len(server.requests) == 1
    assert isinstance(error, PineconeError)
    assert (error.outcome, error.safe_to_retry) == ("done" if fault == "broken" else "unknown", False)
    assert error.attempts == 1


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_a_failure_is_no_answer_to_whether_something_exists(client_kind: ClientKind) -> None:
    """Only the server can say that something is there or is not; what kept it from saying so is raised."""
    for step in (send_response(401), send_response(403), send_response(429), send_response(500), send_and_close(b"")):
        with (
            Server(api_actions=[step]) as server,
            AnyClient(client_kind, host=server.url, access_token="supplied") as client,
        ):
            assert isinstance(client.run_call(lambda: client.admin.projects.exists(project_id="p")), PineconeError)
            assert isinstance(client.run_call(lambda: client.admin.projects.exists(name="n")), PineconeError)


LISTS: Mapping[str, Ask] = {
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
def test_an_answer_without_a_list_is_no_empty_list(name: str, client_kind: ClientKind) -> None:
    """Whoever deletes what is missing from a list must not get one that nobody sent."""
    with (
        Server(api_actions=[send_response(200, b"{}")]) as server,
        AnyClient(client_kind, host=server.url, access_token="supplied") as client,
    ):
        assert isinstance(client.run_call(lambda: LISTS[name](client.admin)), ResponseParsingError)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_a_failing_client_takes_nothing_from_another(client_kind: ClientKind) -> None:
    """However often one client tries in vain, another one of the same host still has all its attempts."""
    with Server(api_actions=[send_response(503)]) as server:
        for _ in range(30):
            with AnyClient(client_kind, host=server.url, access_token="supplied") as client:
                error = client.run_call(lambda: client.admin.send(make_operation("PUT")))
            assert isinstance(error, PineconeError)
            assert error.attempts == RetryPolicy().max_attempts
        assert server.count_requests("PUT") == 30 * RetryPolicy().max_attempts


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_nobody_logs_whom_a_list_was_filtered_by(client_kind: ClientKind, caplog: pytest.LogCaptureFixture) -> None:
    """No logger at any level shows the email that a query holds, and none of ours or of httpx says a word at INFO."""
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
