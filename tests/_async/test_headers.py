"""Request headers: what is sent to the API and to the token endpoint."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

import pinecone_admin
from pinecone_admin import AsyncAdmin, BadRequestError, PineconeTypeError, PineconeValueError
from tests.support.errors import SECRET, raises
from tests.support.scripted_transport import ScriptedResponse, ScriptedTransport

pytestmark = pytest.mark.anyio

USER_AGENT = f"pinecone-admin-python-{pinecone_admin.__version__}"


async def test_headers_sent_to_the_api(make_client: Callable[..., AsyncAdmin], monkeypatch: pytest.MonkeyPatch) -> None:
    """A request without a body has exactly these headers, and never an API key of the data plane."""
    monkeypatch.setenv("PINECONE_API_KEY", SECRET)
    script = ScriptedTransport()
    await make_client(script).projects.list()
    assert dict(script.request.headers) == {
        "host": "api.pinecone.io",
        "accept": "application/json",
        "accept-encoding": "identity",
        "user-agent": USER_AGENT,
        "x-pinecone-api-version": "2026-07",
        "authorization": "Bearer token-1",
    }


async def test_headers_sent_to_the_token_endpoint(
    make_client: Callable[..., AsyncAdmin], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token exchange has exactly these headers and a JSON body with the audience."""
    monkeypatch.setenv("PINECONE_API_KEY", SECRET)
    script = ScriptedTransport()
    await make_client(script).projects.list()
    (exchange,) = script.exchanges
    body = {
        "client_id": "client",
        "client_secret": SECRET,
        "grant_type": "client_credentials",
        "audience": "https://api.pinecone.io/",
    }
    assert (exchange.method, json.loads(exchange.content)) == ("POST", body)
    assert dict(exchange.headers) == {
        "host": "login.pinecone.io",
        "accept": "application/json",
        "accept-encoding": "identity",
        "user-agent": USER_AGENT,
        "x-pinecone-api-version": "2026-07",
        "content-type": "application/json",
        "content-length": str(len(exchange.content)),
    }


@pytest.mark.parametrize(
    ("tag", "sent"),
    [
        ("my_app", "my_app"),
        ("My App", "my_app"),
        ("  Acme  Corp:2 ", "acme_corp:2"),
        ("a\r\nb", "a_b"),
        ("Grün-Büro!", "grnbro"),
    ],
)
async def test_the_source_tag_is_normalized(tag: str, sent: str, make_client: Callable[..., AsyncAdmin]) -> None:
    """The source tag is lower case, uses only [a-z0-9_:], and is the same for the API and the token endpoint."""
    script = ScriptedTransport()
    await make_client(script, source_tag=tag).projects.list()
    for request in (*script.requests, *script.exchanges):
        assert request.headers["user-agent"] == f"{USER_AGENT} source_tag={sent}"


DEFAULT_HEADERS = ["Accept", "User-Agent", "X-Pinecone-Api-Version", "Authorization", "Content-Type"]


@pytest.mark.parametrize("change", [str.lower, str.upper, str.title])
@pytest.mark.parametrize("name", DEFAULT_HEADERS)
async def test_a_header_of_the_caller_replaces_the_default(
    name: str, change: Callable[[str], str], make_client: Callable[..., AsyncAdmin]
) -> None:
    """In any case of its name, only the caller's value is sent, and never to the token endpoint."""
    script = ScriptedTransport()
    admin = make_client(script, additional_headers={change(name): "mine", "X-Extra": "é"})
    with pytest.raises(pinecone_admin.ResponseParsingError):
        await admin.projects.create(name="x")
    assert script.request.headers.get_list(name) == ["mine"]
    assert (b"x-extra", "é".encode("latin-1")) in [(key.lower(), value) for key, value in script.request.headers.raw]
    for exchange in script.exchanges:
        assert "x-extra" not in exchange.headers
        assert exchange.headers.get(name) != "mine"


async def test_with_options_adds_headers(make_client: Callable[..., AsyncAdmin]) -> None:
    """with_options adds to the existing headers, and replaces those of the same name."""
    script = ScriptedTransport()
    admin = make_client(script, additional_headers={"X-One": "1", "X-Two": "2"})
    await admin.with_options(additional_headers={"x-two": "two", "x-three": "3"}).projects.list()
    await admin.projects.list()
    changed, kept = (request.headers for request in script.requests)
    assert (changed["x-one"], changed.get_list("x-two"), changed["x-three"]) == ("1", ["two"], "3")
    assert (kept["x-one"], kept.get_list("x-two"), kept.get("x-three")) == ("1", ["2"], None)


async def test_an_authorization_header_replaces_the_token(make_client: Callable[..., AsyncAdmin]) -> None:
    """An Authorization header of a copy replaces the token, and no exchange takes place."""
    script = ScriptedTransport()
    admin = make_client(script, lazy=True).with_options(additional_headers={"authorization": "Bearer mine"})
    await admin.projects.list()
    assert script.request.headers.get_list("authorization") == ["Bearer mine"]
    assert script.exchanges == []


# Headers → pattern of the message; "must be" marks a PineconeTypeError.
BAD_HEADERS: list[tuple[Any, str]] = [
    ({"x-a": f"{SECRET}\r\nX-B: y"}, r"additional_headers\['x-a'\] contains a line break"),
    ({"x-a": f"{SECRET}\n"}, r"additional_headers\['x-a'\] contains a line break"),
    ({"x-a": f"{SECRET}\x00"}, r"additional_headers\['x-a'\] contains"),
    ({"x-a": f"{SECRET}\x7f"}, r"additional_headers\['x-a'\] contains"),
    ({"x-a": f"{SECRET}€"}, r"additional_headers\['x-a'\] contains .* outside Latin-1"),
    ({"x-a": f"{SECRET}\ud800"}, r"additional_headers\['x-a'\] contains"),
    ({"x-a": f" {SECRET}"}, r"additional_headers\['x-a'\] has leading or trailing whitespace"),
    ({"x-a": None}, r"additional_headers\['x-a'\] must be a str, not NoneType"),
    ({"x-a": 5}, r"additional_headers\['x-a'\] must be a str, not int"),
    ({"x-a": b"x"}, r"additional_headers\['x-a'\] must be a str, not bytes"),
    ({"": "x"}, "additional_headers: '' is not a header name"),
    ({"x a": "x"}, "additional_headers: 'x a' is not a header name"),
    ({"x:a": "x"}, "additional_headers: 'x:a' is not a header name"),
    ({"x\r\na": "x"}, "additional_headers: .* is not a header name"),
    ({"é": "x"}, "additional_headers: 'é' is not a header name"),
    ({5: "x"}, "additional_headers: a header name must be a str, not int"),
    ({"X-A": "1", "x-a": "2"}, "additional_headers contains x-a twice"),
    ({"API-Key": SECRET}, "additional_headers: API-Key is not sent with a token, .* pass api_key to with_options"),
    ([("x-a", "1")], "additional_headers must be a mapping"),
    ("x-a: 1", "additional_headers must be a mapping"),
]
FORBIDDEN = [
    "Content-Length",
    "transfer-encoding",
    "CONNECTION",
    "Accept-Encoding",
    "expect",
    "te",
    "trailer",
    "upgrade",
]


@pytest.mark.parametrize(
    ("headers", "message"),
    [*BAD_HEADERS, *(({name: "1"}, f"additional_headers: {name} is reserved") for name in FORBIDDEN)],
    ids=ascii,
)
async def test_an_invalid_header_raises(headers: Any, message: str, make_client: Callable[..., AsyncAdmin]) -> None:
    """An invalid header raises in the constructor and in with_options; the error has its name, not its value."""
    error = PineconeTypeError if "must be" in message else PineconeValueError
    script = ScriptedTransport()
    with raises(error, match=message):
        make_client(script, additional_headers=headers)
    assert script.exchanges == []
    with raises(error, match=message):
        make_client(script).with_options(additional_headers=headers)


async def test_the_api_version_of_an_operation_is_sent(make_client: Callable[..., AsyncAdmin]) -> None:
    """The API version of the operation is sent, unless the caller sets the header."""
    operation = pinecone_admin.Operation(id="x", method="GET", path="/x", returns=None, api_version="2025-10")
    script = ScriptedTransport()
    await make_client(script).send(operation)
    await make_client(script, additional_headers={"X-PINECONE-API-VERSION": "2024-01"}).send(operation)
    assert [request.headers.get_list("x-pinecone-api-version") for request in script.requests] == [
        ["2025-10"],
        ["2024-01"],
    ]


async def test_the_headers_of_an_operation_are_sent(make_client: Callable[..., AsyncAdmin]) -> None:
    """An operation adds headers, and replaces none of the client, its caller or the token."""
    headers = {"Idempotency-Key": "k1", "X-Team": "own", "Accept": "text/html", "Authorization": "x", "X-Unset": None}
    operation = pinecone_admin.Operation(id="x", method="GET", path="/x", returns=None, headers=headers)
    script = ScriptedTransport()
    await make_client(script, additional_headers={"x-team": "search"}).send(operation)
    sent = script.request.headers
    assert [sent.get_list(name) for name in ("idempotency-key", "x-team", "accept", "authorization", "x-unset")] == [
        ["k1"],
        ["search"],
        ["application/json"],
        ["Bearer token-1"],
        [],
    ]


async def test_a_request_has_one_identity(make_client: Callable[..., AsyncAdmin]) -> None:
    """A copy with an API key takes no Authorization, and no other API key among its headers."""
    script = ScriptedTransport()
    admin = make_client(script)
    keyed = admin.with_options(api_key="pcsk_v")
    for headers in ({"Api-Key": "pcsk_w"}, {"authorization": "Bearer mine"}):
        for options in ({"additional_headers": headers, "api_key": "pcsk_v"}, {"additional_headers": headers}):
            with raises(PineconeValueError, match="a request has one identity"):
                keyed.with_options(**options)
    for copy in (keyed, keyed.with_options(additional_headers={"x-a": "1"}), keyed.with_options(api_key="pcsk_w")):
        await copy.projects.list()
    await admin.projects.list()
    sent = [("authorization" in each.headers, each.headers.get_list("api-key")) for each in script.requests]
    assert sent == [(False, ["pcsk_v"]), (False, ["pcsk_v"]), (False, ["pcsk_w"]), (True, [])]


async def test_a_header_of_an_operation_is_masked_in_errors(make_client: Callable[..., AsyncAdmin]) -> None:
    """If a response repeats the value of an operation's header, the value is masked there and in later responses."""
    canary = "vault-canary-1"
    headers = {"X-Vault-Token": f"vault {canary}", "X-Unset": None}
    operation = pinecone_admin.Operation(id="x", method="GET", path="/x", returns=None, headers=headers)
    echo = ScriptedResponse(400, {"error": {"code": "X", "message": f"bad {canary}"}}, {"x-request-id": canary})
    admin = make_client(ScriptedTransport(echo, echo))
    for call in (lambda: admin.send(operation), admin.projects.list):
        with raises(BadRequestError) as caught:
            await call()
        assert (caught.value.message, caught.value.request_id) == ("bad ***", "***")
        assert canary not in str(vars(caught.value))


@pytest.mark.parametrize("name", ["Content-Length", "a b", "", "API-Key"])
async def test_a_header_that_an_operation_cannot_set_raises(name: str, make_client: Callable[..., AsyncAdmin]) -> None:
    """Headers of the framing are the client's own, Api-Key is another identity, and other text is no name of one."""
    operation = pinecone_admin.Operation(id="x", method="GET", path="/x", returns=None, headers={name: "1"})
    script = ScriptedTransport()
    with raises(PineconeValueError, match=f"x: headers: '?{name}'? is "):
        await make_client(script).send(operation)
    assert script.requests == []
