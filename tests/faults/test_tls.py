"""TLS: trusted authorities and client certificates, for the token exchange and the API alike."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from pinecone_admin import Admin, PineconeConnectionError, PineconeError, PineconeValueError
from pinecone_admin._concurrency.attempts import Attempt
from pinecone_admin._config.tls import build_ssl_context
from pinecone_admin._http.retry_policy import Failure
from pinecone_admin._http.transport_errors import classify_error
from pinecone_admin._sync.transports.pool import Pools
from tests.faults.cases import CLIENT_KINDS, PATH, Certificates, ClientKind, make_operation, send_once, stay_silent
from tests.faults.server import TOKEN_PATH, Server


@pytest.fixture
def server(certificates: Certificates) -> Iterator[Server]:
    """Run an API and token endpoint with TLS."""
    with Server(tls=certificates.servers["good"]) as server:
        yield server


def send_create(client_kind: ClientKind, server: Server, **options: object) -> object:
    """Send a POST with a token from the same server."""
    arguments = {name: value for name, value in server.client_options.items() if name != "lazy"}
    return send_once(client_kind, make_operation("POST"), **arguments | options)


@pytest.fixture(params=["file", "text", "folder", "context"])
def trust(request: pytest.FixtureRequest, authority: trustme.CA, tmp_path: Path) -> object:
    """Return a trusted authority in each supported form."""
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    if request.param == "folder":
        file.rename(tmp_path / f"{subject_hash(file)}.0")
        return str(tmp_path)
    if request.param == "context":
        return ssl.create_default_context(cafile=str(file))
    return str(file) if request.param == "text" else file


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_trusted_authority_is_accepted(client_kind: ClientKind, server: Server, trust: object) -> None:
    """A CA file, a CA folder or an SSL context applies to the token exchange and the API."""
    assert send_create(client_kind, server, ssl_verify=trust) is None
    assert (server.exchanges, server.processed["POST", PATH]) == (1, 1)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_unknown_authority_is_refused(client_kind: ClientKind, server: Server) -> None:
    """An unknown authority is refused once at the token exchange, and the message names the host."""
    error = send_create(client_kind, server)
    assert isinstance(error, PineconeConnectionError)
    assert "127.0.0.1" in str(error)
    assert "certificate" in str(error)
    assert (error.outcome, server.connections, server.exchanges) == ("not_sent", 1, 0)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
@pytest.mark.parametrize("name", ["unknown", "other", "expired"])
def test_disabled_verification_accepts_any_certificate(
    name: str, client_kind: ClientKind, certificates: Certificates
) -> None:
    """With ssl_verify=False any certificate is accepted for the token exchange and the API."""
    with Server(tls=certificates.servers[name]) as server:
        assert send_create(client_kind, server, ssl_verify=False) is None
        assert (server.exchanges, server.connections) == (1, 2)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
@pytest.mark.parametrize("name", ["unknown", "other", "expired"])
def test_bad_certificate_of_token_endpoint_is_not_retried(
    name: str, client_kind: ClientKind, certificates: Certificates
) -> None:
    """A bad certificate of the token endpoint is not retried, and nothing is sent to the API."""
    with Server(tls=certificates.servers[name]) as tokens, Server(tls=certificates.servers["good"]) as api:
        oauth_url = tokens.url + TOKEN_PATH
        error = send_create(client_kind, api, oauth_url=oauth_url, ssl_verify=certificates.client)
        assert isinstance(error, PineconeError)
        assert (error.outcome, tokens.connections, api.connections) == ("not_sent", 1, 0)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_client_certificate_is_sent_to_both(
    client_kind: ClientKind, authority: trustme.CA, certificates: Certificates
) -> None:
    """A client certificate is sent to the token endpoint and the API; without one the handshake fails."""
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server_context)
    authority.configure_trust(server_context)
    server_context.verify_mode = ssl.CERT_REQUIRED
    client_context = ssl.create_default_context()
    authority.configure_trust(client_context)
    authority.issue_cert("client@example.com").configure_cert(client_context)
    with Server(tls=server_context) as server:
        assert send_create(client_kind, server, ssl_verify=client_context) is None
        assert (server.exchanges, server.processed["POST", PATH]) == (1, 1)
        error = send_create(client_kind, server, ssl_verify=certificates.client)
        assert isinstance(error, PineconeError)
        assert (server.exchanges, server.processed["POST", PATH]) == (1, 1)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
@pytest.mark.parametrize(
    ("version", "has_certificate", "reason"),
    [
        (ssl.TLSVersion.TLSv1_2, True, "unknown ca"),
        (ssl.TLSVersion.TLSv1_3, True, "unknown ca"),
        (ssl.TLSVersion.TLSv1_3, False, "certificate required"),
    ],
)
def test_refused_client_certificate_is_not_sent(
    version: ssl.TLSVersion, has_certificate: bool, reason: str, client_kind: ClientKind, authority: trustme.CA
) -> None:
    """A refused client certificate is not retried and not sent, although TLS 1.3 reports it after the request."""
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.maximum_version = version
    authority.issue_cert("127.0.0.1").configure_cert(server_context)
    authority.configure_trust(server_context)
    server_context.verify_mode = ssl.CERT_REQUIRED
    client_context = ssl.create_default_context()
    authority.configure_trust(client_context)
    if has_certificate:
        trustme.CA().issue_cert("client@example.com").configure_cert(client_context)

    def refuse(connection: socket.socket) -> bool:
        with server_context.wrap_socket(
            connection.dup(), server_side=True, do_handshake_on_connect=False
        ) as tls_socket:
            with pytest.raises(ssl.SSLError):
                tls_socket.do_handshake()
            return stay_silent(connection)  # closing with unread data would reset the connection and lose the alert

    with Server(connection_actions=[refuse]) as server:
        host = server.url.replace("http:", "https:")
        for verb in ("GET", "POST"):
            error = send_once(
                client_kind, make_operation(verb), host=host, access_token="supplied", ssl_verify=client_context
            )
            assert isinstance(error, PineconeConnectionError)
            assert (error.outcome, error.safe_to_retry, error.attempts) == ("not_sent", True, 1)
            assert reason in str(error)
        assert server.connections == 2


@pytest.mark.parametrize(
    ("events", "failure"),
    [
        ([], Failure.NO_RESPONSE),
        (["http11.send_request_headers.started"], Failure.NO_RESPONSE),
        (["connection.start_tls.started"], Failure.CANNOT_CONNECT),
        (["connection.start_tls.complete", "http11.send_request_headers.started"], Failure.CANNOT_CONNECT),
    ],
)
@pytest.mark.parametrize(
    "reason", ["TLSV13_ALERT_CERTIFICATE_REQUIRED", "SSLV3_ALERT_BAD_CERTIFICATE", "TLSV1_ALERT_UNKNOWN_CA"]
)
def test_certificate_alert_counts_only_in_observed_handshake(events: list[str], failure: Failure, reason: str) -> None:
    """A certificate alert means "not sent" only on a new connection; on a reused one the request may be processed."""
    attempt, error = Attempt(), ssl.SSLError(1, "alert")
    error.reason = reason
    for event in events:
        attempt.events[event] = {}
    assert classify_error(error, attempt) is failure


@pytest.mark.parametrize("argument", ["host", "oauth_url"])
def test_remote_plain_http_is_refused(argument: str) -> None:
    """Plain HTTP to a remote host is refused at construction unless allow_http is set."""
    arguments: dict[str, Any] = {
        "host": "https://a.example",
        "oauth_url": "https://a.example/oauth/token",
        "client_id": "id",
        "client_secret": "secret",
        argument: "http://10.0.0.1/oauth/token",
    }
    with pytest.raises(PineconeValueError, match="plain http beyond loopback"):
        Admin(**arguments, lazy=True)
    Admin(**arguments, lazy=True, allow_http=True).close()


@pytest.mark.parametrize("text", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"])
def test_unusable_ca_file_is_named(text: str, tmp_path: Path) -> None:
    """A CA file that is missing or has no certificate is refused at construction, and the message names it."""
    file = tmp_path / "authority.pem"
    file.write_text(text)
    for path in (file, tmp_path / "missing.pem"):
        with pytest.raises(PineconeValueError, match=path.name):
            Admin(access_token="supplied", ssl_verify=path)


def subject_hash(file: Path) -> str:
    """Return the file name that OpenSSL uses to look up a certificate in a folder."""
    command = ["openssl", "x509", "-noout", "-subject_hash", "-in", str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_without_an_https_url_no_context_is_made(tmp_path: Path) -> None:
    """Nothing would use it; a wrong ``ssl_verify`` is an error all the same, and httpcore's own trust never applies."""
    assert build_ssl_context(True, is_used=False) is None
    with pytest.raises(PineconeValueError, match="ssl_verify: cannot load"):
        build_ssl_context(tmp_path / "missing.pem", is_used=False)
    pools = Pools(ssl_context=None, proxy=None, max_connections=1, keep=True, closed=threading.Event())
    request = httpx.Request("GET", "https://localhost:1")
    with pytest.raises(AssertionError, match="needs a TLS context"):
        pools.exchange(request, Attempt(1.0), max_bytes=1)
