"""The desired state of an organization: what a file says of its projects, keys, accounts and people."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from difflib import get_close_matches
from functools import partial
from hashlib import sha256
from typing import Any, Literal, Self, TypeAlias, cast

from attrs import evolve, field, frozen
from attrs import fields as fields_of

from generated_client.models import CreateAPIKeyRequest, CreateProjectRequest, CreateServiceAccountRequest, Project
from pinecone_admin._http.argument_checks import (
    check_email,
    check_identifier,
    check_integer,
    check_string,
    type_error,
    value_error,
)
from pinecone_admin._http.lookup import DIFFERS_IN_FORM, normalize_email, normalize_name
from pinecone_admin._http.operation_checks import check_name
from pinecone_admin._text.counts import count_noun
from pinecone_admin._text.printable import make_printable, quote_input
from pinecone_admin._text.quoting import quote_name
from pinecone_admin.errors import PineconeError, PineconeValueError
from pinecone_admin.models import literal_values
from pinecone_admin.workflows.strict_yaml import NotText, line_of, read_text

ItemKind: TypeAlias = Literal["project", "api_key", "service_account", "person"]
"""Kind of an item of a file; a person is a member, or somebody who is to be invited."""

_PROJECT = fields_of(Project)
MAX_PODS, ENCRYPTION = _PROJECT.max_pods.name, _PROJECT.force_encryption_with_cmek.name
# Not as strings, which type checkers would not compare with another API document.
SETTINGS = (MAX_PODS, ENCRYPTION)
"""Settings of a project."""

_SECTIONS: Mapping[str, ItemKind] = {"projects": "project", "service_accounts": "service_account", "people": "person"}
_IGNORE = "ignore is no longer used, and was left out: nothing is removed because it is not listed"
_MAX_MESSAGE = 1800
"""Characters of a message that lists problems; the notes of the error have all of them."""


@frozen(kw_only=True)
class DesiredItem:
    """A project, a key, a service account or a person, as a file wants it.

    Attributes:
        kind: Kind of the item.
        name: Name, or email address of a person.
        id: Id that pins it; None to identify it by its name.
        settings: The values of one request: the managed settings of a project, or the roles of a key.
        roles: All roles of an account or a person, as ``ROLE`` or ``PROJECT:ROLE``; None if they are not managed.
        keep_other_roles: Whether other roles are left to it.
        absent: Whether it must not exist.
        until: Last day, in UTC; after it, the item must not exist. None without one.
        ends: Last days, in UTC, of those of the roles that have one.
        keys: The keys of a project; None if they are not managed.
        place: Where it is in the file.
    """

    kind: ItemKind
    name: str
    id: str | None = None
    settings: Mapping[str, Any] = field(factory=dict[str, Any])
    roles: list[str] | None = None
    keep_other_roles: bool = False
    absent: bool = False
    until: date | None = None
    ends: Mapping[str, date] = field(factory=dict[str, date])
    keys: list[DesiredItem] | None = None
    place: str = field(default="", eq=False)

    @property
    def key(self) -> str:
        """The name that identifies an item of its kind. The case of an address does not count."""
        return normalize_email(self.name) if self.kind == "person" else self.name

    @property
    def ended_roles(self) -> list[str]:
        """The roles whose end has come: they have one, and are not among the roles any more."""
        return [each for each in self.ends if each not in (self.roles or ())]

    def __str__(self) -> str:
        return f"{self.kind.removeprefix('api_').replace('_', ' ')} {quote_name(self.name)}"

    def to_dict(self) -> dict[str, Any]:
        """Return the item as the file has it."""
        roles: Sequence[object] | None = self.settings.get("roles", self.roles)
        if self.ends and roles is not None:
            dated = {role: {"role": role, "until": day.isoformat()} for role, day in self.ends.items()}
            roles = [dated.get(str(each), each) for each in roles]
        fields = {
            "email" if self.kind == "person" else "name": self.name,
            "id": self.id,
            **self.settings,
            "roles": roles,
            "keep_other_roles": self.keep_other_roles or None,
            "absent": self.absent or None,
            "until": None if self.until is None else self.until.isoformat(),
            "api_keys": None if self.keys is None else [each.to_dict() for each in self.keys],
        }
        return {name: value for name, value in fields.items() if value is not None}


@frozen(kw_only=True)
class DesiredState:
    """The desired state of an organization, usually from an organization file, for ``plan``.

    A missing section is not managed, and nothing is removed because it is missing. ``docs/how-to`` has a page on the
    file.

    Attributes:
        organization: Id or name of the organization.
        projects: The projects; None if they are not managed.
        service_accounts: The service accounts; None if they are not managed.
        people: The people; None if they are not managed.
        notes: Facts that an export could not express, or unused parts of the file.
        source: Name of the file for messages.
        digest: SHA-256 of the text in UTF-8; for a mapping, of its canonical JSON.

    Example:
        >>> desired = DesiredState.from_text('{"organization": "Acme", "people": []}')
        >>> desired.organization
        'Acme'
    """

    organization: str
    """Id or name of the organization."""
    projects: list[DesiredItem] | None = None
    """The projects; None if they are not managed."""
    service_accounts: list[DesiredItem] | None = None
    """The service accounts; None if they are not managed."""
    people: list[DesiredItem] | None = None
    """The people; None if they are not managed."""
    notes: list[str] = field(factory=list[str], eq=False)
    """Facts that an export could not express, or unused parts of the file."""
    source: str = field(default="", eq=False)
    """Name of the file for messages."""
    digest: str = field(default="", eq=False)
    """SHA-256 of the text in UTF-8; for a mapping, of its canonical JSON."""

    @classmethod
    def from_text(cls, text: str, source: str = "text") -> Self:
        """Read a file in JSON. Read YAML, too, if PyYAML is installed, which the extra ``cli`` requires.

        Args:
            text: Content of the file. To get the digest of the file itself, read it with its byte order mark and line
                ends.
            source: Name of the file for messages, such as its path.

        Raises:
            PineconeTypeError: ``text`` is not a str.
            PineconeValueError: It is not an organization file. The message lists all problems, with line numbers for
                YAML and paths in the document. If there are too many for the message, the notes of the error list all
                of them.
            ModuleNotFoundError: The text is YAML, and PyYAML is not installed.

        Example:
            >>> text = "{organization: Acme, projects: [{name: search}]}"
            >>> desired = DesiredState.from_text(text, source="acme.yaml")
            >>> desired.to_dict()["projects"]
            [{'name': 'search'}]
        """
        document, problems = read_text(check_string("text", text).removeprefix("\ufeff"))
        raise_if(problems if document is None else (), source, "text")
        state = _Reader(problems).read_state(document)
        raise_if(problems, source, "text")
        return cast("Self", evolve(state, source=source, digest=sha256(text.encode()).hexdigest()))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the desired state from a mapping in the form of the file.

        Args:
            data: A mapping with the fields of the file, such as the result of ``to_dict``.

        Raises:
            PineconeTypeError: ``data`` is not a mapping.
            PineconeValueError: It is not such a mapping. The message lists all problems with their paths. If there are
                too many for the message, the notes of the error list all of them.

        Example:
            >>> desired = DesiredState.from_dict({"organization": "Acme", "people": []})
            >>> desired.people
            []
        """
        if not isinstance(cast("object", data), Mapping):
            raise type_error("data", "a mapping", data)
        problems: list[str] = []
        state = _Reader(problems).read_state(data)
        raise_if(problems, "data", "data")
        return cast("Self", add_digest(state))

    def to_dict(self) -> dict[str, Any]:
        """Return the desired state as plain JSON types, in the form of the file.

        Example:
            >>> saved = json.dumps(admin.inventory().to_desired_state().to_dict())
        """
        document: dict[str, Any] = {"organization": self.organization}
        for name in _SECTIONS:
            items: list[DesiredItem] | None = getattr(self, name)
            if items is not None:
                document[name] = [each.to_dict() for each in items]
        return document


def add_digest(state: DesiredState) -> DesiredState:
    """Return a state that was not read from a text, with its digest."""
    canonical = json.dumps(state.to_dict(), sort_keys=True)
    return evolve(state, digest=sha256(canonical.encode()).hexdigest())


def list_problems(problems: Sequence[str]) -> str:
    """Return all problems in one line; if they are too many for a message, the first ones and a count."""
    shown: list[str] = []
    for problem in problems:
        if shown and len(problem) + sum(map(len, shown)) > _MAX_MESSAGE:
            break
        shown.append(make_printable(problem, most=_MAX_MESSAGE))
    rest = [f"and {count_noun(len(problems) - len(shown), 'more problem')}"] if len(shown) < len(problems) else []
    return "; ".join([*shown, *rest])


def place_in(source: str, problem: str) -> str:
    """Return a problem after the name of its file, as in ``org.yaml, line 2: …``, or ``org.yaml: …`` without a line."""
    return f"{source}{',' if re.match('line [0-9]+: ', problem) else ':'} {problem}"


def suggest(text: str, known: Collection[str]) -> str:
    """Return the end of a message that names the nearest spelling, or the few that there are."""
    near = get_close_matches(text, known, 1)
    if near:
        return f": did you mean {quote_name(near[0])}?"
    return f": use one of {', '.join(known)}" if 0 < len(known) <= len(literal_values("RoleName")) else ""


def raise_if(problems: Sequence[str], source: str, argument: str) -> None:
    """Raise an error that has all problems; if they are too many for a message, its notes have them."""
    if problems:
        error = PineconeValueError(place_in(make_printable(source), list_problems(problems)), argument=argument)
        for each in problems if len(problems) > 1 else ():
            error.add_note(each)
        raise error


def _check_name(model: type, _: str, value: str) -> None:
    check_name(value, model, operation="plan")


def _read_day(value: object) -> date | None:
    """Return a day of a file: a date, or text in the form YYYY-MM-DD, in quotes or not; None if it is no day."""
    if isinstance(value, date):
        return None if isinstance(value, datetime) else value
    text = value.text if isinstance(value, NotText) else value
    if not isinstance(text, str) or re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text, re.ASCII) is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _check_day(name: str, value: object) -> None:
    if _read_day(value) is None:
        raise value_error(name, f"is {quote_input(value)}, which is not an existing day: write YYYY-MM-DD")


_Field: TypeAlias = tuple[type, Callable[[str, Any], object] | None]
"""The type of a field, and what raises, with the name of the field, unless a value of the type is valid."""

_FLAG: _Field = (bool, None)
_LIST: _Field = (Sequence, None)
_TEXT: _Field = (str, None)
_ANYTHING: _Field = (object, None)
_ID: _Field = (str, check_identifier)
_DAY: _Field = (object, _check_day)
_TYPES: Mapping[type, str] = {bool: "true or false", Sequence: "a list", str: "text", int: "a whole number"}
_FIELDS: Mapping[str, Mapping[str, _Field]] = {
    "state": {
        "organization": _TEXT,
        "projects": _LIST,
        "service_accounts": _LIST,
        "people": _LIST,
        "ignore": _ANYTHING,
    },
    "project": {
        "name": (str, partial(_check_name, CreateProjectRequest)),
        "id": _ID,
        MAX_PODS: (int, partial(check_integer, least=0)),
        ENCRYPTION: _FLAG,
        "api_keys": _LIST,
    },
    "api_key": {
        "name": (str, partial(_check_name, CreateAPIKeyRequest)),
        "id": _ID,
        "roles": _LIST,
        "absent": _FLAG,
        "until": _DAY,
    },
    "service_account": {
        "name": (str, partial(_check_name, CreateServiceAccountRequest)),
        "id": _ID,
        "roles": _LIST,
        "keep_other_roles": _FLAG,
        "absent": _FLAG,
        "until": _DAY,
    },
    "person": {
        "email": (str, check_email),
        "roles": _LIST,
        "keep_other_roles": _FLAG,
        "absent": _FLAG,
        "until": _DAY,
    },
    "role": {"role": _TEXT, "until": _DAY},
}
"""The fields of each mapping in a file; the first one is required."""


class _Reader:
    """Reads a document, and collects all that is wrong with it.

    Args:
        problems: The list of problems of the text. The function adds the rest.
    """

    def __init__(self, problems: list[str]) -> None:
        self._problems = problems

    def read_state(self, document: object) -> DesiredState:
        """Return the state; it counts only if there are no problems."""
        fields = self._read_fields("state", document, "")
        sections: dict[str, Any] = {
            name: self._read_items(kind, fields[name], name) for name, kind in _SECTIONS.items() if name in fields
        }
        notes = [_IGNORE] if "ignore" in fields else []
        return DesiredState(organization=fields.get("organization", ""), notes=notes, **sections)

    def _refuse(self, owner: object, path: str, key: str, problem: str, *, unknown: str = "") -> None:
        """Add a problem with its place: the path, after the line if the text is YAML.

        Args:
            owner: The mapping.
            path: Its path.
            key: The field, or nothing if the problem is one of the mapping.
            problem: The problem.
            unknown: A field that the mapping must not have, whose line is that of the problem.
        """
        self._problems.append(f"{_find_place(owner, path, key, at=unknown or key)} {problem}")

    def _read_fields(self, kind: str, value: object, path: str) -> dict[str, Any]:
        """Return the fields of a mapping that are as they must be."""
        if not isinstance(value, Mapping):
            shown = "an empty file" if value is None and not path else _name_type(value)
            needs = "a mapping" if path else "a mapping with sections such as projects"
            self._refuse(value, path, "", f"must be {needs}, not {shown}")
            return {}
        known = _FIELDS[kind]
        given: Mapping[Any, Any] = value  # pyright: ignore[reportUnknownVariableType]
        for key in [key for key in given if key not in known]:
            ends_project = kind == "project" and key in {"absent", "until"}
            hint = (
                ": a file deletes no project"
                if ends_project
                else suggest(str(key), [each for each in known if known[each] is not _ANYTHING])
            )
            self._refuse(given, path, "", f"has an unknown field {quote_input(key)}{hint}", unknown=key)
        if (key := next(iter(known))) not in given:
            self._refuse(given, path, "", f"needs the field {key}")
        found = {key: given[key] for key in known if key in given}
        problems = {key: _find_problem(key, each, known[key]) for key, each in found.items()}
        for key, problem in problems.items():
            if problem is not None:
                self._refuse(given, path, key, problem)
        return {key: each for key, each in found.items() if problems[key] is None}

    def _read_items(self, kind: ItemKind, values: Sequence[object], path: str) -> list[DesiredItem]:
        """Return the items of a list. No item may occur twice."""
        read = (self._read_item(kind, each, f"{path}[{number}]") for number, each in enumerate(values))
        items = [each for each in read if each is not None]
        names: dict[str, DesiredItem] = {}
        ids: dict[str, DesiredItem] = {}
        for item in items:
            named = names.setdefault(normalize_name(item.key), item)
            pinned = ids.setdefault(item.id or item.place, item)
            other = pinned if None not in {item.id, named.id} else named
            if other is item:
                continue
            problem = f"a second time, after {other.place}"
            if other is named and other.key != item.key:
                problem = f"after {other} in {other.place}, whose name {DIFFERS_IN_FORM}, so a server may make them one"
            self._problems.append(f"{item.place} lists {item} {problem}")
        return items

    def _read_item(self, kind: ItemKind, value: object, path: str) -> DesiredItem | None:
        fields = self._read_fields(kind, value, path)
        settings = {each: fields.pop(each) for each in SETTINGS if each in fields}
        if "until" in fields:
            fields["until"] = _read_day(fields["until"])
        if "roles" in fields:
            fields["roles"], fields["ends"] = self._read_roles(kind, value, fields["roles"], path)
        if "api_keys" in fields:
            fields["keys"] = self._read_items("api_key", fields.pop("api_keys"), f"{path}.api_keys")
        self._check_together(kind, value, fields, path)
        if kind == "api_key" and "roles" in fields:
            settings["roles"] = fields.pop("roles")
        name = fields.pop("email" if kind == "person" else "name", None)
        place = _find_place(value, path)
        return None if name is None else DesiredItem(kind=kind, name=name, settings=settings, place=place, **fields)

    def _check_together(self, kind: ItemKind, value: object, fields: Mapping[str, Any], path: str) -> None:
        """Refuse fields that do not go together."""
        others = [each for each in fields if each not in {"name", "email", "id", "absent", "ends"}]
        if fields.get("absent") and others:
            self._refuse(value, path, "absent", f"is true, so that {', '.join(others)} must be left out")
        is_needed = fields.get("keep_other_roles") or (
            kind == "api_key" and "name" in fields and not fields.get("absent")
        )
        if is_needed and "roles" not in fields:
            self._refuse(value, path, "", "needs the field roles")
        if kind == "person":
            self._check_last_role(value, fields, path)

    def _check_last_role(self, value: object, fields: Mapping[str, Any], path: str) -> None:
        """Refuse the end of the last role of a person on the organization, unless the person ends by then."""
        until: date | None = fields.get("until")
        ends: Mapping[str, date] = fields.get("ends", {})
        last = [ends.get(each) for each in fields.get("roles", ()) if ":" not in each]
        days = [each for each in last if each is not None]
        if days and len(days) == len(last) and (until is None or until > max(days)):
            after = f"end after {max(days)}"
            remedy = "give the person an until that is no later, or another role on the organization without one"
            self._refuse(value, path, "roles", f"on the organization all {after}, and the person stays: {remedy}")

    def _read_roles(
        self, kind: ItemKind, owner: object, values: Sequence[object], path: str
    ) -> tuple[list[str], dict[str, date]]:
        """Return the roles, and the last days of those that have one."""
        roles, ends = list[object](), dict[str, date]()
        for number, value in enumerate(values):
            if not isinstance(value, Mapping):
                roles.append(value)
                continue
            given: Mapping[Any, Any] = value  # pyright: ignore[reportUnknownVariableType]
            fields = self._read_fields("role", given, f"{path}.roles[{number}]")
            if "until" in fields and kind == "api_key":
                self._refuse(given, f"{path}.roles[{number}]", "until", "is of a role of a key: give the key an until")
            if "role" in fields:
                roles.append(fields["role"])
                if (day := _read_day(fields.get("until"))) is not None:
                    ends[fields["role"]] = day
        if kind == "api_key" and not roles:
            self._refuse(owner, path, "roles", "is empty: a key has at least one role")
        for number, role in enumerate(roles):
            problem = " twice" if role in roles[:number] else _find_role_problem(kind, role)
            if problem is not None:
                self._refuse(owner, path, "roles", f"has {_describe(role)}{problem}")
        return sorted(map(str, roles)), ends


def _find_problem(key: str, value: object, wanted: _Field) -> str | None:
    """Return what is wrong with the value of a field, or None."""
    if value is None:
        hint = "write [] for an empty list" if wanted is _LIST else "put it in quotes if it is text"
        return f"is empty: leave it out, or {hint}"
    kind, check = wanted
    # A bool is an int, and a str is a sequence.
    is_other = (kind is int and isinstance(value, bool)) or (kind is Sequence and isinstance(value, str))
    if is_other or not isinstance(value, kind):
        hint = ": put it in quotes" if kind is str else ""
        shown = _name_type(value) if kind is Sequence else _describe(value)
        return f"must be {_TYPES[kind]}, not {shown}{hint}"
    if value == "":
        return "is empty"
    try:
        if check is not None:
            check(key, value)
    except PineconeError as error:
        return error.message_with_names({key: ""}).strip()
    return None


def _find_role_problem(kind: ItemKind, role: object) -> str | None:
    """Return what is wrong with a role, after the role, or None."""
    if not isinstance(role, str):
        return ", which is no text"
    place, colon, name = role.rpartition(":")
    if quote_input(place) != repr(place):  # the suggestion shows it
        place = "PROJECT"
    role = f"{place}{colon}{name}"
    known = [f"{place or 'PROJECT'}:{each}" for each in literal_values("ProjectRoleName")]
    known = [*literal_values("APIKeyRole")] if kind == "api_key" else [*literal_values("OrganizationRoleName"), *known]
    return None if role in known else f", which is no role{suggest(role, known)}"


def _find_place(owner: object, path: str, key: str = "", *, at: str = "") -> str:
    full = ".".join(filter(None, [path, key])) or "the document"
    line = line_of(owner, at)
    return full if line is None else f"line {line}: {full}"


def _name_type(value: object) -> str:
    """Return the type of a value for a message that must not show the value: the file may be of another kind."""
    names = {Mapping: "a mapping", str: "text", Sequence: "a list", bool: "true or false", int | float: "a number"}
    return next((name for kind, name in names.items() if isinstance(value, kind)), "a single value")


def _describe(value: object) -> str:
    """Return a value of a wrong type for a message."""
    name = _name_type(value)
    return name if name in {"a mapping", "a list"} else quote_input(value)
