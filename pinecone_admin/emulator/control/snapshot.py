"""The state as a JSON document: everything in it, secrets included, written out and read back.

What a document leaves out gets the value that a new one would get, so that a fixture written by hand needs little
more than names. Cursors that were given out before a document is read are refused afterwards.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from random import Random
from typing import TypeVar

from attrs import frozen

from pinecone_admin.emulator.api import checks
from pinecone_admin.emulator.api.checks import Fields
from pinecone_admin.emulator.api.refusals import invalid_argument, quoted
from pinecone_admin.emulator.api.serialization import (
    Document,
    format_time,
    role_binding_document,
    service_account_document,
)
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

_NAME = checks.max_characters(512)
_NAMES = checks.array(_NAME)


@frozen
class Snapshot:
    """What a document says.

    Args:
        state: the organization.
        caller: the service account whose credentials the emulator gives out.
        time: when the document was written, where it says so.
    """

    state: State
    caller: ServiceAccountRecord
    time: datetime | None


# Out


def dump_state(state: State, caller: ServiceAccountRecord, now: datetime) -> Document:
    """Write everything out, secrets included."""
    organization = state.organization
    return {
        "version": 1,
        "time": format_time(now),
        "caller": caller.id if state.service_accounts.get(caller.id) else None,  # it may have been deleted
        "organization": {
            "id": organization.id,
            "name": organization.name,
            "plan": organization.plan,
            "payment_status": organization.payment_status,
            "created_at": format_time(organization.created_at),
        },
        "settings": settings_document(state.settings),
        "projects": [_project_snapshot(project) for project in state.projects.values()],
        "users": [{"id": user.id, "email": user.email, "name": user.name} for user in state.users.listing],
        "invites": [_invite_snapshot(invite) for invite in state.invites.values()],
        "service_accounts": [_account_snapshot(account) for account in state.service_accounts.listing],
        "role_bindings": [role_binding_document(binding) for binding in state.role_bindings],
        "tokens": [
            {
                "value": value,
                "service_account_id": token.service_account_id,
                "expires_at": format_time(token.expires_at),
            }
            for value, token in state.tokens.items()
        ],
        "invite_mails": [format_time(moment) for moment in state.invite_mails],
    }


def _project_snapshot(project: ProjectRecord) -> Document:
    return {
        "id": project.id,
        "name": project.name,
        "created_at": format_time(project.created_at),
        "max_pods": project.max_pods,
        "force_encryption_with_cmek": project.force_encryption_with_cmek,
        "api_keys": [{"id": key.id, "name": key.name, "value": key.value} for key in project.api_keys.values()],
        **{kind: sorted(project.contents[kind]) for kind in PROJECT_CONTENTS},
        "protected": sorted(project.protected),
        "going": [
            {"kind": kind, "name": name, "until": format_time(until)} for (kind, name), until in project.going.items()
        ],
        "pending": [
            {"name": name, "source": pending.source, "until": format_time(pending.until)}
            for name, pending in project.pending.items()
        ],
    }


def _invite_snapshot(invite: InviteRecord) -> Document:
    return {
        "id": invite.id,
        "email": invite.email,
        "created_at": format_time(invite.created_at),
        "expires_at": format_time(invite.expires_at),
        "processed_at": invite.processed_at and format_time(invite.processed_at),
    }


def _account_snapshot(account: ServiceAccountRecord) -> Document:
    return service_account_document(account) | {"client_secret": account.client_secret}


# In


def load_state(document: object, settings: Settings, random: Random, now: datetime) -> Snapshot:
    """Read a document.

    Args:
        document: what `dump` gives, or less.
        settings: those that hold where the document does not change them.
        random: where ids and secrets come from that the document does not have.
        now: the time of whatever the document gives none.

    Raises:
        Refusal: the document is not of this form; the message names the field.
    """
    return checks.closed_object(lambda fields: _StateReader(fields, settings, random, now).snapshot())("", document)


def _read_going(fields: Fields) -> tuple[tuple[str, str], datetime]:
    kind = fields.required("kind", checks.one_of(PROJECT_CONTENTS))
    return (kind, fields.required("name", _NAME)), fields.required("until", checks.date_time)


def _read_pending(fields: Fields) -> tuple[str, PendingResource]:
    pending = PendingResource(fields.required("source", checks.string), fields.required("until", checks.date_time))
    return fields.required("name", _NAME), pending


class _StateReader:
    """Reads one document into one state, in the order in which one thing refers to another."""

    def __init__(self, fields: Fields, settings: Settings, random: Random, now: datetime) -> None:
        self._fields = fields
        self._now = now
        self._random = random
        self._taken: set[str] = set()
        self._settings = fields.get("settings", checks.closed_object(partial(changed_settings, settings)), settings)
        organization = fields.get("organization", checks.closed_object(self._read_organization), None)
        self._state = State(
            organization=organization or self._read_organization(Fields({})),
            settings=self._settings,
            random=random,
        )

    def snapshot(self) -> Snapshot:
        """Read everything."""
        state = self._state
        self._fields.optional("version", checks.integer_between(1, 1))
        self._insert_all("projects", self._read_project, self._insert_project)
        self._insert_all("users", self._read_user, self._insert_user)
        self._insert_all("invites", self._read_invite, state.insert_invite)
        self._insert_all("service_accounts", self._read_account, state.insert_service_account)
        self._insert_all("role_bindings", self._read_role_binding, state.role_bindings.add)
        self._insert_all("tokens", self._read_token, lambda token: state.tokens.update([token]))
        state.invite_mails.extend(sorted(self._fields.optional("invite_mails", checks.array(checks.date_time)) or ()))
        return Snapshot(state, self._find_caller(), self._fields.optional("time", checks.date_time))

    def _insert_all(self, name: str, read: Callable[[Fields], T], enter: Callable[[T], None]) -> None:
        for record in self._fields.optional(name, checks.array(checks.closed_object(read))) or ():
            enter(record)

    def _read_id(self, fields: Fields) -> str:
        record_id = fields.optional("id", checks.uuid) or self._state.new_id()
        if record_id in self._taken:
            raise fields.refusal("id", f"{quoted(record_id)} is there twice")
        self._taken.add(record_id)
        return record_id

    def _read_created_at(self, fields: Fields) -> datetime:
        return fields.get("created_at", checks.date_time, self._now)

    def _read_organization(self, fields: Fields) -> OrganizationRecord:
        plans = self._settings.plans
        plan = fields.get("plan", checks.one_of(plans), "Enterprise")
        return OrganizationRecord(
            id=fields.optional("id", _NAME) or new_organization_id(self._random),
            name=fields.get("name", _NAME, "Emulated Organization"),
            plan=plan,
            payment_status=fields.get("payment_status", checks.one_of(PAYMENT_STATUSES), "Active"),
            support_tier=plans[plan].support_tier,
            created_at=self._read_created_at(fields),
        )

    def _read_project(self, fields: Fields) -> ProjectRecord:
        project = ProjectRecord(
            id=self._read_id(fields),
            name=fields.required("name", _NAME),
            organization_id=self._state.organization.id,
            created_at=self._read_created_at(fields),
            max_pods=fields.get("max_pods", checks.non_negative_integer, 0),
            force_encryption_with_cmek=fields.get("force_encryption_with_cmek", checks.boolean, default=False),
        )
        keys = checks.array(checks.closed_object(lambda each: self._read_api_key(each, project.id)))
        project.api_keys = {key.id: key for key in fields.optional("api_keys", keys) or ()}
        project.contents = {kind: set(fields.optional(kind, _NAMES) or ()) for kind in PROJECT_CONTENTS}
        project.protected = set(fields.optional("protected", _NAMES) or ())
        project.going = dict(fields.optional("going", checks.array(checks.closed_object(_read_going))) or ())
        project.pending = dict(fields.optional("pending", checks.array(checks.closed_object(_read_pending))) or ())
        return project

    def _read_api_key(self, fields: Fields, project_id: str) -> APIKeyRecord:
        return APIKeyRecord(
            id=self._read_id(fields),
            name=fields.required("name", checks.max_characters(80)),
            project_id=project_id,
            value=fields.optional("value", _NAME) or self._state.new_key_value(),
        )

    def _insert_project(self, project: ProjectRecord) -> None:
        self._state.projects[project.id] = project
        self._state.api_keys.update(project.api_keys)

    def _read_user(self, fields: Fields) -> UserRecord:
        return UserRecord(
            id=self._read_id(fields),
            email=fields.required("email", checks.email),
            name=fields.get("name", checks.nullable(checks.string), None),
            position=self._state.next_position(),
        )

    def _insert_user(self, user: UserRecord) -> None:
        if self._state.find_user_by_email(user.email):
            raise invalid_argument(f"users has the address {quoted(user.email)} twice")
        self._state.insert_user(user)

    def _read_invite(self, fields: Fields) -> InviteRecord:
        created_at = self._read_created_at(fields)
        return InviteRecord(
            id=self._read_id(fields),
            email=fields.required("email", checks.email),
            created_at=created_at,
            expires_at=fields.get("expires_at", checks.date_time, created_at + INVITE_LIFETIME),
            position=self._state.next_position(),
            processed_at=fields.get("processed_at", checks.nullable(checks.date_time), None),
        )

    def _read_account(self, fields: Fields) -> ServiceAccountRecord:
        created_at = self._read_created_at(fields)
        return ServiceAccountRecord(
            id=self._read_id(fields),
            name=fields.required("name", checks.max_bytes(80)),
            client_id=fields.optional("client_id", _NAME) or self._state.new_client_id(),
            client_secret=fields.optional("client_secret", _NAME) or self._state.new_client_secret(),
            created_at=created_at,
            updated_at=fields.get("updated_at", checks.date_time, created_at),
            position=self._state.next_position(),
        )

    def _read_role_binding(self, fields: Fields) -> RoleBindingRecord:
        principal = Principal(
            type=fields.required("principal_type", checks.one_of(checks.PRINCIPAL_TYPES)),
            id=fields.required("principal_id", checks.string),
        )
        if self._state.find_principal(principal) is None:
            raise fields.refusal("principal_id", f"{quoted(principal.id)} is no {principal.type} of the document")
        return RoleBindingRecord(
            id=self._read_id(fields),
            principal=principal,
            grant=self._read_grant(fields),
            created_at=self._read_created_at(fields),
            position=self._state.next_position(),
        )

    def _read_grant(self, fields: Fields) -> Grant:
        requested = checks.read_grant(fields)
        own = self._state.organization.id
        resource_id = requested.resource_id or own
        known = resource_id in self._state.projects if requested.resource_type == "project" else resource_id == own
        if not known:
            raise fields.refusal(
                "resource_id", f"{quoted(resource_id)} is no {requested.resource_type} of the document"
            )
        return Grant(requested.role, requested.resource_type, resource_id)

    def _read_token(self, fields: Fields) -> tuple[str, AccessTokenRecord]:
        return fields.required("value", _NAME), AccessTokenRecord(
            service_account_id=fields.required("service_account_id", checks.string),
            expires_at=fields.required("expires_at", checks.date_time),
        )

    def _find_caller(self) -> ServiceAccountRecord:
        """Return whom the credentials belong to; a document that names nobody gets an owner."""
        named = self._fields.get("caller", checks.nullable(checks.string), None)
        if named is None:
            return self._state.add_owner(self._now)
        account = self._state.service_accounts.get(named)
        if account is None:
            raise invalid_argument(f"caller {quoted(named)} is no service account of the document")
        return account
