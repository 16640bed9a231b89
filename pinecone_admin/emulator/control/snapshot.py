"""The state as a JSON document, including secrets: writing and reading it.

The document follows from the fields of the state and of its records. A field whose type has no form here is refused by
name when the state is written. A field that a document leaves out gets the value that a new record would get, so a
fixture written by hand needs little more than names. Cursors issued before a document is read are refused afterwards.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from random import Random
from typing import Any, cast, get_args

from attrs import NOTHING, Attribute, fields_dict, frozen, has

from pinecone_admin.emulator.api import checks
from pinecone_admin.emulator.api.checks import Check, Fields
from pinecone_admin.emulator.api.refusals import invalid_argument, quoted
from pinecone_admin.emulator.api.serialization import Document, format_time, role_binding_document
from pinecone_admin.emulator.control.configuration import changed_settings, settings_document
from pinecone_admin.emulator.model.records import (
    PROJECT_CONTENTS,
    Grant,
    OrganizationRecord,
    PendingResource,
    Principal,
    RoleBindingRecord,
    ServiceAccountRecord,
)
from pinecone_admin.emulator.model.role_bindings import RoleBindingIndex
from pinecone_admin.emulator.model.settings import PAYMENT_STATUSES, Settings
from pinecone_admin.emulator.model.state import State, new_organization_id


@frozen
class Snapshot:
    """The content of a document.

    Args:
        state: The state of the organization.
        caller: The service account whose credentials the emulator offers.
        time: The time at which the document was written, or None if the document does not say.
    """

    state: State
    caller: ServiceAccountRecord
    time: datetime | None


# Forms


@frozen
class _Form:
    """How the values of a type stand in a document: the check that reads one, and the function that writes one."""

    check: Check[Any]
    write: Callable[[Any], object] = lambda value: value


_ABSENT = object()
_ENCODER = json.JSONEncoder()
_NAME = checks.max_characters(512)
_NAMES, _TIMES = checks.array(_NAME), checks.array(checks.date_time)
_KIND = checks.one_of(PROJECT_CONTENTS)


def _rows(make: Callable[..., object], split: Callable[[Any], Document], **columns: Check[Any]) -> _Form:
    """Return the form of a dictionary by kind and name: a row for each item, with columns for its value."""

    def read(fields: Fields) -> tuple[tuple[str, str], object]:
        key = fields.required("kind", _KIND), fields.required("name", _NAME)
        return key, make(**{name: fields.required(name, check) for name, check in columns.items()})

    rows = checks.array(checks.closed_object(read))
    return _Form(
        lambda name, value: dict(rows(name, value)),
        lambda items: [{"kind": kind, "name": name, **split(value)} for (kind, name), value in items.items()],
    )


def _only_value(**columns: object) -> object:
    return next(iter(columns.values()))


_FORMS: Mapping[object, _Form] = {
    str: _Form(checks.string),
    str | None: _Form(checks.nullable(checks.string)),
    bool: _Form(checks.boolean),
    int: _Form(checks.non_negative_integer),
    datetime: _Form(checks.date_time, format_time),
    datetime | None: _Form(checks.nullable(checks.date_time), lambda moment: moment and format_time(moment)),
    dict[str, object]: _Form(checks.encodable_object),
    # Sets have no order of their own; sorted, equal states give equal documents.
    set[str]: _Form(lambda name, value: set(_NAMES(name, value)), sorted),
    deque[datetime]: _Form(
        lambda name, value: deque(sorted(_TIMES(name, value))), lambda moments: [format_time(each) for each in moments]
    ),
    dict[tuple[str, str], datetime]: _rows(
        _only_value, lambda until: {"until": format_time(until)}, until=checks.date_time
    ),
    dict[tuple[str, str], dict[str, object]]: _rows(
        _only_value, lambda values: {"values": values}, values=checks.encodable_object
    ),
    dict[tuple[str, str], PendingResource]: _rows(
        PendingResource,
        lambda pending: {"source": pending.source, "until": format_time(pending.until)},
        source=checks.string,
        until=checks.date_time,
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


def _stored_fields(record: type[Any]) -> dict[str, Attribute[Any]]:
    """Return the fields of a record that a document has."""
    return {name: each for name, each in fields_dict(record).items() if name[0] != "_" and "given" not in each.metadata}


def _record_type(kind: Any) -> Any:
    """Return the type of the records in a collection, or None if the type is no collection of records."""
    item = get_args(kind)[-1:]
    return item[0] if item and has(item[0]) and kind not in _FORMS else None


# Writing


def dump_state(state: State, caller: ServiceAccountRecord, now: datetime) -> Document:
    """Return the state as a document, including secrets.

    Raises:
        ValueError: A field of the state, or of a record, has a type that has no form; the message names it.
    """
    return {
        "version": 1,
        "time": format_time(now),
        "caller": caller.id if state.service_accounts.get(caller.id) else None,  # the caller may have deleted itself
        **_write_record(state),
    }


def encode_document(document: Document) -> Iterator[str]:
    """Yield a document as JSON text, with one record on each line.

    Each piece is encoded on its own: all at once would block every other thread, and indentation takes twice as long.
    """
    opening = "{"
    for name, value in document.items():
        yield f"{opening}\n {_ENCODER.encode(name)}: "
        opening = ","
        if not isinstance(value, list) or not value:
            yield _ENCODER.encode(value)
            continue
        for index, record in enumerate(cast("list[object]", value)):
            yield f"{',' if index else '['}\n  {_ENCODER.encode(record)}"
        yield "\n ]"
    yield "\n}\n"


def _write_record(record: Any) -> Document:
    return {name: _write(each, getattr(record, name)) for name, each in _stored_fields(record.__class__).items()}


def _write(attribute: Attribute[Any], value: Any) -> object:
    kind: Any = attribute.type
    if kind is OrganizationRecord:
        return _write_record(value)
    if kind is Settings:
        return settings_document(value)
    if kind is RoleBindingIndex:
        return [role_binding_document(binding) for binding in value]
    if _record_type(kind):
        return [_write_record(record) for record in value.values()]
    if kind not in _FORMS:
        raise ValueError(f"a state file cannot hold {attribute.name}, which is {kind}")
    return _FORMS[kind].write(value)


# Reading


def load_state(document: object, settings: Settings, random: Random, now: datetime) -> Snapshot:
    """Read a document.

    Args:
        document: A document that `dump_state` returned, or a part of one.
        settings: The settings that the document does not change.
        random: The source of ids and secrets that the document leaves out.
        now: The default of times that the document leaves out.

    Raises:
        Refusal: The document is malformed; the message names the field.
    """
    return checks.closed_object(lambda fields: _StateReader(fields, settings, random, now).read_all())("", document)


class _StateReader:
    """Reads a document into a new state, in an order in which references point to what has been read."""

    def __init__(self, fields: Fields, settings: Settings, random: Random, now: datetime) -> None:
        self._fields = fields
        self._random = random
        self._taken: set[str] = set()
        self.now: datetime = now
        # Read first, because the checks of the organization depend on the plans.
        settings = fields.get("settings", checks.closed_object(partial(changed_settings, settings)), settings)
        read = checks.closed_object(partial(self._read_record, OrganizationRecord))
        organization = fields.optional("organization", read) or self._read_record(OrganizationRecord, Fields({}))
        checks.one_of(settings.plans)("organization.plan", organization.plan)
        self.state: State = State(organization=organization, settings=settings, random=random)

    def new_organization_id(self) -> str:
        return new_organization_id(self._random)

    def read_all(self) -> Snapshot:
        fields, state = self._fields, self.state
        fields.optional("version", checks.integer_between(1, 1))
        for name, each in _stored_fields(type(state)).items():
            if name not in {"organization", "settings"}:
                self._read_collection(name, each.type)
        caller = self._find_caller()
        # No real organization is without a user who owns it, so a document that leaves out the users gets one.
        if fields.get("users", lambda _, users: users, _ABSENT) is _ABSENT:
            state.add_human_owner(self.now)
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
        """Read a record; the holder has the fields of the record in which it is."""
        values: dict[str, Any] = {}
        for name, each in fields_dict(record_type).items():
            if "given" in each.metadata:
                values[name] = each.metadata["given"](self, holder)
            elif (value := fields.get(name, self._find_check(each, values), _ABSENT)) is not _ABSENT:
                values[name] = value
            elif "new" in each.metadata:
                values[name] = each.metadata["new"](self, values)
            elif each.default is NOTHING:
                raise fields.refusal(name, "is missing")
            if each.metadata.get("check") == "uuid":
                self._require_new_id(fields, name, values[name])
        return record_type(**values)

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
        grant = checks.read_grant(fields)
        organization_id = self.state.organization.id
        resource_id = grant.resource_id or organization_id
        known = self.state.projects if grant.resource_type == "project" else {organization_id}
        if resource_id not in known:
            raise fields.refusal("resource_id", f"{quoted(resource_id)} is not the id of any {grant.resource_type}")
        return Grant(grant.role, grant.resource_type, resource_id)

    def _find_caller(self) -> ServiceAccountRecord:
        caller_id = self._fields.get("caller", checks.nullable(checks.string), None)
        if caller_id is None:
            return self.state.add_owner(self.now)
        account = self.state.service_accounts.get(caller_id)
        if account is None:
            raise invalid_argument(f"caller {quoted(caller_id)} is not the id of any service account")
        return account


def _key(record: Any) -> Any:
    """Return the key of a record in a dictionary: its first field."""
    return getattr(record, next(iter(fields_dict(record.__class__))))
