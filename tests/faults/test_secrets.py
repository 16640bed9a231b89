"""Suite 7: a canary in every place where a secret can be is found nowhere else."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from attrs import evolve

from pinecone_admin import Admin, PineconeError, ResponseParsingError, RetryEvent, RetryPolicy
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
    Action,
    RequestContext,
    Server,
    format_head,
    respond_when_set,
    send_project,
    send_response,
)
from tests.support.together import PATIENCE, wait_until


@pytest.fixture
def search() -> Iterator[SecretSearch]:
    """Search, and expect nothing."""
    search = SecretSearch()
    with search.logs("logs"):
        yield search
    assert not search.found, "\n".join(search.found)


OAUTH: dict[str, Action] = {
    "refused with the secret in the description": send_secret_in_body(
        401, '{"error": "access_denied", "error_description": "ECHOED"}'
    ),
    "the same, escaped": send_secret_in_body(
        401, '{"error": "access_denied", "error_description": "ECHOED"}', escape=True
    ),
    "the secret as error code": send_secret_in_body(400, '{"error": "ECHOED"}'),
    "an error page": send_secret_in_body(500, "<html>ECHOED</html>"),
    "the request as it came": send_request_back(),
    "the request behind a status line": send_request_back(b"HTTP/1.1 200 OK\r\n"),
    "no token": send_secret_in_body(200, '{"token": "ECHOED"}'),
    "no JSON": send_secret_in_body(200, "ECHOED"),
    "another type": send_secret_in_body(200, '{"access_token": "ECHOED", "token_type": "ECHOED"}'),
    "a lifetime that is none": send_secret_in_body(200, '{"access_token": "x", "expires_in": "ECHOED"}'),
    "lost": send_and_close(b""),
    "truncated": send_and_close(format_head(200, 99) + b'{"access_token": "' + TOKEN.encode()),
}
API: dict[str, Action] = {
    "a message": send_secret_in_body(400, '{"error": {"code": "X", "message": "bad ECHOED"}}'),
    "a code": send_secret_in_body(409, '{"error": {"code": "ECHOED"}}'),
    "details": send_secret_in_body(409, '{"error": {"code": "X", "details": {"got": "ECHOED"}}}'),
    "an error page": send_secret_in_body(500, "<html>ECHOED</html>"),
    "the request as it came": send_request_back(),
    "the request behind a status line": send_request_back(b"HTTP/1.1 200 OK\r\n"),
    "a success that does not fit": send_secret_in_body(200, '{"id": "ECHOED"}'),
    "a success that is no JSON": send_secret_in_body(200, "ECHOED"),
    "rejected": send_response(401),
    "lost": send_and_close(b""),
    "reset": send_and_close(b"", RequestContext.reset),
    "truncated": send_and_close(format_head(200, 99) + b"{"),
}


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
@pytest.mark.parametrize("name", OAUTH)
def test_a_token_endpoint_that_tells(name: str, client_kind: ClientKind, search: SecretSearch) -> None:
    """No error of the exchange shows the secret or a token, whatever the endpoint puts where."""
    with (
        Server(token_actions=[OAUTH[name]]) as server,
        AnyClient(client_kind, **server.client_options | {"client_secret": SECRET}) as client,
    ):
        error = client.run_call(client.admin.token)
        if isinstance(error, PineconeError):
            search.error(name, error)
        search.objects(name, client.admin)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
@pytest.mark.parametrize("name", API)
def test_an_api_that_tells(name: str, client_kind: ClientKind, search: SecretSearch) -> None:
    """No text of an error shows the token, whatever the API puts where; what it said is kept apart."""
    with (
        Server(token_actions=[issue_canary_token], api_actions=[API[name]]) as server,
        AnyClient(client_kind, **server.client_options | {"client_secret": SECRET}) as client,
    ):
        error = client.run_call(lambda: client.admin.projects.describe(project_id="x"))
        assert isinstance(error, PineconeError)
        search.error(name, error)
        search.objects(name, client.admin)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
@pytest.mark.parametrize("name", API)
@pytest.mark.parametrize("header", ["authorization", "x-gateway-key"])
def test_an_api_that_tells_a_header(header: str, name: str, client_kind: ClientKind, search: SecretSearch) -> None:
    """Nor does it show what the caller's own headers hold: any of them may be a credential."""
    options: dict[str, Any] = {"additional_headers": {"authorization": "x", header: f"Bearer {HEADER}"}}
    step = API[name]

    def tell(context: RequestContext) -> None:
        headers = {**context.request.headers, "authorization": context.request.headers[header]}
        told = evolve(context, request=evolve(context.request, headers=headers))
        step(told)
        context.keep_alive = told.keep_alive

    with Server(api_actions=[tell]) as server, AnyClient(client_kind, host=server.url, **options) as client:
        error = client.run_call(lambda: client.admin.projects.describe(project_id="x"))
        assert isinstance(error, PineconeError)
        search.error(name, error)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
@pytest.mark.parametrize("name", ["x-request-id", "x-debug", "retry-after"])
def test_headers_that_tell(name: str, client_kind: ClientKind, caplog: pytest.LogCaptureFixture) -> None:
    """Nor does an error or our log show what comes back in a header; httpcore's log of headers is its own affair."""
    caplog.set_level(logging.DEBUG, logger="pinecone_admin")
    search = SecretSearch()
    for tokens, step in (
        (send_secret_in_header(name, 401), send_project),
        (issue_canary_token, send_secret_in_header(name)),
    ):
        options = {"client_secret": SECRET, "retry": RetryPolicy(max_attempts=1)}
        with (
            Server(token_actions=[tokens], api_actions=[step]) as server,
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


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_an_answer_that_shows_a_secret_once(client_kind: ClientKind, search: SecretSearch) -> None:
    """A key whose answer does not fit is in no text of the error, and can still be recovered."""
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
def test_values_that_hold_secrets(client_kind: ClientKind, search: SecretSearch) -> None:
    """Tokens, keys and clients print without them, and neither token nor client can be pickled with them."""
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
        made = client.run_call(lambda: client.admin.api_keys.create(project_id="p", name="n"))
        assert made.value == KEY
        for place, value in {"token": token, "key": made, "client": client.admin}.items():
            search.value(place, value)
        search.value("together", {"all": [token, made, client.admin]})
        search.pickle("token", token)
        search.pickle("client", client.admin)
        search.objects("client", client.admin)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
@pytest.mark.parametrize("where", ["exchange", "API"])
def test_stacks_while_a_call_is_under_way(where: str, client_kind: ClientKind, search: SecretSearch) -> None:
    """A dump of all frames with their locals, taken while a call waits, shows none of them."""
    gate = threading.Event()
    waiting = send_and_close(b"", RequestContext.hang) if where == "API" else send_project
    tokens = [respond_when_set(gate, issue_canary_token)] if where == "exchange" else [issue_canary_token]
    options = {"client_secret": SECRET, "additional_headers": {"x-secret": HEADER}, "timeout": PATIENCE}
    with (
        Server(token_actions=tokens, api_actions=[waiting]) as server,
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
def test_events_of_retries(client_kind: ClientKind, search: SecretSearch) -> None:
    """What on_retry is told shows none, nor do the exceptions in it and the frames that they passed through."""
    events: list[RetryEvent] = []
    steps = [
        send_response(503),
        send_and_close(b""),
        send_and_close(b"", RequestContext.reset),
        send_and_close(format_head(200, 9) + b"{"),
        send_project,
    ]
    policy = RetryPolicy(max_attempts=9, on_retry=events.append)
    options = {"client_secret": SECRET, "additional_headers": {"x-secret": HEADER}, "retry": policy}
    with (
        Server(
            token_actions=[send_request_back(), send_request_back(b"HTTP/1.1 "), issue_canary_token], api_actions=steps
        ) as server,
        AnyClient(client_kind, **server.client_options | options) as client,
    ):
        assert client.describe_project() == "x"
    assert len(events) == 6
    for event in events:
        search.value("event", event)
        if event.error is not None:
            search.error("event", event.error)


def failing_callable() -> str:
    """Fail with the secret in the message."""
    raise ValueError(SECRET)


WRONG_ARGUMENTS: dict[str, dict[str, Any]] = {
    "a line break behind the secret": {"client_id": "id", "client_secret": SECRET + "\n"},
    "a blank within it": {"client_id": "id", "client_secret": f"{SECRET} x"},
    "bytes": {"client_id": "id", "client_secret": SECRET.encode()},
    "another argument wrong": {"client_id": "id", "client_secret": SECRET, "timeout": -1},
    "two identities": {"client_secret": SECRET, "access_token": TOKEN},
    "a token with a line break": {"access_token": TOKEN + "\n"},
    "a callable that gives a line break": {"client_id": "id", "client_secret": lambda: SECRET + "\n"},
    "a callable that fails": {"client_id": "id", "client_secret": failing_callable},
    "a token callable that gives a line break": {"access_token": lambda: TOKEN + "\n"},
    "a header with a line break": {"access_token": "x", "additional_headers": {"authorization": f"Bearer {HEADER}\n"}},
    "a framing header": {
        "access_token": "x",
        "additional_headers": {"authorization": HEADER, "content-length": "1"},
    },
    "a proxy that is none": {"access_token": "x", "proxy_url": f"http://ada:{PASSWORD}@[::1"},
    "a proxy without a host": {"access_token": "x", "proxy_url": f"http://ada:{PASSWORD}@"},
    "a proxy with a bad port": {"access_token": "x", "proxy_url": f"http://ada:{PASSWORD}@h:99999"},
    "a proxy whose password has a slash": {"access_token": "x", "proxy_url": f"http://ada:/{PASSWORD}@h:1"},
    "a proxy of another kind": {"access_token": "x", "proxy_url": f"ftp://ada:{PASSWORD}@h:1"},
    "a host with a password": {"access_token": "x", "host": f"https://ada:{PASSWORD}@h"},
    "the same, with a bad port": {"access_token": "x", "host": f"https://ada:{PASSWORD}@h:99999"},
    "a token endpoint with a password": {
        "client_id": "id",
        "client_secret": SECRET,
        "oauth_url": f"https://ada:{PASSWORD}@h/oauth/token",
    },
    "a CA file that is none": {"client_id": "id", "client_secret": SECRET, "ssl_verify": "/nowhere"},
}


@pytest.mark.parametrize("name", WRONG_ARGUMENTS)
def test_wrong_arguments(name: str, search: SecretSearch) -> None:
    """Nothing that is wrong with an argument shows what was given."""
    with pytest.raises(PineconeError) as caught:  # noqa: PT012 - some fail only where the argument is used
        admin = Admin(**{"host": "http://127.0.0.1:9", "oauth_url": "http://127.0.0.1:9/x"} | WRONG_ARGUMENTS[name])
        with admin:
            admin.token()
            admin.with_options(retry=RetryPolicy(max_attempts=1)).projects.list()
    search.error(name, caught.value)


@pytest.mark.parametrize("variable", ["PINECONE_CLIENT_SECRET", "PINECONE_ACCESS_TOKEN", "HTTPS_PROXY"])
def test_wrong_variables(variable: str, search: SecretSearch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does the environment show."""
    monkeypatch.setenv("PINECONE_CLIENT_ID", "id")
    monkeypatch.setenv("PINECONE_CLIENT_SECRET", SECRET)
    wrong = {"HTTPS_PROXY": f"http://ada:{PASSWORD}@[::1"}.get(variable, SECRET + "\n")
    monkeypatch.setenv(variable, wrong)
    with pytest.raises(PineconeError) as caught:
        Admin(lazy=True)
    search.error(variable, caught.value)


LATER: dict[str, Callable[[Admin], object]] = {
    "update_secret with a line break": lambda admin: admin.update_secret(SECRET + "\n"),
    "update_secret with bytes": lambda admin: admin.update_secret(SECRET.encode()),  # type: ignore[arg-type]
    "an id that is none": lambda admin: admin.projects.describe(project_id=".."),
    "a body that is none": lambda admin: admin.projects.create(name=""),
    "options that are none": lambda admin: admin.with_options(timeout=-1),
    "options with a secret": lambda admin: admin.with_options(additional_headers={"authorization": HEADER + "\n"}),
    "read only": lambda admin: admin.with_options(read_only=True).send(make_operation("POST")),
    "closed": lambda admin: [admin.close(), admin.projects.list()],  # type: ignore[func-returns-value]
    "pickled": lambda admin: admin.__reduce__(),
}


@pytest.mark.parametrize("name", LATER)
def test_wrong_calls(name: str, search: SecretSearch) -> None:
    """Calls that fail before anything is sent show nothing of the client either."""
    with Server(token_actions=[issue_canary_token]) as server:
        options = {"client_secret": SECRET, "additional_headers": {"x-secret": HEADER}}
        with Admin(**server.client_options | options) as admin:
            admin.token()
            with pytest.raises(PineconeError) as caught:
                LATER[name](admin)
            search.error(name, caught.value)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_a_proxy_with_a_password(client_kind: ClientKind, certificates: Certificates, search: SecretSearch) -> None:
    """The password of a proxy that refuses shows in nothing."""
    for step in (send_response(407), send_response(403), send_request_back(), send_secret_in_header("x-debug", 407)):
        with Server(api_actions=[step]) as proxy:
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


def reasoning(context: RequestContext) -> None:
    """Refuse with what came as the reason."""
    context.send(f"HTTP/1.1 403 {context.request.headers['proxy-authorization']}\r\n\r\n".encode())
    context.keep_alive = False


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_a_proxy_that_tells_its_reason(client_kind: ClientKind) -> None:
    """Nor does the password show where the proxy gives it back as the reason; httpcore logs reasons itself."""
    search = SecretSearch()
    with Server(api_actions=[reasoning]) as proxy:
        address = proxy.url.replace("//", f"//ada:{PASSWORD}@")
        with AnyClient(client_kind, host="https://api.example", access_token=TOKEN, proxy_url=address) as client:
            error = client.describe_project()
    assert isinstance(error, PineconeError)
    assert str(error).endswith("403 Forbidden")
    search.error("reason", error)
    assert not search.found


def test_nothing_foreign_is_carried_along() -> None:
    """No exception of another package is left in an error, since its text and frames are not ours to vouch for."""
    for step in API.values():
        with Server(api_actions=[step]) as server, AnyClient("sync", host=server.url, access_token=TOKEN) as client:
            error = client.describe_project()
            assert all(isinstance(link, PineconeError) for link in list_linked_errors(error)), list_linked_errors(error)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_the_log(client_kind: ClientKind, caplog: pytest.LogCaptureFixture) -> None:
    """Each attempt is one line at DEBUG with the path template; there is no query, body, email, and nothing at INFO."""
    caplog.set_level(logging.DEBUG, logger="pinecone_admin")
    users = json.dumps({"data": [], "pagination": {"next": None}}).encode()
    steps = [send_response(503), send_response(200, users, "X-Pinecone-Request-Id: r-1"), send_project]
    with Server(api_actions=steps) as server, AnyClient(client_kind, **server.client_options) as client:
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
