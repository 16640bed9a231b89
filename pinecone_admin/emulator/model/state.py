"""What the emulated organization holds: records, and indexes that keep look-ups and filters fast."""

import string
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from hashlib import blake2b
from itertools import count, product
from random import Random
from typing import TypeVar
from uuid import UUID

from attrs import Factory, define, evolve, field, frozen

from pinecone_admin.emulator.model.listing import Listing, Table
from pinecone_admin.emulator.model.settings import Plan, Settings

PROJECT_CONTENTS = ("indexes", "collections", "assistants", "backups")
"""What blocks a project's deletion, in the order in which the server names it."""

INVITE_LIFETIME = timedelta(days=7)

_token_numbers = count()
_ALPHANUMERIC = string.ascii_letters + string.digits
_SECRET = _ALPHANUMERIC + "-_"


@define(eq=False)
class OrganizationRecord:
    """The organization, one for each state."""

    id: str
    name: str
    plan: str
    payment_status: str
    support_tier: str
    created_at: datetime


@define(eq=False)
class APIKeyRecord:
    """A key of a project; its roles are role bindings."""

    id: str
    name: str
    project_id: str
    value: str


@frozen
class PendingResource:
    """Something that is still being made, which keeps it, or the index that it is made from, from being deleted."""

    source: str
    until: datetime


@define(eq=False)
class ProjectRecord:
    """A project with its keys and the names of what it contains, by kind.

    Args:
        protected: indexes with deletion protection.
        going: what is being deleted, by kind and name, and when it is gone.
        pending: collections and backups that are being made.
    """

    id: str
    name: str
    organization_id: str
    created_at: datetime
    max_pods: int
    force_encryption_with_cmek: bool
    api_keys: dict[str, APIKeyRecord] = Factory(dict[str, APIKeyRecord])
    contents: dict[str, set[str]] = field(factory=lambda: {kind: set[str]() for kind in PROJECT_CONTENTS})
    protected: set[str] = Factory(set[str])
    going: dict[tuple[str, str], datetime] = Factory(dict[tuple[str, str], datetime])
    pending: dict[str, PendingResource] = Factory(dict[str, PendingResource])

    def remove_content(self, kind: str, name: str) -> None:
        """Take something out, with all that was known of it."""
        self.contents[kind].discard(name)
        self.going.pop((kind, name), None)
        if kind == "indexes":
            self.protected.discard(name)
        elif kind != "assistants":
            self.pending.pop(name, None)


@define(eq=False)
class UserRecord:
    """A member of the organization."""

    id: str
    email: str
    name: str | None
    position: int


@define(eq=False)
class InviteRecord:
    """An invitation; whether it has expired is a question of time."""

    id: str
    email: str
    created_at: datetime
    expires_at: datetime
    position: int
    processed_at: datetime | None = None

    def status(self, now: datetime) -> str:
        """Return pending, expired or processed."""
        if self.processed_at:
            return "processed"
        return "pending" if now < self.expires_at else "expired"


@define(eq=False)
class ServiceAccountRecord:
    """A service account and the secret that buys its tokens."""

    id: str
    name: str
    client_id: str
    client_secret: str
    created_at: datetime
    updated_at: datetime
    position: int

    def mark_updated(self, now: datetime) -> None:
        """Move the time of update, even where the clock stands still."""
        self.updated_at = max(now, self.updated_at + timedelta(microseconds=1))


@frozen
class AccessTokenRecord:
    """What an access token stands for."""

    service_account_id: str
    expires_at: datetime


@frozen
class Principal:
    """Who holds a role."""

    type: str
    id: str


@frozen
class Grant:
    """A role on a resource."""

    role: str
    resource_type: str
    resource_id: str


@frozen(eq=False)
class RoleBindingRecord:
    """A principal's role on a resource."""

    id: str
    principal: Principal
    grant: Grant
    created_at: datetime
    position: int


@frozen
class BindingFilter:
    """What role bindings must be equal in; None matches anything."""

    principal_type: str | None = None
    principal_id: str | None = None
    resource_type: str | None = None
    resource_id: str | None = None
    role: str | None = None

    def matches(self, binding: RoleBindingRecord) -> bool:
        """Tell whether a binding is equal in all that is given."""
        principal, grant = binding.principal, binding.grant
        return (
            self.principal_type in {None, principal.type}
            and self.principal_id in {None, principal.id}
            and self.resource_type in {None, grant.resource_type}
            and self.resource_id in {None, grant.resource_id}
            and self.role in {None, grant.role}
        )


_IndexKey = tuple[str | None, str | None, str | None, str | None]


def _index_keys(binding: RoleBindingRecord) -> Iterator[_IndexKey]:
    grant = binding.grant
    resources = ((None, None), (grant.resource_type, None), (grant.resource_type, grant.resource_id))
    for principal_type, (resource_type, resource_id), role in product(
        (None, binding.principal.type), resources, (None, grant.role)
    ):
        yield principal_type, resource_type, resource_id, role


@define
class RoleBindingIndex:
    """All role bindings, with one listing for each combination of filters that does not name a principal.

    A principal holds few bindings, so that naming one leaves little to look through.
    """

    _by_id: dict[str, RoleBindingRecord] = Factory(dict[str, RoleBindingRecord])
    _by_filter: dict[_IndexKey, Listing[RoleBindingRecord]] = Factory(dict[_IndexKey, Listing[RoleBindingRecord]])
    _by_principal: dict[Principal, Listing[RoleBindingRecord]] = Factory(dict[Principal, Listing[RoleBindingRecord]])

    def add(self, binding: RoleBindingRecord) -> None:
        """Enter a binding into every index."""
        self._by_id[binding.id] = binding
        _add_to_index(self._by_principal, binding.principal, binding)
        for key in _index_keys(binding):
            _add_to_index(self._by_filter, key, binding)

    def remove(self, binding: RoleBindingRecord) -> None:
        """Take a binding out of every index."""
        del self._by_id[binding.id]
        _remove_from_index(self._by_principal, binding.principal, binding)
        for key in _index_keys(binding):
            _remove_from_index(self._by_filter, key, binding)

    def get(self, binding_id: str) -> RoleBindingRecord | None:
        """Return a binding by its id."""
        return self._by_id.get(binding_id)

    def held_by(self, principal: Principal) -> list[RoleBindingRecord]:
        """Return a principal's bindings, oldest first."""
        return list(self._by_principal.get(principal, ()))

    def matching(self, wanted: BindingFilter) -> Listing[RoleBindingRecord]:
        """Return the listing of the bindings that a filter matches."""
        if wanted.principal_type and wanted.principal_id is not None:
            held = self.held_by(Principal(wanted.principal_type, wanted.principal_id))
            return Listing([binding for binding in held if wanted.matches(binding)])
        key = (wanted.principal_type, wanted.resource_type, wanted.resource_id, wanted.role)
        return self._by_filter.get(key, Listing())

    def __iter__(self) -> Iterator[RoleBindingRecord]:
        return iter(self._by_filter.get((None, None, None, None), ()))

    def __len__(self) -> int:
        return len(self._by_id)


K = TypeVar("K")


def _add_to_index(index: dict[K, Listing[RoleBindingRecord]], key: K, binding: RoleBindingRecord) -> None:
    if key not in index:
        index[key] = Listing[RoleBindingRecord]()
    index[key].add(binding)


def _remove_from_index(index: dict[K, Listing[RoleBindingRecord]], key: K, binding: RoleBindingRecord) -> None:
    listing = index[key]
    listing.remove(binding)
    if not listing:
        del index[key]


@define(kw_only=True)
class State:
    """One organization and everything in it.

    Args:
        organization: the organization itself.
        settings: the configurable points.
        random: where ids and secrets come from; seeded, they repeat.
    """

    organization: OrganizationRecord
    settings: Settings
    _random: Random = field(alias="random")
    projects: dict[str, ProjectRecord] = field(factory=dict, init=False)
    api_keys: dict[str, APIKeyRecord] = field(factory=dict, init=False)
    users: Table[UserRecord] = field(factory=Table[UserRecord], init=False)
    invites: dict[str, InviteRecord] = field(factory=dict, init=False)
    open_invites: Listing[InviteRecord] = field(factory=Listing[InviteRecord], init=False)
    service_accounts: Table[ServiceAccountRecord] = field(factory=Table[ServiceAccountRecord], init=False)
    role_bindings: RoleBindingIndex = field(factory=RoleBindingIndex, init=False)
    tokens: dict[str, AccessTokenRecord] = field(factory=dict, init=False)
    invite_mails: deque[datetime] = field(factory=deque, init=False)
    _user_by_email: dict[str, UserRecord] = field(factory=dict, init=False)
    _open_invites_by_email: defaultdict[str, list[InviteRecord]] = field(factory=lambda: defaultdict(list), init=False)
    _account_by_client_id: dict[str, ServiceAccountRecord] = field(factory=dict, init=False)
    _cursor_key: bytes = field(init=False)
    _created: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self._cursor_key = self._random.randbytes(16)

    @property
    def plan(self) -> Plan:
        """What the organization's plan includes."""
        return self.settings.plans[self.organization.plan]

    @property
    def project_quota(self) -> int:
        """How many projects the organization may have."""
        quota = self.settings.project_quota
        return self.plan.projects if quota is None else quota

    @property
    def api_key_quota(self) -> int | None:
        """How many keys a project may have; None for any number."""
        quota = self.settings.api_key_quota
        return self.plan.api_keys if quota is None else quota

    def set_plan(self, plan: str) -> None:
        """Put the organization on a plan, with the support that comes with it."""
        self.organization.plan = plan
        self.organization.support_tier = self.settings.plans[plan].support_tier

    def find_principal(self, wanted: Principal) -> object | None:
        """Return the user, service account, API key or invite that a principal is."""
        look_up: dict[str, Callable[[str], object | None]] = {
            "user": self.users.get,
            "service_account": self.service_accounts.get,
            "api_key": self.api_keys.get,
            "invite": self.invites.get,
        }
        return look_up[wanted.type](wanted.id)

    def delete_organization(self) -> None:
        """Delete everybody in the organization, whose projects are gone, so that nobody is left who could ask."""
        for user in list(self.users.listing):
            self.remove_user(user)
        for invite in list(self.open_invites):
            self.remove_invite(invite)
        for account in list(self.service_accounts.listing):
            self.remove_service_account(account)
        self.invites.clear()

    def new_id(self) -> str:
        """Return a fresh UUID."""
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def next_position(self) -> int:
        """Return the place of the next record in the order of creation."""
        self._created += 1
        return self._created

    def add_project(self, name: str, now: datetime, *, max_pods: int = 0, cmek: bool = False) -> ProjectRecord:
        """Create an empty project."""
        project = ProjectRecord(self.new_id(), name, self.organization.id, now, max_pods, cmek)
        self.projects[project.id] = project
        return project

    def new_key_value(self) -> str:
        """Return the value of a new key."""
        label, unique = _random_text(self._random, _ALPHANUMERIC, 6), _random_text(self._random, _ALPHANUMERIC, 63)
        return f"{self.settings.key_prefix}{label}_{unique}"

    def remove_project(self, project: ProjectRecord) -> None:
        """Delete a project, its keys and every role on it."""
        for key in list(project.api_keys.values()):
            self.remove_api_key(key)
        on_project = BindingFilter(resource_type="project", resource_id=project.id)
        for binding in list(self.role_bindings.matching(on_project)):
            self.role_bindings.remove(binding)
        del self.projects[project.id]

    def add_api_key(self, project: ProjectRecord, name: str) -> APIKeyRecord:
        """Create a key that has no roles yet."""
        key = APIKeyRecord(self.new_id(), name, project.id, self.new_key_value())
        self.insert_api_key(project, key)
        return key

    def insert_api_key(self, project: ProjectRecord, key: APIKeyRecord) -> None:
        """Put a key where it is looked for."""
        self.api_keys[key.id] = project.api_keys[key.id] = key

    def remove_api_key(self, key: APIKeyRecord) -> None:
        """Delete a key and its roles."""
        self.unbind_all(Principal("api_key", key.id))
        del self.api_keys[key.id], self.projects[key.project_id].api_keys[key.id]

    def roles_of(self, key: APIKeyRecord) -> list[str]:
        """Return the roles that a key holds on its project."""
        return [binding.grant.role for binding in self.role_bindings.held_by(Principal("api_key", key.id))]

    def add_user(self, email: str, name: str | None = None) -> UserRecord:
        """Create a member, who holds no roles yet."""
        user = UserRecord(self.new_id(), email, name, self.next_position())
        self.insert_user(user)
        return user

    def insert_user(self, user: UserRecord) -> None:
        """Put a member where they are looked for."""
        self.users.add(user.id, user)
        self._user_by_email[user.email.casefold()] = user

    def remove_user(self, user: UserRecord) -> None:
        """Remove a member and every role of theirs."""
        self.unbind_all(Principal("user", user.id))
        self.users.remove(user.id)
        del self._user_by_email[user.email.casefold()]

    def find_user_by_email(self, email: str) -> UserRecord | None:
        """Return the member with an address, in any capitalization."""
        return self._user_by_email.get(email.casefold())

    def add_invite(self, email: str, now: datetime) -> InviteRecord:
        """Create and mail an invite, which holds no roles yet."""
        invite = InviteRecord(self.new_id(), email, now, now, self.next_position())
        self.mail_invite(invite, now)
        self.insert_invite(invite)
        return invite

    def insert_invite(self, invite: InviteRecord) -> None:
        """Put an invite where it is looked for."""
        self.invites[invite.id] = invite
        if not invite.processed_at:
            self.open_invites.add(invite)
            self._open_invites_by_email[invite.email.casefold()].append(invite)

    def mail_invite(self, invite: InviteRecord, now: datetime) -> None:
        """Send an invite's mail, from which it lives for seven days."""
        invite.expires_at = now + INVITE_LIFETIME
        self.invite_mails.append(now)

    def _close_invite(self, invite: InviteRecord) -> None:
        self.open_invites.remove(invite)
        self._open_invites_by_email[invite.email.casefold()].remove(invite)

    def remove_invite(self, invite: InviteRecord) -> None:
        """Withdraw an invite that is not processed, and its roles."""
        self.unbind_all(Principal("invite", invite.id))
        self._close_invite(invite)
        del self.invites[invite.id]

    def accept_invite(self, invite: InviteRecord, now: datetime, name: str | None = None) -> UserRecord:
        """Turn an invite into a new user, to whom its bindings pass as they are."""
        user = self.add_user(invite.email, name)
        for binding in self.role_bindings.held_by(Principal("invite", invite.id)):
            self.role_bindings.remove(binding)
            self.role_bindings.add(evolve(binding, principal=Principal("user", user.id)))
        self._close_invite(invite)
        invite.processed_at = now
        return user

    def find_pending_invite(self, email: str, now: datetime) -> InviteRecord | None:
        """Return the pending invite for an address, in any capitalization."""
        invites = self._open_invites_by_email.get(email.casefold(), [])
        return next((invite for invite in invites if invite.status(now) == "pending"), None)

    def add_service_account(self, name: str, now: datetime) -> ServiceAccountRecord:
        """Create a service account, which holds no roles yet."""
        client_id, secret = self.new_client_id(), self.new_client_secret()
        position = self.next_position()
        account = ServiceAccountRecord(self.new_id(), name, client_id, secret, now, now, position)
        self.insert_service_account(account)
        return account

    def new_client_id(self) -> str:
        """Return a fresh OAuth client id."""
        return _random_text(self._random, _ALPHANUMERIC, 32)

    def new_client_secret(self) -> str:
        """Return a fresh OAuth client secret."""
        return _random_text(self._random, _SECRET, 64)

    def insert_service_account(self, account: ServiceAccountRecord) -> None:
        """Put a service account where it is looked for."""
        self.service_accounts.add(account.id, account)
        self._account_by_client_id[account.client_id] = account

    def remove_service_account(self, account: ServiceAccountRecord) -> None:
        """Delete a service account, its roles and its tokens."""
        self.revoke_tokens(account)
        self.unbind_all(Principal("service_account", account.id))
        self.service_accounts.remove(account.id)
        del self._account_by_client_id[account.client_id]

    def add_owner(self, now: datetime) -> ServiceAccountRecord:
        """Create the service account that owns the organization from its beginning."""
        owner = self.add_service_account("emulator", now)
        grant = Grant("OrgOwner", "organization", self.organization.id)
        self.bind(Principal("service_account", owner.id), [grant], now)
        return owner

    def rotate_secret(self, account: ServiceAccountRecord) -> None:
        """Replace a secret; the old one is dead at once."""
        account.client_secret = self.new_client_secret()
        if self.settings.rotation_revokes_tokens:
            self.revoke_tokens(account)

    def find_account_by_credentials(self, client_id: str, client_secret: str) -> ServiceAccountRecord | None:
        """Return the service account that these credentials belong to."""
        account = self._account_by_client_id.get(client_id)
        return account if account and account.client_secret == client_secret else None

    def issue_token(self, account: ServiceAccountRecord, now: datetime) -> str:
        """Return a new access token."""
        # Its number keeps a client that outlives one emulator from meeting its old token in the next of the same seed.
        token = f"{_random_text(self._random, _ALPHANUMERIC, 56)}{next(_token_numbers):08d}"
        expires_at = now + timedelta(seconds=self.settings.token_lifetime)
        self.tokens[token] = AccessTokenRecord(account.id, expires_at)
        return token

    def revoke_tokens(self, account: ServiceAccountRecord) -> None:
        """End every token of a service account."""
        self.tokens = {value: token for value, token in self.tokens.items() if token.service_account_id != account.id}

    def revoke_token(self, token: str) -> None:
        """End one token."""
        self.tokens.pop(token, None)

    def find_account_by_token(self, token: str, now: datetime) -> ServiceAccountRecord | None:
        """Return the service account that an access token stands for, while it is accepted."""
        known = self.tokens.get(token)
        return self.service_accounts.get(known.service_account_id) if known and now < known.expires_at else None

    def bind(self, principal: Principal, grants: Iterable[Grant], now: datetime) -> list[RoleBindingRecord]:
        """Give a principal roles."""
        bindings = [RoleBindingRecord(self.new_id(), principal, grant, now, self.next_position()) for grant in grants]
        for binding in bindings:
            self.role_bindings.add(binding)
        return bindings

    def unbind_all(self, principal: Principal) -> None:
        """Take every role from a principal."""
        for binding in self.role_bindings.held_by(principal):
            self.role_bindings.remove(binding)

    def encode_cursor(self, listing: str, position: int) -> str:
        """Return the opaque cursor of a position in one listing of this state."""
        mark = position.to_bytes(6)
        seal = blake2b(mark + listing.encode(), key=self._cursor_key, digest_size=12).digest()
        return urlsafe_b64encode(mark + seal).decode()

    def decode_cursor(self, listing: str, cursor: str) -> int | None:
        """Return the position of a cursor, or None where it is no cursor of this listing."""
        try:
            position = int.from_bytes(urlsafe_b64decode(cursor)[:6])
        except ValueError:
            return None
        return position if self.encode_cursor(listing, position) == cursor else None


def new_organization_id(random: Random) -> str:
    """Return the id of a new organization."""
    return "-N" + _random_text(random, _ALPHANUMERIC, 18)


def _random_text(random: Random, alphabet: str, length: int) -> str:
    return "".join(random.choices(alphabet, k=length))
