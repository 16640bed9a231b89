"""The audit of a recording before it is written. It shares the vocabulary with the sanitizer, but no decision.

It gathers all values that were sent or received, and searches the recording for them. Each string of the recording must
be a placeholder, a word that is allowed in this position, or a known message.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote

from attrs import frozen

from tests.conformance import vocabulary

if TYPE_CHECKING:
    from tests.conformance.sanitizer import Exchange

PLACEHOLDER = re.compile(
    r"<(?:(?:uuid|id|email|name|page|text|message|field|request):\d+"
    r"|secret:\d+ (?:jwt|other|\d+|(?:pcsk|pckey)_\d+_\d+)"
    r"|client:\d+ \d+"
    r"|time:[+-]\d+(?:\.\d+)?s"
    r"|time (?:before|after):\d+)(?:\|upper)?>"
)
"""The form of a placeholder, which has no room for a value of an organization."""

LEAST_LENGTH = 4
"""The least length of values to search for, because words contain shorter ones. Positions are audited for all."""

_REQUEST, _RESPONSE = "request", "response"
_MESSAGES = ("message", "error_description")


class LeakError(Exception):
    """A recording would hold a value of the organization. The message names the place, and not the value."""


@frozen
class _Text:
    """A string of a recording.

    Args:
        place: The line and the position.
        side: Whether it was sent or received.
        part: The part of the request or response.
        name: The field, parameter or header.
        text: The string.
        sent: The strings that have been sent so far, with their fields.
    """

    place: str
    side: str
    part: str
    name: str
    text: str


def audit(exchanges: Sequence["Exchange"], arguments: Iterable[str], lines: Sequence[dict[str, Any]]) -> None:
    """Require that no value of the organization is in a recording.

    Raises:
        LeakError: One is, or a string is neither a placeholder nor a known word.
    """
    values = _gather_values(exchanges) | _spellings(arguments)
    # A name of words that a recording may contain is audited by its position alone, so that it blocks nothing.
    public = _public_text()
    values = {each for each in values if len(each) >= LEAST_LENGTH and any(word not in public for word in each.split())}
    sent: set[tuple[str, str]] = set()
    searched: set[str] = set()
    for number, (exchange, line) in enumerate(zip(exchanges, lines, strict=True), 2):
        sent |= set(_sent_strings(exchange))
        for text in _list_texts(line, number):
            if _has_fixed_form(text) or _is_known_message(text):
                continue
            rest = PLACEHOLDER.sub("\n", text.text).casefold().strip()
            if rest not in searched and any(each in rest for each in values):
                raise LeakError(f"{text.place} holds a value of the organization")
            searched.add(rest)
            if not _is_allowed(text, sent):
                raise LeakError(f"{text.place} is neither a placeholder nor a known word")


# Values that were sent and received


def _gather_values(exchanges: Iterable["Exchange"]) -> set[str]:
    values: set[str] = set()
    for each in exchanges:
        parts = [unquote(part) for part in each.path.split("/")]
        parts += [value for _, value in parse_qsl(each.query)]
        for headers in (each.request_headers, each.response_headers):
            parts += [word for name, value in headers.items() if name not in {"host", "date"} for word in value.split()]
        for body in (each.request_body, each.response_body):
            # A message stays as it is if only numbers vary in it.
            parts += [value for name, value in _strings_of(body) if name not in _MESSAGES]
        values |= _spellings(parts)
    return values


def _spellings(values: Iterable[str]) -> set[str]:
    """Return the spellings of values that a mistake could keep, and the parts of emails."""
    found: set[str] = set()
    for value in values:
        for each in (value, *(value.split("@") if value.count("@") == 1 else ())):
            found |= {spelling.casefold() for spelling in (each, quote(each), json.dumps(each)[1:-1])}
    return found


def _sent_strings(exchange: "Exchange") -> Iterator[tuple[str, str]]:
    """Yield the field and the value of each string in a request, which its response may repeat."""
    yield from (("id", unquote(part)) for part in exchange.path.split("/"))
    yield from parse_qsl(exchange.query)
    yield from _strings_of(exchange.request_body)


def _strings_of(body: bytes) -> Iterator[tuple[str, str]]:
    """Yield the field and the value of each string in a body, and the names of its fields."""
    try:
        pending: list[tuple[str, Any]] = [("", json.loads(body))]
    except ValueError:
        pending = list(parse_qsl(body.decode("latin-1")))
    while pending:
        name, node = pending.pop()
        if isinstance(node, str):
            yield name, node
        elif isinstance(node, dict):
            pending += [*(("", key) for key in node), *node.items()]
        elif isinstance(node, list):
            pending += [(name, each) for each in node]


# Strings of the recording


def _list_texts(line: dict[str, Any], number: int) -> Iterator[_Text]:
    request, response = line["request"], line["response"]
    place = f"line {number}"
    for part in request["path"].split("/"):
        yield _Text(f"{place}, request.path", _REQUEST, "path", "id", part)
    for name, value in request["query"]:
        yield _Text(f"{place}, a name in request.query", _REQUEST, "key", name, name)
        yield _Text(f"{place}, request.query.{_shown(name)}", _REQUEST, "query", name, value)
    for side, message in ((_REQUEST, request), (_RESPONSE, response)):
        for name, value in message["headers"].items():
            yield _Text(f"{place}, {side}.headers.{name}", side, "header", name, value)
        for part in ("json", "form", "text"):
            yield from _list_strings(f"{place}, {side}.{part}", side, "", message.get(part))


def _list_strings(place: str, side: str, name: str, node: Any) -> Iterator[_Text]:
    if isinstance(node, str):
        yield _Text(place, side, "body", name, node)
    elif isinstance(node, dict):
        for key, value in node.items():
            yield _Text(f"{place}, the name of a field,", side, "key", key, key)
            yield from _list_strings(f"{place}.{_shown(key)}", side, key, value)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _list_strings(f"{place}[{index}]", side, name, value)


def _shown(name: str) -> str:
    return name if name in vocabulary.read_fields() else "…"


def _has_fixed_form(text: _Text) -> bool:
    """Return whether a string is an error code, or the value of a header, in its fixed form."""
    forms = vocabulary.HEADER_VALUES if text.part == "header" else vocabulary.ERROR_CODES
    is_there = text.part == "header" or (text.side == _RESPONSE and text.part == "body")
    return is_there and text.name in forms and forms[text.name].fullmatch(text.text) is not None


def _is_known_message(text: _Text) -> bool:
    """Return whether a string is a known message that varies only by placeholders, known words and numbers."""
    is_message = text.side == _RESPONSE and text.name in _MESSAGES
    return is_message and any(each.fullmatch(text.text) for each in _message_forms())


def _is_allowed(text: _Text, sent: set[tuple[str, str]]) -> bool:
    name, value = text.name, text.text
    if not value or PLACEHOLDER.fullmatch(value):
        return True
    if text.part == "key":
        return value in vocabulary.read_fields()
    is_bearer = name == "authorization" and PLACEHOLDER.fullmatch(value.removeprefix("Bearer ")) is not None
    is_word = value in vocabulary.read_literals().get(name, ()) or (
        text.part == "path" and value in vocabulary.read_route_words()
    )
    # By its field, so that the name of an old project is no echo of a constant in another field.
    is_own = value in vocabulary.read_constants() and (text.side == _REQUEST or (name, value) in sent)
    return is_bearer or is_word or is_own


@cache
def _message_forms() -> tuple[re.Pattern[str], ...]:
    """Return the forms of known messages. They vary only by placeholders, words of the documents and numbers."""
    words = "|".join(map(re.escape, vocabulary.read_message_words()))
    varying = rf"(['\"]?)(?:{PLACEHOLDER.pattern}|{words}|\d{{1,6}})\1"
    forms: list[re.Pattern[str]] = []
    for parts in vocabulary.read_templates():
        holes = [varying.replace(r"\1", rf"\{number}") for number in range(1, len(parts))]
        pattern = re.escape(parts[0])
        for hole, part in zip(holes, parts[1:], strict=True):
            pattern += hole + re.escape(part)
        forms.append(re.compile(pattern))
    return tuple(forms)


@cache
def _public_text() -> str:
    """Return all words and messages that a recording may contain, in lower case."""
    words = [*vocabulary.read_message_words(), *vocabulary.read_route_words(), *vocabulary.read_constants()]
    words += ["".join(parts) for parts in vocabulary.read_templates()]
    words += [*(part for parts in vocabulary.read_templates() for part in parts)]
    words += [
        "Bearer",
        "application/json",
        "application/x-www-form-urlencoded",
        "text/plain",
        "text/html",
        "charset=utf-8",
    ]
    return "\n".join(words).casefold()
