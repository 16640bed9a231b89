"""The state as a JSON document, including secrets: writing and reading it.

A field that a document leaves out gets the value that a new record would get, so a fixture written by hand needs
little more than names. Cursors issued before a document is read are refused afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from random import Random
from typing import Any, TypeAlias, TypeVar, cast

from attrs import frozen

from pinecone_admin.emulator.api import checks
from pinecone_admin.emulator.api.checks import Check, Fields
from pinecone_admin.emulator.api.refusals import invalid_argument, quoted
from pinecone_admin.emulator.api.serialization import Document, format_time, role_binding_document
from pinecone_admin.emulator.control.configuration import changed_settings, settings_document
from pinecone_admin.emulator.model.records import (
    PROJECT_CONTENTS,
    AccessTokenRecord,
    APIKeyRecord,
    Grant,
    InviteRecord,
    OrganizationRecord,
    PendingResource,
    Principal,
    ProjectRecord,
    RoleBindingRecord,
    ServiceAccountRecord,
    UserRecord,
)
from pinecone_admin.emulator.model.settings import PAYMENT_STATUSES, Settings
from pinecone_admin.emulator.model.state import INVITE_LIFETIME, State, new_organization_id

T = TypeVar("T")


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


# The fields of each kind of record: one table drives reading, checking and writing


@frozen
class _Field:
    """A field of a record in the document.

    Args:
        check: The check of its value.
        default: Return its value if it is absent, from the reader and the preceding fields; None if it is required.
        write: Convert its value for the document.
    """

    check: Check[Any]
    default: Callable[[_StateReader, Mapping[str, Any]], object] | None = None
    write: Callable[[Any], object] = lambda value: value


_Table: TypeAlias = Mapping[str, _Field]

_ABSENT = object()
_ENCODER = json.JSONEncoder()
_NAME = checks.max_characters(512)
_NAMES = checks.array(_NAME)
_HEADER = checks.max_characters(512, checks.visible_ascii)
_ID = _Field(checks.uuid, lambda reader, _: reader.state.new_id())
_CREATED_AT = _Field(checks.date_time, lambda reader, _: reader.now, format_time)
_UNTIL = _Field(checks.date_time, write=format_time)
_CONTENT = {"kind": _Field(checks.one_of(PROJECT_CONTENTS)), "name": _Field(_NAME)}

_TABLES: Mapping[str, _Table] = {
    "projects": {
        "id": _ID,
        "name": _Field(_NAME),
        "created_at": _CREATED_AT,
        "max_pods": _Field(checks.non_negative_integer, lambda _reader, _project: 0),
        "force_encryption_with_cmek": _Field(checks.boolean, lambda _reader, _project: False),
    },
    "api_keys": {
        "id": _ID,
        "name": _Field(checks.max_characters(80)),
        "value": _Field(_HEADER, lambda reader, _: reader.state.new_key_value()),
        "created_at": _CREATED_AT,
    },
    "going": {**_CONTENT, "until": _UNTIL},
    "pending": {**_CONTENT, "source": _Field(checks.string), "until": _UNTIL},
    "properties": {**_CONTENT, "values": _Field(checks.encodable_object)},
    "users": {
        "id": _ID,
        "email": _Field(checks.email),
        "name": _Field(checks.nullable(checks.string), lambda _reader, _user: None),
    },
    "invites": {
        "id": _ID,
        "email": _Field(checks.email),
        "created_at": _CREATED_AT,
        "expires_at": _Field(checks.date_time, lambda _, invite: invite["created_at"] + INVITE_LIFETIME, format_time),
        "processed_at": _Field(
            checks.nullable(checks.date_time),
            lambda _reader, _invite: None,
            lambda moment: moment and format_time(moment),
        ),
    },
    "service_accounts": {
        "id": _ID,
        "name": _Field(checks.max_bytes(80)),
        "client_id": _Field(_NAME, lambda reader, _: reader.state.new_client_id()),
        "created_at": _CREATED_AT,
        "updated_at": _Field(checks.date_time, lambda _, account: account["created_at"], format_time),
        "client_secret": _Field(_NAME, lambda reader, _: reader.state.new_client_secret()),
    },
    "role_bindings": {"id": _ID, "created_at": _CREATED_AT},
    "tokens": {"value": _Field(_HEADER), "service_account_id": _Field(checks.string), "expires_at": _UNTIL},
}


def _organization_table(plans: Iterable[str]) -> _Table:
    return {
        "id": _Field(_NAME, lambda reader, _: new_organization_id(reader.random)),
        "name": _Field(_NAME, lambda _reader, _organization: "Emulated Organization"),
        "plan": _Field(checks.one_of(plans), lambda _reader, _organization: "Enterprise"),
        "payment_status": _Field(checks.one_of(PAYMENT_STATUSES), lambda _reader, _organization: "Active"),
        "created_at": _CREATED_AT,
    }


# Writing


def dump_state(state: State, caller: ServiceAccountRecord, now: datetime) -> Document:
    """Return the state as a document, including secrets."""
    return {
        "version": 1,
        "time": format_time(now),
        "caller": caller.id if state.service_accounts.get(caller.id) else None,  # the caller may have deleted itself
        "organization": _write_record(state.organization, _organization_table(state.settings.plans)),
        "settings": settings_document(state.settings),
        "projects": [_write_project(project) for project in state.projects.values()],
        "users": _write_records("users", state.users.listing),
        "invites": _write_records("invites", state.invites.values()),
        "service_accounts": _write_records("service_accounts", state.service_accounts.listing),
        "role_bindings": [role_binding_document(binding) for binding in state.role_bindings],
        "tokens": _write_records("tokens", state.tokens.values()),
        "invite_mails": [format_time(moment) for moment in state.invite_mails],
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


def _write_record(record: object, table: _Table) -> Document:
    return {name: field.write(getattr(record, name)) for name, field in table.items()}


def _write_records(name: str, records: Iterable[object]) -> list[Document]:
    return [_write_record(record, _TABLES[name]) for record in records]


def _write_project(project: ProjectRecord) -> Document:
    return {
        **_write_record(project, _TABLES["projects"]),
        "api_keys": _write_records("api_keys", project.api_keys.values()),
        # Sets have no order of their own; sorted, equal states give equal documents.
        **{kind: sorted(project.contents[kind]) for kind in PROJECT_CONTENTS},
        "protected": sorted(project.protected),
        "going": [
            {"kind": kind, "name": name, "until": format_time(until)} for (kind, name), until in project.going.items()
        ],
        "pending": [
            {"kind": kind, "name": name, "source": pending.source, "until": format_time(pending.until)}
            for (kind, name), pending in project.pending.items()
        ],
        "properties": [
            {"kind": kind, "name": name, "values": values} for (kind, name), values in project.properties.items()
        ],
    }


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
        self.now: datetime = now
        self.random: Random = random
        self._taken: set[str] = set()
        # Read first, because the checks of the organization depend on the plans.
        self._settings = fields.get("settings", checks.closed_object(partial(changed_settings, settings)), settings)
        organization = fields.optional("organization", checks.closed_object(self._read_organization))
        self.state: State = State(
            organization=organization or self._read_organization(Fields({})),
            settings=self._settings,
            random=random,
        )

    def read_all(self) -> Snapshot:
        fields, state = self._fields, self.state
        fields.optional("version", checks.integer_between(1, 1))
        for project in self._read_array(fields, "projects", self._read_project):
            state.insert_project(project)
        for user in self._read_positioned("users", UserRecord):
            if state.find_user_by_email(user.email):
                raise invalid_argument(f"two users have the email {quoted(user.email)}")
            state.insert_user(user)
        for invite in self._read_positioned("invites", InviteRecord):
            state.insert_invite(invite)
        for account in self._read_positioned("service_accounts", ServiceAccountRecord):
            state.insert_service_account(account)
        for binding in self._read_array(fields, "role_bindings", self._read_role_binding):
            state.role_bindings.add(binding)
        state.tokens = {token["value"]: AccessTokenRecord(**token) for token in self._read_rows(fields, "tokens")}
        state.invite_mails.extend(sorted(fields.get("invite_mails", checks.array(checks.date_time), ())))
        caller = self._find_caller()
        # No real organization is without a user who owns it, so a document that leaves out the users gets one.
        if fields.get("users", lambda _, users: users, _ABSENT) is _ABSENT:
            state.add_human_owner(self.now)
        return Snapshot(state, caller, fields.optional("time", checks.date_time))

    def _read_positioned(self, name: str, record: Callable[..., T]) -> Iterator[T]:
        for row in self._read_rows(self._fields, name):
            yield record(**row, position=self.state.next_position())

    def _read_rows(self, fields: Fields, name: str) -> Iterable[dict[str, Any]]:
        return self._read_array(fields, name, lambda row: self._read_fields(row, _TABLES[name]))

    def _read_array(self, fields: Fields, name: str, read: Callable[[Fields], T]) -> Iterable[T]:
        return fields.get(name, checks.array(checks.closed_object(read)), ())

    def _read_fields(self, fields: Fields, table: _Table) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, field in table.items():
            if field.default is None:
                values[name] = fields.required(name, field.check)
            elif (value := fields.get(name, field.check, _ABSENT)) is _ABSENT:
                values[name] = field.default(self, values)
            else:
                values[name] = value
            if field is _ID:
                if values[name] in self._taken:
                    raise fields.refusal(name, f"{quoted(values[name])} occurs twice")
                self._taken.add(values[name])
        return values

    def _read_organization(self, fields: Fields) -> OrganizationRecord:
        plans = self._settings.plans
        values = self._read_fields(fields, _organization_table(plans))
        return OrganizationRecord(**values, support_tier=plans[values["plan"]].support_tier)

    def _read_project(self, fields: Fields) -> ProjectRecord:
        values = self._read_fields(fields, _TABLES["projects"])
        return ProjectRecord(
            **values,
            organization_id=self.state.organization.id,
            api_keys={
                key["id"]: APIKeyRecord(**key, project_id=values["id"]) for key in self._read_rows(fields, "api_keys")
            },
            contents={kind: set(fields.get(kind, _NAMES, ())) for kind in PROJECT_CONTENTS},
            protected=set(fields.get("protected", _NAMES, ())),
            going={(row["kind"], row["name"]): row["until"] for row in self._read_rows(fields, "going")},
            pending={
                (row["kind"], row["name"]): PendingResource(row["source"], row["until"])
                for row in self._read_rows(fields, "pending")
            },
            properties={(row["kind"], row["name"]): row["values"] for row in self._read_rows(fields, "properties")},
        )

    def _read_role_binding(self, fields: Fields) -> RoleBindingRecord:
        principal = Principal(
            type=fields.required("principal_type", checks.one_of(checks.PRINCIPAL_TYPES)),
            id=fields.required("principal_id", checks.string),
        )
        if self.state.find_principal(principal) is None:
            raise fields.refusal("principal_id", f"{quoted(principal.id)} is not the id of any {principal.type}")
        return RoleBindingRecord(
            **self._read_fields(fields, _TABLES["role_bindings"]),
            principal=principal,
            grant=self._read_grant(fields),
            position=self.state.next_position(),
        )

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
