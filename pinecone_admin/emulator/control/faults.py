"""Faults: which requests they match, and what they do to the response."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime
from random import Random
from typing import Any, Literal, TypeAlias, cast
from urllib.parse import parse_qsl
from uuid import UUID

from attrs import define, evolve, field, fields

from pinecone_admin.emulator.api import checks
from pinecone_admin.emulator.api.checks import Fields
from pinecone_admin.emulator.api.dispatch import operation_id
from pinecone_admin.emulator.api.messages import Delivery, Request, Response
from pinecone_admin.emulator.api.oauth import TOKEN_OPERATION
from pinecone_admin.emulator.api.operation_names import operation_name
from pinecone_admin.emulator.api.refusals import Refusal, invalid_argument, quoted
from pinecone_admin.emulator.api.serialization import Document

ANY = "*"
"""Matches every operation, including the token endpoint's."""

_FUTURE_FIELDS: Document = {"future_field": {"since": 2031, "kinds": ["new", None]}}
_FUTURE_ROLES: Document = {"role": "FutureRole", "roles": ["FutureRole"]}

BodyShape: TypeAlias = Literal["json", "html", "text", "empty", "truncated", "list"]
Change: TypeAlias = Literal["before", "after"]
Handler: TypeAlias = Callable[[], Response]

_CODES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    412: "FAILED_PRECONDITION",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_OAUTH_CODES = {400: "invalid_request", 401: "access_denied", 403: "access_denied", 429: "too_many_requests"}
_WITHOUT_BODY = frozenset({204, 304})
_MESSAGE = "fault injected by the emulator"
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
# The HTTP server writes these itself; a second value would make the response malformed.
_FRAMING = frozenset({"content-length", "transfer-encoding", "connection"})
_CHANGE = checks.one_of(("before", "after"))
_PROBABILITY = checks.refine(
    checks.seconds, lambda chance: f"must be from 0 to 1, not {quoted(chance)}" if chance > 1 else None
)
_BODY_SHAPE = checks.one_of(("json", "html", "text", "empty", "truncated", "list"))


def _check_operation(name: str, value: object) -> str:
    return ANY if value == ANY else operation_name(name, value)


def _check_headers(name: str, value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise invalid_argument(f"{name} must be an object")
    headers = cast("Mapping[object, object]", value)
    return {checks.string(name, key): _check_header(f"{name}.{key}", str(key), each) for key, each in headers.items()}


def _check_header(name: str, key: str, value: object) -> str:
    text = checks.string(name, value)
    # Whitespace around a value is no part of it (RFC 9110, section 5.5), and the HTTP server refuses to send it.
    if text != text.strip(" \t"):
        raise invalid_argument(f"{name} must not begin or end with whitespace: {quoted(text)}")
    if not (_HEADER_NAME.fullmatch(key) and _HEADER_VALUE.fullmatch(text)) or key.lower() in _FRAMING:
        raise invalid_argument(f"{name} is not a valid header: {quoted(text)}")
    return text


def _check_body(name: str, value: object) -> str | Mapping[str, object]:
    if not isinstance(value, Mapping):
        return _BODY_SHAPE(name, value)
    return checks.encodable_object(name, dict(cast("Mapping[str, object]", value)))


def _argument(check: checks.Check[Any], **role: bool) -> dict[str, object]:
    return {"check": check, **role}


@define(kw_only=True)
class Fault:
    """A fault and how often it has fired. `Faults.add` describes the arguments.

    Attributes:
        operation: The id of the operation that it matches, or `*`.
        times: How often it fires; None for always.
        skip: The number of matching requests to let pass first.
        probability: The probability that it fires on a matching request, from 0 to 1.
        seen: The number of matching requests so far.
        fired: How often it has fired.
    """

    operation: str = field(default=ANY, metadata=_argument(_check_operation))
    times: int | None = field(default=1, metadata=_argument(checks.nullable(checks.integer_between(1, 10**9))))
    skip: int = field(default=0, metadata=_argument(checks.integer_between(0, 10**9)))
    probability: float = field(default=1.0, metadata=_argument(_PROBABILITY))
    delay: float = field(default=0.0, metadata=_argument(checks.seconds))
    status: int | None = field(default=None, metadata=_argument(checks.integer_between(200, 599), kind=True))
    headers: Mapping[str, str] = field(factory=dict[str, str], metadata=_argument(_check_headers, needs_status=True))
    retry_after: float | None = field(default=None, metadata=_argument(checks.seconds, needs_status=True))
    retry_after_date: float | None = field(default=None, metadata=_argument(checks.seconds, needs_status=True))
    body: BodyShape | Mapping[str, object] = field(default="json", metadata=_argument(_check_body, needs_status=True))
    after_change: bool = field(default=False, metadata=_argument(checks.boolean, needs_status=True))
    drop: Change | None = field(default=None, metadata=_argument(_CHANGE, kind=True))
    reset: Change | None = field(default=None, metadata=_argument(_CHANGE, kind=True))
    unreachable: bool = field(default=False, metadata=_argument(checks.boolean, kind=True))
    truncate: bool = field(default=False, metadata=_argument(checks.boolean, kind=True))
    drip: float | None = field(default=None, metadata=_argument(checks.seconds, kind=True))
    wrong_length: int | None = field(
        default=None, metadata=_argument(checks.integer_between(-(10**6), 10**6), kind=True)
    )
    unknown_fields: bool = field(default=False, metadata=_argument(checks.boolean, kind=True))
    unknown_role: bool = field(default=False, metadata=_argument(checks.boolean, kind=True))
    repeat_page_token: bool = field(default=False, metadata=_argument(checks.boolean, kind=True))
    revoke_token: bool = field(default=False, metadata=_argument(checks.boolean, kind=True))
    seen: int = field(default=0, init=False)
    fired: int = field(default=0, init=False)

    @property
    def kind(self) -> str:
        """The kind of the fault, in one word."""
        return next((kind for kind in _KINDS if getattr(self, kind)), "delay")

    @property
    def document(self) -> Document:
        """The fault as a document, without arguments at their defaults."""
        arguments = {name: getattr(self, name) for name in _CHECKS if getattr(self, name) != getattr(_DEFAULT, name)}
        return {"operation": self.operation, "times": self.times, **arguments, "seen": self.seen, "fired": self.fired}

    def fires_on(self, operation: str, random: Random) -> bool:
        """Return whether the fault fires on a request, and count the request."""
        if self.operation not in {ANY, operation} or self.fired == self.times:
            return False
        # Counted even if it does not fire: `skip` counts matching requests.
        self.seen += 1
        if self.seen <= self.skip or (self.probability < 1 and random.random() >= self.probability):
            return False
        self.fired += 1
        return True


_DEFAULT = Fault()
_CHECKS: Mapping[str, checks.Check[Any]] = {
    each.name: each.metadata["check"] for each in fields(Fault) if "check" in each.metadata
}
_KINDS = [each.name for each in fields(Fault) if "kind" in each.metadata]
_OF_STATUS = [each.name for each in fields(Fault) if "needs_status" in each.metadata]


class Faults:
    """The faults that have been added. On each request, at most one fires: the first that matches.

    Args:
        seed: Makes the probabilities come out the same in every run.
    """

    def __init__(self, seed: int | None = None) -> None:
        self._seed = seed or 0
        self.clear()

    def clear(self) -> None:
        """Remove all faults and restart the random numbers.

        Example:
            >>> emulator.faults.clear()
        """
        self._faults: list[Fault] = []
        self._random = Random(self._seed)  # noqa: S311 — no secret depends on it, and a seed must repeat it

    def __iter__(self) -> Iterator[Fault]:
        # A copy, because other threads may add faults meanwhile.
        return iter(tuple(self._faults))

    def add(
        self,
        operation: str = ANY,
        *,
        times: int | None = 1,
        skip: int = 0,
        probability: float = 1.0,
        delay: float = 0.0,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        retry_after: float | None = None,
        retry_after_date: float | None = None,
        body: BodyShape | Mapping[str, object] | None = None,
        after_change: bool = False,
        drop: Change | None = None,
        reset: Change | None = None,
        unreachable: bool = False,
        truncate: bool = False,
        drip: float | None = None,
        wrong_length: int | None = None,
        unknown_fields: bool = False,
        unknown_role: bool = False,
        repeat_page_token: bool = False,
        revoke_token: bool = False,
    ) -> Fault:
        """Add a fault: one of the kinds below, a delay, or both.

        Args:
            operation: The operation that it matches: an id such as `create_project`, a method such as
                `projects.create`, `get_token` for the token endpoint, or `*` for any.
            times: How often it fires; None for always.
            skip: The number of matching requests to let pass first.
            probability: The probability that it fires on a matching request, from 0 to 1, by the emulator's seed.
            delay: Seconds to wait before the response is sent, after the change is made. In process, the time passes
                on the emulator's clock, and a shorter read timeout of the client raises at once.
            status: Respond with this status, 200 to 599, instead of handling the request.
            headers: Additional headers of that response.
            retry_after: The seconds in its Retry-After.
            retry_after_date: Seconds from now, for a Retry-After that is a date.
            body: Its body: `json` (an error in the API's shape), `html`, `text`, `empty`, `truncated` JSON, a JSON
                `list`, or a JSON object.
            after_change: Make the change before responding with that status.
            drop: Close the connection without a response, `before` or `after` the change is made.
            reset: Reset the connection, `before` or `after` the change is made.
            unreachable: Refuse the connection; over HTTP, where it is already open, reset it at once.
            truncate: Make the change, and end the connection in the middle of the response.
            drip: Make the change, and send the body byte by byte, this many seconds apart.
            wrong_length: Make the change, and send a Content-Length that is off by this many bytes.
            unknown_fields: Add fields to the response that no document has.
            unknown_role: Put a role into the response that no document has.
            repeat_page_token: Return the page token of the request again as that of the next page.
            revoke_token: Revoke the access token of the request before handling it.

        Returns:
            The fault; its `fired` says how often it has fired.

        Raises:
            ValueError: An argument is invalid; the message names it.

        Example:
            >>> fault = emulator.faults.add("create_project", status=503, times=2)
        """
        # None stands for the default of every argument except `times`, where it means always.
        arguments = {name: value for name, value in locals().items() if name in _CHECKS}
        return self.add_document(
            {name: value for name, value in arguments.items() if value is not None or name == "times"}
        )

    def add_document(self, document: object) -> Fault:
        """Add a fault from a JSON object with the arguments of `add`."""
        fault = checks.closed_object(_read_fault)("", document)
        _require_consistent(fault)
        self._faults.append(fault)
        return fault

    def next_match(self, operation: str) -> Fault | None:
        """Return the fault that fires on a request of an operation, or None."""
        return next((fault for fault in self._faults if fault.fires_on(operation, self._random)), None)

    def respond(self, fault: Fault, request: Request, handle: Handler, now: datetime) -> Response:
        """Return the response to a request on which a fault fires.

        Args:
            fault: The fault.
            request: The request.
            handle: Makes the change, and returns the response without the fault.
            now: The current time, for dates in the response.
        """
        if fault.status is not None:
            # From the seed of the faults, so that a fault does not change the ids that the state gives out.
            request_id = str(UUID(int=self._random.getrandbits(128), version=4))
            response = _status_response(fault, fault.status, operation_id(request), request_id, now)
            if fault.after_change:
                handle()
        else:
            response = _distort_response(fault, request, handle)
        return evolve(response, delivery=evolve(response.delivery, delay=fault.delay))


def _status_response(fault: Fault, status: int, operation: str, request_id: str, now: datetime) -> Response:
    body, content_type = _encode_body(fault.body, status, operation)
    headers = {"x-pinecone-request-id": request_id} | ({"content-type": content_type} if body else {})
    if fault.retry_after is not None:
        # Not :g, which writes two million seconds as 2e+06.
        headers["retry-after"] = f"{fault.retry_after:f}".rstrip("0").rstrip(".")
    if fault.retry_after_date is not None:
        until = now + timedelta(seconds=fault.retry_after_date)
        headers["retry-after"] = format_datetime(until.replace(microsecond=0), usegmt=True)
    return Response(status, headers | {name.lower(): value for name, value in fault.headers.items()}, body)


def _encode_body(shape: BodyShape | Mapping[str, object], status: int, operation: str) -> tuple[bytes, str]:
    if status in _WITHOUT_BODY or shape == "empty":
        return b"", ""
    if shape == "html":
        return f"<html><body><h1>{status}</h1>{_MESSAGE}</body></html>".encode(), "text/html"
    if shape == "text":
        return _MESSAGE.encode(), "text/plain"
    document = dict(shape) if isinstance(shape, Mapping) else _error_document(operation, status)
    text = json.dumps([document] if shape == "list" else document)
    return (text[: len(text) // 2] if shape == "truncated" else text).encode(), "application/json"


def _error_document(operation: str, status: int) -> Document:
    if operation == TOKEN_OPERATION:
        default = "invalid_request" if status < 500 else "server_error"  # noqa: PLR2004 — 5xx are server errors
        return {"error": _OAUTH_CODES.get(status, default), "error_description": _MESSAGE}
    return Refusal(status, _CODES.get(status, "UNKNOWN"), _MESSAGE).document


def _distort_response(fault: Fault, request: Request, handle: Handler) -> Response:
    ends = {"drop": fault.drop, "reset": fault.reset, "unreachable": "before" if fault.unreachable else None}
    for end, change in ends.items():
        if change is not None:
            response = handle() if change == "after" else Response(0, {}, b"")
            return evolve(response, delivery=Delivery(end=cast("Literal['drop', 'reset', 'unreachable']", end)))
    response = handle()
    if fault.truncate:
        return evolve(
            response,
            body=response.body[: len(response.body) // 2],
            delivery=Delivery(length=max(1, len(response.body))),  # an empty body breaks off, too
        )
    if fault.wrong_length is not None:
        return evolve(response, delivery=Delivery(length=max(0, len(response.body) + fault.wrong_length)))
    if fault.drip is not None:
        return evolve(response, delivery=Delivery(drip=fault.drip))
    return evolve(response, body=_rewrite_body(fault, request, response.body)) if response.body else response


def _rewrite_body(fault: Fault, request: Request, body: bytes) -> bytes:
    document: Document = json.loads(body)
    if fault.unknown_fields:
        document = _map_objects(document, lambda each: each | _FUTURE_FIELDS)
    if fault.unknown_role:
        document = _map_objects(document, lambda each: each | {k: v for k, v in _FUTURE_ROLES.items() if k in each})
    token = dict(parse_qsl(request.query)).get("paginationToken")
    if fault.repeat_page_token and token and "pagination" in document:
        document["pagination"] = {"next": token}
    return json.dumps(document, ensure_ascii=False).encode()


def _map_objects(document: Document, change: Callable[[Document], Document]) -> Document:
    # Innermost first, so that what a change adds is not changed again.
    return change({name: _map_objects_within(value, change) for name, value in document.items()})


def _map_objects_within(value: object, change: Callable[[Document], Document]) -> object:
    if isinstance(value, list):
        return [_map_objects_within(each, change) for each in cast("list[object]", value)]
    return _map_objects(cast("Document", value), change) if isinstance(value, dict) else value


def _read_fault(arguments: Fields) -> Fault:
    return Fault(**{name: arguments.get(name, check, getattr(_DEFAULT, name)) for name, check in _CHECKS.items()})


def _require_consistent(fault: Fault) -> None:
    kinds = [kind for kind in _KINDS if getattr(fault, kind)]
    if len(kinds) > 1:
        raise invalid_argument(f"{' and '.join(kinds)} cannot be combined: add two faults")
    if not kinds and not fault.delay:
        raise invalid_argument(f"the fault has no effect: give a delay or one of {', '.join(_KINDS)}")
    if fault.status is None:
        for name in _OF_STATUS:
            if getattr(fault, name) != getattr(_DEFAULT, name):
                raise invalid_argument(f"{name} requires status")
