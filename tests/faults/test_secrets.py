"""Secrets: a canary in the place of each secret appears in no error, value, stack frame or log record."""

from __future__ import annotations

import json
import logging
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import quote_plus

import pytest
from attrs import evolve

from pinecone_admin import Admin, AttemptEvent, PineconeError, ResponseParsingError, RetryPolicy
from tests.faults.canaries import (
    HEADER,
    KEY,
    PASSWORD,
    SECRET,
    TOKEN,
    SecretSearch,
    issue_canary_token,
    list_linked_errors,
    send_request_back,
    send_secret_in_body,
    send_secret_in_header,
)
from tests.faults.cases import CLIENT_KINDS, Certificates, ClientKind, make_operation, send_and_close
from tests.faults.clients import AnyClient
from tests.faults.server import (
    TOKEN_PATH,
    Action,
    RequestContext,
    Server,
    format_head,
    respond_when_set,
    send_project,
    send_response,
)
from tests.support.concurrency import PATIENCE, wait_until
from tests.support.sampling import some_daily


@pytest.fixture
def search() -> Iterator[SecretSearch]:
    """Search all log records and collect findings, and require that there are none."""
    search = SecretSearch()
    with search.logs("logs"):
        yield search
    assert not search.found, "\n".join(search.found)


TOKEN_ENDPOINT_RESPONSES: dict[str, Action] = {
    "secret in the description": send_secret_in_body(401, '{"error": "access_denied", "error_description": "ECHOED"}'),
    "escaped secret in the description": send_secret_in_body(
        401, '{"error": "access_denied", "error_description": "ECHOED"}', escape=True
    ),
    "secret as error code": send_secret_in_body(400, '{"error": "ECHOED"}'),
    "error page": send_secret_in_body(500, "<html>ECHOED</html>"),
    "echoed request": send_request_back(),
    "echoed request after a status line": send_request_back(b"HTTP/1.1 200 OK\r\n"),
    "no token": send_secret_in_body(200, '{"token": "ECHOED"}'),
    "not JSON": send_secret_in_body(200, "ECHOED"),
    "another token type": send_secret_in_body(200, '{"access_token": "ECHOED", "token_type": "ECHOED"}'),
    "invalid lifetime": send_secret_in_body(200, '{"access_token": "x", "expires_in": "ECHOED"}'),
    "lost": send_and_close(b""),
    "truncated": send_and_close(format_head(200, 99) + b'{"access_token": "' + TOKEN.encode()),
}
API_RESPONSES: dict[str, Action] = {
    "error message": send_secret_in_body(400, '{"error": {"code": "X", "message": "bad ECHOED"}}'),
    "error code": send_secret_in_body(409, '{"error": {"code": "ECHOED"}}'),
    "error details": send_secret_in_body(409, '{"error": {"code": "X", "details": {"got": "ECHOED"}}}'),
    "error page": send_secret_in_body(500, "<html>ECHOED</html>"),
    "echoed request": send_request_back(),
    "echoed request after a status line": send_request_back(b"HTTP/1.1 200 OK\r\n"),
    "unparsable success": send_secret_in_body(200, '{"id": "ECHOED"}'),
    "success that is not JSON": send_secret_in_body(200, "ECHOED"),
    "401": send_response(401),
    "lost": send_and_close(b""),
    "reset": send_and_close(b"", RequestContext.reset),
    "truncated": send_and_close(format_head(200, 99) + b"{"),
}


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
@pytest.mark.parametrize("name", TOKEN_ENDPOINT_RESPONSES)
def test_token_endpoint_errors_hide_secrets(name: str, client_kind: ClientKind, search: SecretSearch) -> None:
    """Errors of the token exchange contain neither secret nor token, whatever the endpoint echoes."""
    with (
        Server(token_actions=[TOKEN_ENDPOINT_RESPONSES[name]]) as server,
        AnyClient(client_kind, **server.client_options | {"client_secret": SECRET}) as client,
    ):
        error = client.run_call(client.admin.token)
        if isinstance(error, PineconeError):
            search.error(name, error)
        search.objects(name, client.admin)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
@pytest.mark.parametrize("name", API_RESPONSES)
def test_api_errors_hide_token(name: str, client_kind: ClientKind, search: SecretSearch) -> None:
    """Errors of the API do not contain the token, whatever the API echoes."""
    with (
        Server(token_actions=[issue_canary_token], api_actions=[API_RESPONSES[name]]) as server,
        AnyClient(client_kind, **server.client_options | {"client_secret": SECRET}) as client,
    ):
        error = client.run_call(lambda: client.admin.projects.describe(project_id="x"))
        assert isinstance(error, PineconeError)
        search.error(name, error)
        search.objects(name, client.admin)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
@pytest.mark.parametrize("name", some_daily(API_RESPONSES, 3))
@pytest.mark.parametrize("header", ["authorization", "x-gateway-key"])
def test_api_errors_hide_custom_headers(header: str, name: str, client_kind: ClientKind, search: SecretSearch) -> None:
    """Errors of the API do not contain the values of the caller's headers, whatever the API echoes."""
    options: dict[str, Any] = {"additional_headers": {"authorization": "x", header: f"Bearer {HEADER}"}}
    api_action = API_RESPONSES[name]

    def echo_header(context: RequestContext) -> None:
        headers = {**context.request.headers, "authorization": context.request.headers[header]}
        changed_context = evolve(context, request=evolve(context.request, headers=headers))
        api_action(changed_context)
        context.keep_alive = changed_context.keep_alive

    with Server(api_actions=[echo_header]) as server, AnyClient(client_kind, host=server.url, **options) as client:
        error = client.run_call(lambda: client.admin.projects.describe(project_id="x"))
        assert isinstance(error, PineconeError)
        search.error(name, error)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
@pytest.mark.parametrize("name", ["x-request-id", "x-debug", "retry-after"])
def test_errors_and_logs_hide_echoed_headers(
    name: str, client_kind: ClientKind, caplog: pytest.LogCaptureFixture
) -> None:
    """Errors and log records do not contain a secret that the server echoes in a header."""
    caplog.set_level(logging.DEBUG, logger="pinecone_admin")
    search = SecretSearch()
    for tokens, api_action in (
        (send_secret_in_header(name, 401), send_project),
        (issue_canary_token, send_secret_in_header(name)),
    ):
        options = {"client_secret": SECRET, "retry": RetryPolicy(max_attempts=1)}
        with (
            Server(token_actions=[tokens], api_actions=[api_action]) as server,
            AnyClient(client_kind, **server.client_options | options) as client,
        ):
            error = client.describe_project()
            assert isinstance(error, PineconeError)
            search.error(name, error)
    with (
        Server(token_actions=[issue_canary_token], api_actions=[send_secret_in_header(name, 200)]) as server,
        AnyClient(client_kind, **server.client_options) as client,
    ):
        assert isinstance(client.describe_project(), ResponseParsingError)
    lines = [record.getMessage() for record in caplog.records if record.name == "pinecone_admin"]
    assert len(lines) == 5
    search.text("log", "\n".join(lines))
    assert not search.found


def list_echoing_responses(*canaries: str) -> dict[str, Action]:
    """Return the responses of a gateway that shows all that it has ever seen of a client, in several forms."""
    forms = [b64encode(f"ada:{PASSWORD}".encode()).decode()] * (PASSWORD in canaries)
    for canary in canaries:
        forms += [canary, json.dumps(canary)[1:-1].replace("/", "\\/"), quote_plus(canary)]
    echo = " ".join(forms)
    headers = [f"{name}: {echo}" for name in ("x-request-id", "X-Pinecone-Request-Id", "location", "x-debug")]
    body = f'{{"error": {{"code": "{echo}", "message": "{echo}", "details": {{"{echo}": "{echo}"}}}}}}'.encode()
    return {
        **{str(status): send_response(status, body, *headers) for status in (302, 400, 401, 404, 429, 503)},
        "page": send_response(403, f"<html>{echo}".encode(), *headers),
        "cut off": send_and_close(format_head(400, 99_999, *headers) + body),
        "longer than what is kept": send_response(400, b" " * (64 * 1024 - 40) + echo.encode()),
        "not JSON": send_response(200, echo.encode(), *headers),
        "of another type": send_response(200, f'{{"id": ["{echo}"], "{echo}": 1}}'.encode(), *headers),
        "encoded": send_response(200, b"{}", f"Content-Encoding: {SECRET}", *headers),
        "lost": send_and_close(echo.encode()),
    }


@pytest.mark.parametrize("client_kind", some_daily(CLIENT_KINDS, 3))
@pytest.mark.parametrize("is_proxy", some_daily([True, False], 2))
def test_no_host_brings_a_secret_of_another_request_into_an_error(
    is_proxy: bool, client_kind: ClientKind, search: SecretSearch
) -> None:
    """Secrets that were sent or received before are masked in responses of every host, of a proxy too.

    They are looked for in errors, events and log records of the client and of its copies.
    """
    events: list[AttemptEvent] = []
    responses = list_echoing_responses(SECRET, TOKEN, KEY, HEADER, *[PASSWORD] * is_proxy)
    token = json.dumps({"access_token": TOKEN, "token_type": "Bearer", "expires_in": 1800}).encode()
    key = json.dumps({"key": {"id": "k", "name": "n", "project_id": "p", "roles": []}, "value": KEY}).encode()
    actions = {
        True: send_response(200, token, f"x-request-id: {TOKEN}"),
        False: send_response(200, key, f"x-request-id: {KEY}"),
    }

    def act(context: RequestContext) -> None:
        actions[context.request.path.endswith(TOKEN_PATH)](context)

    with Server(api_actions=[act], token_actions=[act]) as server:
        options = server.client_options | {"client_secret": SECRET, "on_attempt": events.append}
        if is_proxy:
            options |= {"host": "http://127.0.0.1:9", "oauth_url": f"http://127.0.0.1:9{TOKEN_PATH}"}
            options["proxy_url"] = server.url.replace("//", f"//ada:{PASSWORD}@")
        options["retry"] = RetryPolicy(max_attempts=1, backoff=0)
        with AnyClient(client_kind, **options) as client:
            assert client.run_call(lambda: client.admin.api_keys.create(project_id="p", name="n")).value == KEY
            copy = client.admin.with_options(additional_headers={"x-gateway": f"Bearer {HEADER}"})
            keyed = copy.with_options(api_key=KEY)
            for name, action in responses.items():
                actions[False] = action
                for admin in (client.admin, copy, keyed):
                    projects: Any = admin.projects
                    for call in (partial(projects.describe, project_id="x"), partial(projects.create, name="n")):
                        error = client.run_call(call)
                        assert isinstance(error, PineconeError), name
                        search.error(name, error)
            for name, action in responses.items():
                client.admin.update_secret(SECRET)
                actions[True] = action
                error = client.run_call(client.admin.token)
                assert isinstance(error, PineconeError), name
                search.error(f"exchange, {name}", error)
    assert len(events) > 6 * len(responses)
    for event in events:
        search.value("event", event)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_unparsable_key_is_recoverable_but_hidden(client_kind: ClientKind, search: SecretSearch) -> None:
    """The key in an unparsable response does not appear in the error, but can be recovered from its raw body."""
    body = json.dumps({"key": {"id": "k"}, "value": KEY}).encode()
    with (
        Server(token_actions=[issue_canary_token], api_actions=[send_response(201, body)]) as server,
        AnyClient(client_kind, **server.client_options) as client,
    ):
        error = client.run_call(lambda: client.admin.api_keys.create(project_id="p", name="n"))
        assert isinstance(error, ResponseParsingError)
        search.error("a key", error)
        assert KEY in error.raw.reveal()


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_values_hide_their_secrets(client_kind: ClientKind, search: SecretSearch) -> None:
    """Tokens, keys and clients print without their secrets, and tokens and clients cannot be pickled with them."""
    key = {"id": "k", "name": "n", "project_id": "p", "roles": ["ProjectEditor"]}
    body = json.dumps({"key": key, "value": KEY}).encode()
    with (
        Server(token_actions=[issue_canary_token], api_actions=[send_response(201, body)]) as server,
        AnyClient(
            client_kind,
            **server.client_options | {"client_secret": SECRET, "additional_headers": {"x-secret": HEADER}},
        ) as client,
    ):
        token = client.run_call(client.admin.token)
        assert token.value == TOKEN
        created = client.run_call(lambda: client.admin.api_keys.create(project_id="p", name="n"))
        assert created.value == KEY
        for place, value in {"token": token, "key": created, "client": client.admin}.items():
            search.value(place, value)
        search.value("together", {"all": [token, created, client.admin]})
        search.pickle("token", token)
        search.pickle("client", client.admin)
        search.objects("client", client.admin)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
@pytest.mark.parametrize("where", ["exchange", "API"])
def test_stack_frames_hide_secrets(where: str, client_kind: ClientKind, search: SecretSearch) -> None:
    """The local variables of all frames contain no secret during a call."""
    gate = threading.Event()
    api_action = send_and_close(b"", RequestContext.hang) if where == "API" else send_project
    tokens = [respond_when_set(gate, issue_canary_token)] if where == "exchange" else [issue_canary_token]
    options = {"client_secret": SECRET, "additional_headers": {"x-secret": HEADER}, "timeout": PATIENCE}
    with (
        Server(token_actions=tokens, api_actions=[api_action]) as server,
        AnyClient(client_kind, **server.client_options | options) as client,
    ):
        thread = threading.Thread(target=client.describe_project)
        thread.start()
        wait_until(lambda: server.requests if where == "API" else server.exchanges)
        time.sleep(0.05)  # the request has been written
        search.stacks(where)
        gate.set()
        if where == "API":
            server.stop()
        thread.join()


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_attempt_events_hide_secrets(client_kind: ClientKind, search: SecretSearch) -> None:
    """The events of attempts, of token exchanges too, and their errors contain no secret."""
    events: list[AttemptEvent] = []
    api_actions = [
        send_response(503),
        send_and_close(b""),
        send_and_close(b"", RequestContext.reset),
        send_and_close(format_head(200, 9) + b"{"),
        send_project,
    ]
    options = {
        "client_secret": SECRET,
        "additional_headers": {"x-secret": HEADER},
        "retry": RetryPolicy(max_attempts=9),
        "on_attempt": events.append,
    }
    with (
        Server(
            token_actions=[send_request_back(), send_request_back(b"HTTP/1.1 "), issue_canary_token],
            api_actions=api_actions,
        ) as server,
        AnyClient(client_kind, **server.client_options | options) as client,
    ):
        assert client.describe_project() == "x"
    assert len(events) == 8
    for event in events:
        search.value("event", event)
        if event.error is not None:
            search.error("event", event.error)


def raise_secret() -> str:
    """Raise an error with the secret in its message."""
    raise ValueError(SECRET)


WRONG_ARGUMENTS: dict[str, dict[str, Any]] = {
    "secret with a line break": {"client_id": "id", "client_secret": SECRET + "\n"},
    "secret with a space": {"client_id": "id", "client_secret": f"{SECRET} x"},
    "secret as bytes": {"client_id": "id", "client_secret": SECRET.encode()},
    "another invalid argument": {"client_id": "id", "client_secret": SECRET, "timeout": -1},
    "two kinds of credentials": {"client_secret": SECRET, "access_token": TOKEN},
    "token with a line break": {"access_token": TOKEN + "\n"},
    "callable that returns a line break": {"client_id": "id", "client_secret": lambda: SECRET + "\n"},
    "failing callable": {"client_id": "id", "client_secret": raise_secret},
    "token callable that returns a line break": {"access_token": lambda: TOKEN + "\n"},
    "header with a line break": {"access_token": "x", "additional_headers": {"authorization": f"Bearer {HEADER}\n"}},
    "framing header": {
        "access_token": "x",
        "additional_headers": {"authorization": HEADER, "content-length": "1"},
    },
    "invalid proxy": {"access_token": "x", "proxy_url": f"http://ada:{PASSWORD}@[::1"},
    "proxy without a host": {"access_token": "x", "proxy_url": f"http://ada:{PASSWORD}@"},
    "proxy with an invalid port": {"access_token": "x", "proxy_url": f"http://ada:{PASSWORD}@h:99999"},
    "proxy with a slash in its password": {"access_token": "x", "proxy_url": f"http://ada:/{PASSWORD}@h:1"},
    "proxy with an unknown scheme": {"access_token": "x", "proxy_url": f"ftp://ada:{PASSWORD}@h:1"},
    "proxy with a question mark in its password": {"access_token": "x", "proxy_url": f"http://ada:?{PASSWORD}@h:1"},
    "proxy with a hash in its password": {"access_token": "x", "proxy_url": f"http://ada:#{PASSWORD}@h:1"},
    "host with a query": {"access_token": "x", "host": f"https://h?token={TOKEN}"},
    "host with a fragment": {"access_token": "x", "host": f"https://h#{TOKEN}"},
    "plain host with a slash in its password": {"access_token": "x", "host": f"http://ada:/{PASSWORD}@h"},
    "token endpoint with a query": {
        "client_id": "id",
        "client_secret": SECRET,
        "oauth_url": f"https://h/oauth/token?secret={SECRET}",
    },
    "plain token endpoint with a slash in its password": {
        "client_id": "id",
        "client_secret": SECRET,
        "oauth_url": f"http://ada:/{PASSWORD}@h/x",
    },
    "host with a password": {"access_token": "x", "host": f"https://ada:{PASSWORD}@h"},
    "host with a password and an invalid port": {"access_token": "x", "host": f"https://ada:{PASSWORD}@h:99999"},
    "token endpoint with a password": {
        "client_id": "id",
        "client_secret": SECRET,
        "oauth_url": f"https://ada:{PASSWORD}@h/oauth/token",
    },
    "missing CA file": {"client_id": "id", "client_secret": SECRET, "ssl_verify": "/nowhere"},
}


@pytest.mark.parametrize("name", WRONG_ARGUMENTS)
def test_argument_errors_hide_values(name: str, search: SecretSearch) -> None:
    """Errors about arguments do not contain the arguments."""
    with pytest.raises(PineconeError) as caught:  # noqa: PT012 - some fail only when the argument is used
        admin = Admin(**{"host": "http://127.0.0.1:9", "oauth_url": "http://127.0.0.1:9/x"} | WRONG_ARGUMENTS[name])
        with admin:
            admin.token()
            admin.with_options(retry=RetryPolicy(max_attempts=1)).projects.list()
    search.error(name, caught.value)


@pytest.mark.parametrize("variable", ["PINECONE_CLIENT_SECRET", "PINECONE_ACCESS_TOKEN", "HTTPS_PROXY"])
def test_environment_errors_hide_values(variable: str, search: SecretSearch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors about environment variables do not contain the variables."""
    monkeypatch.setenv("PINECONE_CLIENT_ID", "id")
    monkeypatch.setenv("PINECONE_CLIENT_SECRET", SECRET)
    wrong = {"HTTPS_PROXY": f"http://ada:{PASSWORD}@[::1"}.get(variable, SECRET + "\n")
    monkeypatch.setenv(variable, wrong)
    with pytest.raises(PineconeError) as caught:
        Admin(lazy=True)
    search.error(variable, caught.value)


REJECTED_CALLS: dict[str, Callable[[Admin], object]] = {
    "update_secret with a line break": lambda admin: admin.update_secret(SECRET + "\n"),
    "update_secret with bytes": lambda admin: admin.update_secret(SECRET.encode()),  # type: ignore[arg-type]
    "invalid id": lambda admin: admin.projects.describe(project_id=".."),
    "invalid body": lambda admin: admin.projects.create(name=""),
    "invalid option": lambda admin: admin.with_options(timeout=-1),
    "invalid header with a secret": lambda admin: admin.with_options(
        additional_headers={"authorization": HEADER + "\n"}
    ),
    "read-only client": lambda admin: admin.with_options(read_only=True).send(make_operation("POST")),
    "closed client": lambda admin: [admin.close(), admin.projects.list()],  # type: ignore[func-returns-value]
    "pickled client": lambda admin: admin.__reduce__(),
}


@pytest.mark.parametrize("name", REJECTED_CALLS)
def test_rejected_calls_hide_secrets(name: str, search: SecretSearch) -> None:
    """Errors of calls that are rejected before sending contain no secret."""
    with Server(token_actions=[issue_canary_token]) as server:
        options = {"client_secret": SECRET, "additional_headers": {"x-secret": HEADER}}
        with Admin(**server.client_options | options) as admin:
            admin.token()
            with pytest.raises(PineconeError) as caught:
                REJECTED_CALLS[name](admin)
            search.error(name, caught.value)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_proxy_errors_hide_password(client_kind: ClientKind, certificates: Certificates, search: SecretSearch) -> None:
    """Errors of a refusing proxy do not contain its password."""
    for api_action in (
        send_response(407),
        send_response(403),
        send_request_back(),
        send_secret_in_header("x-debug", 407),
    ):
        with Server(api_actions=[api_action]) as proxy:
            options = {
                "host": "https://api.example",
                "access_token": TOKEN,
                "proxy_url": proxy.url.replace("//", f"//ada:{PASSWORD}@"),
                "ssl_verify": certificates.client,
            }
            with AnyClient(client_kind, **options) as client:
                error = client.describe_project()
                assert isinstance(error, PineconeError)
                search.error("proxy", error)
                search.objects("proxy", client.admin)


def refuse_with_credentials_as_reason(context: RequestContext) -> None:
    """Refuse with the proxy credentials as the reason phrase."""
    context.send(f"HTTP/1.1 403 {context.request.headers['proxy-authorization']}\r\n\r\n".encode())
    context.keep_alive = False


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_proxy_reason_phrase_is_not_shown(client_kind: ClientKind) -> None:
    """Errors do not contain a reason phrase if the proxy echoes the password in it."""
    search = SecretSearch()
    with Server(api_actions=[refuse_with_credentials_as_reason]) as proxy:
        address = proxy.url.replace("//", f"//ada:{PASSWORD}@")
        with AnyClient(client_kind, host="https://api.example", access_token=TOKEN, proxy_url=address) as client:
            error = client.describe_project()
    assert isinstance(error, PineconeError)
    assert str(error).endswith("403 Forbidden")
    search.error("reason", error)
    assert not search.found


def test_errors_link_no_foreign_exceptions() -> None:
    """Errors link to no exceptions of other packages, whose text and frames may contain secrets."""
    for api_action in API_RESPONSES.values():
        with (
            Server(api_actions=[api_action]) as server,
            AnyClient("sync", host=server.url, access_token=TOKEN) as client,
        ):
            error = client.describe_project()
            assert all(isinstance(each, PineconeError) for each in list_linked_errors(error)), list_linked_errors(error)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_log_has_one_line_per_attempt(client_kind: ClientKind, caplog: pytest.LogCaptureFixture) -> None:
    """Each attempt is logged in one line at DEBUG with its path template, without query, body or email."""
    caplog.set_level(logging.DEBUG, logger="pinecone_admin")
    users = json.dumps({"data": [], "pagination": {"next": None}}).encode()
    api_actions = [send_response(503), send_response(200, users, "X-Pinecone-Request-Id: r-1"), send_project]
    with Server(api_actions=api_actions) as server, AnyClient(client_kind, **server.client_options) as client:
        client.run_call(lambda: client.admin.users.list(email="ada@example.com").to_list())
        client.run_call(lambda: client.admin.projects.describe(project_id="p-42"))
    records = [record for record in caplog.records if record.name == "pinecone_admin"]
    assert {record.levelno for record in records} == {logging.DEBUG}
    lines = [record.getMessage() for record in records]
    assert [line.split(",")[0] for line in lines] == [
        "POST /oauth/token -> 200",
        "GET /admin/users -> 503",
        "GET /admin/users -> 200",
        "GET /admin/projects/{project_id} -> 200",
    ]
    assert "attempt 2" in lines[2]
    assert lines[2].endswith("request id r-1")
    assert not any(word in "\n".join(lines) for word in ("ada", "example.com", "p-42", "secret", "token-1"))
