"""Faults: which requests they match, and what they do to the response."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime
from itertools import count
from random import Random
from typing import Any, Literal, TypeAlias, cast
from urllib.parse import parse_qsl, unquote

from attrs import define, evolve, field, fields

from pinecone_admin.emulator.api import checks
from pinecone_admin.emulator.api.checks import Fields
from pinecone_admin.emulator.api.dispatch import operation_id
from pinecone_admin.emulator.api.messages import Delivery, Request, Response
from pinecone_admin.emulator.api.oauth import TOKEN_OPERATION
from pinecone_admin.emulator.api.operation_names import OwnOperation, is_known_operation, operation_name
from pinecone_admin.emulator.api.refusals import Refusal, invalid_argument, quoted
from pinecone_admin.emulator.api.routing import matches_path
from pinecone_admin.emulator.api.serialization import Document
from pinecone_admin.emulator.model.counts import count_noun

ANY = "*"
"""Matches every operation but the token endpoint's, so that a fault does not lock out a client that removes it."""

_FUTURE_FIELDS: Document = {"future_field": {"since": 2031, "kinds": ["new", None]}}
_FUTURE_ROLES: Document = {"role": "FutureRole", "roles": ["FutureRole"]}

BodyShape: TypeAlias = Literal["json", "html", "text", "empty", "truncated", "list"]
Change: TypeAlias = Literal["before", "after"]
Handler: TypeAlias = Callable[[], Response]
Predicate: TypeAlias = Callable[[Request], bool]
Responder: TypeAlias = Callable[[Request], Mapping[str, object]]
"""Returns arguments of a fault: `status` and, if they are to differ, `headers`, `body`, `retry_after` and others."""

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
_SHAPES = ("json", "html", "text", "empty", "truncated", "list")
_BODY_SHAPE = checks.one_of(_SHAPES)


_METHOD = checks.one_of(("GET", "POST", "PUT", "PATCH", "DELETE"))


def _check_path(name: str, value: object) -> str:
    text = checks.string(name, value)
    if not text.startswith("/"):
        raise invalid_argument(f"{name} must begin with a slash: {quoted(text)}")
    if wrong := next((each for each in "?*" if each in text), None):
        hint = "match the query with where" if wrong == "?" else "a segment in braces, such as {id}, matches any"
        raise invalid_argument(f"{name} must not contain {wrong}: {hint}")
    return text


def _check_callable(name: str, value: object) -> Callable[[Request], Any]:
    if not callable(value):
        raise invalid_argument(f"{name} must be a function of the request, not {quoted(value)}")
    return value


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
    if isinstance(value, str):
        return _BODY_SHAPE(name, value)
    if not isinstance(value, Mapping):
        raise invalid_argument(f"{name} must be an object or one of {', '.join(_SHAPES)}, not {quoted(value)}")
    return checks.encodable_object(name, dict(cast("Mapping[str, object]", value)))


def _argument(check: checks.Check[Any], **role: bool) -> dict[str, object]:
    return {"check": check, **role}


@define(kw_only=True)
class Fault:
    """A fault, and how often it has fired. `Faults.add` describes the arguments.

    Attributes:
        number: Number of the fault. You can remove the fault by it over HTTP.
        operation: Id of the operation that the fault matches, or `*` for any but `get_token`.
        method: HTTP method that the fault matches; None for any.
        path: Path that the fault matches; None for any.
        id: Id that a path must contain; None for any.
        where: Function that returns whether the fault matches a request; None for all requests.
        times: How often the fault fires; None for always.
        skip: Number of matching requests that pass first.
        probability: Probability that the fault fires on a matching request, from 0 to 1.
        seen: Number of matching requests so far.
        fired: How often the fault has fired.
    """

    operation: str = field(default=ANY, metadata=_argument(checks.string))
    """Id of the operation that the fault matches, or `*` for any but `get_token`."""
    method: str | None = field(default=None, metadata=_argument(_METHOD))
    """HTTP method that the fault matches; None for any."""
    path: str | None = field(default=None, metadata=_argument(_check_path))
    """Path that the fault matches; None for any."""
    id: str | None = field(default=None, metadata=_argument(checks.string))
    """Id that a path must contain; None for any."""
    where: Predicate | None = field(default=None, metadata=_argument(_check_callable))
    """Function that returns whether the fault matches a request; None for all requests."""
    times: int | None = field(default=1, metadata=_argument(checks.nullable(checks.integer_between(1, 10**9))))
    """How often the fault fires; None for always."""
    skip: int = field(default=0, metadata=_argument(checks.integer_between(0, 10**9)))
    """Number of matching requests that pass first."""
    probability: float = field(default=1.0, metadata=_argument(_PROBABILITY))
    """Probability that the fault fires on a matching request, from 0 to 1."""
    delay: float = field(default=0.0, metadata=_argument(checks.seconds))
    status: int | None = field(default=None, metadata=_argument(checks.integer_between(200, 599), kind=True))
    headers: Mapping[str, str] = field(factory=dict[str, str], metadata=_argument(_check_headers, needs_status=True))
    retry_after: float | None = field(default=None, metadata=_argument(checks.seconds, needs_status=True))
    retry_after_date: float | None = field(default=None, metadata=_argument(checks.seconds, needs_status=True))
    body: BodyShape | Mapping[str, object] = field(default="json", metadata=_argument(_check_body, needs_status=True))
    after_change: bool = field(default=False, metadata=_argument(checks.boolean, needs_status=True))
    respond: Responder | None = field(default=None, metadata=_argument(_check_callable, kind=True))
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
    number: int = field(default=0, init=False)
    """Number of the fault. You can remove the fault by it over HTTP."""
    seen: int = field(default=0, init=False)
    """Number of matching requests so far."""
    fired: int = field(default=0, init=False)
    """How often the fault has fired."""

    @property
    def kind(self) -> str:
        """The kind of the fault, in one word."""
        return next((kind for kind in _KINDS if getattr(self, kind)), "delay")

    @property
    def used(self) -> bool:
        """Whether the fault has fired as often as it can; a fault without limit, whether it has fired once."""
        return self.fired >= (self.times or 1)

    @property
    def document(self) -> Document:
        """The fault as a document, without arguments at their defaults; a function is its name."""
        named = {"operation": self.operation, "times": self.times, **self._given()}
        return {"number": self.number, **named, "seen": self.seen, "fired": self.fired, "used": self.used}

    def __str__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self._given().items() if name != "operation")
        times = "any number of times" if self.times is None else count_noun(self.times, "time")
        return f"{self.operation} ({given}): fired {self.fired} of {times}; requests that matched: {self.seen}"

    def _given(self) -> Document:
        values = {name: getattr(self, name) for name in _CHECKS}
        given = {name: value for name, value in values.items() if value != getattr(_DEFAULT, name)}
        return {
            name: getattr(value, "__qualname__", "a function") if callable(value) else value
            for name, value in given.items()
        }

    def fires_on(self, request: Request, operation: str, random: Random) -> bool:
        """Return whether the fault fires on a request, and count the request."""
        if self.fired == self.times or not self._matches(request, operation):
            return False
        # Counted even if it does not fire: `skip` counts matching requests.
        self.seen += 1
        if self.seen <= self.skip or (self.probability < 1 and random.random() >= self.probability):
            return False
        self.fired += 1
        return True

    def _matches(self, request: Request, operation: str) -> bool:
        if self.operation == ANY:
            named = operation != TOKEN_OPERATION or self.path is not None
        else:  # an operation that the emulator does not have is known by its method and path
            named = self.operation == operation or not is_known_operation(self.operation)
        return (
            named
            and self.method in {None, request.method}
            and (self.path is None or matches_path(self.path, request.path))
            and (self.id is None or self.id in map(unquote, request.path.split("/")))
            # Last, so that it need not expect any other request.
            and (self.where is None or bool(self.where(request)))
        )


_DEFAULT = Fault()
_CHECKS: Mapping[str, checks.Check[Any]] = {
    each.name: each.metadata["check"] for each in fields(Fault) if "check" in each.metadata
}
_KINDS = [each.name for each in fields(Fault) if "kind" in each.metadata]
_OF_STATUS = [each.name for each in fields(Fault) if "needs_status" in each.metadata]


class Faults:
    """The faults that you have added. On each request, at most one fires: the first that matches.

    Args:
        seed: Number that makes the probabilities the same in every run.
    """

    def __init__(self, seed: int | None = None) -> None:
        self._seed = seed or 0
        self._numbers = count(1)
        self.clear()

    def clear(self) -> None:
        """Remove all faults and restart the random numbers.

        Example:
            >>> emulator.faults.clear()
        """
        self._faults: list[Fault] = []
        self._random = Random(self._seed)  # noqa: S311 — no secret depends on it, and a seed must repeat it

    def __iter__(self) -> Iterator[Fault]:
        # A copy, because other threads may add faults at the same time.
        return iter(tuple(self._faults))

    def remove(self, fault: Fault) -> None:
        """Remove one fault. Other faults with the same arguments stay.

        Args:
            fault: A fault that `add` returned.

        Raises:
            ValueError: The fault was removed before.

        Example:
            >>> emulator.faults.remove(fault)
        """
        self.remove_number(fault.number)

    def remove_number(self, number: int) -> None:
        """Remove the fault with a number."""
        left = [each for each in self if each.number != number]
        if len(left) == len(self._faults):
            raise Refusal(404, "NOT_FOUND", f"there is no fault with the number {number}; it may have been removed")
        self._faults = left

    def assert_all_used(self) -> None:
        """Raise if a fault has not fired as often as its `times`, or never.

        Raises:
            AssertionError: At least one fault has not fired as often. The message names these faults.

        Example:
            >>> emulator.faults.assert_all_used()
        """
        if unused := [str(each) for each in self if not each.used]:
            raise AssertionError("\n- ".join([f"{count_noun(len(unused), 'fault')} not used:", *unused]))

    def add(
        self,
        operation: str | OwnOperation = ANY,
        *,
        method: str | None = None,
        path: str | None = None,
        id: str | None = None,
        where: Predicate | None = None,
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
        respond: Responder | None = None,
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
        """Add a fault. It has one of the kinds below, a delay, or both.

        Args:
            operation: Operation that the fault matches: an id such as `create_project`, a method such as
                `projects.create`, `get_token` for the token endpoint, or `*` for any other. Or an `Operation` of your
                own, or its id together with `method` and `path`.
            method: Match only requests with this HTTP method.
            path: Match only requests with this path. A segment in braces matches any segment:
                `/admin/projects/{project_id}`.
            id: Match only requests with this id, or name of an index, as a segment of the path.
            where: Match only requests if this function returns true for them. It is called only if everything else
                matches.
            times: How often the fault fires; None for always.
            skip: Number of matching requests that pass first.
            probability: Probability that the fault fires on a matching request, from 0 to 1. It depends on the seed of
                the emulator.
            delay: Seconds to wait before the response is sent, after the change is made. In process, the time passes on
                the emulator's clock, and a client with a shorter read timeout raises at once.
            status: Respond with this status, 200 to 599, instead of handling the request.
            headers: Additional headers of the response with `status`.
            retry_after: Seconds in the Retry-After of that response.
            retry_after_date: Seconds from now, for a Retry-After that is a date.
            body: Body of that response: `json` (an error as the API sends it), `html`, `text`, `empty`, `truncated`
                JSON, a JSON `list`, or a JSON object.
            after_change: Make the change before the response with `status` is sent.
            respond: Function that gets the request and returns the response: a mapping with `status`, and optionally
                `headers`, `retry_after`, `retry_after_date`, `body` and `after_change`.
            drop: Close the connection without a response, `before` or `after` the change is made.
            reset: Reset the connection, `before` or `after` the change is made.
            unreachable: Refuse the connection. Over HTTP, where the connection is already open, reset it at once.
            truncate: Make the change, and end the connection in the middle of the response.
            drip: Make the change, and send the body byte by byte, with this number of seconds between two bytes. In
                process, each wait alone is compared with a timeout.
            wrong_length: Make the change, and send a Content-Length that differs from the length of the body by this
                number of bytes.
            unknown_fields: Add fields to the response that the API description does not contain.
            unknown_role: Put a role into the response that the API description does not contain.
            repeat_page_token: Return the page token of the request again as the token of the next page.
            revoke_token: Revoke the access token of the request before handling it.

        Returns:
            The fault. Its `fired` counts how often it has fired, and `faults.remove` removes it.

        Raises:
            ValueError: An argument is invalid. The message names it.

        Example:
            >>> fault = emulator.faults.add("create_project", status=503, times=2)
        """
        arguments = {name: value for name, value in locals().items() if name in _CHECKS}
        # None stands for the default, except of `times`, where it means always.
        given = {
            name: value for name, value in arguments.items() if value is not None or name in {"times", "operation"}
        }
        if all(hasattr(operation, name) for name in _OF_OPERATION):
            of_operation = {argument: getattr(operation, name) for name, argument in _OF_OPERATION.items()}
            given = of_operation | given | {"operation": of_operation["operation"]}
        return self.add_document(given)

    def add_document(self, document: object) -> Fault:
        """Add a fault from a JSON object with the arguments of `add`."""
        fault = checks.closed_object(_read_fault)("", checks.json_object("a fault", document))
        _require_consistent(fault)
        fault.number = next(self._numbers)
        self._faults.append(fault)
        return fault

    def next_match(self, request: Request, operation: str) -> Fault | None:
        """Return the fault that fires on a request, or None."""
        return next((fault for fault in self if fault.fires_on(request, operation, self._random)), None)

    def respond(self, fault: Fault, request: Request, handle: Handler, now: datetime, request_id: str) -> Response:
        """Return the response to a request if a fault fires.

        Args:
            fault: The fault.
            request: The request.
            handle: Makes the change, and returns the response without the fault.
            now: The current time, for dates in the response.
            request_id: The id of the request.
        """
        plain = fault if fault.respond is None else _read_response(fault.respond(request))
        if plain.status is not None:
            response = _status_response(plain, plain.status, operation_id(request), request_id, now)
            if plain.after_change:
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


_OF_OPERATION = {"id": "operation", "method": "method", "path": "path"}
"""The arguments that an `Operation` gives, by the names of its attributes."""


def _read_fault(arguments: Fields) -> Fault:
    return Fault(**{name: arguments.get(name, check, getattr(_DEFAULT, name)) for name, check in _CHECKS.items()})


def _read_response(returned: object) -> Fault:
    """Return the fault with a status that a function has described."""
    if not isinstance(returned, Mapping):
        expected = "a mapping with the status, such as {'status': 503}"
        raise invalid_argument(f"respond must return {expected}, not {quoted(returned)}")

    def read(fields: Fields) -> Fault:
        given = {name: fields.get(name, _CHECKS[name], getattr(_DEFAULT, name)) for name in _OF_STATUS}
        return Fault(status=fields.required("status", _CHECKS["status"]), **given)

    return checks.closed_object(read)("respond", dict(cast("Mapping[str, object]", returned)))


def _require_known(operation: str) -> str:
    try:
        return operation_name("operation", operation)
    except Refusal as refusal:
        raise invalid_argument(f"{refusal} (one of your own needs its method and path)") from refusal


def _require_consistent(fault: Fault) -> None:
    if fault.operation != ANY and (is_known_operation(fault.operation) or None in {fault.method, fault.path}):
        fault.operation = _require_known(fault.operation)
    kinds = [kind for kind in _KINDS if getattr(fault, kind)]
    if len(kinds) > 1:
        raise invalid_argument(f"{' and '.join(kinds)} cannot be combined: add two faults")
    if not kinds and not fault.delay:
        raise invalid_argument(f"the fault has no effect: give a delay or one of {', '.join(_KINDS)}")
    if fault.status is None:
        for name in _OF_STATUS:
            if getattr(fault, name) != getattr(_DEFAULT, name):
                raise invalid_argument(f"{name} requires status")
