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

from pinecone_admin.emulator.api import checks, serialization
from pinecone_admin.emulator.api.checks import Fields, invalid, shown
from pinecone_admin.emulator.api.serialization import Document, time
from pinecone_admin.emulator.control.configuration import changed_settings, settings_document
from pinecone_admin.emulator.model.settings import PAYMENT_STATUSES, Settings
from pinecone_admin.emulator.model.state import (
    INVITE_LIFETIME,
    PROJECT_CONTENTS,
    AccessToken,
    APIKey,
    Grant,
    Invite,
    Organization,
    Pending,
    Principal,
    Project,
    RoleBinding,
    ServiceAccount,
    State,
    User,
    organization_id,
)

T = TypeVar("T")

_NAME = checks.characters(512)
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
    caller: ServiceAccount
    time: datetime | None


# Out


def dump(state: State, caller: ServiceAccount, now: datetime) -> Document:
    """Write everything out, secrets included."""
    organization = state.organization
    return {
        "version": 1,
        "time": time(now),
        "caller": caller.id if state.service_accounts.get(caller.id) else None,  # it may have been deleted
        "organization": {
            "id": organization.id,
            "name": organization.name,
            "plan": organization.plan,
            "payment_status": organization.payment_status,
            "created_at": time(organization.created_at),
        },
        "settings": settings_document(state.settings),
        "projects": [_project_out(project) for project in state.projects.values()],
        "users": [{"id": user.id, "email": user.email, "name": user.name} for user in state.users.listing],
        "invites": [_invite_out(invite) for invite in state.invites.values()],
        "service_accounts": [_account_out(account) for account in state.service_accounts.listing],
        "role_bindings": [serialization.role_binding(binding) for binding in state.role_bindings],
        "tokens": [
            {"value": value, "service_account_id": token.service_account_id, "expires_at": time(token.expires_at)}
            for value, token in state.tokens.items()
        ],
        "invite_mails": [time(moment) for moment in state.invite_mails],
    }


def _project_out(project: Project) -> Document:
    return {
        "id": project.id,
        "name": project.name,
        "created_at": time(project.created_at),
        "max_pods": project.max_pods,
        "force_encryption_with_cmek": project.force_encryption_with_cmek,
        "api_keys": [{"id": key.id, "name": key.name, "value": key.value} for key in project.api_keys.values()],
        **{kind: sorted(project.contents[kind]) for kind in PROJECT_CONTENTS},
        "protected": sorted(project.protected),
        "going": [{"kind": kind, "name": name, "until": time(until)} for (kind, name), until in project.going.items()],
        "pending": [
            {"name": name, "source": pending.source, "until": time(pending.until)}
            for name, pending in project.pending.items()
        ],
    }


def _invite_out(invite: Invite) -> Document:
    return {
        "id": invite.id,
        "email": invite.email,
        "created_at": time(invite.created_at),
        "expires_at": time(invite.expires_at),
        "processed_at": invite.processed_at and time(invite.processed_at),
    }


def _account_out(account: ServiceAccount) -> Document:
    return serialization.service_account(account) | {"client_secret": account.client_secret}


# In


def load(document: object, settings: Settings, random: Random, now: datetime) -> Snapshot:
    """Read a document.

    Args:
        document: what `dump` gives, or less.
        settings: those that hold where the document does not change them.
        random: where ids and secrets come from that the document does not have.
        now: the time of whatever the document gives none.

    Raises:
        Refusal: the document is not of this form; the message names the field.
    """
    return checks.closed_record(lambda fields: _Reader(fields, settings, random, now).snapshot())("", document)


def _going(fields: Fields) -> tuple[tuple[str, str], datetime]:
    kind = fields.required("kind", checks.one_of(PROJECT_CONTENTS))
    return (kind, fields.required("name", _NAME)), fields.required("until", checks.moment)


def _pending(fields: Fields) -> tuple[str, Pending]:
    pending = Pending(fields.required("source", checks.string), fields.required("until", checks.moment))
    return fields.required("name", _NAME), pending


class _Reader:
    """Reads one document into one state, in the order in which one thing refers to another."""

    def __init__(self, fields: Fields, settings: Settings, random: Random, now: datetime) -> None:
        self._fields = fields
        self._now = now
        self._random = random
        self._taken: set[str] = set()
        self._settings = fields.get("settings", checks.closed_record(partial(changed_settings, settings)), settings)
        organization = fields.get("organization", checks.closed_record(self._organization), None)
        self._state = State(
            organization=organization or self._organization(Fields({})),
            settings=self._settings,
            random=random,
        )

    def snapshot(self) -> Snapshot:
        """Read everything."""
        state = self._state
        self._fields.optional("version", checks.whole_number(1, 1))
        self._enter("projects", self._project, self._enter_project)
        self._enter("users", self._user, self._enter_user)
        self._enter("invites", self._invite, state.enter_invite)
        self._enter("service_accounts", self._account, state.enter_service_account)
        self._enter("role_bindings", self._role_binding, state.role_bindings.add)
        self._enter("tokens", self._token, lambda token: state.tokens.update([token]))
        state.invite_mails.extend(sorted(self._fields.optional("invite_mails", checks.array(checks.moment)) or ()))
        return Snapshot(state, self._caller(), self._fields.optional("time", checks.moment))

    def _enter(self, name: str, read: Callable[[Fields], T], enter: Callable[[T], None]) -> None:
        for record in self._fields.optional(name, checks.array(checks.closed_record(read))) or ():
            enter(record)

    def _id(self, fields: Fields) -> str:
        found = fields.optional("id", checks.uuid) or self._state.new_id()
        if found in self._taken:
            raise fields.refuse("id", f"{shown(found)} is there twice")
        self._taken.add(found)
        return found

    def _since(self, fields: Fields) -> datetime:
        return fields.get("created_at", checks.moment, self._now)

    def _organization(self, fields: Fields) -> Organization:
        plans = self._settings.plans
        plan = fields.get("plan", checks.one_of(plans), "Enterprise")
        return Organization(
            id=fields.optional("id", _NAME) or organization_id(self._random),
            name=fields.get("name", _NAME, "Emulated Organization"),
            plan=plan,
            payment_status=fields.get("payment_status", checks.one_of(PAYMENT_STATUSES), "Active"),
            support_tier=plans[plan].support_tier,
            created_at=self._since(fields),
        )

    def _project(self, fields: Fields) -> Project:
        project = Project(
            id=self._id(fields),
            name=fields.required("name", _NAME),
            organization_id=self._state.organization.id,
            created_at=self._since(fields),
            max_pods=fields.get("max_pods", checks.pod_count, 0),
            force_encryption_with_cmek=fields.get("force_encryption_with_cmek", checks.boolean, default=False),
        )
        keys = checks.array(checks.closed_record(lambda each: self._api_key(each, project.id)))
        project.api_keys = {key.id: key for key in fields.optional("api_keys", keys) or ()}
        project.contents = {kind: set(fields.optional(kind, _NAMES) or ()) for kind in PROJECT_CONTENTS}
        project.protected = set(fields.optional("protected", _NAMES) or ())
        project.going = dict(fields.optional("going", checks.array(checks.closed_record(_going))) or ())
        project.pending = dict(fields.optional("pending", checks.array(checks.closed_record(_pending))) or ())
        return project

    def _api_key(self, fields: Fields, project_id: str) -> APIKey:
        return APIKey(
            id=self._id(fields),
            name=fields.required("name", checks.characters(80)),
            project_id=project_id,
            value=fields.optional("value", _NAME) or self._state.new_key_value(),
        )

    def _enter_project(self, project: Project) -> None:
        self._state.projects[project.id] = project
        self._state.api_keys.update(project.api_keys)

    def _user(self, fields: Fields) -> User:
        return User(
            id=self._id(fields),
            email=fields.required("email", checks.email),
            name=fields.get("name", checks.nullable(checks.string), None),
            position=self._state.next_position(),
        )

    def _enter_user(self, user: User) -> None:
        if self._state.user_at(user.email):
            raise invalid(f"users has the address {shown(user.email)} twice")
        self._state.enter_user(user)

    def _invite(self, fields: Fields) -> Invite:
        created_at = self._since(fields)
        return Invite(
            id=self._id(fields),
            email=fields.required("email", checks.email),
            created_at=created_at,
            expires_at=fields.get("expires_at", checks.moment, created_at + INVITE_LIFETIME),
            position=self._state.next_position(),
            processed_at=fields.get("processed_at", checks.nullable(checks.moment), None),
        )

    def _account(self, fields: Fields) -> ServiceAccount:
        created_at = self._since(fields)
        return ServiceAccount(
            id=self._id(fields),
            name=fields.required("name", checks.utf8_bytes(80)),
            client_id=fields.optional("client_id", _NAME) or self._state.new_client_id(),
            client_secret=fields.optional("client_secret", _NAME) or self._state.new_client_secret(),
            created_at=created_at,
            updated_at=fields.get("updated_at", checks.moment, created_at),
            position=self._state.next_position(),
        )

    def _role_binding(self, fields: Fields) -> RoleBinding:
        principal = Principal(
            type=fields.required("principal_type", checks.one_of(checks.PRINCIPAL_TYPES)),
            id=fields.required("principal_id", checks.string),
        )
        if self._state.principal(principal) is None:
            raise fields.refuse("principal_id", f"{shown(principal.id)} is no {principal.type} of the document")
        return RoleBinding(
            id=self._id(fields),
            principal=principal,
            grant=self._grant(fields),
            created_at=self._since(fields),
            position=self._state.next_position(),
        )

    def _grant(self, fields: Fields) -> Grant:
        wanted = checks.grant_fields(fields)
        own = self._state.organization.id
        resource_id = wanted.resource_id or own
        known = resource_id in self._state.projects if wanted.resource_type == "project" else resource_id == own
        if not known:
            raise fields.refuse("resource_id", f"{shown(resource_id)} is no {wanted.resource_type} of the document")
        return Grant(wanted.role, wanted.resource_type, resource_id)

    def _token(self, fields: Fields) -> tuple[str, AccessToken]:
        return fields.required("value", _NAME), AccessToken(
            service_account_id=fields.required("service_account_id", checks.string),
            expires_at=fields.required("expires_at", checks.moment),
        )

    def _caller(self) -> ServiceAccount:
        """Return whom the credentials belong to; a document that names nobody gets an owner."""
        named = self._fields.get("caller", checks.nullable(checks.string), None)
        if named is None:
            return self._state.add_owner(self._now)
        account = self._state.service_accounts.get(named)
        if account is None:
            raise invalid(f"caller {shown(named)} is no service account of the document")
        return account
