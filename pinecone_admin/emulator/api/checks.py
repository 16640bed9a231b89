"""Field checks: pure functions that return a valid value and raise a `Refusal` that names an invalid field."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Self, TypeAlias, TypeVar, cast

from attrs import field, frozen

from pinecone_admin.emulator.api.messages import decode_json
from pinecone_admin.emulator.api.refusals import Refusal, invalid_argument, quoted
from pinecone_admin.emulator.model.clock import EARLIEST, LATEST
from pinecone_admin.emulator.model.roles import ROLES, ROLES_BY_RESOURCE

PRINCIPAL_TYPES = ("user", "service_account", "api_key", "invite")
RESOURCE_TYPES = ("organization", "project")
LARGEST_PAGE = 100
TEN_YEARS = 315_360_000  # seconds
_LONGEST_NAME = 40

_VISIBLE = re.compile(r"[!-~]*")
_EMAIL = re.compile(r"[^\s@\x00-\x1f\x7f]+@[^\s@\x00-\x1f\x7f]+\.[^\s@\x00-\x1f\x7f]+")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_INTEGER = re.compile(r"-?[0-9]+")
_JSON_TYPES: Mapping[type[object], str] = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a number",
    list: "an array",
    dict: "an object",
    type(None): "null",
}

T = TypeVar("T")
D = TypeVar("D")
Check: TypeAlias = Callable[[str, object], T]
"""Take the field's name and the value sent; return the value or raise `Refusal`."""


def decode_object(body: bytes) -> dict[str, object]:
    """Decode a JSON object.

    Raises:
        ValueError: The bytes are not UTF-8, not JSON, nested too deeply, or not an object.
    """
    value = decode_json(body)
    if not isinstance(value, dict):
        raise ValueError(f"it is {_JSON_TYPES[type(value)]}")  # noqa: TRY004 — one error for any bad body
    return cast("dict[str, object]", value)


def read_body(body: bytes) -> dict[str, object]:
    """Decode a request body that must be a JSON object."""
    try:
        return decode_object(body)
    except ValueError as error:
        raise invalid_argument(f"the body must be a JSON object: {error}") from error


@frozen
class Fields:
    """The fields of a JSON object, each read through a check. Unknown fields are ignored, as the API ignores them."""

    _values: Mapping[str, object]
    _path: str = ""
    _known: dict[str, None] = field(factory=dict[str, None], init=False)

    @classmethod
    def from_body(cls, body: bytes) -> Self:
        """Read a request body."""
        return cls(read_body(body))

    def required(self, name: str, check: Check[T]) -> T:
        """Return a required field."""
        self._known[name] = None
        if name not in self._values:
            raise self.refusal(name, "is missing")
        return check(self._path + name, self._values[name])

    def get(self, name: str, check: Check[T], default: D) -> T | D:
        """Return a field, or the default if it is absent."""
        self._known[name] = None
        return check(self._path + name, self._values[name]) if name in self._values else default

    def optional(self, name: str, check: Check[T]) -> T | None:
        """Return a field, or None if it is absent."""
        return self.get(name, check, None)

    def refusal(self, name: str, why: str) -> Refusal:
        """Return the error for a field, for a reason that depends on other fields."""
        return invalid_argument(f"{self._path}{name} {why}")

    def refuse_unread(self) -> None:
        """Raise `Refusal` for the first field that has not been read."""
        for name in self._values:
            if name not in self._known:
                shown = name if len(name) <= _LONGEST_NAME else "a field"  # the file may be one of secrets
                raise self.refusal(shown, f"is unknown; the known fields are {', '.join(self._known)}")


def _wrong_type(field: str, expected: str, value: object) -> Refusal:
    # Only numbers are shown: a text may be a secret, and repr() fails on the nesting depth that the decoder accepts.
    actual = f" {quoted(value)}" if isinstance(value, int | float) else ""
    # A value that comes from Python may be of any type.
    kind = _JSON_TYPES.get(type(value)) or f"of type {type(value).__name__}"
    return invalid_argument(f"{field} must be {expected}, not {kind}{actual}")


def string(field: str, value: object) -> str:
    """Check for a string that can be encoded as UTF-8."""
    if not isinstance(value, str):
        raise _wrong_type(field, "a string", value)
    # JSON can carry a lone surrogate as an escape; UTF-8 cannot encode it.
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise invalid_argument(f"{field} is not well-formed Unicode: {quoted(value)}")
    return value


def boolean(field: str, value: object) -> bool:
    """Check for true or false."""
    if not isinstance(value, bool):
        raise _wrong_type(field, "a boolean", value)
    return value


def integer(field: str, value: object) -> int:
    """Check for an integer."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong_type(field, "an integer", value)
    return value


def seconds(field: str, value: object) -> float:
    """Check for a number of seconds from 0 to ten years."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _wrong_type(field, "a number", value)
    if not 0 <= value <= TEN_YEARS:
        raise invalid_argument(f"{field} must be from 0 to {TEN_YEARS} seconds, not {quoted(value)}")
    return value


def date_time(field: str, value: object) -> datetime:
    """Check for an ISO 8601 date and time with a time zone, from the year 2 to 9000."""
    text = string(field, value)
    try:
        time = datetime.fromisoformat(text)
        if time.tzinfo is not None:
            moment = time.astimezone(UTC)
            # Beyond, times that are counted from this one, such as an invite's expiry, are no dates.
            if EARLIEST <= moment <= LATEST:
                return moment
    except (ValueError, OverflowError):
        pass
    years = f"from {EARLIEST.year} to {LATEST.year}"
    raise invalid_argument(f"{field} must be a date and time {years} with a time zone: {quoted(text)}")


def nullable(check: Check[T]) -> Check[T | None]:
    """Return a check that also accepts null."""

    def or_null(field: str, value: object) -> T | None:
        return None if value is None else check(field, value)

    return or_null


def closed_object(read: Callable[[Fields], T]) -> Check[T]:
    """Return the check for an object that has only the fields that a function reads. It refuses other fields."""

    def check(field: str, value: object) -> T:
        fields = Fields(json_object(field, value), f"{field}." if field else "")
        result = read(fields)
        fields.refuse_unread()
        return result

    return check


def json_object(field: str, value: object) -> dict[str, object]:
    """Check for an object, whatever its fields."""
    if not isinstance(value, dict):
        raise _wrong_type(field, "an object", value)
    return cast("dict[str, object]", value)


def encodable_object(field: str, value: object) -> dict[str, object]:
    """Check for an object that can be sent as JSON in UTF-8, at any depth."""
    document = json_object(field, value)
    try:
        # A copy: a later change of the argument must not change what was accepted.
        copy = json.loads(json.dumps(document, ensure_ascii=False, allow_nan=False).encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise invalid_argument(f"{field} cannot be encoded as JSON: {error}") from error
    return cast("dict[str, object]", copy)


def refine(check: Check[T], find_problem: Callable[[T], str | None]) -> Check[T]:
    """Return a check that also refuses each value if `find_problem` finds a problem."""

    def refined(field: str, value: object) -> T:
        result = check(field, value)
        if problem := find_problem(result):
            raise invalid_argument(f"{field} {problem}")
        return result

    return refined


def integer_between(least: int, most: int) -> Check[int]:
    """Return the check for an integer from `least` to `most`."""
    return refine(
        integer,
        lambda number: None if least <= number <= most else f"must be from {least} to {most}, not {quoted(number)}",
    )


def max_characters(most: int, check: Check[str] = string) -> Check[str]:
    """Return the check for a string of 1 to `most` characters."""
    problem = f"must have 1 to {most} characters"
    return refine(check, lambda s: None if 1 <= len(s) <= most else f"{problem}, not {len(s)}: {quoted(s)}")


def max_bytes(most: int) -> Check[str]:
    """Return the check for a string of 1 to `most` bytes in UTF-8."""
    problem = f"must have 1 to {most} bytes of UTF-8"
    return refine(
        string, lambda s: None if 1 <= len(s.encode()) <= most else f"{problem}, not {len(s.encode())}: {quoted(s)}"
    )


def without_nul(check: Check[str]) -> Check[str]:
    """Return a check that also refuses NUL."""
    return refine(check, lambda text: f"must not contain NUL: {quoted(text)}" if "\0" in text else None)


def one_of(choices: Iterable[str]) -> Check[str]:
    """Return the check for one of several strings."""
    allowed = tuple(choices)
    problem = f"must be one of {', '.join(allowed)}"
    return refine(string, lambda text: None if text in allowed else f"{problem}, not {quoted(text)}")


visible_ascii: Check[str] = refine(
    string, lambda text: None if _VISIBLE.fullmatch(text) else f"must be visible ASCII characters: {quoted(text)}"
)
"""Check for characters that a header can carry unchanged."""


non_negative_integer: Check[int] = refine(
    integer, lambda number: f"must not be negative: {quoted(number)}" if number < 0 else None
)

uuid: Check[str] = refine(
    string, lambda text: None if _UUID.fullmatch(text) else f"must be a UUID in lower case: {quoted(text)}"
)
"""Check for a UUID in lower case, as the API writes it."""

email: Check[str] = refine(
    max_characters(254), lambda text: None if _EMAIL.fullmatch(text) else f"must be an email address: {quoted(text)}"
)
"""Check for an email address of at most 254 characters."""


def array(item: Check[T], least: int = 0, most: int | None = None) -> Check[list[T]]:
    """Return the check for an array of `least` to `most` items."""

    def check(field: str, value: object) -> list[T]:
        if not isinstance(value, list):
            raise _wrong_type(field, "an array", value)
        items = cast("list[object]", value)
        if len(items) < least or (most is not None and len(items) > most):
            raise invalid_argument(f"{field} must have {least} to {most} items, not {len(items)}")
        return [item(f"{field}[{index}]", entry) for index, entry in enumerate(items)]

    return check


def page_limit(field: str, value: object) -> int:
    """Check the `limit` query parameter."""
    text = string(field, value)
    if not _INTEGER.fullmatch(text):
        raise invalid_argument(f"{field} must be an integer, not {quoted(text)}")
    # int() refuses more than 4300 digits; twenty are already out of range.
    limit = int(text[:20])
    if not 1 <= limit <= LARGEST_PAGE:
        raise Refusal(400, "OUT_OF_RANGE", f"{field} must be from 1 to {LARGEST_PAGE}, not {quoted(text)}")
    return limit


@frozen
class GrantInput:
    """A role requested on a resource. Without `resource_id`, the resource is the caller's organization."""

    resource_type: str
    resource_id: str | None
    role: str


_resource_type = one_of(RESOURCE_TYPES)
_role = one_of(ROLES)


def role_misfit(role: str, resource_type: str) -> str:
    """Return what is wrong with a role that does not fit a resource, in the words of the official SDK's tests."""
    return f"The {role} role cannot be bound for resource_type={resource_type}"


def read_grant(fields: Fields) -> GrantInput:
    """Read the three fields that request a role on a resource, whether or not the role fits the resource."""
    grant = GrantInput(
        resource_type=fields.required("resource_type", _resource_type),
        resource_id=fields.optional("resource_id", string),
        role=fields.required("role", _role),
    )
    if grant.resource_type == "project" and not grant.resource_id:
        raise fields.refusal("resource_id", f"is required to bind {grant.role} on a project")
    return grant


def read_fitting_grant(fields: Fields) -> GrantInput:
    """Read the three fields that request a role on a resource, and check that the role fits the resource."""
    requested = read_grant(fields)
    if requested.role not in ROLES_BY_RESOURCE[requested.resource_type]:
        raise fields.refusal("role", f"is wrong: {role_misfit(requested.role, requested.resource_type)}")
    return requested


def grant(field: str, value: object) -> GrantInput:
    """Check for an object that requests a role on a resource that it fits. Unknown fields are ignored."""
    return read_fitting_grant(Fields(json_object(field, value), f"{field}."))
