"""Proxies: tinyproxy's CONNECT and its refusals, with user and password, and as the environment says."""

from __future__ import annotations

import gc
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
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
from tests.faults.server import Action, RequestContext, Server, send_response


@pytest.fixture
def server(certificates: Certificates) -> Iterator[Server]:
    """Run an API and token endpoint with TLS."""
    with Server(tls=certificates.servers["good"]) as server:
        yield server


def send_through_proxy(
    client_kind: ClientKind, server: Server, certificates: Certificates, verb: str = "POST", **options: object
) -> object:
    """Send one request through a proxy, with a token minted through it too."""
    arguments = {name: value for name, value in server.client_options.items() if name != "lazy"}
    return send_once(client_kind, make_operation(verb), **arguments, ssl_verify=certificates.client, **options)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_connect(client_kind: ClientKind, server: Server, certificates: Certificates, tmp_path: Path) -> None:
    """Exchange and API go through the proxy to a server whose certificate is checked."""
    with run_tinyproxy(tmp_path, "ConnectPort 0") as port:
        assert send_through_proxy(client_kind, server, certificates, proxy_url=f"http://127.0.0.1:{port}") is not None
    with run_tinyproxy(tmp_path, f"ConnectPort {server.address[1]}") as port:
        assert send_through_proxy(client_kind, server, certificates, proxy_url=f"http://127.0.0.1:{port}") is None
    assert (server.exchanges, server.processed["POST", PATH], server.connections) == (1, 1, 2)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_user_and_password(client_kind: ClientKind, server: Server, certificates: Certificates, tmp_path: Path) -> None:
    """The proxy's user and password let exchange and API through; a 407 is not repeated, and no message shows them."""
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
    assert isinstance(wrong, PineconeConnectionError)  # tinyproxy answers 401 here, which is refused like any other
    assert wrong.outcome == "not_sent"
    assert "guessed" not in repr(wrong)
    assert f"by the proxy 127.0.0.1:{port}" in str(wrong)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_connect_refused(client_kind: ClientKind, server: Server, certificates: Certificates, tmp_path: Path) -> None:
    """A CONNECT that the proxy refuses was not sent, so a POST is tried again; the message names the host."""
    with run_tinyproxy(tmp_path, "ConnectPort 1") as port:
        options = {"host": server.url, "access_token": "supplied", "proxy_url": f"http://127.0.0.1:{port}"}
        policy = RetryPolicy(max_attempts=3)
        error = send_once(client_kind, make_operation("POST"), **options, ssl_verify=certificates.client, retry=policy)
    assert isinstance(error, PineconeConnectionError)
    where = f"127.0.0.1:{server.address[1]}, by the proxy 127.0.0.1:{port}"
    assert str(error) == f"post_thing: the proxy refused the way to {where}: 403 Forbidden"
    assert (error.outcome, error.attempts, server.connections) == ("not_sent", 3, 0)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_connect_to_nobody(client_kind: ClientKind, certificates: Certificates, tmp_path: Path) -> None:
    """A proxy that cannot reach the server answers CONNECT with 5xx: not sent either."""
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
    """Answer the TLS handshake in plain text."""
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


# The standard library forgets the socket that it was to wrap where the connection has just been reset.
@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
@pytest.mark.parametrize("name", [*PROXY_FAULTS, *CONNECT_FAULTS])
def test_a_proxy_that_fails(name: str, client_kind: ClientKind, server: Server, certificates: Certificates) -> None:
    """Whatever happens before the tunnel stands, the request was not sent: a POST is tried again."""
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
def test_a_bad_certificate_behind_a_proxy(client_kind: ClientKind, certificates: Certificates, tmp_path: Path) -> None:
    """It is not tried again, and the message says which host has it."""
    with Server(tls=certificates.servers["other"]) as server, run_tinyproxy(tmp_path) as port:
        options = {"host": server.url, "access_token": "supplied", "proxy_url": f"http://127.0.0.1:{port}"}
        error = send_once(client_kind, make_operation("GET"), **options, ssl_verify=certificates.client)
        assert isinstance(error, PineconeConnectionError)
        assert (error.outcome, error.attempts, server.connections) == ("not_sent", 1, 1)
        assert "127.0.0.1" in str(error)
        assert "certificate" in str(error)


def tunnel(context: RequestContext) -> None:
    """Connect to where the client asks, and pass on what either side sends."""
    host, port = context.request.path.split(":")
    with socket.create_connection((host, int(port))) as there:
        context.send(b"HTTP/1.1 200 Connected\r\n\r\n")
        back = threading.Thread(target=pump, args=(there, context.socket))
        back.start()
        pump(context.socket, there)
        back.join()
    context.keep_alive = False


def pump(source: socket.socket, sink: socket.socket) -> None:
    """Pass on until the source ends."""
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
@pytest.mark.parametrize("certificate", ["good", "unknown"])
def test_an_https_proxy(certificate: str, client_kind: ClientKind, server: Server, certificates: Certificates) -> None:
    """What is trusted is trusted of the proxy too, for exchange and API alike; what is not is not tried again."""
    with Server(api_actions=[tunnel], tls=certificates.servers[certificate]) as proxy:
        result = send_through_proxy(client_kind, server, certificates, proxy_url=proxy.url)
        if certificate == "good":
            assert (result, server.exchanges, server.processed["POST", PATH]) == (None, 1, 1)
        else:
            assert isinstance(result, PineconeConnectionError)
            assert (result.outcome, proxy.connections, server.connections) == ("not_sent", 1, 0)
    with Server(api_actions=[tunnel], tls=certificates.servers["unknown"]) as proxy:
        arguments = {name: value for name, value in server.client_options.items() if name != "lazy"}
        assert (
            send_once(client_kind, make_operation("POST"), **arguments, proxy_url=proxy.url, ssl_verify=False) is None
        )


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_an_https_proxy_that_drips(client_kind: ClientKind, server: Server, certificates: Certificates) -> None:
    """TLS within TLS takes no longer than the call has, however small the pieces are in which it comes."""

    def drip(context: RequestContext) -> None:
        context.send(b"HTTP/1.1 200 Connected\r\n\r\n")
        context.drip(b"\x16\x03\x03\x40\x00" + bytes(150))  # a record of 16 KiB, which would take minutes
        context.keep_alive = False

    with Server(api_actions=[drip], tls=certificates.servers["good"]) as proxy:
        started = time.monotonic()
        options = {"host": server.url, "access_token": "supplied", "proxy_url": proxy.url, "timeout": 0.5}
        error = send_once(client_kind, make_operation("POST"), **options, ssl_verify=certificates.client)
        took = time.monotonic() - started
    assert isinstance(error, PineconeTimeoutError)
    assert (error.outcome, took < 8) == ("not_sent", True)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_plain_http_through_a_proxy(client_kind: ClientKind, tmp_path: Path) -> None:
    """Plain http on loopback is forwarded rather than tunnelled; the server's own failures keep their meaning."""
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
    ("variables", "proxied"),
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
def test_the_environment(
    variables: dict[str, str],
    proxied: bool,
    client_kind: ClientKind,
    certificates: Certificates,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """HTTPS_PROXY, ALL_PROXY and NO_PROXY are read as the standard library reads them, for exchange and API alike."""
    with Server(api_actions=[send_response(403)]) as proxy, Server(tls=certificates.servers["good"]) as server:
        for name, value in variables.items():
            monkeypatch.setenv(name, value.replace("PROXY", proxy.url))
        error = send_through_proxy(client_kind, server, certificates, retry=RetryPolicy(max_attempts=1))
        assert (error is not None) == proxied
        assert (proxy.count_requests("CONNECT") > 0, server.connections) == ((True, 0) if proxied else (False, 2))


# NO_PROXY, host → whether the proxy is left out.
EXCEPTIONS = [
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
@pytest.mark.parametrize(("exceptions", "host", "excepted"), EXCEPTIONS)
def test_no_proxy_is_what_the_standard_library_takes_it_for(
    exceptions: str, host: str, excepted: bool, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hosts, domains, ports, addresses and the star, in capitals or not, for API and token endpoint alike."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv(variable, exceptions)
    url = host if "://" in host else f"https://{host}"
    assert bool(proxy_bypass(url.split("/")[2])) == excepted
    with Admin(client_id="i", client_secret="s", host=host, oauth_url=f"{url}/oauth/token", lazy=True) as admin:
        config = admin._shared.config
    for proxy in (config.api_proxy, config.oauth_proxy):
        assert (proxy is None) == excepted


@pytest.mark.parametrize(
    ("variables", "excepted"),
    [
        ({"NO_PROXY": "*", "no_proxy": "other.example"}, False),
        ({"NO_PROXY": "other.example", "no_proxy": "api.example.com"}, True),
        ({"NO_PROXY": "*", "no_proxy": ""}, False),
    ],
)
def test_the_variable_in_small_letters_comes_first(
    variables: dict[str, str], excepted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it is empty, as in the standard library."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert bool(proxy_bypass("api.example.com")) == excepted
    with Admin(access_token="supplied", host="api.example.com", lazy=True) as admin:
        assert (admin._shared.config.api_proxy is None) == excepted


@pytest.mark.parametrize("by_variable", [True, False])
@pytest.mark.parametrize("proxy", ["http://10.0.0.1:3128", "https://proxy.example"])
def test_plain_http_does_not_leave_the_machine_through_a_proxy(
    proxy: str, by_variable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is plain http because it is for loopback is not given to a proxy elsewhere, unless that is allowed."""
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


def test_the_environment_is_read_at_construction(
    server: Server, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the environment says later changes nothing."""
    with Admin(**server.client_options, ssl_verify=certificates.client) as admin:
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
        assert admin.send(make_operation("POST")) is None


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_a_socks_proxy_without_its_extra(scheme: str) -> None:
    """That a package is missing is said when the client is made, and by name."""
    with pytest.raises(PineconeValueError, match=r"httpx\[socks\]|socksio"):
        Admin(access_token="supplied", proxy_url=f"{scheme}://127.0.0.1:1", lazy=True)
