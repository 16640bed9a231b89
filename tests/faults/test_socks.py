"""SOCKS proxies: tunnels, refusals, broken replies and credentials."""

from __future__ import annotations

import gc
import socket
from collections.abc import Callable, Iterator, Mapping
from threading import Event
from typing import Any

import pytest

from pinecone_admin import PineconeConnectionError, PineconeError, PineconeTimeoutError, RetryPolicy
from pinecone_admin._async.transports import network as async_network
from pinecone_admin._sync.transports import network as sync_network
from tests.faults.canaries import PASSWORD, TOKEN, SecretSearch
from tests.faults.cases import (
    ALL_CLIENT_KINDS,
    PATH,
    Certificates,
    ClientKind,
    make_operation,
    send_and_close,
    send_once,
    stay_silent,
)
from tests.faults.clients import AnyClient
from tests.faults.external_servers import find_free_port
from tests.faults.server import Server, format_head, reset_on_close, send_response
from tests.faults.test_unsolicited_responses import STALE
from tests.support.socks import SUCCEEDED, Reply, SocksProxy, Step, send_reply

pytestmark = pytest.mark.parametrize("client_kind", ALL_CLIENT_KINDS)

CREDENTIALS = f"ada:{PASSWORD}".encode()
STEPS: tuple[Step, ...] = ("greeting", "credentials", "connect")


@pytest.fixture
def server(certificates: Certificates) -> Iterator[Server]:
    """Run an API and token endpoint with TLS."""
    with Server(tls=certificates.servers["good"]) as server:
        yield server


def proxy_options(proxy: Server, scheme: str = "socks5", credentials: str = f"ada:{PASSWORD}") -> dict[str, Any]:
    """Return the arguments of a client that uses a proxy."""
    return {"proxy_url": f"{scheme}://{credentials}@127.0.0.1:{proxy.address[1]}"}


def send_create(client_kind: ClientKind, server: Server, certificates: Certificates, **options: Any) -> object:
    """Send a create with at most two attempts."""
    common = {"host": server.url, "access_token": TOKEN, "retry": RetryPolicy(max_attempts=2)}
    return send_once(client_kind, make_operation("POST"), ssl_verify=certificates.client, **(common | options))


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_tunnel_carries_token_exchange_and_api(
    scheme: str, client_kind: ClientKind, server: Server, certificates: Certificates
) -> None:
    """The token exchange and the call use a tunnel, with or without credentials, and the proxy resolves the name."""
    arguments = {name: value for name, value in server.client_options.items() if name != "lazy"}
    arguments |= {name: arguments[name].replace("127.0.0.1", "localhost") for name in ("host", "oauth_url")}
    for number, credentials in enumerate((b"", CREDENTIALS), 1):
        tunnel = SocksProxy(credentials)
        with Server(connection_actions=[tunnel]) as proxy:
            options = arguments | proxy_options(proxy, scheme, credentials.decode())
            assert send_once(client_kind, make_operation("POST"), ssl_verify=certificates.client, **options) is None
        assert tunnel.targets == [("localhost", server.address[1])] * 2
        assert (server.exchanges, server.processed["POST", PATH], server.connections) == (number, number, 2 * number)


ADDRESSES = {
    "IPv4": SUCCEEDED,
    "IPv6": b"\x05\x00\x00\x04" + bytes(18),
    "name": b"\x05\x00\x00\x03\x0bproxy.local\x00\x50",
    "empty name": b"\x05\x00\x00\x03\x00\x00\x50",
}


def drip_reply(connection: socket.socket, reply: bytes) -> bool:
    """Send a reply in pieces of one byte."""
    for byte in reply:
        connection.sendall(bytes([byte]))
        Event().wait(0.002)
    return True


@pytest.mark.parametrize("verb", ["GET", "POST"])
def test_message_to_the_proxy_goes_out_when_its_reply_is_read(
    verb: str, client_kind: ClientKind, server: Server, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also for a request without a body: a write that fails must not hide what the proxy has replied."""
    steps: list[str] = []

    def note(step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def note_and_call(*arguments: Any, **options: Any) -> Any:
            steps.append(step)
            return function(*arguments, **options)

        return note_and_call

    for stream in (async_network._SocketStream, sync_network._SocketStream):
        monkeypatch.setattr(stream, "read", note("read", stream.read))
        monkeypatch.setattr(stream, "transmit", note("written", stream.transmit))
    with Server(connection_actions=[SocksProxy(CREDENTIALS)]) as proxy:
        options = {"host": server.url, "access_token": TOKEN, "ssl_verify": certificates.client} | proxy_options(proxy)
        assert send_once(client_kind, make_operation(verb), **options) is None
    assert steps[:6] == ["read", "written"] * len(STEPS)


@pytest.mark.parametrize("address", ADDRESSES)
def test_reply_may_arrive_in_pieces(address: str, client_kind: ClientKind, certificates: Certificates) -> None:
    """A tunnel opens whatever address the proxy replies with, and however its replies are split."""

    def connect(connection: socket.socket, _: bytes) -> bool:
        return drip_reply(connection, ADDRESSES[address])

    for target_tls in (None, certificates.servers["good"]):
        with (
            Server(tls=target_tls) as server,
            Server(
                connection_actions=[
                    SocksProxy(CREDENTIALS, {"greeting": drip_reply, "credentials": drip_reply, "connect": connect})
                ]
            ) as proxy,
        ):
            assert send_create(client_kind, server, certificates, **proxy_options(proxy)) is None
            assert (proxy.connections, server.processed["POST", PATH]) == (1, 1)


def replace_with(data: bytes) -> Reply:
    """Return what sends other data in place of a reply, and closes the connection."""

    def reply(connection: socket.socket, _: bytes) -> bool:
        connection.sendall(data)
        return False

    return reply


def truncate(connection: socket.socket, reply: bytes) -> bool:
    """Send the beginning of a reply, and close the connection."""
    connection.sendall(reply[:-1])
    return False


def reset(connection: socket.socket, reply: bytes) -> bool:
    """Send the beginning of a reply, and reset the connection."""
    connection.sendall(reply[:1])
    reset_on_close(connection)
    return False


def hang(connection: socket.socket, reply: bytes) -> bool:
    """Send the beginning of a reply, and no more."""
    connection.sendall(reply[:1])
    return stay_silent(connection)


BROKEN_REPLIES: Mapping[str, Reply] = {
    "nothing": replace_with(b""),
    "another protocol": replace_with(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "zeros": replace_with(bytes(20)),
    "truncated": truncate,
    "reset": reset,
    "hangs": hang,
}


@pytest.mark.parametrize("step", STEPS)
def test_broken_reply_is_not_sent(
    step: Step, client_kind: ClientKind, server: Server, certificates: Certificates
) -> None:
    """If the proxy breaks off or misbehaves at any step, a create is not sent, so the client retries it."""
    for name, reply in BROKEN_REPLIES.items():
        with Server(connection_actions=[SocksProxy(CREDENTIALS, {step: reply})]) as proxy:
            policy = RetryPolicy(max_attempts=2, attempt_timeout=0.3 if name == "hangs" else 20)
            error = send_create(client_kind, server, certificates, retry=policy, **proxy_options(proxy))
        assert type(error) is (PineconeTimeoutError if name == "hangs" else PineconeConnectionError), (name, error)
        assert isinstance(error, PineconeError)
        # A proxy that says something else than yes to the credentials refuses them.
        attempts = 1 if step == "credentials" and name in {"another protocol", "zeros"} else 2
        assert (error.outcome, error.attempts, server.requests) == ("not_sent", attempts, []), name
    gc.collect()


REFUSALS: Mapping[str, tuple[SocksProxy, str, int]] = {
    "wrong password": (SocksProxy(b"ada:other"), "Invalid username/password", 1),
    "no acceptable method": (SocksProxy(), "got NO ACCEPTABLE METHODS", 1),
    "general failure": (SocksProxy(CREDENTIALS, {"connect": replace_with(b"\5\1\0\1" + bytes(6))}), "General SOCKS", 2),
    "ruleset": (SocksProxy(CREDENTIALS, {"connect": replace_with(b"\5\2\0\1" + bytes(6))}), "not allowed by", 2),
    "unknown code": (SocksProxy(CREDENTIALS, {"connect": replace_with(b"\5\x63\0\1" + bytes(6))}), "ProtocolError", 2),
    "not SOCKS": (SocksProxy(CREDENTIALS, {"greeting": replace_with(b"HTTP/1.1 400")}), "does not speak SOCKS 5", 2),
    "closed": (SocksProxy(CREDENTIALS, {"greeting": replace_with(b"")}), "closed the connection before", 2),
}


def test_refusal_is_not_sent(client_kind: ClientKind, server: Server, certificates: Certificates) -> None:
    """A create that a proxy refuses is not sent, the message tells why, and refused credentials are not retried."""
    for name, (tunnel, reason, attempts) in REFUSALS.items():
        with Server(connection_actions=[tunnel]) as proxy:
            error = send_create(client_kind, server, certificates, **proxy_options(proxy))
            where = f"127.0.0.1:{server.address[1]} through the proxy 127.0.0.1:{proxy.address[1]}"
        assert isinstance(error, PineconeConnectionError)
        assert (error.outcome, error.attempts, server.requests) == ("not_sent", attempts, []), name
        assert where in str(error)
        assert reason in str(error)


def test_unreachable_server_or_proxy_is_not_sent(client_kind: ClientKind, certificates: Certificates) -> None:
    """A create is not sent if the proxy cannot reach the server, or cannot be reached itself."""
    server = Server(tls=certificates.servers["good"])
    with Server(connection_actions=[SocksProxy(CREDENTIALS)]) as proxy:
        error = send_create(client_kind, server, certificates, **proxy_options(proxy))
        assert isinstance(error, PineconeConnectionError)
        assert (error.outcome, error.attempts, proxy.connections) == ("not_sent", 2, 2)
        assert "Proxy Server could not connect: Connection refused" in str(error)
    error = send_create(client_kind, server, certificates, proxy_url=f"socks5://127.0.0.1:{find_free_port()}")
    assert isinstance(error, PineconeConnectionError)
    assert (error.outcome, error.attempts) == ("not_sent", 2)
    server.stop()


LOST: Mapping[str, bytes] = {"unknown": b"HTTP/1.1 200 OK\r\nConte", "done": format_head(200, 99) + b"{"}


@pytest.mark.parametrize("outcome", LOST)
def test_create_lost_behind_proxy_is_not_repeated(
    outcome: str, client_kind: ClientKind, certificates: Certificates
) -> None:
    """A create whose response is lost behind a proxy was sent, and is not sent again, with and without TLS."""
    for target_tls in (None, certificates.servers["good"]):
        with (
            Server(api_actions=[send_and_close(LOST[outcome])], tls=target_tls) as server,
            Server(connection_actions=[SocksProxy(CREDENTIALS)]) as proxy,
        ):
            error = send_create(client_kind, server, certificates, **proxy_options(proxy))
            assert isinstance(error, PineconeConnectionError)
            assert (error.outcome, error.attempts, server.processed["POST", PATH]) == (outcome, 1, 1)


def append(surplus: bytes) -> Reply:
    """Return what sends more than the reply at once."""
    return lambda connection, reply: send_reply(connection, reply + surplus)


@pytest.mark.parametrize("step", STEPS)
def test_surplus_is_an_error(step: Step, client_kind: ClientKind, certificates: Certificates) -> None:
    """If a proxy sends more than its reply, nothing is sent through it, and a create is retried."""
    for target_tls in (None, certificates.servers["good"]):
        for surplus in (b"\n", b"\x05\x00", b"\x16\x03\x03", STALE):
            with (
                Server(tls=target_tls) as server,
                Server(connection_actions=[SocksProxy(CREDENTIALS, {step: append(surplus)})]) as proxy,
            ):
                error = send_create(client_kind, server, certificates, **proxy_options(proxy))
                assert isinstance(error, PineconeConnectionError)
                assert "more than its response" in str(error)
                assert (error.outcome, error.attempts, server.requests) == ("not_sent", 2, [])


def test_surplus_in_kernel_is_an_error(client_kind: ClientKind, monkeypatch: pytest.MonkeyPatch) -> None:
    """A surplus that is not yet received does not become the response either."""
    monkeypatch.setattr(sync_network, "_READ_BYTES", len(SUCCEEDED))  # an event loop always receives all
    surplus = SocksProxy(CREDENTIALS, {"connect": append(STALE)})
    with Server() as server, Server(connection_actions=[surplus]) as proxy:
        with AnyClient(client_kind, host=server.url, access_token=TOKEN, **proxy_options(proxy)) as client:
            error = client.describe_project("own")
        assert isinstance(error, PineconeConnectionError)
        assert (error.outcome, server.requests) == ("not_sent", [])


def echo_credentials(connection: socket.socket, _: bytes) -> bool:
    """Reply with what the proxy has received."""
    connection.sendall(b"\x05\x00\x00\x03" + bytes([len(CREDENTIALS)]) + CREDENTIALS + b"\x00\x50" + CREDENTIALS)
    return False


SECRET_SCENES: Mapping[str, Callable[[], SocksProxy]] = {
    "refused": lambda: SocksProxy(b"ada:other"),
    "closed": lambda: SocksProxy(CREDENTIALS, {"credentials": replace_with(b"")}),
    "garbage": lambda: SocksProxy(CREDENTIALS, {"credentials": replace_with(CREDENTIALS)}),
    "echo": lambda: SocksProxy(CREDENTIALS, {"connect": echo_credentials}),
    "reset": lambda: SocksProxy(CREDENTIALS, {"credentials": reset}),
    "hangs": lambda: SocksProxy(CREDENTIALS, {"credentials": hang}),
    "works": lambda: SocksProxy(CREDENTIALS),
}


@pytest.mark.parametrize("scene", SECRET_SCENES)
def test_proxy_credentials_are_hidden(scene: str, client_kind: ClientKind) -> None:
    """No error, traceback with locals or log record shows the credentials, and httpcore's records name the events."""
    search = SecretSearch()
    policy = RetryPolicy(max_attempts=1, attempt_timeout=0.3 if scene == "hangs" else 20)
    with (
        search.logs(scene),
        Server(api_actions=[send_response(503)]) as server,
        Server(connection_actions=[SECRET_SCENES[scene]()]) as proxy,
        AnyClient(client_kind, host=server.url, access_token=TOKEN, retry=policy, **proxy_options(proxy)) as client,
    ):
        error = client.describe_project()
        assert isinstance(error, PineconeError)
        search.error(scene, error)
        search.objects(scene, client.admin)
    assert search.places > 20
    assert not search.found
