"""What callers of an admin API fear most: things made twice, answers made up, clients in each other's way."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

import pytest

from pinecone_admin import PineconeError, ResponseParsingError, RetryPolicy
from pinecone_admin.models import on_organization
from tests.faults.cases import WORLDS, World, ending, operation
from tests.faults.clients import Client
from tests.faults.server import Action, Exchange, Server, answer, head

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
    "lost": ending(b""),
    "reset": ending(b"", Exchange.reset),
    "408": answer(408),
    "500": answer(500),
    "503 Retry-After": answer(503, b"", "Retry-After: 1"),
    "broken": ending(head(201, 99) + b"{"),
}


@pytest.mark.parametrize("name", CREATES)
def test_nothing_is_made_twice(name: str) -> None:
    """Whatever creates, rotates or mails goes out once where its answer is lost, and the caller is told."""
    for fault, world in product(LOST, WORLDS):
        check_lost(name, fault, world)


def check_lost(name: str, fault: str, world: World) -> None:
    """Lose the answer to a create."""
    with (
        Server(steps=[LOST[fault]]) as server,
        Client(world, host=server.url, access_token="given") as client,
    ):
        error = client.do(lambda: CREATES[name](client.admin))
        assert server.calls("POST") == len(server.requests) == 1
    assert isinstance(error, PineconeError)
    assert (error.outcome, error.safe_to_retry) == ("done" if fault == "broken" else "unknown", False)
    assert error.attempts == 1


@pytest.mark.parametrize("world", WORLDS)
def test_a_failure_is_no_answer_to_whether_something_exists(world: World) -> None:
    """Only the server can say that something is there or is not; what kept it from saying so is raised."""
    for step in (answer(401), answer(403), answer(429), answer(500), ending(b"")):
        with (
            Server(steps=[step]) as server,
            Client(world, host=server.url, access_token="given") as client,
        ):
            assert isinstance(client.do(lambda: client.admin.projects.exists(project_id="p")), PineconeError)
            assert isinstance(client.do(lambda: client.admin.projects.exists(name="n")), PineconeError)


LISTS: Mapping[str, Ask] = {
    "organizations": lambda a: a.organizations.list(),
    "projects": lambda a: a.projects.list(),
    "api_keys": lambda a: a.api_keys.list(project_id="p"),
    "users": lambda a: a.users.list().to_list(),
    "invites": lambda a: a.invites.list().to_list(),
    "service_accounts": lambda a: a.service_accounts.list().to_list(),
    "role_bindings": lambda a: a.role_bindings.list().to_list(),
}


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("name", LISTS)
def test_an_answer_without_a_list_is_no_empty_list(name: str, world: World) -> None:
    """Whoever deletes what is missing from a list must not get one that nobody sent."""
    with (
        Server(steps=[answer(200, b"{}")]) as server,
        Client(world, host=server.url, access_token="given") as client,
    ):
        assert isinstance(client.do(lambda: LISTS[name](client.admin)), ResponseParsingError)


@pytest.mark.parametrize("world", WORLDS)
def test_a_failing_client_takes_nothing_from_another(world: World) -> None:
    """However often one client tries in vain, another one of the same host still has all its attempts."""
    with Server(steps=[answer(503)]) as server:
        for _ in range(30):
            with Client(world, host=server.url, access_token="given") as client:
                error = client.do(lambda: client.admin.send(operation("PUT")))
            assert isinstance(error, PineconeError)
            assert error.attempts == RetryPolicy().max_attempts
        assert server.calls("PUT") == 30 * RetryPolicy().max_attempts


@pytest.mark.parametrize("world", WORLDS)
def test_nobody_logs_whom_a_list_was_filtered_by(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """No logger at any level shows the email that a query holds, and none of ours or of httpx says a word at INFO."""
    caplog.set_level(1)
    body = b'{"data": [], "pagination": {"next": null}}'
    with (
        Server(steps=[answer(503), answer(200, body), answer(400)]) as server,
        Client(world, host=server.url, access_token="given") as client,
    ):
        for _ in range(2):
            client.do(lambda: client.admin.users.list(email="ada@example.com").to_list())
        assert [request.path for request in server.requests] == ["/admin/users"] * 3
    for record in caplog.records:
        assert "example.com" not in f"{record.getMessage()} {vars(record)}"
        assert record.levelno != logging.INFO or not record.name.startswith(("pinecone_admin", "httpx", "httpcore"))
    assert [record.name for record in caplog.records].count("pinecone_admin") == 3
