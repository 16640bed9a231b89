"""The constructor: addresses, numbers, flags, certificates and proxies."""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pinecone_admin import AsyncAdmin, PineconeTypeError, PineconeValueError, RetryPolicy
from tests.support.errors import SECRET, raises
from tests.support.scripted_transport import ScriptedTransport

pytestmark = pytest.mark.anyio

# host → base address of the requests.
HOSTS: list[tuple[str | None, str]] = [
    (None, "https://api.pinecone.io"),
    ("api.example.com", "https://api.example.com"),
    ("api.example.com:8443", "https://api.example.com:8443"),
    ("https://api.example.com/", "https://api.example.com"),
    ("https://api.example.com/prefix/", "https://api.example.com/prefix"),
    ("HTTPS://API.example.COM", "https://api.example.com"),
    ("localhost:8080", "https://localhost:8080"),
    ("http://localhost:8080", "http://localhost:8080"),
    ("http://127.0.0.1:5", "http://127.0.0.1:5"),
    ("http://127.8.9.1", "http://127.8.9.1"),
    ("http://[::1]:5", "http://[::1]:5"),
    ("http://[::ffff:127.0.0.1]:5", "http://[::ffff:127.0.0.1]:5"),
]


@pytest.mark.parametrize(("host", "address"), HOSTS)
@pytest.mark.parametrize("from_environment", [False, True])
async def test_host_sets_the_base_address(
    host: str | None,
    address: str,
    from_environment: bool,
    make_client: Callable[..., AsyncAdmin],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A host without a scheme uses https, a trailing slash is ignored, and loopback may use plain http."""
    script = ScriptedTransport()
    if from_environment and host is not None:
        monkeypatch.setenv("PINECONE_CONTROLLER_HOST", host)
        host = None
    await make_client(script, host=host).projects.list()
    assert str(script.request.url) == f"{address}/admin/projects"
    assert str(script.exchanges[0].url) == "https://login.pinecone.io/oauth/token"


async def test_an_argument_overrides_the_variable(
    make_client: Callable[..., AsyncAdmin], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment is read only where an argument is omitted."""
    monkeypatch.setenv("PINECONE_CONTROLLER_HOST", "wrong.example.com")
    monkeypatch.setenv("PINECONE_OAUTH_URL", "https://wrong.example.com/token")
    script = ScriptedTransport()
    await make_client(script, host="right.example.com", oauth_url="https://login.example.com/x/token").projects.list()
    assert script.request.url.host == "right.example.com"
    assert str(script.exchanges[0].url) == "https://login.example.com/x/token"


async def test_the_environment_sets_the_token_endpoint(
    make_client: Callable[..., AsyncAdmin], monkeypatch: pytest.MonkeyPatch
) -> None:
    """PINECONE_OAUTH_URL is the full URL of the token endpoint, with its path."""
    monkeypatch.setenv("PINECONE_OAUTH_URL", "http://localhost:1/deep/token")
    script = ScriptedTransport()
    await make_client(script).projects.list()
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
    "https:",
    "https:/api.pinecone.io",
    "http:/127.0.0.1:9",
    "https:api.pinecone.io",
    "localhost:",
    "%zz",
    "https://%zz",
    "https://api.example.com/%zz",
    "https://api%2eexample.com",
    "https://api%20example.com",
    "https://api..example.com",
    "https://api.example.com:-1",
    "https://" + "a" * 64 + ".example.com",
    "https://" + "a." * 130 + "com",
    5,
    b"https://api.example.com",
    True,
]


@pytest.mark.parametrize("address", BAD_ADDRESSES, ids=ascii)
@pytest.mark.parametrize("argument", ["host", "oauth_url"])
async def test_an_invalid_address_raises(argument: str, address: Any, make_client: Callable[..., AsyncAdmin]) -> None:
    """An invalid address raises in the constructor, with an error that names the argument."""
    value = f"{address}/oauth/token" if argument == "oauth_url" and address == "https://" else address
    kind = PineconeValueError if isinstance(address, str) else PineconeTypeError
    with raises(kind, match=f"^{argument} ") as caught:
        make_client(ScriptedTransport(), lazy=True, **{argument: value})
    assert caught.value.argument == argument


async def test_an_empty_address_is_called_empty(make_client: Callable[..., AsyncAdmin]) -> None:
    """An empty or blank address is named so, and one without a host too; no message quotes what nobody wrote."""
    for argument, value, message in (
        *((name, value, "is empty") for name in ("host", "oauth_url") for value in ("", " ", "\n")),
        ("host", "https://", "does not contain the name of a host"),
        ("oauth_url", "/oauth/token", "does not contain the name of a host"),
    ):
        with raises(PineconeValueError, match=f"^{argument} {message}$"):
            make_client(ScriptedTransport(), lazy=True, **{argument: value})
    with raises(PineconeValueError, match="^proxy_url is empty$"):
        AsyncAdmin(access_token="x", proxy_url=" ")


@pytest.mark.parametrize("variable", ["PINECONE_CONTROLLER_HOST", "PINECONE_OAUTH_URL"])
async def test_an_invalid_address_in_the_environment_raises(
    variable: str, make_client: Callable[..., AsyncAdmin], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An invalid address in the environment raises an error that names the variable."""
    monkeypatch.setenv(variable, "ftp://x/token")
    with raises(PineconeValueError, match=variable) as caught:
        make_client(ScriptedTransport(), lazy=True)
    assert caught.value.argument == variable


@pytest.mark.parametrize("address", ["https://login.example.com", "login.example.com/"])
async def test_the_token_endpoint_needs_a_path(address: str, make_client: Callable[..., AsyncAdmin]) -> None:
    """An oauth_url without a path raises."""
    with raises(PineconeValueError, match="oauth_url must include the path"):
        make_client(ScriptedTransport(), lazy=True, oauth_url=address)


PLAIN_HTTP = [
    "http://api.example.com/token",
    "http://10.0.0.1/token",
    "http://127.0.0.1.example.com/token",
    "http://localhost.example.com/token",
    "http://[::2]/token",
    "http://[::ffff:10.0.0.1]/token",
    "http://127.1/token",
    "http://0.0.0.0/token",
    "http://evil.localhost/token",
]


@pytest.mark.parametrize("address", PLAIN_HTTP)
@pytest.mark.parametrize("argument", ["host", "oauth_url"])
async def test_plain_http_beyond_loopback_must_be_allowed(
    argument: str, address: str, make_client: Callable[..., AsyncAdmin], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plain http exposes the token, so that only allow_http=True or its variable set to 1 allows it."""
    for value in ("", "0", "true"):
        monkeypatch.setenv("PINECONE_ADMIN_ALLOW_HTTP", value)
        with raises(PineconeValueError, match=f"{argument} .*plain http beyond loopback.*allow_http=True"):
            make_client(ScriptedTransport(), lazy=True, **{argument: address})
    make_client(ScriptedTransport(), lazy=True, allow_http=True, **{argument: address})
    monkeypatch.setenv("PINECONE_ADMIN_ALLOW_HTTP", "1")
    make_client(ScriptedTransport(), lazy=True, **{argument: address})


# Arguments → pattern of the message; "must be" marks a PineconeTypeError.
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
    ({"on_attempt": 5}, "on_attempt must be callable"),
    ({"source_tag": 5}, "source_tag must be a str"),
    ({"source_tag": "-!"}, "source_tag must contain at least one"),
    ({"source_tag": ""}, "source_tag must contain at least one"),
    ({"transport": 5}, "transport must be an httpx"),
    ({"oauth_transport": 5}, "oauth_transport must be an httpx.BaseTransport"),
]


@pytest.mark.parametrize(("options", "message"), BAD_OPTIONS, ids=str)
async def test_an_invalid_option_raises(
    options: dict[str, Any], message: str, make_client: Callable[..., AsyncAdmin]
) -> None:
    """An invalid number, flag or transport raises before any request, and the error names it."""
    script = ScriptedTransport()
    with raises(PineconeTypeError if "must be" in message else PineconeValueError, match=message) as caught:
        make_client(script, **options)
    assert caught.value.argument in options
    assert script.exchanges == []


@pytest.mark.parametrize(
    "options",
    [{"proxy_url": "http://proxy"}, {"ssl_verify": False}, {"ssl_verify": "ca.pem"}, {"max_connections": 5}],
    ids=str,
)
async def test_options_of_connections_contradict_a_transport(
    options: dict[str, Any], make_client: Callable[..., AsyncAdmin]
) -> None:
    """An option of the client's own connections beside a transport raises, instead of being ignored."""
    with raises(PineconeValueError, match=f"^{next(iter(options))} contradicts transport"):
        make_client(ScriptedTransport(), **options)
    make_client(ScriptedTransport(), proxy_url=None, ssl_verify=True, max_connections=20)


async def test_on_attempt_must_not_need_await(make_client: Callable[..., AsyncAdmin]) -> None:
    """A coroutine function raises, because its result would not be awaited."""
    with raises(PineconeTypeError, match="on_attempt must be a synchronous function"):
        make_client(ScriptedTransport(), on_attempt=asyncio.sleep)


BAD_POLICIES: list[tuple[dict[str, Any], str]] = [
    ({"max_attempts": 0}, "max_attempts .*at least 1"),
    ({"max_attempts": True}, "max_attempts must be an int"),
    ({"attempt_timeout": 0}, "attempt_timeout .*above 0"),
    ({"backoff": float("nan")}, "backoff .*finite"),
    ({"backoff": -1}, "backoff .*at least 0"),
    ({"max_backoff": 0}, "max_backoff .*above 0"),
    ({"max_backoff": "8"}, "max_backoff must be a number"),
    ({"max_retry_after": -1}, "max_retry_after .*above 0"),
]


@pytest.mark.parametrize(("options", "message"), BAD_POLICIES, ids=str)
def test_an_invalid_retry_policy_raises(options: dict[str, Any], message: str) -> None:
    """RetryPolicy checks its fields when it is constructed."""
    with raises(PineconeTypeError if "must be" in message else PineconeValueError, match=message) as caught:
        RetryPolicy(**options)
    assert caught.value.argument in options


def make_own_client(**options: Any) -> AsyncAdmin:
    """Make a client with its own connection pool; it is lazy and connects to nothing."""
    return AsyncAdmin(client_id="id", client_secret=SECRET, lazy=True, **options)


BAD_CONNECTIONS: list[tuple[dict[str, Any], str]] = [
    ({"max_connections": 0}, "max_connections .*at least 1"),
    ({"max_connections": True}, "max_connections must be an int"),
    ({"max_connections": 1.0}, "max_connections must be an int"),
    ({"ssl_verify": 5}, "ssl_verify must be"),
    ({"ssl_verify": None}, "ssl_verify must be"),
    ({"ssl_verify": "/no/such/file.pem"}, "ssl_verify: cannot load certificates from '/no/such/file.pem'"),
    ({"ssl_verify": os.fspath(Path(__file__))}, "ssl_verify: cannot load"),
    ({"proxy_url": 5}, "proxy_url must be a str"),
    ({"proxy_url": ""}, "proxy_url is empty"),
    ({"proxy_url": f"ftp://user:{SECRET}@proxy"}, "proxy_url is not the URL"),
    ({"proxy_url": f"http://user:{SECRET}@proxy:port"}, "proxy_url is not the URL"),
    ({"proxy_url": f"http://user:{SECRET}@"}, "proxy_url is not the URL"),
    *(
        ({"proxy_url": url}, "proxy_url is not the URL")
        for url in (
            "proxy:0",
            "http://proxy:-1",
            "http://proxy:65536",
            "http:/proxy:3128",
            "http:",
            "%zz",
            "http://a..b",
        )
    ),
]


@pytest.mark.parametrize(("options", "message"), BAD_CONNECTIONS, ids=ascii)
async def test_invalid_connection_options_raise(options: dict[str, Any], message: str) -> None:
    """Invalid certificates and proxies raise in the constructor, without the password of the proxy."""
    with raises(PineconeTypeError if "must be" in message else PineconeValueError, match=message) as caught:
        make_own_client(**options)
    assert caught.value.argument in options


async def test_a_proxy_needs_no_scheme() -> None:
    """A proxy without a scheme uses http, with or without a password."""
    for proxy in ("proxy", "proxy:3128", "ada:word@proxy:3128"):
        await make_own_client(proxy_url=proxy).aclose()


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
async def test_an_invalid_proxy_in_the_environment_raises(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An invalid proxy variable is named by the constructor, unless NO_PROXY excludes both hosts."""
    monkeypatch.setenv(variable, f"ftp://user:{SECRET}@proxy")
    with raises(PineconeValueError, match=f"^{variable.upper()} is not the URL") as caught:
        make_own_client()
    assert caught.value.argument == variable.upper()
    monkeypatch.setenv("NO_PROXY", "pinecone.io")
    await make_own_client().aclose()


async def test_a_socks_proxy_needs_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the socksio package, a SOCKS proxy raises an error that names the extra."""
    monkeypatch.setitem(sys.modules, "socksio", None)
    with raises(PineconeValueError, match=r"httpx\[socks\]"):
        make_own_client(proxy_url="socks5://localhost:1")


@pytest.mark.parametrize("verify", [True, False, ssl.create_default_context()], ids=["True", "False", "context"])
async def test_ssl_verify_accepts_a_bool_or_a_context(verify: Any) -> None:
    """ssl_verify accepts a bool or an SSL context."""
    async with make_own_client(ssl_verify=verify) as admin:
        assert "api.pinecone.io" in repr(admin)
