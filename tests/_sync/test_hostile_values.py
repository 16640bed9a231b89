# Derived from tests/_async/test_hostile_values.py by scripts/unasync.py: change that, not this file.
"""Hostile values in every argument of every method, of the constructor and of an Operation, and in what a server sends.

Nothing but errors of this package escapes, nothing is sent that was refused, and no secret is shown.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from enum import Enum
from functools import partial
from pathlib import PurePath
from random import Random
from typing import Annotated, Any

import pytest

from pinecone_admin import Admin, Operation, PineconeError, PineconeTypeError, PineconeValueError, RetryPolicy
from pinecone_admin.models import CreateProjectRequest, Project
from tests._sync.test_validation import call_method
from tests.support.errors import SECRET, check_promises
from tests.support.resources import METHODS
from tests.support.scripted_transport import ScriptedResponse, ScriptedTransport

pytestmark = pytest.mark.anyio

HUGE = 10**5000
FORGED = "x\nnothing was changed\r\x1b[2J\u202e\x85"
SCALARS: list[Any] = [
    None, "", " ", ".", "..", "a/b", "a\x00", "a\r\nX: y", "\ud800", "\udcff", FORGED, "x" * 100_000, "%zz", "{id}",
    0, 1, -1, 5, HUGE, -HUGE, 2**63, True, False, 0.0, 1.5, -0.0, 1e308, float("nan"), float("inf"), float("-inf"), 1j,
    b"x", bytearray(b"x"), memoryview(b"x"), object, object(), len, Ellipsis, PurePath("x"), ValueError("x"), "é漢",
    Enum("Choice", {"MEMBER": "x"}, type=str), Enum("Choice", {"MEMBER": "x"}), range(3), "Bearer x", "x\n",
    "pcsk_a_b", "https:/x", "http://x", "://", "localhost:0", "[::1", "x@y",
]  # fmt: skip


def make_value(random: Random, depth: int = 2) -> Any:
    """Return a hostile value, or a list, tuple, set or mapping of some."""
    kind = random.randint(0, 9) if depth else 0
    if kind < 6:
        return random.choice(SCALARS)
    items = [make_value(random, depth - 1) for _ in range(random.randint(0, 3))]
    if kind == 6:
        return tuple(items)
    if kind == 7:
        return {repr(type(item)) for item in items}
    if kind == 8:
        return items
    keys = ["resource_type", "resource_id", "role", "name", "\ud800", "", 5, None, ("x",)]
    return {random.choice(keys): item for item in items}


def attempt(script: ScriptedTransport, call: Callable[[], Any]) -> PineconeError | None:
    """Make a call; check that it ends as calls may end, and return its error."""
    try:
        call()
    except PineconeError as error:
        check_refusal(error, script)
        return error
    return None


def check_refusal(error: PineconeError, script: ScriptedTransport) -> None:
    """Check that an error keeps its promises, and that nothing was sent that was refused."""
    check_promises(error)
    assert str(error).isprintable()
    refused = isinstance(error, PineconeValueError | PineconeTypeError)
    assert not (refused and error.attempts == 0 and script.requests), error


def check_methods(make_client: Callable[..., Admin], seed: int) -> None:
    """Call a random method with hostile values in some of its arguments."""
    random = Random(seed)
    method = random.choice(list(METHODS))
    script = ScriptedTransport(ScriptedResponse(404))
    arguments = {name: argument.valid for name, argument in METHODS[method].items()}
    for name in random.sample(list(arguments), random.randint(0, len(arguments))):
        arguments[name] = make_value(random)
    attempt(script, lambda: call_method(script, make_client, method, **arguments))


OPERATION = {"id": "x", "method": "POST", "path": "/x/{id}", "path_parameters": {"id": "p"}, "returns": None}


def check_operations(make_client: Callable[..., Admin], seed: int) -> None:
    """Send an Operation with hostile values in some of its parts."""
    random = Random(seed)
    script = ScriptedTransport(ScriptedResponse(404))
    names = ["id", "method", "path", "path_parameters", "query", "headers", "body", "returns", "api_version"]
    parts: dict[str, Any] = dict(OPERATION)
    for name in random.sample(names, random.randint(1, 3)):
        parts[name] = make_value(random)
        if name in {"path_parameters", "query", "headers"} and random.random() < 0.7:
            parts[name] = {random.choice(["id", "x-y", "\ud800", FORGED, 5]): make_value(random, 1)}
    make_operation: Callable[..., Operation[Any]] = Operation
    admin = make_client(script)
    attempt(script, lambda: admin.send(make_operation(**parts)))


CONTEXT = ssl.create_default_context()  # making one takes longer than everything else
CREDENTIALS = ["client_secret", "access_token", "additional_headers", "proxy_url"]
CONSTRUCTOR = [
    "client_id", "client_secret", "access_token", "additional_headers", "source_tag", "proxy_url", "ssl_verify", "host",
    "oauth_url", "allow_http", "timeout", "retry", "max_connections", "token_cache", "lazy", "read_only", "on_attempt",
    "transport", "oauth_transport",
]  # fmt: skip


def check_constructors(_: Callable[..., Admin], seed: int) -> None:
    """Make a lazy client, a copy and a policy with hostile values in some of their arguments."""
    random = Random(seed)
    given = {"client_id": "id", "client_secret": SECRET, "lazy": True, "ssl_verify": CONTEXT}
    given |= {name: make_value(random) for name in random.sample(CONSTRUCTOR, random.randint(1, 3))}
    for name in random.sample(CREDENTIALS, random.randint(0, 1)):
        given[name] = random.choice(
            [f"Bearer {SECRET}", f"{SECRET}\n", f"{SECRET}\ud800", {"x-key": f"{SECRET}\n"}, [SECRET]]
        )
    options = ["timeout", "retry", "additional_headers", "read_only", "api_key", "on_attempt"]
    changed = {name: make_value(random) for name in random.sample(options, random.randint(1, 2))}
    limits = ["max_attempts", "attempt_timeout", "backoff", "max_backoff", "max_retry_after"]
    policy = {name: make_value(random, 0) for name in random.sample(limits, 2)}
    made = Admin(client_id="id", client_secret=SECRET, lazy=True, ssl_verify=CONTEXT)

    def construct(kind: Callable[..., Any], arguments: dict[str, Any]) -> None:
        repr(kind(**arguments))

    kinds: list[tuple[Callable[..., Any], dict[str, Any]]] = [
        (Admin, given if given["lazy"] is True else given | {"lazy": 5}),
        (made.with_options, changed),
        (RetryPolicy, policy),
    ]
    for kind, arguments in kinds:
        attempt(ScriptedTransport(), partial(construct, kind, arguments))


CHECKS = [check_methods, check_operations, check_constructors]


@pytest.mark.parametrize("check", CHECKS, ids=[check.__name__ for check in CHECKS])
def test_hostile_values_are_refused_or_sent(
    check: Callable[[Callable[..., Admin], int], Any], make_client: Callable[..., Admin]
) -> None:
    """150 seeded cases of each kind."""
    for seed in range(150):
        check(make_client, seed)


@pytest.mark.long
@pytest.mark.parametrize("check", CHECKS, ids=[check.__name__ for check in CHECKS])
def test_many_hostile_values_are_refused_or_sent(
    check: Callable[[Callable[..., Admin], int], Any], make_client: Callable[..., Admin]
) -> None:
    """400 more seeded cases of each kind."""
    for seed in range(1_000, 1_400):
        check(make_client, seed)


# Part of an Operation → hostile value, by the class of the error, which names the part.
BROKEN_PARTS: list[tuple[type[PineconeError], str, Any]] = [
    (PineconeTypeError, "path_parameters", None),
    (PineconeTypeError, "path_parameters", ["id"]),
    (PineconeTypeError, "path_parameters", {5: "p"}),
    (PineconeTypeError, "query", ["x"]),
    (PineconeTypeError, "query", {None: "x"}),
    (PineconeValueError, "query", {"\ud800": "x"}),
    (PineconeTypeError, "headers", "x"),
    (PineconeTypeError, "headers", {5: "x"}),
    (PineconeTypeError, "method", []),
    (PineconeValueError, "method", "get"),
    (PineconeTypeError, "path", None),
    (PineconeTypeError, "id", {}),
    (PineconeValueError, "id", "\ud800"),
    (PineconeTypeError, "returns", []),
    (PineconeTypeError, "returns", "Project"),
    (PineconeTypeError, "returns", int),
    (PineconeTypeError, "returns", list[Project]),
    (PineconeTypeError, "returns", Project | None),
    (PineconeTypeError, "returns", CreateProjectRequest),
    (PineconeTypeError, "returns", Annotated[dict[str, object], []]),
    (PineconeTypeError, "returns", asyncio.sleep),
    (PineconeTypeError, "api_version", []),
    (PineconeValueError, "body", HUGE),
]


@pytest.mark.parametrize(
    ("kind", "part", "value"), BROKEN_PARTS, ids=[f"{part}-{n}" for n, (_, part, _) in enumerate(BROKEN_PARTS)]
)
def test_an_error_names_the_part_of_an_operation(
    kind: type[PineconeError], part: str, value: Any, make_client: Callable[..., Admin]
) -> None:
    """A part of a hand-built Operation that cannot be sent is named, and nothing is sent."""
    script = ScriptedTransport()
    make_operation: Callable[..., Operation[Any]] = Operation
    error = attempt(script, lambda: make_client(script).send(make_operation(**OPERATION | {part: value})))
    assert type(error) is kind
    assert part in str(error)
    assert script.requests == []


def test_surrogates_of_a_server_break_no_workflow() -> None:
    """An id with an unpaired surrogate ends rotate and delete_with_cleanup with an error of this package."""
    hostile = "id\ud800"
    project = {"id": hostile, "name": "n", "max_pods": 0, "force_encryption_with_cmek": False, "organization_id": "o"}
    key = {"id": hostile, "project_id": "p", "name": "n", "roles": ["ProjectViewer"]}
    cases: list[tuple[object, Callable[[Admin], Any]]] = [
        (key, lambda admin: admin.api_keys.rotate(api_key_id="k", store=lambda _: None)),
        (project, lambda admin: admin.projects.delete_with_cleanup(project_id="p")),
    ]
    for body, call in cases:
        script = ScriptedTransport(ScriptedResponse(body=body))
        admin = Admin(access_token="x", transport=script, retry=RetryPolicy(max_attempts=1))
        with pytest.raises(PineconeError) as caught:
            call(admin)
        check_promises(caught.value)
        assert str(caught.value).isprintable()
