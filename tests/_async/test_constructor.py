"""Where requests go, and what the numbers and switches of the constructor may be."""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pinecone_admin import AsyncAdmin, PineconeTypeError, PineconeValueError, RetryPolicy
from tests.support.errors import SECRET, raises
from tests.support.scripted_transport import Script

pytestmark = pytest.mark.anyio

# host → address of the request for /admin/projects.
HOSTS: list[tuple[str | None, str]] = [
    (None, "https://api.pinecone.io"),
    ("api.example.com", "https://api.example.com"),
    ("api.example.com:8443", "https://api.example.com:8443"),
    ("https://api.example.com/", "https://api.example.com"),
    ("https://api.example.com/prefix/", "https://api.example.com/prefix"),
    ("HTTPS://API.example.COM", "https://api.example.com"),
    ("localhost:8080", "https://localhost:8080"),
    ("http://localhost:8080", "http://localhost:8080"),
    ("http://emulator.localhost", "http://emulator.localhost"),
    ("http://127.0.0.1:5", "http://127.0.0.1:5"),
    ("http://127.8.9.1", "http://127.8.9.1"),
    ("http://[::1]:5", "http://[::1]:5"),
    ("http://[::ffff:127.0.0.1]:5", "http://[::ffff:127.0.0.1]:5"),
]


# <async only>
@pytest.fixture
def anyio_backend() -> str:
    """Run in one kind of event loop: what is checked here is decided where the client is made."""
    return "asyncio"


# </async only>
@pytest.mark.parametrize(("host", "address"), HOSTS)
@pytest.mark.parametrize("by_variable", [False, True])
async def test_the_host_decides_where_requests_go(
    host: str | None,
    address: str,
    by_variable: bool,
    connect: Callable[..., AsyncAdmin],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A host without scheme gets https, a slash at its end changes nothing, plain http is for loopback."""
    script = Script()
    if by_variable and host is not None:
        monkeypatch.setenv("PINECONE_CONTROLLER_HOST", host)
        host = None
    await connect(script, host=host).projects.list()
    assert str(script.request.url) == f"{address}/admin/projects"
    assert str(script.exchanges[0].url) == "https://login.pinecone.io/oauth/token"


async def test_an_argument_comes_before_the_variable(
    connect: Callable[..., AsyncAdmin], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment is looked at only where no argument is given."""
    monkeypatch.setenv("PINECONE_CONTROLLER_HOST", "wrong.example.com")
    monkeypatch.setenv("PINECONE_OAUTH_URL", "https://wrong.example.com/token")
    script = Script()
    await connect(script, host="right.example.com", oauth_url="https://login.example.com/x/token").projects.list()
    assert script.request.url.host == "right.example.com"
    assert str(script.exchanges[0].url) == "https://login.example.com/x/token"


async def test_the_token_endpoint_can_come_from_the_environment(
    connect: Callable[..., AsyncAdmin], monkeypatch: pytest.MonkeyPatch
) -> None:
    """PINECONE_OAUTH_URL is the whole address, with its path."""
    monkeypatch.setenv("PINECONE_OAUTH_URL", "http://localhost:1/deep/token")
    script = Script()
    await connect(script).projects.list()
    assert str(script.exchanges[0].url) == "http://localhost:1/deep/token"


BAD_ADDRESSES: list[object] = [
    "",
    " ",
    "/",
    "https://",
    "https:///x",
    "ftp://api.example.com",
    "file:///etc/passwd",
    "https://api.example.com?x=1",
    "https://api.example.com#x",
    "https://api.example.com?",
    "https://api.example.com:0",
    "https://api.example.com:65536",
    "https://api.example.com:port",
    "https://api example.com",
    " https://api.example.com",
    "https://api.example.com\n",
    "https://api.example.com\\x",
    "https://[::1",
    "https://xn--zzzz",
    "https://\x00",
    f"https://user:{SECRET}@api.example.com",
    f"https://{SECRET}@api.example.com",
    f"https://user:{SECRET}@api.example.com:port",
    "https://\ud800.example.com",
    "https://" + "a" * 300 + ".example.com:99999",
    5,
    b"https://api.example.com",
    True,
]


@pytest.mark.parametrize("address", BAD_ADDRESSES, ids=ascii)
@pytest.mark.parametrize("argument", ["host", "oauth_url"])
async def test_an_address_that_cannot_be_used_is_refused(
    argument: str, address: Any, connect: Callable[..., AsyncAdmin]
) -> None:
    """It is an error of the constructor that names the argument, not a failed connection later."""
    given = f"{address}/oauth/token" if argument == "oauth_url" and address == "https://" else address
    with raises(PineconeValueError if isinstance(address, str) else PineconeTypeError, match=f"^{argument} "):
        connect(Script(), lazy=True, **{argument: given})


@pytest.mark.parametrize("variable", ["PINECONE_CONTROLLER_HOST", "PINECONE_OAUTH_URL"])
async def test_an_address_from_the_environment_is_checked_too(
    variable: str, connect: Callable[..., AsyncAdmin], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the variable."""
    monkeypatch.setenv(variable, "ftp://x/token")
    with raises(PineconeValueError, match=variable):
        connect(Script(), lazy=True)


@pytest.mark.parametrize("address", ["https://login.example.com", "login.example.com/"])
async def test_the_token_endpoint_needs_its_path(address: str, connect: Callable[..., AsyncAdmin]) -> None:
    """A bare host is not the address of an endpoint."""
    with raises(PineconeValueError, match="oauth_url lacks the path"):
        connect(Script(), lazy=True, oauth_url=address)


PLAIN = [
    "http://api.example.com/token",
    "http://10.0.0.1/token",
    "http://127.0.0.1.example.com/token",
    "http://localhost.example.com/token",
    "http://[::2]/token",
    "http://[::ffff:10.0.0.1]/token",
    "http://127.1/token",
    "http://0.0.0.0/token",
]


@pytest.mark.parametrize("address", PLAIN)
@pytest.mark.parametrize("argument", ["host", "oauth_url"])
async def test_plain_http_beyond_loopback_has_to_be_allowed(
    argument: str, address: str, connect: Callable[..., AsyncAdmin], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would show the token on the way, so only the argument or the variable set to 1 allows it."""
    for value in ("", "0", "true"):
        monkeypatch.setenv("PINECONE_ADMIN_ALLOW_HTTP", value)
        with raises(PineconeValueError, match=f"{argument} .*plain http beyond loopback.*allow_http=True"):
            connect(Script(), lazy=True, **{argument: address})
    connect(Script(), lazy=True, allow_http=True, **{argument: address})
    monkeypatch.setenv("PINECONE_ADMIN_ALLOW_HTTP", "1")
    connect(Script(), lazy=True, **{argument: address})


# Arguments → what the error names; "must be" marks errors of type.
BAD_OPTIONS: list[tuple[dict[str, Any], str]] = [
    ({"allow_http": 1}, "allow_http must be a bool"),
    ({"allow_http": "1"}, "allow_http must be a bool"),
    ({"read_only": 1}, "read_only must be a bool"),
    ({"lazy": "no"}, "lazy must be a bool"),
    ({"timeout": 0}, "timeout .*above 0"),
    ({"timeout": -1.0}, "timeout .*above 0"),
    ({"timeout": float("nan")}, "timeout .*finite"),
    ({"timeout": float("inf")}, "timeout .*finite"),
    ({"timeout": True}, "timeout must be a number"),
    ({"timeout": "60"}, "timeout must be a number"),
    ({"timeout": None}, "timeout must be a number"),
    ({"retry": 3}, "retry must be a RetryPolicy"),
    ({"max_connections": 0}, "max_connections .*at least 1"),
    ({"max_connections": True}, "max_connections must be an int"),
    ({"max_connections": 1.0}, "max_connections must be an int"),
    ({"source_tag": 5}, "source_tag must be a str"),
    ({"source_tag": "-!"}, "source_tag has none"),
    ({"source_tag": ""}, "source_tag has none"),
    ({"transport": 5}, "transport must be an httpx"),
    ({"oauth_transport": 5}, "oauth_transport must be an httpx.BaseTransport"),
]


@pytest.mark.parametrize(("options", "message"), BAD_OPTIONS, ids=str)
async def test_an_option_that_cannot_be_right_is_refused(
    options: dict[str, Any], message: str, connect: Callable[..., AsyncAdmin]
) -> None:
    """Numbers and switches are checked where they are given."""
    script = Script()
    with raises(PineconeTypeError if "must be" in message else PineconeValueError, match=message):
        connect(script, **options)
    assert script.exchanges == []


BAD_POLICIES: list[tuple[dict[str, Any], str]] = [
    ({"max_attempts": 0}, "max_attempts .*at least 1"),
    ({"max_attempts": True}, "max_attempts must be an int"),
    ({"attempt_timeout": 0}, "attempt_timeout .*above 0"),
    ({"backoff": float("nan")}, "backoff .*finite"),
    ({"max_backoff": "8"}, "max_backoff must be a number"),
    ({"max_retry_after": -1}, "max_retry_after .*above 0"),
    ({"on_retry": 5}, "on_retry must be callable"),
]


@pytest.mark.parametrize(("options", "message"), BAD_POLICIES, ids=str)
def test_a_policy_that_cannot_be_right_is_refused(options: dict[str, Any], message: str) -> None:
    """A RetryPolicy is checked while it is made."""
    with raises(PineconeTypeError if "must be" in message else PineconeValueError, match=message):
        RetryPolicy(**options)


def own(**options: Any) -> AsyncAdmin:
    """Make a client with connections of its own; a lazy one opens none."""
    return AsyncAdmin(client_id="id", client_secret=SECRET, lazy=True, **options)


BAD_CONNECTIONS: list[tuple[dict[str, Any], str]] = [
    ({"ssl_verify": 5}, "ssl_verify must be"),
    ({"ssl_verify": None}, "ssl_verify must be"),
    ({"ssl_verify": "/no/such/file.pem"}, "ssl_verify: cannot load certificates from '/no/such/file.pem'"),
    ({"ssl_verify": os.fspath(Path(__file__))}, "ssl_verify: cannot load"),
    ({"proxy_url": 5}, "proxy_url must be a str"),
    ({"proxy_url": ""}, "proxy_url is not the address"),
    ({"proxy_url": f"ftp://user:{SECRET}@proxy"}, "proxy_url is not the address"),
    ({"proxy_url": f"http://user:{SECRET}@proxy:port"}, "proxy_url is not the address"),
    ({"proxy_url": f"http://user:{SECRET}@"}, "proxy_url is not the address"),
]


@pytest.mark.parametrize(("options", "message"), BAD_CONNECTIONS, ids=ascii)
async def test_a_connection_that_cannot_be_made_is_refused(options: dict[str, Any], message: str) -> None:
    """Certificates and proxies are read where they are given; the password of a proxy is never shown."""
    with raises(PineconeTypeError if "must be" in message else PineconeValueError, match=message):
        own(**options)


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
async def test_a_proxy_from_the_environment_is_checked(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that cannot be used is an error where the client is made, unless NO_PROXY excepts both hosts."""
    monkeypatch.setenv(variable, f"ftp://user:{SECRET}@proxy")
    with raises(PineconeValueError, match="PROXY is not the address"):
        own()
    monkeypatch.setenv("NO_PROXY", "pinecone.io")
    await own().aclose()


async def test_a_socks_proxy_needs_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package that speaks socks the error comes at once and names the extra."""
    monkeypatch.setitem(sys.modules, "socksio", None)
    with raises(PineconeValueError, match=r"httpx\[socks\]"):
        own(proxy_url="socks5://localhost:1")


@pytest.mark.parametrize("verify", [True, False, ssl.create_default_context()], ids=["True", "False", "context"])
async def test_certificates_can_be_verified_in_several_ways(verify: Any) -> None:
    """A bool or a context; the clients are closed without having connected."""
    async with own(ssl_verify=verify) as admin:
        assert "api.pinecone.io" in repr(admin)
