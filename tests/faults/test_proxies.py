"""Proxies: CONNECT through tinyproxy, failing proxies, credentials, and proxy settings from the environment."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import proxy_bypass

import pytest

from pinecone_admin import (
    Admin,
    PineconeConnectionError,
    PineconeError,
    PineconeTimeoutError,
    PineconeValueError,
    RetryPolicy,
)
from tests.faults.cases import (
    CLIENT_KINDS,
    PATH,
    Certificates,
    ClientKind,
    close_on_data,
    make_operation,
    reply_in_plaintext,
    reset_on_data,
    send_and_close,
    send_once,
    stay_silent,
)
from tests.faults.external_servers import find_free_port, run_tinyproxy
from tests.faults.server import Action, RequestContext, Server, open_tunnel, send_response
from tests.support.concurrency import PATIENCE
from tests.support.sampling import some_daily


@pytest.fixture
def server(certificates: Certificates) -> Iterator[Server]:
    """Run an API and token endpoint with TLS."""
    with Server(tls=certificates.servers["good"]) as server:
        yield server


def send_through_proxy(
    client_kind: ClientKind, server: Server, certificates: Certificates, verb: str = "POST", **options: object
) -> object:
    """Send one request and its token exchange through a proxy."""
    arguments = {name: value for name, value in server.client_options.items() if name != "lazy"}
    return send_once(client_kind, make_operation(verb), **arguments, ssl_verify=certificates.client, **options)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_connect_tunnels_token_exchange_and_api(
    client_kind: ClientKind, server: Server, certificates: Certificates, tmp_path: Path
) -> None:
    """The token exchange and the API call use a tunnel to a server whose certificate is verified."""
    with run_tinyproxy(tmp_path, "ConnectPort 0") as port:
        assert send_through_proxy(client_kind, server, certificates, proxy_url=f"http://127.0.0.1:{port}") is not None
    with run_tinyproxy(tmp_path, f"ConnectPort {server.address[1]}") as port:
        assert send_through_proxy(client_kind, server, certificates, proxy_url=f"http://127.0.0.1:{port}") is None
    assert (server.exchanges, server.processed["POST", PATH], server.connections) == (1, 1, 2)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_proxy_credentials_are_sent_and_hidden(
    client_kind: ClientKind, server: Server, certificates: Certificates, tmp_path: Path
) -> None:
    """Proxy credentials open the tunnel; a 407 is not retried, and no message contains the credentials."""
    with run_tinyproxy(tmp_path, f"ConnectPort {server.address[1]}", "BasicAuth ada p%40ss") as port:
        assert (
            send_through_proxy(client_kind, server, certificates, proxy_url=f"http://ada:p%2540ss@127.0.0.1:{port}")
            is None
        )
        without = send_through_proxy(client_kind, server, certificates, proxy_url=f"http://127.0.0.1:{port}")
        wrong = send_through_proxy(client_kind, server, certificates, proxy_url=f"http://ada:guessed@127.0.0.1:{port}")
    assert (server.exchanges, server.processed["POST", PATH]) == (1, 1)
    assert isinstance(without, PineconeConnectionError)
    assert (without.outcome, without.attempts) == ("not_sent", 1)
    assert "407" in str(without)
    assert isinstance(wrong, PineconeConnectionError)  # tinyproxy sends 401, which is refused like any other status
    assert wrong.outcome == "not_sent"
    assert "guessed" not in repr(wrong)
    assert f"through the proxy 127.0.0.1:{port}" in str(wrong)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_refused_connect_is_not_sent(
    client_kind: ClientKind, server: Server, certificates: Certificates, tmp_path: Path
) -> None:
    """A request whose CONNECT is refused is not sent, so a POST is retried, and the message names the host."""
    with run_tinyproxy(tmp_path, "ConnectPort 1") as port:
        options = {"host": server.url, "access_token": "supplied", "proxy_url": f"http://127.0.0.1:{port}"}
        policy = RetryPolicy(max_attempts=3)
        error = send_once(client_kind, make_operation("POST"), **options, ssl_verify=certificates.client, retry=policy)
    assert isinstance(error, PineconeConnectionError)
    where = f"127.0.0.1:{server.address[1]} through the proxy 127.0.0.1:{port}"
    assert str(error) == f"post_thing: the proxy refused the connection to {where}: 403 Forbidden"
    assert (error.outcome, error.attempts, server.connections) == ("not_sent", 3, 0)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_connect_to_unreachable_server_is_not_sent(
    client_kind: ClientKind, certificates: Certificates, tmp_path: Path
) -> None:
    """A request is not sent if the proxy responds to CONNECT with 5xx because it cannot reach the server."""
    with run_tinyproxy(tmp_path) as port:
        options = {"host": f"https://127.0.0.1:{find_free_port()}", "proxy_url": f"http://127.0.0.1:{port}"}
        policy = RetryPolicy(max_attempts=3)
        error = send_once(
            client_kind,
            make_operation("POST"),
            **options,
            access_token="supplied",
            ssl_verify=certificates.client,
            retry=policy,
        )
    assert isinstance(error, PineconeConnectionError)
    assert (error.outcome, error.attempts) == ("not_sent", 3)


PROXY_FAULTS = {
    "refused": None,
    "FIN": close_on_data,
    "RST": reset_on_data,
    "hang": stay_silent,
}


def send_plaintext(context: RequestContext) -> None:
    """Respond to the TLS handshake in plain text."""
    reply_in_plaintext(context.socket)


CONNECT_FAULTS: dict[str, Action] = {
    "403": send_response(403),
    "502": send_response(502),
    "garbage": send_and_close(b"garbage\r\n\r\n"),
    "truncated": send_and_close(b"HTTP/1.1 200 Conn"),
    "FIN after 200": send_and_close(b"HTTP/1.1 200 Connected\r\n\r\n"),
    "RST after 200": send_and_close(b"HTTP/1.1 200 Connected\r\n\r\n", RequestContext.reset),
    "hangs after 200": send_and_close(b"HTTP/1.1 200 Connected\r\n\r\n", RequestContext.hang),
    "plain after 200": send_and_close(b"HTTP/1.1 200 Connected\r\n\r\n", send_plaintext),
}


# The standard library does not close the socket to wrap if the connection has just been reset.
@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
@pytest.mark.parametrize("name", some_daily([*PROXY_FAULTS, *CONNECT_FAULTS], 3))
def test_failing_proxy_is_not_sent(
    name: str, client_kind: ClientKind, server: Server, certificates: Certificates
) -> None:
    """A request is not sent if the proxy fails before the tunnel is open, so a POST is retried."""
    proxy = Server()
    if name in CONNECT_FAULTS:
        proxy.api_actions = [CONNECT_FAULTS[name]]
    elif (connection_action := PROXY_FAULTS[name]) is not None:
        proxy.connection_actions = [connection_action]
    if name != "refused":
        proxy.start()
    options = {"host": server.url, "access_token": "supplied", "proxy_url": proxy.url}
    policy = RetryPolicy(max_attempts=2, attempt_timeout=0.5 if "hang" in name else 20)
    error = send_once(client_kind, make_operation("POST"), **options, ssl_verify=certificates.client, retry=policy)
    proxy.stop()
    assert type(error) is (PineconeTimeoutError if "hang" in name else PineconeConnectionError)
    assert isinstance(error, PineconeError)
    assert (error.outcome, error.attempts, server.connections) == ("not_sent", 2, 0)
    gc.collect()


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_bad_certificate_behind_proxy_is_not_retried(
    client_kind: ClientKind, certificates: Certificates, tmp_path: Path
) -> None:
    """A bad server certificate behind a proxy is not retried, and the message names the host."""
    with Server(tls=certificates.servers["other"]) as server, run_tinyproxy(tmp_path) as port:
        options = {"host": server.url, "access_token": "supplied", "proxy_url": f"http://127.0.0.1:{port}"}
        error = send_once(client_kind, make_operation("GET"), **options, ssl_verify=certificates.client)
        assert isinstance(error, PineconeConnectionError)
        assert (error.outcome, error.attempts, server.connections) == ("not_sent", 1, 1)
        assert "127.0.0.1" in str(error)
        assert "certificate" in str(error)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
@pytest.mark.parametrize("certificate", ["good", "unknown"])
def test_https_proxy_is_verified(
    certificate: str, client_kind: ClientKind, server: Server, certificates: Certificates
) -> None:
    """The trusted certificates apply to an HTTPS proxy too, and an untrusted proxy is not retried."""
    with Server(api_actions=[open_tunnel], tls=certificates.servers[certificate]) as proxy:
        result = send_through_proxy(client_kind, server, certificates, proxy_url=proxy.url)
        if certificate == "good":
            assert (result, server.exchanges, server.processed["POST", PATH]) == (None, 1, 1)
        else:
            assert isinstance(result, PineconeConnectionError)
            assert (result.outcome, proxy.connections, server.connections) == ("not_sent", 1, 0)
    with Server(api_actions=[open_tunnel], tls=certificates.servers["unknown"]) as proxy:
        arguments = {name: value for name, value in server.client_options.items() if name != "lazy"}
        assert (
            send_once(client_kind, make_operation("POST"), **arguments, proxy_url=proxy.url, ssl_verify=False) is None
        )


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_slow_tls_through_https_proxy_keeps_timeout(
    client_kind: ClientKind, server: Server, certificates: Certificates
) -> None:
    """A TLS handshake inside TLS keeps the timeout of the call, even if it arrives in small pieces."""

    def drip_tls_record(context: RequestContext) -> None:
        context.send(b"HTTP/1.1 200 Connected\r\n\r\n")
        context.drip(b"\x16\x03\x03\x40\x00" + bytes(150))  # a record of 16 KiB, which would take minutes
        context.keep_alive = False

    with Server(api_actions=[drip_tls_record], tls=certificates.servers["good"]) as proxy:
        started = time.monotonic()
        options = {"host": server.url, "access_token": "supplied", "proxy_url": proxy.url, "timeout": 0.5}
        options["retry"] = RetryPolicy(max_attempts=1, attempt_timeout=10 * PATIENCE)
        error = send_once(client_kind, make_operation("POST"), **options, ssl_verify=certificates.client)
        took = time.monotonic() - started
    assert isinstance(error, PineconeTimeoutError)
    assert (error.outcome, took < PATIENCE) == ("not_sent", True)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_plain_http_is_forwarded(client_kind: ClientKind, tmp_path: Path) -> None:
    """A plain HTTP request to loopback is forwarded without a tunnel, and failures of the server keep their meaning."""
    with Server(api_actions=[send_response(503)]) as server, run_tinyproxy(tmp_path) as port:
        error = send_once(
            client_kind,
            make_operation("POST"),
            host=server.url,
            access_token="supplied",
            proxy_url=f"http://127.0.0.1:{port}",
        )
        assert isinstance(error, PineconeError)
        assert (error.outcome, error.attempts, server.count_requests("POST")) == ("unknown", 1, 1)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
@pytest.mark.parametrize(
    ("variables", "uses_proxy"),
    [
        ({"HTTPS_PROXY": "PROXY"}, True),
        ({"https_proxy": "PROXY"}, True),
        ({"ALL_PROXY": "PROXY"}, True),
        ({"HTTP_PROXY": "PROXY"}, False),
        ({"HTTPS_PROXY": "PROXY", "NO_PROXY": "127.0.0.1"}, False),
        ({"HTTPS_PROXY": "PROXY", "no_proxy": "example.com, 127.0.0.1"}, False),
        ({"HTTPS_PROXY": "PROXY", "NO_PROXY": "*"}, False),
        ({"HTTPS_PROXY": "PROXY", "NO_PROXY": "example.com"}, True),
        ({"HTTPS_PROXY": ""}, False),
    ],
    ids=str,
)
def test_environment_selects_proxy(
    variables: dict[str, str],
    uses_proxy: bool,
    client_kind: ClientKind,
    certificates: Certificates,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Proxy variables apply to the token exchange and the API as in the standard library."""
    with Server(api_actions=[send_response(403)]) as proxy, Server(tls=certificates.servers["good"]) as server:
        for name, value in variables.items():
            monkeypatch.setenv(name, value.replace("PROXY", proxy.url))
        error = send_through_proxy(client_kind, server, certificates, retry=RetryPolicy(max_attempts=1))
        assert (error is not None) == uses_proxy
        assert (proxy.count_requests("CONNECT") > 0, server.connections) == ((True, 0) if uses_proxy else (False, 2))


# NO_PROXY, host, and whether the proxy is bypassed.
NO_PROXY_CASES = [
    ("api.example.com", "api.example.com", True),
    ("api.example.com", "https://api.example.com/prefix", True),
    ("api.example.com", "api.example.com:8443", True),
    ("API.Example.COM", "Api.example.com", True),
    ("example.com", "api.example.com", True),
    (".example.com", "api.example.com", True),
    (".example.com", "example.com", True),
    ("example.com", "badexample.com", False),
    ("api.example.com", "example.com", False),
    ("example.com.", "api.example.com", False),
    ("*.example.com", "api.example.com", False),
    ("api.example.com:8443", "api.example.com:8443", True),
    ("example.com:8443", "api.example.com:8443", True),
    ("api.example.com:8443", "api.example.com:9443", False),
    ("api.example.com:8443", "api.example.com", False),
    ("*", "api.example.com", True),
    ("other.example, *", "api.example.com", False),
    ("other.example, api.example.com ,", "api.example.com", True),
    ("other.example api.example.com", "api.example.com", False),
    ("10.1.2.3", "10.1.2.3", True),
    ("10.1.2.3", "10.1.2.3:8443", True),
    ("10.1.2.3:8443", "10.1.2.3:8443", True),
    ("10.0.0.0/8", "10.1.2.3", False),
    ("[fd00::1]", "https://[fd00::1]:8443", True),
    ("fd00::1", "https://[fd00::1]", False),
    ("", "api.example.com", False),
    (" ", "api.example.com", False),
]


@pytest.mark.parametrize("variable", ["NO_PROXY", "no_proxy"])
@pytest.mark.parametrize(("no_proxy", "host", "is_bypassed"), NO_PROXY_CASES)
def test_no_proxy_matches_as_in_standard_library(
    no_proxy: str, host: str, is_bypassed: bool, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NO_PROXY matches hosts, domains, ports, addresses and * as in the standard library."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv(variable, no_proxy)
    url = host if "://" in host else f"https://{host}"
    assert bool(proxy_bypass(url.split("/")[2])) == is_bypassed
    with Admin(client_id="i", client_secret="s", host=host, oauth_url=f"{url}/oauth/token", lazy=True) as admin:
        config = admin._shared.config
    for proxy in (config.api_proxy, config.oauth_proxy):
        assert (proxy is None) == is_bypassed


@pytest.mark.parametrize(
    ("variables", "is_bypassed"),
    [
        ({"NO_PROXY": "*", "no_proxy": "other.example"}, False),
        ({"NO_PROXY": "other.example", "no_proxy": "api.example.com"}, True),
        ({"NO_PROXY": "*", "no_proxy": ""}, False),
    ],
)
def test_lowercase_variable_takes_precedence(
    variables: dict[str, str], is_bypassed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lowercase variable takes precedence, even if it is empty, as in the standard library."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert bool(proxy_bypass("api.example.com")) == is_bypassed
    with Admin(access_token="supplied", host="api.example.com", lazy=True) as admin:
        assert (admin._shared.config.api_proxy is None) == is_bypassed


@pytest.mark.parametrize("by_variable", [True, False])
@pytest.mark.parametrize("proxy", ["http://10.0.0.1:3128", "https://proxy.example"])
def test_plain_http_is_not_sent_to_remote_proxy(proxy: str, by_variable: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain HTTP to loopback is not sent through a remote proxy unless allow_http is set."""
    options: dict[str, Any] = {"host": "http://localhost:8080", "access_token": "supplied"}
    if by_variable:
        monkeypatch.setenv("HTTP_PROXY", proxy)
    else:
        options["proxy_url"] = proxy
    with pytest.raises(PineconeValueError, match="HTTP_PROXY would" if by_variable else "proxy_url would"):
        Admin(**options)
    Admin(**options, allow_http=True).close()
    if by_variable:
        monkeypatch.setenv("NO_PROXY", "localhost")
        Admin(**options).close()


def test_environment_is_read_at_construction(
    server: Server, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Later changes of the environment have no effect on a client."""
    with Admin(**server.client_options, ssl_verify=certificates.client) as admin:
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
        assert admin.send(make_operation("POST")) is None
