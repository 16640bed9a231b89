"""The desired state of an organization: what a file says of its projects, keys, accounts and people."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from difflib import get_close_matches
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import Any, Literal, Self, TypeAlias, cast

from attrs import evolve, field, frozen

from generated_client.models import CreateAPIKeyRequest, CreateProjectRequest, CreateServiceAccountRequest
from pinecone_admin._http.argument_checks import (
    check_email,
    check_identifier,
    check_integer,
    check_string,
    type_error,
)
from pinecone_admin._http.lookup import normalize_email
from pinecone_admin._http.operation_checks import check_name
from pinecone_admin._text.counts import count_noun
from pinecone_admin._text.printable import make_printable
from pinecone_admin.errors import PineconeError, PineconeValueError
from pinecone_admin.models import literal_values
from pinecone_admin.workflows.desired_text import NotText, line_of, read_text

ItemKind: TypeAlias = Literal["project", "api_key", "service_account", "person"]
"""Kind of an item of a file; a person is a member, or somebody who is to be invited."""

_SECTIONS: Mapping[str, ItemKind] = {"projects": "project", "service_accounts": "service_account", "people": "person"}
_STATE_FIELDS = ("organization", *_SECTIONS, "ignore")
_RULE_FIELDS = ("kind", "name", "reason", "until")
_LISTS = (*_SECTIONS, "ignore", "api_keys", "roles")
_SETTINGS = ("max_pods", "force_encryption_with_cmek")
_FIELDS: Mapping[ItemKind, tuple[str, ...]] = {
    "project": ("name", "id", *_SETTINGS, "api_keys"),
    "api_key": ("name", "id", "roles", "absent"),
    "service_account": ("name", "id", "roles", "keep_other_roles", "absent"),
    "person": ("email", "roles", "keep_other_roles", "absent"),
}
_MODELS: Mapping[ItemKind, type] = {
    "project": CreateProjectRequest,
    "api_key": CreateAPIKeyRequest,
    "service_account": CreateServiceAccountRequest,
}
_NOUNS: Mapping[ItemKind, str] = {
    "project": "project",
    "api_key": "key",
    "service_account": "service account",
    "person": "person",
}
_MAX_QUOTED = 80
_MAX_MESSAGE = 1800
"""Characters of a message that lists problems; the notes of the error have all of them."""


@frozen(kw_only=True)
class DesiredItem:
    """A project, a key, a service account or a person, as a file wants it.

    Attributes:
        kind: Kind of the item.
        name: Name, or email address of a person.
        id: Id that pins it; None to identify it by its name.
        roles: All its roles, as ``ROLE`` or ``PROJECT:ROLE``; None if they are not managed.
        keep_other_roles: Whether other roles are left to it.
        absent: Whether it must not exist.
        settings: Settings of a project that are managed.
        keys: The keys of a project; None if they are not managed.
        place: Where it is in the file.
    """

    kind: ItemKind
    name: str
    id: str | None = None
    roles: frozenset[str] | None = None
    keep_other_roles: bool = False
    absent: bool = False
    settings: Mapping[str, Any] = field(factory=dict[str, Any])
    keys: list[DesiredItem] | None = None
    place: str = field(default="", eq=False)

    @property
    def key(self) -> str:
        """The name by which items of a kind are told apart: the case of an address does not count."""
        return normalize_email(self.name) if self.kind == "person" else self.name

    def __str__(self) -> str:
        return f"{_NOUNS[self.kind]} {self.name!r}"

    def to_dict(self) -> dict[str, Any]:
        """Return the item as the file has it."""
        document: dict[str, Any] = {"email" if self.kind == "person" else "name": self.name}
        document |= {} if self.id is None else {"id": self.id}
        document |= self.settings
        document |= {} if self.roles is None else {"roles": sorted(self.roles)}
        document |= {name: True for name in ("keep_other_roles", "absent") if getattr(self, name)}
        document |= {} if self.keys is None else {"api_keys": [each.to_dict() for each in self.keys]}
        return document


@frozen(kw_only=True)
class IgnoreRule:
    """Items that are neither listed nor changed until a day.

    Attributes:
        kind: Kind of the items.
        name: Pattern of their names, as names of files in a shell; of keys ``PROJECT/KEY``, both as patterns.
        reason: Why they are ignored.
        until: Last day on which they are.
    """

    kind: ItemKind
    name: str
    reason: str
    until: date

    def covers(self, kind: ItemKind, name: str, project: str | None) -> bool:
        """Return whether the rule is about an item, which for a key has a project."""
        if kind != self.kind:
            return False
        pattern = self.name
        if project is not None:
            place, _, pattern = pattern.partition("/")
            if not fnmatchcase(project, place):
                return False
        return fnmatchcase(name, pattern.lower() if kind == "person" else pattern)

    def to_dict(self) -> dict[str, Any]:
        """Return the rule as the file has it."""
        return {"kind": self.kind, "name": self.name, "reason": self.reason, "until": self.until.isoformat()}


@frozen(kw_only=True)
class DesiredState:
    """What a file says of an organization, for ``plan``.

    A section that is missing is not managed, and nothing is removed because it is missing. ``docs/how-to`` has a page
    on the file.

    Attributes:
        organization: Id or name of the organization.
        projects: The projects; None if they are not managed.
        service_accounts: The service accounts; None if they are not managed.
        people: The people; None if they are not managed.
        ignore: What is neither listed nor changed.
        notes: What an export could not express.
        source: What the file is called in messages.
        digest: SHA-256 of the text, or of the canonical JSON of a mapping.

    Example:
        >>> desired = DesiredState.from_text('{"organization": "Acme", "people": []}')
        >>> desired.organization
        'Acme'
    """

    organization: str
    projects: list[DesiredItem] | None = None
    service_accounts: list[DesiredItem] | None = None
    people: list[DesiredItem] | None = None
    ignore: list[IgnoreRule] = field(factory=list[IgnoreRule])
    notes: list[str] = field(factory=list[str], eq=False)
    source: str = field(default="", eq=False)
    digest: str = field(default="", eq=False)

    @classmethod
    def from_text(cls, text: str, source: str = "text") -> Self:
        """Read a file in JSON, or in YAML if PyYAML is installed, as the extra ``cli`` does.

        Args:
            text: Content of the file.
            source: What the file is called in messages, such as its path.

        Raises:
            PineconeTypeError: ``text`` is not a str.
            PineconeValueError: It is not such a file. The message has all problems, with the lines of YAML and the
                paths within the document; if they are many, the notes of the error have them.
            ModuleNotFoundError: It is YAML, and PyYAML is not installed.

        Example:
            >>> text = "{organization: Acme, projects: [{name: search}]}"
            >>> desired = DesiredState.from_text(text, source="acme.yaml")
            >>> desired.to_dict()["projects"]
            [{'name': 'search'}]
        """
        check_string("text", text)
        document, problems = read_text(text)
        _raise_if(problems if document is None else (), source, "text")
        reader = _Reader(problems)
        state = reader.read_state(document)
        _raise_if(reader.problems, source, "text")
        return cast("Self", evolve(state, source=source, digest=sha256(text.encode()).hexdigest()))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the state that a mapping in the form of the file describes.

        Args:
            data: A mapping with the fields of the file, such as the result of ``to_dict``.

        Raises:
            PineconeTypeError: ``data`` is not a mapping.
            PineconeValueError: It is not such a mapping; the message has all problems with their paths.

        Example:
            >>> desired = DesiredState.from_dict({"organization": "Acme", "people": []})
            >>> desired.people
            []
        """
        if not isinstance(cast("object", data), Mapping):
            raise type_error("data", "a mapping", data)
        reader = _Reader([])
        state = reader.read_state(data)
        _raise_if(reader.problems, "data", "data")
        return cast("Self", add_digest(state))

    def to_dict(self) -> dict[str, Any]:
        """Return the state as plain JSON types, in the form of the file.

        Example:
            >>> saved = json.dumps(admin.inventory().to_desired_state().to_dict())
        """
        document: dict[str, Any] = {"organization": self.organization}
        for section in _SECTIONS:
            items: list[DesiredItem] | None = getattr(self, section)
            document |= {} if items is None else {section: [each.to_dict() for each in items]}
        return document | ({"ignore": [each.to_dict() for each in self.ignore]} if self.ignore else {})


def add_digest(state: DesiredState) -> DesiredState:
    """Return a state that was not read from a text, with its digest."""
    canonical = json.dumps(state.to_dict(), sort_keys=True)
    return evolve(state, digest=sha256(canonical.encode()).hexdigest())


def describe_problems(problems: Sequence[str], source: str) -> str:
    """Return all problems in one line; if they are too many for a message, the first ones and a count."""
    shown: list[str] = []
    for each in problems:
        if shown and len(each) + sum(map(len, shown)) > _MAX_MESSAGE:
            break
        shown.append(make_printable(each, most=_MAX_MESSAGE))
    rest = [f"and {count_noun(len(problems) - len(shown), 'more problem')}"] if len(shown) < len(problems) else []
    return f"{make_printable(source)}: {'; '.join([*shown, *rest])}"


def suggest(text: str, known: Collection[str]) -> str:
    """Return the end of a message that names the nearest spelling, or the few that there are."""
    near = get_close_matches(text, known, 1)
    if near:
        return f": did you mean {near[0]!r}?"
    return f": use one of {', '.join(known)}" if 0 < len(known) <= len(literal_values("RoleName")) else ""


def _raise_if(problems: Sequence[str], source: str, argument: str) -> None:
    if problems:
        error = PineconeValueError(describe_problems(problems, source), argument=argument)
        for each in problems if len(problems) > 1 else ():
            error.add_note(make_printable(each))
        raise error


class _Reader:
    """Reads a document, and collects all that is wrong with it.

    Args:
        problems: What was wrong with the text.
    """

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems

    def read_state(self, document: object) -> DesiredState:
        """Return the state; it counts only if there are no problems."""
        fields = self._fields(document, "", _STATE_FIELDS)
        organization = self._text(fields, "", "organization", required=isinstance(document, Mapping)) or ""
        sections: dict[str, Any] = {
            name: self._items(kind, fields, name) if name in fields else None for name, kind in _SECTIONS.items()
        }
        rules = self._list(fields, "", "ignore")
        ignore = [self._rule(each, f"ignore[{number}]") for number, each in enumerate(rules)]
        return DesiredState(organization=organization, ignore=[each for each in ignore if each], **sections)

    def _refuse(self, fields: object, path: str, key: str, problem: str) -> None:
        self.problems.append(f"{_place(fields, path, key)} {problem}")

    def _fields(self, value: object, path: str, known: Sequence[str]) -> Mapping[str, Any]:
        """Return a mapping with the known fields of a value."""
        if not isinstance(value, Mapping):
            self._refuse(value, path, "", f"must be a mapping, not {_describe(value)}")
            return {}
        given: Mapping[Any, Any] = value  # pyright: ignore[reportUnknownVariableType]
        for key in given:
            if key not in known:
                hint = suggest(str(key), known)
                hint = ": a project is deleted with delete_with_cleanup" if key == "absent" else hint
                self._refuse(
                    given, path, "", f"has an unknown field {make_printable(repr(key), most=_MAX_QUOTED)}{hint}"
                )
            elif given[key] is None:
                hint = "write [] for an empty list" if key in _LISTS else "put it in quotes if it is text"
                self._refuse(given, path, key, f"is empty: leave it out, or {hint}")
        return given

    def _list(self, fields: Mapping[str, Any], path: str, key: str) -> Sequence[object]:
        value = fields.get(key)
        if value is None:  # reported with the fields
            return []
        if isinstance(value, str) or not isinstance(value, Sequence):
            self._refuse(fields, path, key, f"must be a list, not {_describe(value)}")
            return []
        return cast("Sequence[object]", value)

    def _text(self, fields: Mapping[str, Any], path: str, key: str, *, required: bool = False) -> str | None:
        value = fields.get(key)
        if value is None:
            if required and key not in fields:
                self._refuse(fields, path, "", f"needs the field {key}")
            return None
        if not isinstance(value, str):
            self._refuse(fields, path, key, f"must be text, not {_describe(value)}: put it in quotes")
            return None
        if not value:
            self._refuse(fields, path, key, "is empty")
            return None
        return value

    def _flag(self, fields: Mapping[str, Any], path: str, key: str) -> bool:
        value = fields.get(key, False)
        if not isinstance(value, bool) and value is not None:
            self._refuse(fields, path, key, f"must be true or false, not {_describe(value)}")
        return value is True

    def _items(self, kind: ItemKind, fields: Mapping[str, Any], name: str, path: str = "") -> list[DesiredItem]:
        """Return the items of a list, of which none may be there twice."""
        within = f"{path}.{name}" if path else name
        read = (
            self._item(kind, each, f"{within}[{number}]") for number, each in enumerate(self._list(fields, path, name))
        )
        items = [each for each in read if each is not None]
        by_name: dict[str, DesiredItem] = {}
        by_id: dict[str, DesiredItem] = {}
        for item in items:
            other = by_name.setdefault(item.key, item)
            if item.id is not None and other.id is not None:
                other = by_id.setdefault(item.id, item)
            if other is not item:
                self.problems.append(f"{item.place} is {item}, as {other.place} is")
        return items

    def _item(self, kind: ItemKind, value: object, path: str) -> DesiredItem | None:
        fields = self._fields(value, path, _FIELDS[kind])
        if not isinstance(value, Mapping):
            return None
        name = self._name(kind, fields, path)
        id = self._checked(fields, path, "id", check_identifier)
        roles = self._roles(kind, fields, path) if "roles" in fields else None
        absent = "absent" in _FIELDS[kind] and self._flag(fields, path, "absent")
        others = [each for each in fields if each in _FIELDS[kind] and each not in {"name", "email", "id", "absent"}]
        if absent and others:
            self._refuse(fields, path, "absent", f"is true, so that {', '.join(others)} must be left out")
        if kind == "api_key" and not absent and "roles" not in fields:
            self._refuse(fields, path, "", "needs the field roles")
        settings = {each: self._setting(fields, path, each) for each in _SETTINGS if each in fields}
        keys = self._items("api_key", fields, "api_keys", path) if "api_keys" in fields else None
        keeps = self._flag(fields, path, "keep_other_roles")
        if keeps and roles is None:
            self._refuse(fields, path, "keep_other_roles", "needs the field roles")
        if name is None:
            return None
        return DesiredItem(
            kind=kind,
            name=name,
            id=id,
            roles=roles,
            keep_other_roles=keeps,
            absent=absent,
            settings=settings,
            keys=keys,
            place=_place(fields, path, ""),
        )

    def _name(self, kind: ItemKind, fields: Mapping[str, Any], path: str) -> str | None:
        if kind == "person":
            return self._checked(fields, path, "email", check_email, required=True)

        def check_length(_: str, value: str) -> None:
            check_name(value, _MODELS[kind], operation="plan")

        return self._checked(fields, path, "name", check_length, required=True)

    def _checked(
        self,
        fields: Mapping[str, Any],
        path: str,
        key: str,
        check: Callable[[str, str], object],
        *,
        required: bool = False,
    ) -> str | None:
        """Return a text that passes a check of arguments."""
        text = self._text(fields, path, key, required=required)
        try:
            if text is not None:
                check(key, text)
        except PineconeError as error:
            self.problems.append(f"{_place(fields, path, key)}: {error.message}")
            return None
        return text

    def _setting(self, fields: Mapping[str, Any], path: str, key: str) -> object:
        value = fields[key]
        if key != "max_pods":
            return self._flag(fields, path, key)
        try:
            return None if value is None else check_integer(key, value, least=0)
        except PineconeError:
            self._refuse(fields, path, key, f"must be a whole number from 0, not {_describe(value)}")
        return None

    def _roles(self, kind: ItemKind, fields: Mapping[str, Any], path: str) -> frozenset[str]:
        roles = self._list(fields, path, "roles")
        if kind == "api_key" and not roles:
            self._refuse(fields, path, "roles", "is empty: a key has at least one role")
        found: set[str] = set()
        for number, role in enumerate(roles):
            if not isinstance(role, str):
                self._refuse(fields, path, "roles", f"[{number}] must be text, not {_describe(role)}")
            elif role in found:
                self._refuse(fields, path, "roles", f"has {make_printable(role)!r} twice")
            elif (problem := _find_role_problem(kind, role)) is not None:
                self._refuse(fields, path, "roles", f"has {make_printable(role, most=_MAX_QUOTED)!r}, {problem}")
            else:
                found.add(role)
        return frozenset(found)

    def _rule(self, value: object, path: str) -> IgnoreRule | None:
        fields = self._fields(value, path, _RULE_FIELDS)
        if not isinstance(value, Mapping):
            return None
        kind, name, reason = (self._text(fields, path, each, required=True) for each in _RULE_FIELDS[:3])
        if kind is not None and kind not in _FIELDS:
            self._refuse(
                fields, path, "kind", f"is {make_printable(kind, most=_MAX_QUOTED)!r}{suggest(kind, [*_FIELDS])}"
            )
        if kind == "api_key" and name is not None and "/" not in name:
            self._refuse(fields, path, "name", "must be PROJECT/KEY, both as patterns")
        until = _parse_day(fields.get("until"))
        if until is None and fields.get("until") is not None:
            self._refuse(fields, path, "until", "must be a day, such as 2027-03-31")
        elif "until" not in fields:
            self._refuse(fields, path, "", "needs the field until")
        if kind is None or name is None or reason is None or until is None:
            return None
        return IgnoreRule(kind=cast("ItemKind", kind), name=name, reason=reason, until=until)


def _place(fields: object, path: str, key: str) -> str:
    """Return where a field is: its path, after its line if the text is YAML."""
    full = ".".join(filter(None, [path, key])) or "the document"
    line = line_of(fields, key)
    return full if line is None else f"line {line}: {full}"


def _describe(value: object) -> str:
    """Return a value of a wrong type for a message."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "a list"
    shown = str(value).lower() if isinstance(value, bool) or value is None else str(value)
    return make_printable(repr(value) if isinstance(value, str) else shown, most=_MAX_QUOTED)


def _find_role_problem(kind: ItemKind, text: str) -> str | None:
    """Return what is wrong with a role, or None."""
    project, colon, role = text.rpartition(":")
    on_organization, on_project = literal_values("OrganizationRoleName"), literal_values("ProjectRoleName")
    if kind == "api_key":
        known = literal_values("APIKeyRole")
        return None if text in known else f"which is no role of a key{suggest(role, known)}"
    if not colon:
        if text in on_project:
            return f"which is a role on a project: write PROJECT:{text}"
        return None if text in on_organization else f"which is no role{suggest(text, on_organization)}"
    if not project:
        return "which names no project"
    if role in on_organization:
        return f"but {role} is a role on the organization: leave the project out"
    return (
        None
        if role in on_project
        else f"but {make_printable(role)!r} is no role on a project{suggest(role, on_project)}"
    )


def _parse_day(value: object) -> date | None:
    text = value.text if isinstance(value, NotText) else value
    if isinstance(text, date) and not isinstance(text, datetime):
        return text
    try:
        return date.fromisoformat(text) if isinstance(text, str) and len(text) == len("2027-03-31") else None
    except ValueError:
        return None
