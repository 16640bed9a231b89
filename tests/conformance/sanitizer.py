"""Replace the values of an organization by placeholders. Equal values get the same placeholder everywhere.

A placeholder names its kind and a number, as in `<uuid:3>`. Placeholders and not made-up values, which secret scanners
would find and readers would take for real ones.
"""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, unquote

from attrs import define, field, frozen

from tests.conformance import vocabulary

Line: TypeAlias = dict[str, Any]

WEEK = timedelta(days=7)
"""The lifetime of an invite. The service computes the end of an invite from the time of a request."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)")
_KEY_VALUE = re.compile(r"(pcsk|pckey)_([^_]+)_(.+)")
_JWT = re.compile(r"eyJ[^.]*\.[^.]+\.[^.]*")
_QUOTED = re.compile(r"(['\"]?)(.*)\1", re.DOTALL)
_SCHEME = re.compile(r"(Bearer) (.+)", re.DOTALL)

_KINDS: Mapping[str, str] = {
    "value": "secret",
    "client_secret": "secret",
    "access_token": "secret",
    "authorization": "secret",
    "client_id": "client",
    "next": "page",
    "paginationToken": "page",
    "email": "email",
    "name": "name",
    "x-pinecone-request-id": "request",
}
"""The kinds of placeholders by field or header. The form of other values decides their kind."""

_SKEW = timedelta(seconds=60)
"""How far the clocks of two servers of the service may differ."""


@frozen
class Exchange:
    """A request and its response, as they were sent.

    Args:
        rule: The name of the rule that is checked, or of the preparation. It is empty for the first reads.
        moment: When the request was sent.
        method: The method.
        path: The path, percent-encoded. That of the token endpoint is the one that Pinecone's has.
        query: The query, percent-encoded.
        request_headers: The headers of the request, by lower-case name.
        request_body: The body of the request.
        status: The status.
        response_headers: The headers of the response, by lower-case name.
        response_body: The body of the response.
    """

    rule: str
    moment: datetime
    method: str
    path: str
    query: str
    request_headers: Mapping[str, str]
    request_body: bytes
    status: int
    response_headers: Mapping[str, str]
    response_body: bytes


@define
class Sanitizer:
    """Replaces values by placeholders.

    Args:
        start: The start of the recording. Times are seconds since then.
    """

    start: datetime
    _placeholders: dict[str, str] = field(factory=dict[str, str], init=False)
    _in_upper_case: dict[str, str] = field(factory=dict[str, str], init=False)
    _constants: set[tuple[str, str]] = field(factory=set[tuple[str, str]], init=False)
    _counts: dict[str, int] = field(factory=dict[str, int], init=False)
    _end: datetime = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._end = self.start

    def bring(self, arguments: Iterable[tuple[str, str]]) -> None:
        """Assign placeholders to the private arguments of the run, each with the name of its field."""
        for name, value in arguments:
            self._replace(name, value)

    def sanitize(self, exchange: Exchange) -> Line:
        """Return an exchange as a line of a recording. Pass exchanges in the order of sending."""
        self._end = max(self._end, exchange.moment)
        request: Line = {
            "method": exchange.method,
            "path": "/".join(self.path_part(unquote(each)) for each in exchange.path.split("/")),
            "query": [
                [self.key(name), self.sent(name, value)]
                for name, value in parse_qsl(exchange.query, keep_blank_values=True)
            ],
            "headers": {
                name: self.request_header(name, exchange.request_headers[name])
                for name in vocabulary.REQUEST_HEADERS
                if name in exchange.request_headers
            },
        }
        if exchange.request_body:
            is_form = exchange.request_headers.get("content-type", "").startswith("application/x-www-form")
            request |= {"form" if is_form else "json": self._read_request_body(exchange.request_body, is_form=is_form)}
        response: Line = {
            "status": exchange.status,
            "headers": {
                name: self.response_header(name, exchange.response_headers[name])
                for name in vocabulary.RESPONSE_HEADERS
                if name in exchange.response_headers
            },
        }
        if exchange.response_body:
            response |= self._read_response_body(exchange.response_body)
        at = round((exchange.moment - self.start).total_seconds(), 6)
        return {"rule": exchange.rule, "at": at, "request": request, "response": response}

    def _read_request_body(self, body: bytes, *, is_form: bool) -> Any:
        value = dict(parse_qsl(body.decode(), keep_blank_values=True)) if is_form else json.loads(body)
        return self._walk(value, "", self.sent)

    def _read_response_body(self, body: bytes) -> Line:
        try:
            value = json.loads(body)
        except ValueError:
            return {"text": self._number("text", body.decode("latin-1"))}
        return {"json": self._walk(value, "", self.received)}

    def _walk(self, value: Any, name: str, replace: Any) -> Any:
        if isinstance(value, dict):
            return {self.key(key): self._walk(each, key, replace) for key, each in value.items()}
        if isinstance(value, list):
            return [self._walk(each, name, replace) for each in value]
        return replace(name, value) if isinstance(value, str) else value

    # Strings by their position

    def key(self, name: str) -> str:
        """Return the name of a field or parameter, if a document has it."""
        return name if name in vocabulary.read_fields() else self._number("field", name)

    def path_part(self, part: str) -> str:
        """Return a part of a path."""
        return part if not part or part in vocabulary.read_route_words() else self.sent("id", part)

    def request_header(self, name: str, value: str) -> str:
        """Return the value of a header of a request."""
        if name == "authorization" and value in vocabulary.read_constants():
            return value
        if scheme := _SCHEME.fullmatch(value):
            return f"{scheme[1]} {self._replace(name, scheme[2])}"
        return value if self._is_known_header(name, value) else self.sent(name, value)

    def response_header(self, name: str, value: str) -> str:
        """Return the value of a header of a response."""
        return value if self._is_known_header(name, value) else self._replace(name, value)

    def _is_known_header(self, name: str, value: str) -> bool:
        form = vocabulary.HEADER_VALUES.get(name)
        return form is not None and form.fullmatch(value) is not None

    def sent(self, name: str, value: str) -> str:
        """Return a string of a request. A constant of a check stays, unless the organization has the same value."""
        if not value or value in vocabulary.read_literals().get(name, ()):
            return value
        is_free = value not in self._placeholders or name in vocabulary.read_public_fields()
        if is_free and value in vocabulary.read_constants():
            self._constants.add((name, value))
            return value
        return self._find_in_other_case(value) or self._replace(name, value)

    def received(self, name: str, value: str) -> str:
        """Return a string of a response. Literals of the documents and constants that this field has sent stay."""
        if not value or value in vocabulary.read_literals().get(name, ()) or (name, value) in self._constants:
            return value
        code = vocabulary.ERROR_CODES.get(name)
        is_known = value not in self._placeholders or value in vocabulary.read_constants()
        if code is not None and code.fullmatch(value) and is_known:
            return value
        return self.message(value) if name in {"message", "error_description"} else self._replace(name, value)

    def message(self, text: str) -> str:
        """Return a message whose whole template is known, with placeholders for what varies in it."""
        for parts in vocabulary.read_templates():
            found = re.fullmatch(_varying_form().join(map(re.escape, parts)), text, re.DOTALL)
            if found:
                values = [self._varying_part(each) for each in found.groups()]
                return parts[0] + "".join(value + part for value, part in zip(values, parts[1:], strict=True))
        return self._number("message", text)

    def _varying_part(self, text: str) -> str:
        found = _QUOTED.fullmatch(text)
        quote, value = (found[1], found[2]) if found else ("", text)
        is_word = value in vocabulary.read_message_words() or re.fullmatch(r"\d{1,6}", value)
        if value not in self._placeholders and is_word:
            return text
        if any(value == constant for _, constant in self._constants):
            # Under another key, so that later requests still contain the constant.
            return f"{quote}{self._number('text', f'{value} of a check')}{quote}"
        return f"{quote}{self._find_in_other_case(value) or self._replace('', value)}{quote}"

    # Placeholders

    def _find_in_other_case(self, value: str) -> str | None:
        """Return the placeholder of a value that the check has written in upper case, marked as such."""
        placeholder = None if value in self._placeholders else self._in_upper_case.get(value)
        return placeholder and placeholder.replace(">", "|upper>")

    def _replace(self, name: str, value: str) -> str:
        if value in self._placeholders:
            return self._placeholders[value]
        moment = read_time(value)
        if moment is not None:
            return self._replace_time(value, moment)
        kind = _KINDS.get(name) or ("uuid" if _UUID.fullmatch(value) else "email" if _EMAIL.fullmatch(value) else "")
        return self._number(kind or ("id" if name.endswith("id") else "text"), value)

    def _number(self, kind: str, value: str) -> str:
        if value not in self._placeholders:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            shape = describe_secret(value) if kind == "secret" else f" {len(value)}" if kind == "client" else ""
            self._placeholders[value] = f"<{kind}:{self._counts[kind]}{shape}>"
            self._in_upper_case.setdefault(value.upper(), self._placeholders[value])
        return self._placeholders[value]

    def _replace_time(self, value: str, moment: datetime) -> str:
        for lifetime in (timedelta(), WEEK):
            if self.start - _SKEW <= moment - lifetime <= self._end + _SKEW:
                seconds = f"{(moment - self.start).total_seconds():+.6f}".rstrip("0").rstrip(".")
                return f"<time:{seconds}s>"
        # Seconds would show when somebody was invited, or when a project was created.
        return self._number("time before" if moment < self.start else "time after", value)


def read_time(value: object) -> datetime | None:
    """Return a time that is written with its zone, or None if the value is something else."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


@cache
def _varying_form() -> str:
    # Known words such as "API key", and quoted text, are not split.
    words = "|".join(map(re.escape, vocabulary.read_message_words()))
    return rf"({words}|'[^']*'|.+?)"


def describe_secret(value: str) -> str:
    """Return the form of a secret: that of a token, the known prefix and the lengths of a key's value, or a length."""
    if _JWT.fullmatch(value):
        return " jwt"
    parts = _KEY_VALUE.fullmatch(value)
    if parts:
        return f" {parts[1]}_{len(parts[2])}_{len(parts[3])}"
    return f" {len(value)}" if re.fullmatch(r"[-_A-Za-z0-9]+", value) else " other"
