"""The state as a JSON document, including secrets: writing and reading it.

The document follows from the fields of the state and of its records. A field whose type has no form here is refused by
name when the state is written. If a document leaves out a field, the record gets the value of a new record. So a
fixture that is written by hand needs little more than names, and a key, user or invite in it has a role without a
binding. Cursors issued before a document is read are refused afterwards.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from operator import attrgetter
from random import Random
from typing import Any, TypeAlias, cast, get_args

from attrs import NOTHING, Attribute, evolve, fields_dict, frozen, has

from pinecone_admin.emulator.api import checks
from pinecone_admin.emulator.api.checks import Check, Fields
from pinecone_admin.emulator.api.refusals import invalid_argument, quoted
from pinecone_admin.emulator.api.serialization import Document, format_time, role_binding_document
from pinecone_admin.emulator.control.configuration import changed_settings, settings_document
from pinecone_admin.emulator.model.records import (
    APIKeyRecord,
    Grant,
    InviteRecord,
    OrganizationRecord,
    Principal,
    RoleBindingRecord,
    ServiceAccountRecord,
    UserRecord,
)
from pinecone_admin.emulator.model.role_bindings import RoleBindingIndex
from pinecone_admin.emulator.model.settings import PAYMENT_STATUSES, EmulatorSettings
from pinecone_admin.emulator.model.state import State, new_organization_id


@frozen
class Snapshot:
    """The content of a document.

    Args:
        state: The state of the organization.
        caller: The service account whose credentials the emulator offers.
        time: The time when the document was written, or None if the document does not contain it.
    """

    state: State
    caller: ServiceAccountRecord
    time: datetime | None


@frozen
class Identity:
    """Values that remain if a document does not contain them, so that the announcement of an emulator stays true.

    Args:
        organization_id: The organization's id.
        caller: The service account whose credentials the emulator offers.
    """

    organization_id: str
    caller: ServiceAccountRecord


# Forms


@frozen
class _Form:
    """How the values of a type stand in a document: the check that reads one, and the function that writes one.

    Args:
        check: Reads a value.
        write: Writes a value.
        is_mutable: Whether a value can change after it has been read from a record.
    """

    check: Check[Any]
    write: Callable[[Any], object] = lambda value: value
    is_mutable: bool = False


_ABSENT = object()
_ENCODER = json.JSONEncoder()
_NAME = checks.max_characters(512)
_TIMES = checks.array(checks.date_time)
_FORMS: Mapping[object, _Form] = {
    str: _Form(checks.string),
    str | None: _Form(checks.nullable(checks.string)),
    bool: _Form(checks.boolean),
    int: _Form(checks.non_negative_integer),
    datetime: _Form(checks.date_time, format_time),
    datetime | None: _Form(checks.nullable(checks.date_time), lambda moment: moment and format_time(moment)),
    dict[str, object]: _Form(checks.encodable_object, dict, is_mutable=True),
    deque[datetime]: _Form(
        lambda name, value: deque(sorted(_TIMES(name, value))),
        lambda moments: [format_time(each) for each in moments],
        is_mutable=True,
    ),
}

_STRICTER_CHECKS: Mapping[str, Check[object]] = {
    "uuid": checks.uuid,
    "name": _NAME,
    "key name": checks.max_characters(80),
    "account name": checks.max_bytes(80),
    "email": checks.email,
    "header": checks.max_characters(512, checks.visible_ascii),
    "payment status": checks.one_of(PAYMENT_STATUSES),
}


_DEFAULT_ROLES: Mapping[object, tuple[str, str]] = {
    APIKeyRecord: ("api_key", "ProjectEditor"),
    UserRecord: ("user", "OrgMember"),
    InviteRecord: ("invite", "OrgMember"),
}
"""Principal type and role of records that the API does not create without a role.

A record that a document has only in part, without a role binding, gets this role; one that `write_document` wrote is
as it was. The role of a key is the default of the API, the others are that of `Emulator.add_user`.
"""


def _stored_fields(record: type[Any]) -> dict[str, Attribute[Any]]:
    """Return the fields of a record that a document has."""
    return {name: each for name, each in fields_dict(record).items() if name[0] != "_" and "given" not in each.metadata}


def _record_type(kind: Any) -> Any:
    """Return the type of the records in a collection, or None if the type is no collection of records."""
    item = get_args(kind)[-1:]
    return item[0] if item and has(item[0]) and kind not in _FORMS else None


# Writing

Writer: TypeAlias = Callable[[], object]
"""Writes a part of the state as it was: an object, or an iterator of the records of a collection."""


def freeze_state(state: State, caller: ServiceAccountRecord, now: datetime) -> Mapping[str, Writer]:
    """Return what writes each part of the state as it is now, including secrets, however it changes afterwards.

    Requests wait while this is called. Writing takes ten times as long, and nobody waits for it.

    Raises:
        ValueError: A field of the state, or of a record, has a type that has no form; the message names it.
    """
    # The caller may have deleted itself.
    caller_id = caller.id if state.service_accounts.get(caller.id) else None
    head: Document = {"version": 1, "time": format_time(now), "caller": caller_id}
    return {**{name: partial(_return, value) for name, value in head.items()}, **_freeze_fields(state)}


def write_document(parts: Mapping[str, Writer]) -> Document:
    """Return a frozen state as a document."""
    return _write_fields(parts)


def encode_document(parts: Mapping[str, Writer]) -> Iterator[str]:
    """Yield a frozen state as JSON text, with one record on each line.

    Each piece is encoded on its own: all at once would block every other thread, and indentation takes twice as long.
    """
    opening = "{"
    for name, write in parts.items():
        yield f"{opening}\n {_ENCODER.encode(name)}: "
        opening = ","
        value = write()
        if isinstance(value, Iterator):
            yield from _encode_records(cast("Iterator[object]", value))
        else:
            yield _ENCODER.encode(value)
    yield "\n}\n"


def _encode_records(records: Iterator[object]) -> Iterator[str]:
    opening = "["
    for record in records:
        yield f"{opening}\n  {_ENCODER.encode(record)}"
        opening = ","
    yield "[]" if opening == "[" else "\n ]"


def _freeze_fields(record: Any) -> dict[str, Writer]:
    return {name: _freeze(each, getattr(record, name)) for name, each in _stored_fields(record.__class__).items()}


def _freeze(attribute: Attribute[Any], value: Any) -> Writer:
    kind: Any = attribute.type
    if kind is OrganizationRecord:
        return partial(_write_fields, _freeze_fields(value))
    if kind is EmulatorSettings:
        return partial(_return, settings_document(value))
    if kind is RoleBindingIndex:
        return partial(map, role_binding_document, list(value))
    if record_type := _record_type(kind):
        return _freeze_records(record_type, value.values())
    form = _find_form(attribute)
    return partial(_return, form.write(value)) if form.is_mutable else partial(form.write, value)


def _freeze_records(record_type: Any, records: Iterable[Any]) -> Writer:
    attributes = _stored_fields(record_type)
    if any(_record_type(each.type) or _find_form(each).is_mutable for each in attributes.values()):
        return partial(map, _write_fields, [_freeze_fields(record) for record in records])
    # 100,000 users take 20 ms in this way, and ten times as long in the other.
    write_row = partial(_write_row, [(name, _find_form(each).write) for name, each in attributes.items()])
    return partial(map, write_row, list(map(attrgetter(*attributes), records)))


def _find_form(attribute: Attribute[Any]) -> _Form:
    if attribute.type not in _FORMS:
        raise ValueError(f"a state file cannot hold {attribute.name}, which is {attribute.type}")
    return _FORMS[attribute.type]


def _write_row(columns: Iterable[tuple[str, Callable[[Any], object]]], row: Iterable[object]) -> Document:
    return {name: write(value) for (name, write), value in zip(columns, row, strict=True)}


def _write_fields(fields: Mapping[str, Writer]) -> Document:
    return {name: _complete(write()) for name, write in fields.items()}


def _complete(value: object) -> object:
    return list(cast("Iterator[object]", value)) if isinstance(value, Iterator) else value


def _return(value: object) -> object:
    return value


# Reading


def load_state(
    document: object, settings: EmulatorSettings, random: Random, now: datetime, known: Identity | None = None
) -> Snapshot:
    """Read a document.

    Args:
        document: A document that `write_document` returned, or a part of one.
        settings: The settings that the document does not change.
        random: The source of ids and secrets that the document leaves out.
        now: The default of times that the document leaves out.
        known: The organization and the caller if the document leaves them out; by default new ones.

    Raises:
        Refusal: The document is malformed; the message names the field.
    """
    read = checks.closed_object(lambda fields: _StateReader(fields, settings, random, now, known).read_all())
    return read("", document)


class _StateReader:
    """A reader of a document into a new state. It reads a record before other records refer to it."""

    def __init__(
        self, fields: Fields, settings: EmulatorSettings, random: Random, now: datetime, known: Identity | None
    ) -> None:
        self._fields = fields
        self._random = random
        self._known = known
        self._taken: set[str] = set()
        self._incomplete: list[Any] = []
        self.now: datetime = now
        # Read first, because the checks of the organization depend on the plans.
        settings = fields.get("settings", checks.closed_object(partial(changed_settings, settings)), settings)
        read = checks.closed_object(partial(self._read_record, OrganizationRecord))
        organization = fields.optional("organization", read) or self._read_record(OrganizationRecord, Fields({}))
        checks.one_of(settings.plans)("organization.plan", organization.plan)
        self.state: State = State(organization=organization, settings=settings, random=random)

    def new_organization_id(self) -> str:
        return self._known.organization_id if self._known else new_organization_id(self._random)

    def read_all(self) -> Snapshot:
        fields, state = self._fields, self.state
        fields.optional("version", checks.integer_between(1, 1))
        for name, each in _stored_fields(type(state)).items():
            if name not in {"organization", "settings"}:
                self._read_collection(name, each.type)
        caller = self._find_caller()
        # Every real organization has a user who owns it. So a document whose users do not own it, or that has none,
        # gets one.
        lists_users = fields.get("users", lambda _, users: users, _ABSENT) is not _ABSENT
        if not lists_users or (any(type(each) is UserRecord for each in self._incomplete) and not self._has_owner()):
            state.add_human_owner(self.now)
        for record in self._incomplete:
            self._bind_by_default(record)
        return Snapshot(state, caller, fields.optional("time", checks.date_time))

    def _read_collection(self, name: str, kind: Any) -> None:
        collection, record_type = getattr(self.state, name), _record_type(kind)
        if kind is not RoleBindingIndex and record_type is None:
            setattr(self.state, name, self._fields.get(name, _FORMS[kind].check, collection))
            return
        read = partial(self._read_record, record_type) if record_type else self._read_role_binding
        for record in self._fields.get(name, checks.array(checks.closed_object(read)), ()):
            if not hasattr(collection, "add"):
                collection[_key(record)] = record
                continue
            if record_type and collection.find(value := getattr(record, collection.unique)):
                raise invalid_argument(f"two {name} have the {collection.unique} {quoted(value)}")
            collection.add(record)

    def _read_record(self, record_type: Any, fields: Fields, holder: Mapping[str, Any] | None = None) -> Any:
        """Read a record; the holder has the fields of the surrounding record."""
        values: dict[str, Any] = {}
        is_complete = True
        for name, each in fields_dict(record_type).items():
            if "given" in each.metadata:
                values[name] = each.metadata["given"](self, holder)
            elif (value := fields.get(name, self._find_check(each, values), _ABSENT)) is not _ABSENT:
                values[name] = value
            elif "new" in each.metadata:
                values[name] = each.metadata["new"](self, values)
                is_complete = False
            elif each.default is NOTHING:
                raise fields.refusal(name, "is missing")
            if each.metadata.get("check") == "uuid":
                self._require_new_id(fields, name, values[name])
        record = record_type(**values)
        if record_type in _DEFAULT_ROLES and not is_complete:
            self._incomplete.append(record)
        return record

    def _has_owner(self) -> bool:
        return any(
            binding.principal.type == "user" and binding.grant.role == "OrgOwner"
            for binding in self.state.role_bindings
        )

    def _bind_by_default(self, record: Any) -> None:
        principal_type, role = _DEFAULT_ROLES[type(record)]
        principal = Principal(principal_type, record.id)
        # The API deletes the bindings of a processed invite.
        if self.state.role_bindings.held_by(principal) or getattr(record, "processed_at", None):
            return
        is_key = principal_type == "api_key"
        place = ("project", record.project_id) if is_key else ("organization", self.state.organization.id)
        self.state.bind(principal, [Grant(role, *place)], getattr(record, "created_at", self.now))

    def _find_check(self, attribute: Attribute[Any], holder: Mapping[str, Any]) -> Check[Any]:
        if record_type := _record_type(attribute.type):
            read = checks.array(checks.closed_object(partial(self._read_record, record_type, holder=holder)))
            return lambda name, value: {_key(record): record for record in read(name, value)}
        return _STRICTER_CHECKS.get(attribute.metadata.get("check", "")) or _FORMS[attribute.type].check

    def _require_new_id(self, fields: Fields, name: str, value: str) -> None:
        if value in self._taken:
            raise fields.refusal(name, f"{quoted(value)} occurs twice")
        self._taken.add(value)

    def _read_role_binding(self, fields: Fields) -> RoleBindingRecord:
        principal = Principal(
            type=fields.required("principal_type", checks.one_of(checks.PRINCIPAL_TYPES)),
            id=fields.required("principal_id", checks.string),
        )
        if self.state.find_principal(principal) is None:
            raise fields.refusal("principal_id", f"{quoted(principal.id)} is not the id of any {principal.type}")
        holder = {"principal": principal, "grant": self._read_grant(fields)}
        return cast("RoleBindingRecord", self._read_record(RoleBindingRecord, fields, holder))

    def _read_grant(self, fields: Fields) -> Grant:
        grant = checks.read_fitting_grant(fields)
        organization_id = self.state.organization.id
        resource_id = grant.resource_id or organization_id
        known = self.state.projects if grant.resource_type == "project" else {organization_id}
        if resource_id not in known:
            raise fields.refusal("resource_id", f"{quoted(resource_id)} is not the id of any {grant.resource_type}")
        return Grant(grant.role, grant.resource_type, resource_id)

    def _find_caller(self) -> ServiceAccountRecord:
        caller_id = self._fields.get("caller", checks.nullable(checks.string), None)
        if caller_id is None:
            return self._keep_caller(self._known.caller) if self._known else self.state.add_owner(self.now)
        account = self.state.service_accounts.get(caller_id)
        if account is None:
            raise invalid_argument(f"caller {quoted(caller_id)} is not the id of any service account")
        return account

    def _keep_caller(self, caller: ServiceAccountRecord) -> ServiceAccountRecord:
        if account := self.state.service_accounts.find(caller.client_id):
            return account
        new_id = self.state.new_id() if caller.id in self._taken else caller.id
        account = evolve(caller, id=new_id, position=self.state.next_position())
        return self.state.add_owner(self.now, account)


def _key(record: Any) -> Any:
    """Return the key of a record in a dictionary: its first field."""
    return getattr(record, next(iter(fields_dict(record.__class__))))
