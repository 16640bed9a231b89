"""The state of the emulated organization, and the changes that keep its records consistent."""

import json
import string
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from hashlib import blake2b
from itertools import count
from random import Random
from typing import Any
from uuid import UUID

from attrs import define, evolve, field

from pinecone_admin.emulator.model.listing import Listing, Table
from pinecone_admin.emulator.model.records import (
    INVITE_LIFETIME,
    AccessTokenRecord,
    APIKeyRecord,
    BindingFilter,
    Grant,
    InviteRecord,
    OrganizationRecord,
    PersonBefore,
    PlainRecord,
    Principal,
    ProjectRecord,
    RoleBindingRecord,
    ServiceAccountRecord,
    UserRecord,
)
from pinecone_admin.emulator.model.role_bindings import RoleBindingIndex
from pinecone_admin.emulator.model.settings import BUILDER, EmulatorSettings, Plan

# Of the process, not of a state; issue_token says why.
_token_numbers = count()
_ALPHANUMERIC = string.ascii_letters + string.digits
_SECRET = _ALPHANUMERIC + "-_"


@define(kw_only=True)
class State:
    """The state of one organization.

    Args:
        organization: The organization itself.
        settings: Its settings.
        random: The source of ids and secrets; with a seed, they are the same in every run.
    """

    organization: OrganizationRecord
    settings: EmulatorSettings
    _random: Random = field(alias="random")
    projects: dict[str, ProjectRecord] = field(factory=dict, init=False)
    users: Table[UserRecord] = field(factory=lambda: Table[UserRecord]("email"), init=False)
    invites: Table[InviteRecord] = field(factory=Table[InviteRecord], init=False)
    service_accounts: Table[ServiceAccountRecord] = field(
        factory=lambda: Table[ServiceAccountRecord]("client_id"), init=False
    )
    plain_records: Table[PlainRecord] = field(factory=Table[PlainRecord], init=False)
    role_bindings: RoleBindingIndex = field(factory=RoleBindingIndex, init=False)
    tokens: dict[str, AccessTokenRecord] = field(factory=dict, init=False)
    invite_mails: deque[datetime] = field(factory=deque, init=False)
    _people_before: dict[str, PersonBefore] = field(factory=dict, init=False)
    _cursor_key: bytes = field(init=False)
    _created: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self._cursor_key = self._random.randbytes(16)

    @property
    def plan(self) -> Plan:
        """The organization's plan, with the quotas of the settings if they have any."""
        settings, name = self.settings, self.organization.plan
        plan = BUILDER if settings.builder and name == "Free" else settings.plans[name]
        quotas = {"projects": settings.project_quota, "users": settings.user_quota, "api_keys": settings.api_key_quota}
        own: dict[str, Any] = {name: quota for name, quota in quotas.items() if quota is not None}
        return evolve(plan, **own)

    @property
    def open_invites(self) -> Listing[InviteRecord]:
        """The invites that have not been accepted."""
        return Listing([invite for invite in self.invites.listing if not invite.processed_at])

    @property
    def api_keys(self) -> dict[str, APIKeyRecord]:
        """The API keys of all projects."""
        return {key.id: key for project in self.projects.values() for key in project.api_keys.values()}

    def find_api_key(self, key_id: str) -> APIKeyRecord | None:
        """Return the API key with an id, or None."""
        return next((each.api_keys[key_id] for each in self.projects.values() if key_id in each.api_keys), None)

    def find_principal(self, principal: Principal) -> object | None:
        """Return the user, service account, API key or invite of a principal, or None."""
        look_up: dict[str, Callable[[str], object | None]] = {
            "user": self.users.get,
            "service_account": self.service_accounts.get,
            "api_key": self.find_api_key,
            "invite": self.invites.get,
        }
        return look_up[principal.type](principal.id)

    def delete_organization(self) -> None:
        """Delete all principals of the organization, whose projects are already deleted."""
        # Without principals every token is invalid, so no request can tell that the record itself remains.
        for user in list(self.users.listing):
            self.remove_user(user)
        for invite in list(self.invites.listing):
            self.remove_invite(invite)
        for account in list(self.service_accounts.listing):
            self.remove_service_account(account)

    def new_id(self) -> str:
        """Return a new UUID."""
        return random_id(self._random)

    def next_position(self) -> int:
        """Return the position of the next record in the order of creation."""
        # A counter and not the time, which does not order records while the clock stands still.
        self._created += 1
        return self._created

    def add_project(self, name: str, now: datetime, *, max_pods: int = 0, cmek: bool = False) -> ProjectRecord:
        """Create an empty project."""
        project = ProjectRecord(self.new_id(), name, now, max_pods, cmek)
        self.projects[project.id] = project
        return project

    def new_key_value(self) -> str:
        """Return the value of a new API key."""
        label, unique = _random_text(self._random, _ALPHANUMERIC, 6), _random_text(self._random, _ALPHANUMERIC, 63)
        return f"{self.settings.key_prefix}{label}_{unique}"

    def remove_project(self, project: ProjectRecord) -> None:
        """Delete a project, its API keys and all role bindings on it."""
        for key in list(project.api_keys.values()):
            self.remove_api_key(key)
        on_project = BindingFilter(resource_type="project", resource_id=project.id)
        # Users and service accounts hold roles on the project, too, not only its API keys.
        for binding in list(self.role_bindings.matching(on_project)):
            self.role_bindings.remove(binding)
        self._remove_plain_records_of(project.id)
        del self.projects[project.id]

    def add_api_key(self, project: ProjectRecord, name: str, now: datetime | None = None) -> APIKeyRecord:
        """Create an API key without roles; by default at the time when its project was created."""
        key = APIKeyRecord(self.new_id(), name, project.id, self.new_key_value(), now or project.created_at)
        project.api_keys[key.id] = key
        return key

    def remove_api_key(self, key: APIKeyRecord) -> None:
        """Delete an API key and its role bindings."""
        self.unbind_all(Principal("api_key", key.id))
        del self.projects[key.project_id].api_keys[key.id]

    def roles_of(self, key: APIKeyRecord) -> list[str]:
        """Return the roles of an API key on its project."""
        return [binding.grant.role for binding in self.role_bindings.held_by(Principal("api_key", key.id))]

    def add_user(self, email: str, name: str | None = None) -> UserRecord:
        """Create a user without roles."""
        return self.users.add(UserRecord(self.new_id(), email, name, self.next_position()))

    def remove_user(self, user: UserRecord) -> None:
        """Remove a user and their role bindings."""
        self.unbind_all(Principal("user", user.id))
        self.users.remove(user)

    def add_invite(self, email: str, now: datetime) -> InviteRecord:
        """Create and mail an invite without roles."""
        invite = self.invites.add(InviteRecord(self.new_id(), email, now, now, self.next_position()))
        self.mail_invite(invite, now)
        return invite

    def mail_invite(self, invite: InviteRecord, now: datetime) -> None:
        """Mail an invite, which is then valid for seven days."""
        invite.expires_at = now + INVITE_LIFETIME
        self.invite_mails.append(now)

    def remove_invite(self, invite: InviteRecord) -> None:
        """Delete an invite and its role bindings."""
        self.unbind_all(Principal("invite", invite.id))
        self.invites.remove(invite)

    def accept_invite(self, invite: InviteRecord, now: datetime, name: str | None = None) -> UserRecord:
        """Accept an invite: create the user, and pass the invite's role bindings on to them."""
        # The API document says that the bindings keep their id and created_at; only the principal changes.
        user = self.add_user(invite.email, name)
        for binding in self.role_bindings.held_by(Principal("invite", invite.id)):
            self.role_bindings.remove(binding)
            self.role_bindings.add(evolve(binding, principal=Principal("user", user.id)))
        invite.processed_at = now
        return user

    def find_email(self, principal: Principal) -> str | None:
        """Return the email of a user or of an invite; None for any other principal."""
        record = self.find_principal(principal)
        return record.email if isinstance(record, UserRecord | InviteRecord) else None

    def remember_person(self, email: str | None) -> None:
        """Remember a person who is about to be changed, if an identity provider will revert the change."""
        if email is None or self.settings.managed_changes == "refused" or not self.settings.is_managed(email):
            return
        user = self.users.find(email)
        bindings = self.role_bindings.held_by(Principal("user", user.id)) if user else []
        self._people_before.setdefault(email.casefold(), PersonBefore(user, bindings, self.find_open_invites(email)))

    def restore_people(self) -> None:
        """Make each person that was remembered what they were."""
        for email, before in self._people_before.items():
            if user := self.users.find(email):
                self.remove_user(user)
            for invite in self.find_open_invites(email):
                if invite not in before.invites:
                    self.remove_invite(invite)
            if before.user:
                self.users.add(before.user)
            for binding in before.bindings:
                # A project may have been deleted since, which is no matter of the identity provider.
                if binding.grant.resource_type == "organization" or binding.grant.resource_id in self.projects:
                    self.role_bindings.add(binding)
        self._people_before.clear()

    def find_open_invites(self, email: str) -> list[InviteRecord]:
        """Return the invites for an email that have not been accepted, ignoring case."""
        return [each for each in self.open_invites if each.email.casefold() == email.casefold()]

    def add_service_account(self, name: str, now: datetime) -> ServiceAccountRecord:
        """Create a service account without roles."""
        client_id, secret = self.new_client_id(), self.new_client_secret()
        position = self.next_position()
        return self.service_accounts.add(
            ServiceAccountRecord(self.new_id(), name, client_id, secret, now, now, position)
        )

    def new_client_id(self) -> str:
        """Return a new OAuth client id."""
        return _random_text(self._random, _ALPHANUMERIC, 32)

    def new_client_secret(self) -> str:
        """Return a new OAuth client secret."""
        return _random_text(self._random, _SECRET, 64)

    def remove_service_account(self, account: ServiceAccountRecord) -> None:
        """Delete a service account, its role bindings and its access tokens."""
        self.revoke_tokens(account)
        self.unbind_all(Principal("service_account", account.id))
        self.service_accounts.remove(account)

    def add_plain_record(self, collection: str, values: dict[str, object]) -> PlainRecord:
        """Create a record of a plain resource, whose values have its id."""
        return self.plain_records.add(PlainRecord(str(values["id"]), collection, values, self.next_position()))

    def remove_plain_record(self, record: PlainRecord) -> None:
        """Delete a record of a plain resource, and those within it."""
        self._remove_plain_records_of(record.id)
        self.plain_records.remove(record)

    def _remove_plain_records_of(self, owner_id: str) -> None:
        for record in list(self.plain_records.listing):
            if owner_id in record.collection.split("/"):
                self.plain_records.remove(record)

    def add_owner(self, now: datetime, account: ServiceAccountRecord | None = None) -> ServiceAccountRecord:
        """Let a service account own the organization, by default a new one."""
        owner = self.service_accounts.add(account) if account else self.add_service_account("emulator", now)
        self.bind(Principal("service_account", owner.id), [self._ownership], now)
        return owner

    def add_human_owner(self, now: datetime) -> None:
        """Let a user own the organization."""
        # Ids of their own: tests that set a seed rely on the ids of what they create, which must not shift.
        random = Random(self.organization.id)  # noqa: S311 — no secrets
        made = UserRecord(random_id(random), "owner@example.com", None, self.next_position())
        user = self.users.find(made.email) or self.users.add(made)
        principal, position = Principal("user", user.id), self.next_position()
        self.role_bindings.add(RoleBindingRecord(random_id(random), principal, self._ownership, now, position))

    @property
    def _ownership(self) -> Grant:
        return Grant("OrgOwner", "organization", self.organization.id)

    def rotate_secret(self, account: ServiceAccountRecord) -> None:
        """Replace a client secret; the old one is invalid at once."""
        account.client_secret = self.new_client_secret()
        if self.settings.rotation_revokes_tokens:
            self.revoke_tokens(account)

    def find_account_by_credentials(self, client_id: str, client_secret: str) -> ServiceAccountRecord | None:
        """Return the service account with these client credentials, or None."""
        account = self.service_accounts.find(client_id)
        known = account and (account.client_id, account.client_secret) == (client_id, client_secret)
        return account if known else None

    def issue_token(self, account: ServiceAccountRecord, now: datetime) -> str:
        """Issue an access token in the form of a JWT, whose third part is random and no signature."""
        expires_at = now + timedelta(seconds=self.settings.token_lifetime)
        claims = {"sub": account.client_id, "iat": int(now.timestamp()), "exp": int(expires_at.timestamp())}
        # The number makes tokens unique across emulators of one seed: a client that outlives one emulator must not find
        # its old token accepted by the next.
        random = f"{_random_text(self._random, _ALPHANUMERIC, 56)}{next(_token_numbers):08d}"
        token = f"{_encode_part({'alg': 'none', 'typ': 'JWT'})}.{_encode_part(claims)}.{random}"
        self.tokens[token] = AccessTokenRecord(token, account.id, expires_at)
        return token

    def revoke_tokens(self, account: ServiceAccountRecord) -> None:
        """Revoke all access tokens of a service account."""
        self.tokens = {value: token for value, token in self.tokens.items() if token.service_account_id != account.id}

    def revoke_token(self, token: str) -> None:
        """Revoke an access token."""
        self.tokens.pop(token, None)

    def find_account_by_token(self, token: str, now: datetime) -> ServiceAccountRecord | None:
        """Return the service account of an access token, or None if the token is unknown or has expired."""
        record = self.tokens.get(token)
        return self.service_accounts.get(record.service_account_id) if record and now < record.expires_at else None

    def bind(self, principal: Principal, grants: Iterable[Grant], now: datetime) -> list[RoleBindingRecord]:
        """Bind roles to a principal."""
        bindings = [RoleBindingRecord(self.new_id(), principal, grant, now, self.next_position()) for grant in grants]
        for binding in bindings:
            self.role_bindings.add(binding)
        return bindings

    def unbind_all(self, principal: Principal) -> None:
        """Revoke all roles of a principal."""
        for binding in self.role_bindings.held_by(principal):
            self.role_bindings.remove(binding)

    def encode_cursor(self, listing: str, position: int) -> str:
        """Return the opaque cursor for a position in a listing."""
        # The seal ties the cursor to its list, filters and state: the API refuses a cursor of any other.
        mark = position.to_bytes(6)
        seal = blake2b(mark + listing.encode(), key=self._cursor_key, digest_size=12).digest()
        return urlsafe_b64encode(mark + seal).decode()

    def decode_cursor(self, listing: str, cursor: str) -> int | None:
        """Return the position of a cursor, or None if it is not a cursor of this listing."""
        try:
            position = int.from_bytes(urlsafe_b64decode(cursor)[:6])
        except ValueError:
            return None
        return position if self.encode_cursor(listing, position) == cursor else None


def _encode_part(part: Mapping[str, object]) -> str:
    return urlsafe_b64encode(json.dumps(part, separators=(",", ":")).encode()).decode().rstrip("=")


def new_organization_id(random: Random) -> str:
    """Return a new organization id."""
    return "-N" + _random_text(random, _ALPHANUMERIC, 18)


def random_id(random: Random) -> str:
    """Return a UUID made of random numbers."""
    return str(UUID(int=random.getrandbits(128), version=4))


def _random_text(random: Random, alphabet: str, length: int) -> str:
    return "".join(random.choices(alphabet, k=length))
